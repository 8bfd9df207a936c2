"""`gatehouse test`: says before the first test what it leaves out, and leaves the slow ones out unless asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gatehouse.cli import test as command

CONFTEST = Path(__file__).parents[1] / "conftest.py"
SLOW = """
import pytest

@pytest.mark.slow
def test_slow():
    pass

def test_quick():
    pass
"""


@pytest.fixture
def run(tmp_path):
    """Run pytest on a small folder of tests that shares this one's conftest."""
    (tmp_path / "tests/room").mkdir(parents=True)
    (tmp_path / "tests/conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "tests/room/test_slow.py").write_text(SLOW)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = tests\nmarkers =\n  slow: slow\n")

    def go(*arguments: str) -> str:
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django", *arguments]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    return go


def test_what_is_left_out_is_said_before_the_first_test(run):
    told = run()
    assert "1 passed, 1 deselected" in told
    assert told.index("slow: run them with --everything") < told.index("1 passed")


@pytest.mark.parametrize("asked", [["--everything"], ["tests/room/test_slow.py"], ["-n", "2", "--everything"]])
@pytest.mark.slow
def test_slow_tests_run_when_asked_for(run, asked):
    assert "2 passed" in run(*asked)


def test_a_whole_run_uses_several_processes_and_a_named_test_does_not(monkeypatch):
    monkeypatch.setattr(command.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert command._side_by_side(("-q", "--everything")) == ["-n", "2", "--dist", "loadfile"]
    assert command._side_by_side(("tests/law", "-x")) == []
    assert command._side_by_side(("tests/law/test_checks.py::test_it",)) == []
    assert command._side_by_side(("-n", "0")) == []
    monkeypatch.setattr(command.os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert command._side_by_side(()) == []
