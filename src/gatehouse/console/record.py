"""Request and candidate record side by side, field by field, for the officer who decides the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb

from gatehouse.console import desk, words
from gatehouse.console.reading import Case, Row
from gatehouse.kernel.errors import GatehouseError
from gatehouse.match.register import Register, open_register

MOST = 4
"""How many of a candidate's addresses are shown."""

_TIN_DIGITS = 9
_SHOWN = "line1, line2, city, state, postal_code, country, valid_to, last_known"
_ADDRESS = ("address_line1", "address_line2", "city", "state", "postal_code", "country")


@dataclass(frozen=True)
class Field:
    """One field on both sides; `agrees` is None where one side has nothing."""

    label: str
    asked: str
    on_file: tuple[str, ...]
    """One line for each address on file; one for anything else."""
    comparison: str
    agrees: bool | None


@dataclass(frozen=True)
class Comparison:
    """The table of an officer: the request beside one candidate of the register, or beside nobody."""

    fields: tuple[Field, ...]
    candidate: Row | None
    verdict: str
    address_used: str
    on_file_read: bool
    """Whether the register could be read for this page; without it only the comparison is shown."""


def compare(case: Case, rank: int) -> Comparison:
    """Set the request beside its candidate of a rank (from 1); without candidates beside nothing."""
    candidate = case.candidates[rank - 1] if rank <= len(case.candidates) else None
    record = _on_file(candidate)
    fields = tuple(_field(name, label, case.request, candidate or {}, record) for name, label in words.FIELDS.items())
    verdict = str(candidate.get("verdict") or "") if candidate else ""
    used = str(candidate.get("address_used") or "") if candidate else ""
    return Comparison(fields, candidate, verdict, used, on_file_read=bool(record))


def _field(name: str, label: str, request: Row, candidate: Row, record: Mapping[str, Any]) -> Field:
    found = candidate.get(f"{name}_comparison")
    comparison = "" if found is None else str(found)
    agrees = None if comparison in words.ONE_SIDED else comparison not in words.DISAGREEING
    asked = address(request) if name == "address" else str(request.get(name) or "")
    return Field(label, asked, _written(name, record.get(name)), comparison, agrees)


def _written(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    text = str(value or "")
    if name == "tin" and len(text) == _TIN_DIGITS and text.isdigit():
        text = f"{text[:3]}-{text[3:5]}-{text[5:]}"
    return (text,) if text else ()


def address(row: Row) -> str:
    """The lines of an address as one text, without what is absent."""
    return ", ".join(str(row[part]) for part in _ADDRESS if row.get(part))


def _on_file(candidate: Row | None) -> Mapping[str, Any]:
    """The candidate's own record, read from the register; nothing where there is none or it cannot be read."""
    if candidate is None:
        return {}
    try:
        register = _register(desk.site().register)
        with _connection().cursor() as cursor:
            person = _rows(cursor, f"SELECT * FROM {register.relation('persons')}", candidate["person_id"])
            addresses = _rows(cursor, f"SELECT {_SHOWN} FROM {register.relation('addresses')}", candidate["person_id"])
    except (GatehouseError, duckdb.Error):
        return {}
    if not person:
        return {}
    lines = [_placed(row, current=bool(row["last_known"])) for row in sorted(addresses, key=_newest_first)[:MOST]]
    return {**person[0], "address": tuple(lines)}


def _rows(cursor: duckdb.DuckDBPyConnection, query: str, person: int) -> list[Row]:
    cursor.execute(f"{query} WHERE person_id = $person", {"person": person})
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _newest_first(row: Row) -> tuple[bool, str]:
    return (not row["last_known"], str(row["valid_to"] or ""))


def _placed(row: Row, *, current: bool) -> str:
    parts = ("line1", "line2", "city", "state", "postal_code", "country")
    text = ", ".join(str(row[part]) for part in parts if row[part])
    return text if current else f"formerly {text}"


@lru_cache(maxsize=2)
def _register(address: str) -> Register:
    return open_register(address)


@lru_cache(maxsize=1)
def _connection() -> duckdb.DuckDBPyConnection:
    found = duckdb.connect(config={"threads": 2, "memory_limit": "512MB", "autoinstall_known_extensions": "false"})
    found.execute("SET parquet_metadata_cache = true")  # a register of ten million persons has a hundred row groups
    return found
