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


@pytest.mark.parametrize("row", THREATS, ids=lambda row: row.split("|")[1].strip()[:60])
def test_the_tests_it_names_are_there(row: str) -> None:
    threat, control, where, default, tests = (cell.strip() for cell in row.strip("|").split("|"))
    assert threat
    assert control
    assert where
    assert default
    named = NAMED.findall(tests)
    assert len(named) == len(tests.split(", ")) >= 1
    for file, name in named:
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE), f"{file} has no {name}"
