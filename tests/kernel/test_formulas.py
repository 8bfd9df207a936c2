"""No cell that leaves is a formula, whichever sign it begins with; Python and DuckDB agree on every text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.intake.workspace import open_enclosed
from gatehouse.kernel import formulas

CONNECTION = open_enclosed("100MB", threads=1)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", " =", "\t＝", "  +"])
def test_a_formula_becomes_text(sign: str) -> None:
    assert formulas.text(f"{sign}HYPERLINK(1)") == f"'{sign}HYPERLINK(1)"


@pytest.mark.parametrize("plain", ["", "12 MAIN ST", "O'BRIEN", "a=b", "１２", "'=1"])
def test_other_text_stays(plain: str) -> None:
    assert formulas.text(plain) == plain


@settings(deadline=None)
@given(st.lists(st.text("=+-@＝＋－＠\t\r\n aé'\"1", max_size=6), min_size=1, max_size=20))
def test_both_readings_agree(cells: list[str]) -> None:
    found = CONNECTION.execute(f"SELECT {formulas.sql('cell')} FROM (SELECT unnest(?::VARCHAR[]) AS cell)", [cells])
    assert [cell for (cell,) in found.fetchall()] == [formulas.text(cell) for cell in cells]
