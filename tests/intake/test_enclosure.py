"""A process that reads untrusted bytes opens its input, its own folder and the program, and no other file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatehouse.intake import enclosure, reader, reading

SOURCE = Path(__file__).parents[2] / "src"
TRIES = """
import json, os, sys
from pathlib import Path
from gatehouse.intake import enclosure
root = Path(sys.argv[1])
said = {"enclosed": enclosure.enclose([str(root / "input")], [str(root / "own")])}
for name, act in {
    "read its input": lambda: (root / "input" / "requests.csv").read_bytes(),
    "write its folder": lambda: (root / "own" / "made").write_bytes(b"1"),
    "rename in its folder": lambda: (root / "own" / "made").rename(root / "own" / "again"),
    "import": lambda: __import__("sqlite3"),
    "know the memory": lambda: Path("/proc/meminfo").read_text(),
    "write its input": lambda: (root / "input" / "requests.csv").open("ab"),
    "read another file": lambda: (root / "register" / "persons.parquet").read_bytes(),
    "read through proc": lambda: Path(f"/proc/self/root{root}/register/persons.parquet").read_bytes(),
    "list another folder": lambda: os.listdir(root / "register"),
    "write elsewhere": lambda: (root / "register" / "new").write_bytes(b"1"),
    "move out": lambda: (root / "own" / "again").rename(root / "register" / "out"),
    "read the system's": lambda: Path("/etc/passwd").read_bytes(),
}.items():
    try:
        act()
        said[name] = "done"
    except OSError as refused:
        said[name] = "refused"
print(json.dumps(said))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has Landlock")
def test_a_process_that_reads_opens_no_file_but_its_input_and_its_folder(tmp_path: Path) -> None:
    for name in ("input", "own", "register"):
        (tmp_path / name).mkdir()
    (tmp_path / "input" / "requests.csv").write_text("request_id\n")
    (tmp_path / "register" / "persons.parquet").write_text("persons")
    done = subprocess.run(
        [sys.executable, "-P", "-c", TRIES, str(tmp_path)], capture_output=True, text=True, check=True, cwd="/",
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    said = json.loads(done.stdout)
    if not said.pop("enclosed"):
        pytest.skip("this kernel has no Landlock")
    able = {"read its input", "write its folder", "rename in its folder", "import", "know the memory"}
    assert said == {name: "done" if name in able else "refused" for name in said}


def test_what_a_machine_leaves_open_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(reader, "_tell_open", told.append)
    reader._heed(json.dumps({"done": {}, "open": ["files", "network"]}).encode(), 1)
    assert told == ["files, network"]

    class Old:
        """A kernel without Landlock, or one that refuses it."""

        def syscall(self, *_: object) -> int:
            return -1

    monkeypatch.setattr(enclosure.ctypes, "CDLL", lambda *_args, **_more: Old())
    assert enclosure.enclose([], [str(tmp_path)]) is False


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has Landlock")
def test_a_real_reader_is_enclosed_and_reads_what_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    if enclosure.ctypes.CDLL(None).syscall(444, None, 0, 1) < 1:
        pytest.skip("this kernel has no Landlock")
    told: list[str] = []
    monkeypatch.setattr(reader, "_tell_open", told.append)
    prepared = reader._prepared.__wrapped__()
    try:
        assert (prepared.path / reading.PLACES).is_file()
        assert told
        assert all("files" not in one for one in told)
    finally:
        prepared.close()
