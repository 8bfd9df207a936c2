"""What the register says of the candidates of one case, one at a time, for the officer who decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import GatehouseError, MachineFailed
from gatehouse.kernel.line import Call
from gatehouse.kernel.postgres import is_address
from gatehouse.match import Register, open_excerpt, open_register
from gatehouse.pipeline.parts import Part, messages
from gatehouse.pipeline.site import Site

MOST = 4
"""How many of a candidate's addresses are shown."""
_SHOWN = "line1, line2, city, state, postal_code, country, valid_to, last_known"
_PLACE = ("line1", "line2", "city", "state", "postal_code", "country")


@dataclass(frozen=True)
class Record:
    """A candidate's record by field, without what is absent, and its addresses, newest first."""

    fields: Mapping[str, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()


def look(site: Site, officer: str, docket: str, seq: int, candidate: int) -> Record:
    """The record of a case's candidate (from 1, in the order of the evidence); empty where it cannot be read.

    Where the decider is a process of its own it reads, keeps account of each opening, and stops at its bound: raises
    AnswerIsNo then.
    """
    decider = site.parts.of(Part.DECIDER) if site.parts else None
    if decider is None:
        return read(site, Docket(site.dockets / docket), seq, candidate)
    try:
        with Call(decider, messages.FROM_DECIDER, most=0) as call:
            said, _ = call.ask(messages.OpenCase(officer, docket, seq, candidate))
    except MachineFailed:
        return Record()
    return Record(said.fields, said.addresses)


def read(site: Site, docket: Docket, seq: int, candidate: int) -> Record:
    """The same, read here."""
    try:
        with _connection().cursor() as cursor:
            person = _person(cursor, docket, seq, candidate)
            if person is None:
                return Record()
            register = _register(site.register, person)
            found = _rows(cursor, f"SELECT * FROM {register.relation('persons')}", person)
            places = _rows(cursor, f"SELECT {_SHOWN} FROM {register.relation('addresses')}", person)
    except (GatehouseError, duckdb.Error):
        return Record()
    if not found:
        return Record()
    fields = {name: str(value) for name, value in found[0].items() if value is not None}
    return Record(fields, tuple(map(_placed, sorted(places, key=_newest_first)[:MOST])))


def _person(cursor: duckdb.DuckDBPyConnection, docket: Docket, seq: int, candidate: int) -> int | None:
    row = cursor.execute(
        "SELECT person_id FROM read_parquet($file) WHERE seq = $seq ORDER BY rank LIMIT 1 OFFSET $after",
        {"file": str(docket.table("evidence")), "seq": seq, "after": max(candidate - 1, 0)},
    ).fetchone()
    return None if row is None else int(row[0])


def _rows(cursor: duckdb.DuckDBPyConnection, query: str, person: int) -> list[dict[str, Any]]:
    cursor.execute(f"{query} WHERE person_id = $person", {"person": person})
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _newest_first(row: Mapping[str, Any]) -> tuple[bool, str]:
    return (not row["last_known"], str(row["valid_to"] or ""))


def _placed(row: Mapping[str, Any]) -> str:
    text = ", ".join(str(row[part]) for part in _PLACE if row[part])
    return text if row["last_known"] else f"formerly {text}"


def _register(address: str, person: int) -> Register:
    """A database is asked anew each time, for this person alone; a folder's files keep what is known of them."""
    return open_excerpt(address, [person]) if is_address(address) else _folder(address)


@lru_cache(maxsize=2)
def _folder(address: str) -> Register:
    return open_register(address)


@lru_cache(maxsize=1)
def _connection() -> duckdb.DuckDBPyConnection:
    found = open_workspace("512MB", threads=2)
    found.execute("SET parquet_metadata_cache = true")  # a register of ten million persons has a hundred row groups
    return found
