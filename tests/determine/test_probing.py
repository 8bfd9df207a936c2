"""The facts on probing are what counting by hand gives; cutting a batch changes nothing; no answer tells of them."""

from __future__ import annotations

import datetime as dt
from math import ceil
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.determine import answers, probing
from gatehouse.determine.docket import Docket
from gatehouse.law.evaluate import evaluate
from gatehouse.law.reading import load

TODAY = dt.date(2025, 8, 7)
PACK = Path(__file__).parents[2] / "packs" / "us-irs-6103-i-2"
PROBING_RULES = {
    "ceiling-subject-variants", "ceiling-officer-near-misses", "ceiling-agency-near-misses", "ceiling-agency-requests",
    "ceiling-answered-share",
}  # fmt: skip


class Asked(NamedTuple):
    """One request and how its best candidate compared; no verdict: nobody came near."""

    officers: tuple[str, ...] = ("O1",)
    last: str | None = "GARCIA"
    first: str | None = "MARIA"
    birth: str | None = None
    tin: str | None = None
    street: str | None = "MAIN"
    verdict: str | None = None
    tin_comparison: str = "not_given"
    outcome: str = "pending"
    code: str = ""


few = st.sampled_from
asked = st.builds(
    Asked,
    few([(), ("O1",), ("O1", "O2"), ("O3",)]),
    few(["GARCIA", "NGUYEN", None]),
    few(["MARIA", "VAN"]),
    few([None, "1980-01-01", "1980-01-02"]),
    few([None, "900000001", "900000002", "900000003"]),
    few([None, "MAIN", "ELM"]),
    few([None, "agrees", "tin_differs", "name_differs", "namesake_in_building"]),
    few(["equal", "different"]),
    few(["answered", "not_answered"]),
    few(["SUBJECT", "FORM"]),
)
batches = st.lists(asked, min_size=1, max_size=10)


def tables(connection: duckdb.DuckDBPyConnection, rows: list[Asked]) -> None:
    parts = "address_kind pre_direction house_number street_type post_direction unit_kind unit_number box_number city_key state_key zip5"  # noqa: E501
    absent = ", ".join(f"NULL::VARCHAR AS {name}" for name in parts.split())
    connection.execute(
        "CREATE OR REPLACE TABLE given (seq BIGINT, officer_list VARCHAR[], last_key VARCHAR, first_key VARCHAR, "
        "birth_on DATE, tin_digits VARCHAR, street_name VARCHAR, verdict VARCHAR, tin_comparison VARCHAR, "
        "answer VARCHAR, code VARCHAR)"
    )
    connection.executemany(
        f"INSERT INTO given VALUES ({', '.join('?' * 11)})",
        [[seq, list(row.officers), *row[1:]] for seq, row in enumerate(rows)],
    )
    connection.execute(f"CREATE OR REPLACE TABLE requests AS SELECT * EXCLUDE (verdict), {absent} FROM given")
    connection.execute("CREATE OR REPLACE TABLE officers (docket VARCHAR, officer VARCHAR, one VARCHAR)")
    connection.execute(
        "CREATE OR REPLACE TABLE evidence AS SELECT seq, verdict, tin_comparison, verdict = 'agrees' AS agrees "
        "FROM given WHERE verdict IS NOT NULL"
    )


def kept(folder: Path, rows: list[Asked], as_of: dt.date = TODAY) -> probing.Earlier:
    docket = Docket(folder)
    folder.mkdir()
    with duckdb.connect() as connection:
        tables(connection, rows)
        for name in ("requests", "evidence"):
            connection.execute(f"COPY {name} TO '{docket.table(name)}' (FORMAT parquet)")
        connection.execute(
            f"COPY (SELECT seq AS request_id, answer AS outcome, code AS codes, '' AS text FROM given) "
            f"TO '{docket.answers}' (FORMAT csv, HEADER)"
        )
    return probing.Earlier(docket, as_of)


def counted(rows: list[Asked], earlier: list[probing.Earlier] | None = None) -> list[dict[str, object]]:
    with duckdb.connect() as connection:
        tables(connection, rows)
        probing.count(connection, "probing", earlier or [], TODAY, officers="officers")
        found = connection.sql("SELECT * FROM probing ORDER BY seq")
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def near(row: Asked) -> bool:
    return row.verdict == "tin_differs" or (row.verdict == "name_differs" and row.tin_comparison == "equal")


def by_hand(rows: list[Asked], before: list[Asked]) -> list[dict[str, object]]:
    everything = rows + before
    misses = sum(map(near, everything))
    answered = sum(row.outcome == "answered" for row in before)
    hung = answered + sum(row.outcome != "answered" and row.code == "SUBJECT" for row in before)

    def others(row: Asked) -> int:
        named = row.last and row.first
        ways = [
            (row.tin, lambda one: one.tin, lambda one: (one.last, one.first, one.birth, one.street)),
            (named and row.birth, lambda one: (one.last, one.first, one.birth), lambda one: (one.tin, one.street)),
            (named and row.street, lambda one: (one.last, one.first, one.street), lambda one: (one.tin, one.birth)),
        ]
        return max(
            len({said(one) for one in everything if key(one) == key(row)}) - 1 if known else 0
            for known, key, said in ways
        )

    return [
        {
            "seq": seq,
            "subject_variants": others(row),
            "officer_near_misses": max(
                (sum(near(one) for one in everything if name in one.officers) for name in row.officers), default=0
            ),
            "agency_near_misses": misses,
            "agency_near_miss_percent": ceil(100 * misses / len(everything)),
            "agency_requests": len(everything),
            "agency_closed": hung,
            "agency_answered_percent": 100 * answered // hung if hung else None,
        }
        for seq, row in enumerate(rows)
    ]


@settings(max_examples=50, deadline=None)
@given(batches, st.one_of(st.just([]), batches))
def test_counts_are_those_made_by_hand(tmp_path_factory: pytest.TempPathFactory, rows: list, before: list) -> None:
    earlier = [kept(tmp_path_factory.mktemp("earlier") / "D-1", before)] if before else []
    assert counted(rows, earlier) == by_hand(rows, before)


def test_one_subject_with_other_tins_is_seen_also_when_the_requests_come_one_by_one(tmp_path: Path) -> None:
    guesses = [Asked(tin=f"90000000{n}") for n in range(5)]
    assert {row["subject_variants"] for row in counted(guesses)} == {4}
    earlier = [kept(tmp_path / f"D-{n}", [guess], dt.date(2020, 1, 1)) for n, guess in enumerate(guesses[:4])]
    assert counted(guesses[4:], earlier)[0]["subject_variants"] == 4


def test_the_same_request_again_is_no_other_version() -> None:
    assert {row["subject_variants"] for row in counted([Asked(tin="900000001", birth="1980-01-01")] * 6)} == {0}


def test_what_is_older_than_the_window_counts_for_no_budget(tmp_path: Path) -> None:
    wrong = [Asked(verdict="tin_differs", outcome="not_answered", code="SUBJECT")] * 7
    young = kept(tmp_path / "young", wrong, TODAY - probing.WINDOW)
    old = kept(tmp_path / "old", wrong, TODAY - probing.WINDOW - dt.timedelta(days=1))
    [row] = counted([Asked()], [young, old])
    assert (row["officer_near_misses"], row["agency_near_misses"], row["agency_requests"]) == (7, 7, 8)
    assert (row["agency_closed"], row["agency_answered_percent"]) == (7, 0)


def test_a_docket_that_is_open_is_not_counted_as_unanswered(tmp_path: Path) -> None:
    half = kept(tmp_path / "D-1", [Asked(outcome="answered"), Asked(outcome="pending")])
    assert counted([Asked()], [half])[0]["agency_closed"] == 0


def test_a_request_that_agrees_is_no_near_miss() -> None:
    with duckdb.connect() as connection:
        tables(connection, [Asked(verdict="agrees")])
        connection.execute("INSERT INTO evidence VALUES (0, 'tin_differs', 'different', false)")
        probing.count(connection, "probing", [], TODAY, officers="officers")
        assert connection.sql("SELECT agency_near_misses FROM probing").fetchall() == [(0,)]


def test_what_these_rules_find_is_told_to_nobody_outside(tmp_path: Path) -> None:
    """Every rule on probing in turn, and all of them: the answers are the same bytes as without."""
    pack = load(PACK)
    assert {rule.id for rule in pack.rules} >= PROBING_RULES
    base = next(one.facts for one in pack.examples if one.outcome == "cleared" and not one.fired)
    signs = {
        "ceiling-subject-variants": {"subject_variants": 9},
        "ceiling-officer-near-misses": {"officer_near_misses": 99},
        "ceiling-agency-near-misses": {"agency_near_misses": 99, "agency_near_miss_percent": 99},
        "ceiling-agency-requests": {"agency_requests": 10**6},
        "ceiling-answered-share": {"agency_closed": 1000, "agency_answered_percent": 1},
    }
    cases = [{}, *signs.values(), {key: value for sign in signs.values() for key, value in sign.items()}]
    written = set()
    for case in cases:
        with duckdb.connect() as connection:
            columns = {name: value for name, value in (base | case).items() if value is not None}
            connection.execute(
                f"CREATE TABLE facts AS SELECT 0::BIGINT AS seq, {', '.join(f'${name} AS {name}' for name in columns)}",
                columns,
            )
            evaluate(connection, pack, "facts", "decided", TODAY)
            connection.execute("CREATE TABLE d AS SELECT *, 'R-1' AS request_id FROM decided")
            [(outcome, fired)] = connection.sql("SELECT outcome, fired FROM d").fetchall()
            assert outcome == ("held" if case else "cleared")
            assert {rule for rule, sign in signs.items() if sign.items() <= case.items()} == set(fired)
            answers.publish(connection, determinations="d", pack=pack, path=tmp_path / "a.csv")
            written.add((tmp_path / "a.csv").read_bytes())
    assert len(written) == 1
