"""One request in plain words: what was decided, under which rules with their citations, on which facts.

For the custodian every rule is said with what was found; for the requester only what may be told without revealing
whether a record exists (design §5.4).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.determine import opened
from gatehouse.determine.answers import PENDING_TEXT, is_told
from gatehouse.determine.docket import Docket
from gatehouse.intake import reasons
from gatehouse.kernel.errors import WrongInput
from gatehouse.law.explain import Grounds, grounds
from gatehouse.law.explain import explain as explain_rules
from gatehouse.law.reading import load


@dataclass(frozen=True)
class Explanation:
    """Why one request was determined as it was."""

    request_id: str
    outcome: str
    codes: tuple[str, ...]
    items: tuple[str, ...]
    as_of: dt.date
    pack: str
    grounds: Grounds
    told: str
    """All that the requester may be told now."""
    reason: str | None
    """What the judge says of the reason given, with the words that decided; None where it is specific."""
    evidence: tuple[Mapping[str, Any], ...]
    """The candidates a reviewer looks at, field by field."""


def explain(connection: duckdb.DuckDBPyConnection, docket: Docket, request_id: str) -> Explanation:
    """Explain one request of a docket.

    Raises WrongInput when no request has that id, AnswerIsNo when one of its files is not the one committed.
    """
    if opened.is_laid_down(docket):
        opened.check(docket)
    decided = _row(connection, docket.table("determinations"), "request_id = ?", request_id)
    if decided is None:
        raise WrongInput(
            "the docket has no request with that id",
            where=str(docket.root),
            remedy="Find the ids in the column request_id of determinations.parquet",
        )
    facts = _row(connection, docket.table("facts"), "seq = ?", decided["seq"]) or {}
    pack = load(docket.pack)
    fired, unknown = decided["fired"], decided.get("unknown") or []
    texts = explain_rules(pack, fired, facts, decided["as_of"])
    asked = _row(connection, docket.table("requests"), "seq = ?", decided["seq"]) or {}
    state = asked.get("reason_state")
    reason = reasons.explain(state, asked.get("reason_purpose"), asked.get("reason_why")) if state else None
    told = [text.say for text in texts if is_told(text.code, text.outcome)]
    if told and reason and state != "unclear":
        told.append(f"Of your reason: {reason}.")
    return Explanation(
        request_id=request_id,
        outcome=decided["outcome"],
        codes=tuple(decided["codes"]),
        items=tuple(decided["items"]),
        as_of=decided["as_of"],
        pack=f"{pack.id} {pack.version}",
        grounds=grounds(pack, fired, unknown, facts, decided["as_of"]),
        told=" ".join(told) or PENDING_TEXT,
        reason=reason,
        evidence=tuple(_rows(connection, docket.table("evidence"), "seq = ? ORDER BY rank", decided["seq"])),
    )


def _rows(connection: duckdb.DuckDBPyConnection, table: Path, where: str, value: object) -> list[dict[str, Any]]:
    found = connection.execute(f"SELECT * FROM read_parquet(?) WHERE {where}", [str(table), value])
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _row(connection: duckdb.DuckDBPyConnection, table: Path, where: str, value: object) -> dict[str, Any] | None:
    found = _rows(connection, table, where, value)
    return found[0] if found else None
