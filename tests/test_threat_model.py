"""Every threat in docs/threat-model.md names tests that exist: a control without its test is a claim."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")
ROWS = [line for line in (ROOT / "docs" / "threat-model.md").read_text().splitlines() if line.startswith("| ")]
THREATS = [row for row in ROWS if not row.startswith("| threat |")]


def test_the_table_is_read() -> None:
    assert len(THREATS) >= 40


BROKE = [
    line for line in (ROOT / "docs" / "hardening.md").read_text().splitlines() if re.match(r"\| [A-F]\d* \|", line)
]


def test_every_line_of_what_broke_is_there() -> None:
    """A1 to A4, B1 to B3, C1 to C11, D1 to D17, E, F1 to F9."""
    lines = {"A": 4, "B": 3, "C": 11, "D": 17, "F": 9}
    wanted = {f"{part}{number}" for part, last in lines.items() for number in range(1, last + 1)} | {"E"}
    assert {row.split("|")[1].strip() for row in BROKE} == wanted


@pytest.mark.parametrize("row", BROKE, ids=lambda row: row.split("|")[2].strip()[:60])
def test_what_broke_names_tests_that_are_there(row: str) -> None:
    _, broke, runs, tests = (cell.strip() for cell in row.strip("|").split("|"))
    assert broke
    assert runs
    _are_there(tests)


@pytest.mark.parametrize("row", THREATS, ids=lambda row: row.split("|")[1].strip()[:60])
def test_the_tests_it_names_are_there(row: str) -> None:
    threat, control, where, default, tests = (cell.strip() for cell in row.strip("|").split("|"))
    assert threat
    assert control
    assert where
    assert default
    _are_there(tests)


def _are_there(tests: str) -> None:
    named = NAMED.findall(tests)
    assert len(named) == len(tests.split(", ")) >= 1
    for file, name in named:
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE), f"{file} has no {name}"
