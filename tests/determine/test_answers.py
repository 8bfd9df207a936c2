"""What a requester sees, and what the docket counts: from determinations alone, on every list of rules."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.determine import answers, determinations, summary
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import MachineFailed
from gatehouse.law.pack import NO_GRANT
from gatehouse.law.reading import load

PACK = load(Path(__file__).parents[2] / "packs" / "us-irs-6103-i-2")
STOPPING = sorted(rule.id for rule in PACK.rules if rule.outcome != "cleared")
CODES = {rule.id: str(rule.code) for rule in PACK.rules} | {NO_GRANT: "AUTHORITY"}
SEVERE = {"cleared": 0, "held": 1, "incomplete": 2, "refused": 3}
OUTCOMES = {rule.id: rule.outcome for rule in PACK.rules} | {NO_GRANT: "refused"}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_workspace("512MB", threads=2) as opened:
        yield opened


def fill(
    connection: duckdb.DuckDBPyConnection,
    fired: list[list[str]],
    ids: list[str] | None = None,
    unknown: frozenset[str] = frozenset(),
) -> list[str]:
    """A table of determinations in which these rules fired, row by row; returns the outcomes."""
    connection.execute(
        "CREATE OR REPLACE TABLE d (request_id VARCHAR, seq BIGINT, outcome VARCHAR, fired VARCHAR[], codes VARCHAR[], "
        "unknown VARCHAR[])"
    )
    outcomes = []
    for seq, rules in enumerate(fired):
        outcome = max((OUTCOMES[rule] for rule in rules), key=SEVERE.__getitem__, default="cleared")
        codes = sorted({CODES[rule] for rule in rules})
        name = ids[seq] if ids else f"R{seq}"
        lacking = sorted(unknown.intersection(rules))
        connection.execute(
            "INSERT INTO d VALUES (?, ?, ?, ?, ?, ?)", [name, seq, outcome, sorted(rules), codes, lacking]
        )
        outcomes.append(outcome)
    return outcomes


def published(connection: duckdb.DuckDBPyConnection, path: Path, released: str | None = None) -> list[dict[str, str]]:
    answers.publish(connection, determinations="d", pack=PACK, path=path, released=released)
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


lists = st.lists(st.lists(st.sampled_from([*STOPPING, NO_GRANT]), unique=True, max_size=4), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lists)
def test_an_answer_depends_on_public_rules_alone(connection, tmp_path, fired) -> None:
    """Adding or taking away any rule about the subject, or any hold, changes no answer while the docket is open."""
    fill(connection, fired)
    told = published(connection, tmp_path / "a.csv")
    fill(connection, [[rule for rule in rules if answers.is_told(CODES[rule], OUTCOMES[rule])] for rules in fired])
    assert published(connection, tmp_path / "b.csv") == told
    for row, rules in zip(told, fired, strict=True):
        public = sorted({CODES[rule] for rule in rules if answers.is_told(CODES[rule], OUTCOMES[rule])})
        assert row["codes"] == ";".join(public)
        assert row["outcome"] == ("not_answered" if public else "pending")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lists)
def test_at_the_close_each_is_answered_or_not(connection, tmp_path, fired) -> None:
    outcomes = fill(connection, fired)
    connection.execute("CREATE OR REPLACE TABLE released AS SELECT seq FROM d WHERE outcome = 'cleared'")
    for row, outcome in zip(published(connection, tmp_path / "a.csv", "released"), outcomes, strict=True):
        assert (row["outcome"] == "answered") == (outcome == "cleared")
        assert ("SUBJECT" in row["codes"]) == (row["text"] == answers.SUBJECT_TEXT)
        assert row["codes"] == "SUBJECT" or "SUBJECT" not in row["codes"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_no_answer_is_a_formula(connection, tmp_path, name: str) -> None:
    fill(connection, [[]], [name])
    assert published(connection, tmp_path / "a.csv")[0]["request_id"] == f"'{name}"


@settings(max_examples=40, deadline=None)
@given(lists, st.frozensets(st.sampled_from(STOPPING)))
def test_the_summary_counts_what_each_rule_stops_and_alone_stops(connection, fired, unknown) -> None:
    outcomes = fill(connection, fired, unknown=unknown)
    counted = summary.count(connection, determinations="d", pack=PACK, provenance={})
    assert counted["outcomes"] == {outcome: outcomes.count(outcome) for outcome in SEVERE}
    every = {rule for rules in fired for rule in rules}
    assert {rule: counts["fired"] for rule, counts in counted["rules"].items()} == {
        rule: sum(rule in rules for rules in fired) for rule in every
    }
    assert {rule: counts["alone"] for rule, counts in counted["rules"].items()} == {
        rule: sum(rules == [rule] for rules in fired) for rule in every
    }
    assert {rule: counts["unknown"] for rule, counts in counted["rules"].items()} == {
        rule: sum(rule in rules for rules in fired) if rule in unknown else 0 for rule in every
    }


def assemble(connection: duckdb.DuckDBPyConnection, decided: str, matched: str) -> list[tuple]:
    connection.execute("CREATE OR REPLACE TABLE requests AS SELECT 'R0' AS request_id, 0::BIGINT AS seq")
    connection.execute(
        f"CREATE OR REPLACE TABLE decided AS SELECT *, fired AS unknown "
        f"FROM (VALUES {decided}) AS t(seq, outcome, fired, codes, items)"
    )
    connection.execute(f"CREATE OR REPLACE TABLE matched AS SELECT * FROM (VALUES {matched}) AS t(seq, person_id)")
    determinations.assemble(
        connection,
        requests="requests",
        decided="decided",
        matches="matched",
        target="out",
        as_of=dt.date(2025, 8, 7),
        pack_digest="0",
    )
    return connection.execute("SELECT outcome, person_id FROM out").fetchall()


@pytest.mark.parametrize("outcome", ["held", "incomplete", "refused"])
def test_a_person_stands_only_beside_a_cleared_request(connection, outcome: str) -> None:
    assert assemble(connection, "(0, 'cleared', [], [], ['a'])", "(0, 7)") == [("cleared", 7)]
    assert assemble(connection, f"(0, '{outcome}', [], [], ['a'])", "(0, 7)") == [(outcome, None)]


@pytest.mark.parametrize(
    ("decided", "matched"),
    [
        ("(1, 'refused', [], [], [])", "(0, 7)"),
        ("(0, 'refused', [], [], []), (0, 'refused', [], [], [])", "(0, 7)"),
        ("(0, 'cleared', [], [], ['a'])", "(0, NULL)"),
        ("(0, 'cleared', [], [], ['a'])", "(1, 7)"),
    ],
    ids=["undecided", "decided-twice", "cleared-nobody", "cleared-unmatched"],
)
def test_nothing_is_left_undecided_or_cleared_for_nobody(connection, decided: str, matched: str) -> None:
    with pytest.raises(MachineFailed):
        assemble(connection, decided, matched)
