"""The lawyer's path, from an empty folder: every command and every change of docs/tutorial-law.md, in its order.

Blocks of the page say what they are after the language: `sh` runs (`exit=N` where the answer is no, `norun` where it is
the reader's own terminal), `text` must appear line by line in what the commands before it said, `toml add=FILE` goes at
the end of a file, and `diff in=FILE` replaces lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial-law.md"
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Reader:
    """A terminal in an empty folder, with `gatehouse` on its path."""

    folder: Path
    environment: dict[str, str]
    said: str = ""
    ran: list[str] = field(default_factory=list)

    def sh(self, about: str, text: str) -> None:
        if "norun" in about:
            return
        wanted = int(match[1]) if (match := re.search(r"exit=(\d)", about)) else 0
        self.said = ""
        *first, last = text.strip().splitlines()
        for line in [*first, last]:
            done = subprocess.run(
                ["bash", "-c", line], cwd=self.folder, env=self.environment, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
            self.said += done.stdout
            self.ran.append(line)
            assert done.returncode == (wanted if line == last else 0), f"{line}\n{done.stdout}"

    def text(self, _: str, text: str) -> None:
        for line in text.strip("\n").splitlines():
            assert line in self.said, f"the page shows {line!r}; the command said:\n{self.said}"

    def toml(self, about: str, text: str) -> None:
        path = self._file("add", about)
        path.parent.mkdir(exist_ok=True)
        before = path.read_text() if path.exists() else ""
        path.write_text(f"{before}\n{text}" if before else text)

    def diff(self, about: str, text: str) -> None:
        path = self._file("in", about)
        old = "".join(f"{line[1:]}\n" for line in text.splitlines() if line.startswith("-"))
        new = "".join(f"{line[1:]}\n" for line in text.splitlines() if line.startswith("+"))
        before = path.read_text()
        assert old in before, f"{path.name} has no {old!r}"
        path.write_text(before.replace(old, new, 1))

    def _file(self, verb: str, about: str) -> Path:
        match = re.search(rf"{verb}=(\S+)", about)
        assert match, f"a block does not say its file: {about}"
        return self.folder / match[1]


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """An empty folder, and the launcher's command without its set-up."""
    command = tmp_path / "bin" / "gatehouse"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gatehouse "$@"\n')
    command.chmod(0o755)
    folder = tmp_path / "bench"
    folder.mkdir()
    environment = {
        **os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src"), "PAGER": "cat",
    }  # fmt: skip
    return Reader(folder, environment)


def test_the_tutorial_is_what_happens(reader: Reader):
    for kind, about, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        getattr(reader, kind)(about, text)
    used = {" ".join(line.split()[1:3]) for line in reader.ran}
    path = ("new", "check", "prove", "diff", "impact", "at", "explain", "page", "sign", "verify", "adopt")
    assert {f"law {verb}" for verb in path} <= used
    assert (reader.folder / "page" / "index.html").stat().st_size > 10_000
    assert (reader.folder / "site" / "packs" / "us.example.statute@0.2.0" / "pack.sig").is_file()
