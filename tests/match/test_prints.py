"""Prints tell who changed: everybody who did, and nobody else but those who share a block with two who did."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from match_world import World

from gatehouse.match import open_register, prints
from gatehouse.match.register import Register

pytestmark = pytest.mark.slow

Rows = dict[str, list[tuple[Any, ...]]]

ID = st.one_of(st.integers(0, 12), st.integers(-6, 6), st.sampled_from([10**9, 10**9 + 1, 2**62, 2**63 - 1, -(2**63)]))
WORD = st.sampled_from([None, "", "A", "B", "AB"])
PERSON = st.tuples(WORD, WORD, WORD, WORD, WORD, st.sampled_from([None, "1970-01-01"]))
ADDRESS = st.tuples(
    *[WORD] * 6, st.sampled_from([None, "2020-01-01"]), st.sampled_from([None, "2021-01-01"]), st.booleans()
)
TABLES = {
    "persons": st.lists(st.tuples(ID, PERSON), max_size=8),
    "names": st.lists(st.tuples(ID, st.tuples(*[WORD] * 4)), max_size=4),
    "addresses": st.lists(st.tuples(ID, ADDRESS), max_size=8),
}
SNAPSHOT = st.fixed_dictionaries(
    {name: rows.map(lambda got: [(key, *row) for key, row in got]) for name, rows in TABLES.items()}
)


def _register(rows: Rows, folder: Path) -> Register:
    world = World([])
    world.rows |= rows
    return open_register(world.write(folder))


def _changed(before: Rows, after: Rows, folder: Path) -> list[int]:
    """Who changed, as the prints say, with a table of sums for every id that the threshold allows."""
    first, second = _register(before, folder / "0"), _register(after, folder / "1")
    with duckdb.connect() as db:
        db.execute(f"SET perfect_ht_threshold = {prints.places(len(after['persons']))}")
        db.execute(f"CREATE TABLE kept AS {prints.of(first)}")
        return sorted(person for (person,) in db.execute(prints.changed(second, "kept")).fetchall())


def _truly(before: Rows, after: Rows) -> set[int]:
    """Whose rows are others, row by row."""

    def held(rows: Rows) -> dict[int, Counter[Any]]:
        of: dict[int, Counter[Any]] = {}
        for table in prints.COLUMNS:
            for key, *row in rows.get(table, []):
                of.setdefault(key, Counter())[table, *row] += 1
        return of

    one, other = held(before), held(after)
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def _block(key: int) -> int:
    return abs(key) // 8 * (1 if key >= 0 else -1)


ALIKE = (1, "FORMERLY", "ANNA", None, None)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=SNAPSHOT, after=SNAPSHOT)
@example(before={"names": [ALIKE, ALIKE]}, after={"names": []})
@example(before={"names": [ALIKE, ALIKE]}, after={"names": [(*ALIKE[:2], "ANN", None, None)] * 2})
@example(before={"names": [ALIKE]}, after={"names": [(2, *ALIKE[1:])]})
@example(before={"names": [(0, "A", None, None, None)]}, after={"names": [(0, None, "A", None, None)]})
@example(before={"names": [ALIKE]}, after={"names": [(-3, *ALIKE[1:])]})
def test_all_who_changed_are_told_and_nobody_who_is_alone_in_a_block(
    before: Rows, after: Rows, tmp_path_factory: pytest.TempPathFactory
) -> None:
    filled = [{table: rows.get(table, []) for table in prints.COLUMNS} for rows in (before, after)]
    told, truly = _changed(*filled, tmp_path_factory.mktemp("r")), _truly(*filled)
    assert len(told) == len(set(told))
    assert truly <= set(told)
    crowded = {block for block, number in Counter(map(_block, truly)).items() if number > 1}
    assert {_block(key) for key in set(told) - truly} <= crowded


def test_which_of_the_last_known_two_rows_exchange_is_seen(tmp_path: Path) -> None:
    dates = ("2020-01-01", None)
    homes = [(7, line, None, "BOISE", "ID", "83712", "US", *dates) for line in ("1 A ST", "2 B ST")]
    before = {"persons": [(7, *[None] * 6)], "names": [], "addresses": [(*homes[0], True), (*homes[1], False)]}
    after = before | {"addresses": [(*homes[0], False), (*homes[1], True)]}
    assert _changed(before, after, tmp_path) == [7]


@pytest.mark.parametrize("places", [(7, 15), (6, 14), (7, 14), (3, 4)])
def test_two_letters_changed_anywhere_are_seen(places: tuple[int, int], tmp_path: Path) -> None:
    """DuckDB's hash alone keeps one text in three hundred where the letters at 7 and 15 change."""
    pick = Random(5)  # noqa: S311 - the same letters again for the same seed
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    lines = ["".join(pick.choices(letters, k=23)) for _ in range(4000)]

    def other(line: str) -> str:
        cut = list(line)
        for at in places:
            cut[at] = pick.choice(letters.replace(cut[at], ""))
        return "".join(cut)

    def rows(texts: list[str]) -> Rows:
        empty = (None, *[None] * 6, True)
        return {"persons": [], "names": [], "addresses": [(8 * key, text, *empty) for key, text in enumerate(texts)]}

    assert len(_changed(rows(lines), rows([other(line) for line in lines]), tmp_path)) == len(lines)


def test_what_a_table_of_all_ids_may_take_has_a_bound() -> None:
    assert prints.places(10_000_000) == prints.places(10**9) == 23
    assert prints.places(60) < 8
