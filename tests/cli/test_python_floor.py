"""The oldest Python that is taken is one number, with its patch, wherever it is said."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_an_older_patch_of_python_is_not_taken_and_every_place_says_the_same_one(tmp_path: Path) -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    floor = stated.removeprefix(">=")
    assert re.fullmatch(r"3\.\d+\.\d+", floor), "a floor without a patch lets in one with known faults"
    launcher = (ROOT / "gatehouse").read_text()
    assert f"sys.version_info < ({floor.replace('.', ', ')})" in launcher
    assert f"Python {floor} or newer" in launcher
    assert f"{floor} or newer" in (ROOT / "docs" / "deploy.md").read_text()

    old = tmp_path / "bin" / "python3"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\nexit 1\n")  # every question about its version is answered with no
    old.chmod(0o755)
    for tool in ("sh", "env", "bash", "dirname", "basename", "cmp", "readlink", "pwd", "cat"):
        if (found := Path("/usr/bin") / tool).exists():
            (old.parent / tool).symlink_to(found)
    (tmp_path / "gatehouse").write_text(launcher)
    (tmp_path / "requirements.lock").write_text("")
    said = subprocess.run(
        ["/bin/sh", str(tmp_path / "gatehouse"), "--help"], capture_output=True, text=True, check=False,
        env={"PATH": str(old.parent), "HOME": str(tmp_path), "LANG": os.environ.get("LANG", "C")},
    )  # fmt: skip
    assert said.returncode != 0
    assert f"Python {floor} or newer is needed" in said.stderr
