"""A master and two workers on loopback: they come, they work, and they go, even when who started them is killed."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gatehouse.intake.cluster import open_cluster
from gatehouse.intake.cluster.session import SOURCES
from gatehouse.intake.cluster.standalone import open_standalone
from gatehouse.kernel.errors import MachineFailed

pytestmark = [pytest.mark.spark, pytest.mark.slow]


def answers(master: str) -> bool:
    place = urlsplit(master)
    try:
        socket.create_connection((place.hostname, place.port), timeout=1).close()
    except OSError:
        return False
    return True


def test_both_workers_work_and_a_demand_that_none_can_meet_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gatehouse.intake.cluster import session

    with open_standalone(tmp_path / "cluster", memory="1g") as master:
        monkeypatch.setattr(session, "PATIENCE", 5.0)
        with (
            pytest.raises(MachineFailed, match="no worker has 64GB"),
            open_cluster(master, folder=tmp_path / "a", memory="64GB"),
        ):
            pass
        monkeypatch.setattr(session, "PATIENCE", 120.0)
        with open_cluster(master, folder=tmp_path / "b", memory="512MB") as cluster:
            status = cluster.spark.sparkContext._jsc.sc().getExecutorMemoryStatus()
            until = time.monotonic() + 120
            while status.size() < 3 and time.monotonic() < until:  # the command and two executors
                time.sleep(0.2)
                status = cluster.spark.sparkContext._jsc.sc().getExecutorMemoryStatus()
            assert status.size() == 3
            assert cluster.spark.sparkContext.uiWebUrl is None
            ids = cluster.spark.sparkContext.parallelize(range(4), 4).map(lambda n: n * n).collect()
            assert ids == [0, 1, 4, 9]
    assert not answers(master)
    assert not (tmp_path / "b").exists()


def left(folder: str) -> list[str]:
    """The processes that still work below a folder, by their commands."""
    commands = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            commands.append(process.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [command for command in commands if f"--work-dir {folder}" in command]


def test_the_workers_end_with_who_is_killed(tmp_path: Path) -> None:
    folder = str(tmp_path / "cluster")
    script = (
        "import time; from pathlib import Path; from gatehouse.intake.cluster.standalone import open_standalone\n"
        f"with open_standalone(Path({folder!r})) as master: print(master, flush=True); time.sleep(600)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(SOURCES)},
    )
    assert child.stdout is not None
    master = child.stdout.readline().strip()
    assert answers(master)
    child.kill()
    child.wait()
    until = time.monotonic() + 60
    while (answers(master) or left(folder)) and time.monotonic() < until:
        time.sleep(0.2)
    assert not answers(master)
    assert left(folder) == [], "a worker that had only just begun ends as well"
