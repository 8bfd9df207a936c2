from __future__ import annotations

import hashlib

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.casework.selection import MOST_CASES, Selection
from gatehouse.kernel.errors import WrongInput

cases = st.sets(st.integers(0, 3000), max_size=200)


@given(cases, cases)
def test_a_selection_is_a_set(one: set[int], other: set[int]) -> None:
    left, right = Selection.of(one), Selection.of(other)
    assert set(left) == one
    assert list(left) == sorted(one)
    assert set(left | right) == one | other
    assert set(left & right) == one & other
    assert set(left - right) == one - other
    assert (left <= right) == (one <= other)
    assert len(left) == len(one)
    assert all(seq in left for seq in one)
    assert bool(left) == bool(one)


@given(cases)
def test_written_and_read_back(one: set[int]) -> None:
    selection = Selection.of(one)
    assert Selection.unpack(selection.pack()) == selection
    assert Selection.of_text(selection.text()) == selection
    assert Selection.of_bitstring(selection.bitstring(3001)) == selection


def test_the_digest_is_that_of_the_documented_bytes() -> None:
    # cases 0, 9 and 16: bit 0 of byte 0, bit 1 of byte 1, bit 0 of byte 2
    assert Selection.of([0, 9, 16]).digest() == hashlib.sha256(b"\x01\x02\x01").hexdigest()


def test_duckdb_reads_the_same_set() -> None:
    selection = Selection.of([0, 5, 31, 64])
    found = duckdb.execute(
        "SELECT list(seq ORDER BY seq) FROM range(70) t(seq) WHERE get_bit($bits::BIT, seq::INTEGER) = 1",
        {"bits": selection.bitstring(70)},
    ).fetchone()
    assert found == ([0, 5, 31, 64],)


@pytest.mark.parametrize("seq", [-1, MOST_CASES])
def test_a_number_out_of_range_is_refused(seq: int) -> None:
    with pytest.raises(WrongInput):
        Selection.of([seq])


@pytest.mark.parametrize("text", ["", "!!!!", "AAAA", Selection.of([1, 2]).text()[:-8] + "AAAAAAA="])
def test_broken_text_is_refused(text: str) -> None:
    with pytest.raises(WrongInput):
        Selection.of_text(text)


def test_a_bomb_does_not_go_off() -> None:
    import base64
    import zlib

    bomb = base64.b64encode(zlib.compress(b"\x01" * (MOST_CASES // 8 + 1), 9)).decode()
    with pytest.raises(WrongInput):
        Selection.of_text(bomb)
