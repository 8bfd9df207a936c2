"""Which decided cases the law still lets pass on a day: asked before every release, and again when the law changes.

The pack then in force decides, over the facts of the determination and what is known that day of the agency, its
safeguards, its reports and the agreement. What the machine cleared must be cleared again; what a person cleared from
being held may be held again, but only by the rules that person saw: a new order holds it anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from gatehouse.casework.selection import Selection
from gatehouse.determine import facts
from gatehouse.determine.docket import Docket
from gatehouse.intake import manifest as manifests
from gatehouse.intake import parties
from gatehouse.law.evaluate import evaluate
from gatehouse.law.pack import Effect, Pack
from gatehouse.pipeline import packs
from gatehouse.pipeline.site import Site
from gatehouse.release.returns import overdue
from gatehouse.store.shelf import Shelf

_OF_TODAY = (
    "agreement_in_force", "agreement_covers_basis", "agreement_allows_capacity", "items_agreed", "safeguards_approved",
    "safeguards_plan_dated", "safeguards_open_findings", "reports_overdue",
)  # fmt: skip
"""Facts about the agency and its agreement that are asked again on the day."""

_IN = "seq < length($cases) AND get_bit($cases::BIT, seq::INTEGER) = 1"
_ANEW = (
    "list_filter(decided.fired, "
    "lambda rule: NOT list_contains($limits, rule) AND NOT list_contains(before.fired, rule))"
)
_PASSES = f"decided.outcome = 'cleared' OR (decided.outcome = 'held' AND before.outcome = 'held' AND len({_ANEW}) = 0)"


@dataclass(frozen=True)
class Lawful:
    """The cases that still pass, and the rules that stop the others: rule id → how many cases."""

    cases: Selection
    stopped_by: Mapping[str, int]


def today(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    docket: Docket,
    cases: Selection,
    day: dt.date,
    *,
    pack: Pack | None = None,
) -> Lawful:
    """Which of these cases pass on a day under the pack in force, or another one whose effect is to be seen.

    Leaves the table `lawful_decided` (`seq`, `outcome`, `fired`, `codes`, `items`), one row a case asked about.
    """
    manifest = manifests.parse(docket.manifest.read_bytes())
    now = dt.datetime.combine(day, dt.time.min, dt.UTC)
    standing = facts.Standing(None, halted=False, reports_overdue=overdue(Shelf(), manifest.agency, now))
    known = facts.submission_facts(manifest, parties.read(site.parties), standing, day)
    renewed = ", ".join(f"${name}::{known[name][0]} AS {name}" for name in _OF_TODAY)
    asked = {"file": str(docket.table("facts")), "cases": cases.bitstring(1)}
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE lawful_asked AS "
        f"SELECT * REPLACE ({renewed}) FROM read_parquet($file) WHERE {_IN}",
        asked | {name: known[name][1] for name in _OF_TODAY},
    )
    return _decide(connection, docket, pack or packs.in_force(site, manifest.basis), day)


def then(
    connection: duckdb.DuckDBPyConnection, docket: Docket, cases: Selection, pack: Pack, day: dt.date | None
) -> Lawful:
    """Which of these cases pass under a pack with the facts as they were, on the day they were decided or another.

    Leaves the same table as `today`.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE lawful_asked AS SELECT * FROM read_parquet($file) WHERE {_IN}",
        {"file": str(docket.table("facts")), "cases": cases.bitstring(1)},
    )
    return _decide(connection, docket, pack, day)


def _decide(connection: duckdb.DuckDBPyConnection, docket: Docket, pack: Pack, day: dt.date | None) -> Lawful:
    connection.read_parquet(str(docket.table("determinations"))).create_view("lawful_before", replace=True)
    [(decided_on,)] = connection.sql("SELECT any_value(as_of) FROM lawful_before").fetchall()
    evaluate(connection, pack, "lawful_asked", "lawful_masked", day or decided_on)
    connection.execute("CREATE OR REPLACE TEMP TABLE lawful_decided AS SELECT * FROM lawful_masked")
    limits = {"limits": [rule.id for rule in pack.rules if rule.effect is Effect.LIMIT]}
    joined = "FROM lawful_decided decided JOIN lawful_before before USING (seq)"
    passing = connection.execute(f"SELECT seq {joined} WHERE {_PASSES}", limits).fetchall()
    stopping = connection.execute(
        f"SELECT rule, count(*) FROM (SELECT unnest({_ANEW}) AS rule {joined} WHERE NOT ({_PASSES})) "
        "GROUP BY rule ORDER BY rule",
        limits,
    ).fetchall()
    return Lawful(Selection.of(row[0] for row in passing), dict(stopping))
