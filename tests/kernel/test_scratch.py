"""Private folders go with their process: at its end, when it is asked to end, and after it was killed."""

from __future__ import annotations

import gc
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gatehouse.kernel import scratch

ROOT = Path(__file__).parents[2]
HOLDS = """
import sys, time
from pathlib import Path
from gatehouse.kernel import scratch
taken = scratch.take(Path(sys.argv[1]))
(taken.path / "names").write_text("QUILLFEATHER")
print(taken.path, flush=True)
time.sleep(60)
"""
COMMAND = """
import sys, time, types
from pathlib import Path
import click
from gatehouse.cli import main
from gatehouse.intake.workspace import open_workspace

@click.command()
@click.argument("spill", type=click.Path(path_type=Path))
def hold(spill):
    with open_workspace("64MB", threads=1, temporary=spill) as connection:
        connection.execute("CREATE TABLE t AS SELECT i, repeat('x', 200) || i AS text FROM range(1000000) r(i)")
        Path("made").write_text("x")
        print("held", flush=True)
        time.sleep(60)

sys.modules["gatehouse.cli.hold"] = types.SimpleNamespace(hold=hold)
main.COMMANDS["hold"] = ("hold", "hold", "")
main.main()
"""


def start(program: str, *arguments: object, cwd: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=cwd)


def test_a_folder_is_its_owners_alone_and_goes_with_its_block(tmp_path) -> None:
    with scratch.folder(tmp_path) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "x").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_living_processes_folder_is_left_alone_and_a_dead_ones_is_swept(tmp_path) -> None:
    process = start(HOLDS, tmp_path, cwd=tmp_path)
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    assert scratch.sweep(tmp_path) == 0
    assert (folder / "names").exists()
    process.kill()
    process.wait()
    assert folder.exists()
    scratch._swept.discard(tmp_path)
    with scratch.folder(tmp_path) as mine:  # whoever works there next sweeps first
        assert list(tmp_path.iterdir()) == [mine]


def test_nothing_else_is_swept(tmp_path) -> None:
    (tmp_path / "gatehouse-register").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "gatehouse-0123456789abcdef").symlink_to(tmp_path / "elsewhere")
    assert scratch.sweep(tmp_path) == 0
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_asked_to_end_removes_what_it_spilled(tmp_path, number) -> None:
    spill, here = tmp_path / "spill", tmp_path / "here"
    here.mkdir()
    process = start(COMMAND, "hold", spill, cwd=here)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert len(list(spill.iterdir())) == 1
    assert stat.S_IMODE((here / "made").stat().st_mode) == 0o600  # umask 077, from the start of every command
    process.send_signal(number)
    begun = time.monotonic()
    assert process.wait() == 128 + number
    assert time.monotonic() - begun < 30
    assert list(spill.iterdir()) == []
    assert [path.name for path in here.iterdir()] == ["made"]  # and nothing spills where the command runs


def test_a_folder_goes_with_whoever_holds_it(tmp_path) -> None:
    held = scratch.take(tmp_path)
    assert held.path.exists()
    del held
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_a_record_lies_in_a_temporary_folder_that_nobody_sweeps() -> None:
    """Who keeps temporary files otherwise keeps invented data, sockets, or what its own maker removes."""
    source = Path(__file__).parents[2] / "src" / "gatehouse"
    others = {
        "kernel/scratch.py",  # the one place
        "cli/demo.py", "cli/reenact.py", "cli/synth.py", "law/crosscheck.py",  # invented data
        "pipeline/parts/running.py",  # sockets
        "match/postgres.py",  # in the folder of an index that is being made, which whoever makes it next removes
    }  # fmt: skip
    named = {path.relative_to(source).as_posix() for path in source.rglob("*.py") if "tempfile" in path.read_text()}
    assert named <= others


def test_uploads_lie_in_a_swept_folder() -> None:
    """In a process of its own: Django learns its settings once."""
    told = (
        "import tempfile, pathlib\nfrom gatehouse.cli import web\nfolder = web._uploads().path\n"
        "assert folder.parent == pathlib.Path(tempfile.gettempdir()) and folder.stat().st_mode & 0o077 == 0\n"
        "(folder / 'half.upload').write_text('a name')\nprint(folder, flush=True)\nimport os, signal\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    source = Path(__file__).parents[2] / "src"
    run = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(source)},
    )  # fmt: skip
    left = Path(run.stdout.strip())
    assert (left / "half.upload").exists(), run.stderr
    scratch.sweep(left.parent)
    assert not left.exists()
