"""What the benchmark tables are made with measures what it says and replaces only its own section."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import measure
from gatehouse.cli import bench
from gatehouse.kernel.errors import MachineFailed


def test_a_step_is_measured_in_a_process_of_its_own() -> None:
    measured = measure.measure(os.getpid)
    assert measured.result != os.getpid()
    assert measured.peak_mib > 1


def test_seconds_are_the_steps_own() -> None:
    assert measure.measure(time.sleep, 0.3).seconds >= 0.3


def test_a_step_that_dies_is_said() -> None:
    with pytest.raises(MachineFailed, match="_exit"):
        measure.measure(os._exit, 7)


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    measure.keep(document, "a", "one\n")
    measure.keep(document, "b", "two\n")
    measure.keep(document, "a", "three\n")
    text = document.read_text()
    assert "one" not in text
    assert text.index("three") < text.index("two")
    assert text.count("<!-- bench:a -->") == 1


def test_an_installation_without_a_checkout_says_where_the_benchmarks_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "CHECKOUT", tmp_path)
    assert CliRunner().invoke(bench.bench, ["--help"]).exit_code == 0
    called = CliRunner().invoke(bench.bench, ["journey", "--dir", str(tmp_path)])
    assert isinstance(called.exception, MachineFailed)
    assert "from a checkout" in str(called.exception)
