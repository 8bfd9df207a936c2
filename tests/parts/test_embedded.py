"""One user runs the site: the web starts the other parts as its children, with the same code, and they end with it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import house
import pytest

from gatehouse.kernel import clock

ROOT = Path(__file__).parents[2]


def _children(parent: int) -> dict[str, int]:
    """The parts that a process began: name → process."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            line = (path / "cmdline").read_text().split("\0")
            above = int(re.search(r"^PPid:\s*(\d+)", (path / "status").read_text(), re.MULTILINE)[1])
        except OSError:
            continue
        if above == parent and "part" in line:
            found[line[line.index("part") + 1]] = int(path.name)
    return found


def _gone(process: int) -> bool:
    return not Path(f"/proc/{process}").exists() or "\nState:\tZ" in Path(f"/proc/{process}/status").read_text()


@pytest.mark.parametrize("ended", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.slow
def test_the_web_starts_the_other_parts_and_they_end_with_it(approved: house.House, ended: signal.Signals) -> None:
    command = [sys.executable, "-m", "gatehouse", "serve", "--site", str(approved.site.root), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), clock.PRETENDED: clock.stamp(house.LATER)}
    served = subprocess.Popen([*command, "--no-browser"], stdout=subprocess.PIPE, env=environment, text=True)
    try:
        address = next(found[0] for line in served.stdout if (found := re.search(r"http://localhost:\d+/", line)))
        until = time.monotonic() + 60
        while set(parts := _children(served.pid)) != {"writer", "sealer", "decider"} and time.monotonic() < until:
            time.sleep(0.1)
        assert set(parts) == {"writer", "sealer", "decider"}
        with urllib.request.urlopen(f"{address}ready/", timeout=60) as ready:  # noqa: S310 - our own address
            assert ready.status == 200
    finally:
        served.send_signal(ended)
        served.wait(30)
    until = time.monotonic() + 30
    while not all(map(_gone, parts.values())) and time.monotonic() < until:
        time.sleep(0.1)
    assert all(map(_gone, parts.values()))
