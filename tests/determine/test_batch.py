"""The batch facts are what counting by hand gives, on any batch, and cutting a batch in two hides nothing."""

from __future__ import annotations

from math import ceil

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.determine import batch

_COLUMNS = (
    "officer_list VARCHAR[], matter_number VARCHAR, reason_template UBIGINT[], last_key VARCHAR, first_key VARCHAR, "
    "birth_on DATE, tin_digits VARCHAR, house_number VARCHAR, street_name VARCHAR, zip5 VARCHAR"
)
_ABSENT = "address_kind pre_direction street_type post_direction unit_kind unit_number box_number city_key state_key"

few = st.sampled_from
rows = st.lists(
    st.tuples(
        st.lists(few(["O1", "O2", "O3"]), unique=True, max_size=2),
        few([None, "M1", "M2", "M3"]),
        few([None, (1, 2, 3), (1, 5, 6), (7, 2, 9), (2, 1, 3)]),
        few(["GARCIA", "NGUYEN", None]),
        few(["MARIA", "VAN"]),
        few([None, "1980-01-01"]),
        few([None, "900000001", "900000002"]),
        few(["1", "2"]),
        few([None, "MAIN"]),
        few(["20001"]),
    ),
    min_size=1,
    max_size=12,
)


def table(connection: duckdb.DuckDBPyConnection, name: str, given: list[tuple]) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE {name} (seq BIGINT, {_COLUMNS})")
    connection.executemany(
        f"INSERT INTO {name} VALUES ({', '.join('?' * 11)})",
        [[seq, *row[:2], row[2] and list(row[2]), *row[3:]] for seq, row in enumerate(given)],
    )
    for column in _ABSENT.split():
        connection.execute(f"ALTER TABLE {name} ADD COLUMN {column} VARCHAR")
    connection.execute(f"ALTER TABLE {name} ADD COLUMN docket VARCHAR DEFAULT 'D-1'")
    connection.execute("CREATE TABLE IF NOT EXISTS officers (docket VARCHAR, officer VARCHAR, one VARCHAR)")


def counted(given: list[tuple], earlier: list[tuple] | None = None) -> list[tuple]:
    with duckdb.connect() as connection:
        table(connection, "requests", given)
        if earlier:
            table(connection, "earlier", earlier)
        batch.count(connection, "requests", "batch", "earlier" if earlier else None, officers="officers")
        return connection.sql("SELECT * FROM batch ORDER BY seq").fetchall()


def by_hand(given: list[tuple], earlier: list[tuple]) -> list[tuple]:
    everything = given + earlier
    answers = []
    for seq, row in enumerate(given):
        officers, _, reason, last, first, birth, tin, number, street, zip5 = row

        def matters(officer: str) -> int:
            held = [r[1] for r in everything if officer in r[0]]
            return len({m for m in held if m}) + sum(m is None for m in held)

        same_reason = reason and max(
            sum(r[2] is not None and r[2][place] == reason[place] for r in everything) for place in range(3)
        )
        homes = {(r[3] or "", r[4]) for r in given if r[7:10] == (number, street, zip5)}
        same_tin = sum(r[6] == tin for r in everything) - 1 if tin else 0
        whole_name = last and first and birth
        same_name = sum(r[3:6] == (last, first, birth) for r in everything) - 1 if whole_name else 0
        answers.append(
            (
                seq,
                max(map(matters, officers)) if officers else None,
                same_reason if reason else None,
                ceil(100 * same_reason / len(everything)) if reason else None,
                len(homes) if street else None,
                max(same_tin, same_name),
            )
        )
    return answers


@settings(max_examples=60, deadline=None)
@given(rows, rows)
def test_counts_are_those_made_by_hand(given: list[tuple], earlier: list[tuple]) -> None:
    assert counted(given, earlier) == by_hand(given, earlier)


def test_one_officer_in_every_matter_is_seen_also_when_the_batch_is_cut() -> None:
    row = lambda n: (["O1"], f"M{n}", None, "A", "B", None, None, "1", None, "2")  # noqa: E731
    whole = counted([row(n) for n in range(100)])
    second_half = counted([row(n) for n in range(50, 100)], [row(n) for n in range(50)])
    assert {answer[1] for answer in whole} == {answer[1] for answer in second_half} == {100}
