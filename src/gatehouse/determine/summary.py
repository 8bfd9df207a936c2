"""The docket in numbers: outcomes, codes, and for each rule how many requests it stops and how many it alone stops.

Every number is counted from the determinations; the provenance beside them says under which law, register and version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from gatehouse import __version__
from gatehouse.law.pack import Pack


def count(
    connection: duckdb.DuckDBPyConnection, *, determinations: str, pack: Pack, provenance: Mapping[str, Any]
) -> dict[str, Any]:
    """Count a table of determinations into the content of summary.json.

    `rules` has, per rule that fired: `fired`, of these `unknown` (it fired only for want of a fact), `alone` (requests
    that this rule alone stops) and `effect`. A rule that only limits items stops nothing and is counted as fired.
    """
    outcomes = dict.fromkeys(("cleared", "held", "incomplete", "refused"), 0)
    outcomes.update(connection.execute(f"SELECT outcome, count(*) FROM {determinations} GROUP BY 1").fetchall())
    codes = connection.execute(
        f"SELECT code, count(*) FROM (SELECT unnest(codes) AS code FROM {determinations}) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {
        "format": "gatehouse-docket/1",
        "version": __version__,
        "pack": {"id": pack.id, "version": pack.version, "digest": pack.digest},
        **provenance,
        "requests": sum(outcomes.values()),
        "outcomes": outcomes,
        "codes": dict(codes),
        "rules": _rules(connection, determinations, pack),
    }


def _rules(connection: duckdb.DuckDBPyConnection, determinations: str, pack: Pack) -> dict[str, dict[str, Any]]:
    effects = {rule.id: str(rule.effect) for rule in pack.rules}
    limits = [rule for rule, effect in effects.items() if effect == "limit"]
    counted = connection.execute(
        f"""
        WITH lists AS (SELECT fired, unknown, count(*) AS requests FROM {determinations} GROUP BY ALL),
        each AS (
            SELECT unnest(fired) AS rule, unknown, requests,
                   list_filter(fired, lambda id: NOT list_contains(?, id)) AS stopping
            FROM lists
        )
        SELECT rule, sum(requests)::BIGINT,
               coalesce(sum(requests) FILTER (list_contains(unknown, rule)), 0)::BIGINT,
               coalesce(sum(requests) FILTER (stopping = [rule]), 0)::BIGINT
        FROM each GROUP BY rule ORDER BY rule
        """,
        [limits],
    ).fetchall()
    return {
        rule: {"effect": effects.get(rule, ""), "fired": fired, "unknown": unknown, "alone": alone}
        for rule, fired, unknown, alone in counted
    }
