"""Request and candidate record side by side, field by field, for the officer who decides the case."""

from __future__ import annotations

from dataclasses import dataclass

from gatehouse.console import desk, words
from gatehouse.console.reading import Case, Row
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.pipeline import onfile
from gatehouse.pipeline.onfile import Record

_TIN_DIGITS = 9
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
    bounded: str = ""
    """Why the record was not given, where too many were opened today."""


def compare(case: Case, rank: int, *, docket: str, seq: int, officer: str) -> Comparison:
    """Set the request beside its candidate of a rank (from 1); without candidates beside nothing."""
    candidate = case.candidates[rank - 1] if rank <= len(case.candidates) else None
    record, bounded = Record(), ""
    if candidate is not None:
        try:
            record = onfile.look(desk.site(), officer, docket, seq, rank)
        except AnswerIsNo as no:
            bounded = no.outside
    fields = tuple(_field(name, label, case.request, candidate or {}, record) for name, label in words.FIELDS.items())
    verdict = str(candidate.get("verdict") or "") if candidate else ""
    used = str(candidate.get("address_used") or "") if candidate else ""
    return Comparison(fields, candidate, verdict, used, on_file_read=bool(record.fields), bounded=bounded)


def _field(name: str, label: str, request: Row, candidate: Row, record: Record) -> Field:
    found = candidate.get(f"{name}_comparison")
    comparison = "" if found is None else str(found)
    agrees = None if comparison in words.ONE_SIDED else comparison not in words.DISAGREEING
    asked = address(request) if name == "address" else str(request.get(name) or "")
    on_file = record.addresses if name == "address" else _written(name, record.fields.get(name, ""))
    return Field(label, asked, on_file, comparison, agrees)


def _written(name: str, text: str) -> tuple[str, ...]:
    if name == "tin" and len(text) == _TIN_DIGITS and text.isdigit():
        text = f"{text[:3]}-{text[3:5]}-{text[5:]}"
    return (text,) if text else ()


def address(row: Row) -> str:
    """The lines of an address as one text, without what is absent."""
    return ", ".join(str(row[part]) for part in _ADDRESS if row.get(part))
