from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.casework.sampling import Plan, bound, draw
from gatehouse.casework.selection import Selection
from gatehouse.kernel.errors import WrongInput


def share_missing(population: int, wrong: int, sample: int, found: int) -> Fraction:
    """By listing every sample: the share that holds at most `found` wrong cases."""
    every = list(combinations(range(population), sample))
    return Fraction(sum(sum(case < wrong for case in one) <= found for one in every), len(every))


@given(st.integers(1, 12), st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(1, 4)]), st.sampled_from([80, 95]))
@settings(max_examples=60, deadline=None)
def test_the_size_is_the_least_that_rules_out_more_than_is_tolerated(
    population: int, tolerated: Fraction, percent: int
) -> None:
    size = Plan(population, tolerated, Fraction(percent, 100)).size()
    wrong = int(tolerated * population) + 1
    assert share_missing(population, wrong, size, 0) <= 1 - Fraction(percent, 100)
    assert size == 0 or share_missing(population, wrong, size - 1, 0) > 1 - Fraction(percent, 100)


@given(st.integers(1, 10), st.data())
@settings(max_examples=60, deadline=None)
def test_the_bound_is_exact(population: int, data: st.DataObject) -> None:
    sample = data.draw(st.integers(1, population))
    found = data.draw(st.integers(0, sample))
    most = bound(population, sample, found)
    assert found <= most <= population - (sample - found)
    possible = range(found, population - (sample - found) + 1)
    not_ruled_out = [wrong for wrong in possible if share_missing(population, wrong, sample, found) > Fraction(5, 100)]
    assert most == max([found, *not_ruled_out])


def test_known_sizes() -> None:
    # 59 is the textbook number for 95 % confidence of at most 5 % (0.95 ** 59 < 0.05)
    assert Plan(1_280_000).size() == 59
    assert Plan(40_000).size() == 59
    assert Plan(6).size() == 6


@given(st.sets(st.integers(0, 5000), min_size=1, max_size=300), st.binary(min_size=32, max_size=32), st.data())
def test_a_draw_is_a_subset_and_the_same_every_time(cases: set[int], seed: bytes, data: st.DataObject) -> None:
    size = data.draw(st.integers(0, len(cases)))
    drawn = draw(Selection.of(cases), size, seed)
    assert len(drawn) == size
    assert set(drawn) <= cases
    assert drawn == draw(Selection.of(cases), size, seed)


def test_every_case_is_drawn_about_equally_often() -> None:
    population, rounds, size = 20, 2000, 5
    counts = dict.fromkeys(range(population), 0)
    for number in range(rounds):
        for case in draw(Selection.of(range(population)), size, number.to_bytes(32, "big")):
            counts[case] += 1
    expected = rounds * size / population
    # chi-square with 19 degrees of freedom: 43.8 has probability 0.001; the seeds are fixed, so this never flickers
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 43.8


def test_nonsense_is_refused() -> None:
    with pytest.raises(WrongInput):
        Plan(0).size()
    with pytest.raises(WrongInput):
        bound(10, 5, 6)
    with pytest.raises(WrongInput):
        draw(Selection.of([1]), 2, b"")
