"""Draws are even, independent of one another, and the same for the same seed; a scattering loses nobody."""

from __future__ import annotations

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.synthetic.chance import Chance, Scatter
from gatehouse.synthetic.people import MOST_PERSONS, People


def ask(query):
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def test_draws_for_two_purposes_do_not_follow_from_each_other():
    chance = Chance(1)
    a, b = chance.pick("a", "range", 64), chance.pick("b", "range", 64)
    pairs = ask(f"SELECT count(*) AS n FROM range(65536) GROUP BY {a}, {b}")
    assert len(pairs) == 64 * 64
    assert max(n for (n,) in pairs) < 48  # 16 are expected


def test_a_share_is_kept():
    hits = ask(f"SELECT count(*) FROM range(200000) WHERE {Chance(2).under('x', 'range', 0.03)}")[0]
    assert 5_600 < hits[0] < 6_400


def test_another_seed_draws_otherwise():
    one, two = (Chance(seed).pick("a", "range", 1_000) for seed in (1, 2))
    same = ask(f"SELECT count(*) FROM range(10000) WHERE {one} = {two}")[0]
    assert same[0] < 40


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3_000), st.integers(0, 2**31))
def test_a_scattering_is_one_to_one_and_undone(size, seed):
    scatter = Scatter.of(size, Chance(seed), "rows")
    row = ask(
        f"SELECT count(DISTINCT slot), min(slot), max(slot), count(*) FILTER ({scatter.row('slot')} <> range) "
        f"FROM (SELECT range, {scatter.slot('range')} AS slot FROM range({size}))"
    )[0]
    assert row == (size, 0, size - 1, 0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, MOST_PERSONS - 1_000))
def test_tins_are_nine_digits_and_unique_up_to_the_last(seed, first):
    people = People(1_000, Chance(seed))
    row = ask(
        f"SELECT count(DISTINCT tin), bool_and(regexp_full_match(tin, '9[0-9]{{2}}(0[1-9]|[1-4][0-9])[0-9]{{4}}')) "
        f"FROM (SELECT {people.tin(f'(range + {first})')} AS tin FROM range(1000))"
    )[0]
    assert row == (1_000, True)
