"""A report: its title, the law that asks for it, where its numbers come from, and the queries that make them.

A report holds queries, not copies: its rows are read from the tables of `counted` when it is written. Text, CSV, JSON
and PDF are made from the same queries; from the same dockets and checkpoint come the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from gatehouse import __version__
from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.oversight.sources import Record

FORM = "gatehouse-report/1"


@dataclass(frozen=True)
class Table:
    """One table of a report. Its query gives text, whole numbers and booleans only, in a stated order."""

    name: str
    title: str
    query: str
    says: Mapping[str, str] = field(default_factory=dict)
    """What a column means, where its name does not say it."""
    note: str = ""
    cards: bool = False
    """On paper each row is a form of its own, not a line."""

    def read(self, connection: duckdb.DuckDBPyConnection) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Its columns and rows."""
        found = connection.execute(self.query)
        return [column[0] for column in found.description or ()], found.fetchall()

    def count(self, connection: duckdb.DuckDBPyConnection) -> int:
        """How many rows it has."""
        [(rows,)] = connection.execute(f"SELECT count(*) FROM ({self.query})").fetchall()
        return int(rows)


class Said(str):
    """A figure as a sentence says it; formatted with two words, the one for 1 or the one for any other number."""

    __slots__ = ("value",)

    def __new__(cls, shown: str, value: object) -> Said:
        """Keep the value beside its text."""
        said = super().__new__(cls, shown)
        said.value = value  # type: ignore[attr-defined]
        return said

    def __format__(self, words: str) -> str:
        """The text alone, or with the word that fits."""
        one, _, many = words.partition("|")
        return f"{self} {one if self.value == 1 else many}" if words else str(self)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Figure:
    """One number or date of a declaration, by its name, with the query that gives it."""

    name: str
    says: str
    query: str
    value: int | str | None

    def document(self) -> dict[str, Any]:
        """The figure as JSON."""
        return {"name": self.name, "says": self.says, "query": self.query, "value": self.value}


def figure(connection: duckdb.DuckDBPyConnection, name: str, says: str, query: str) -> Figure:
    """Ask for one figure."""
    plain = one_line(query)
    row = connection.execute(plain).fetchone()
    if row is None or len(row) != 1:
        raise MachineFailed(f"the query of the figure {name} gives no single value")
    return Figure(name, says, plain, row[0])


@dataclass(frozen=True)
class Report:
    """What a reader is handed."""

    kind: str
    """Its name on the command line."""
    title: str
    law: str
    purpose: str
    record: Record
    tables: tuple[Table, ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict)
    """What besides the period it was asked about; a rebuild asks the same."""
    figures: tuple[Figure, ...] = ()
    paragraphs: tuple[str, ...] = ()
    """Numbered sentences: `{name}` stands for a figure, `{name:officer|officers}` for it with the word that fits it."""
    facts: tuple[tuple[str, str], ...] = ()
    """Named answers, as a form has them."""
    notes: tuple[str, ...] = ()
    personal: bool = False
    """It holds personal data: it is written to a private file and never shown on a terminal."""
    paper: bool = True
    """Whether people read it; what is made for programs is no PDF."""

    def head(self) -> dict[str, Any]:
        """Everything but the rows, as JSON."""
        return {
            "format": FORM,
            "version": __version__,
            "report": self.kind,
            "title": self.title,
            "law": self.law,
            "purpose": self.purpose,
            "asked": dict(self.asked),
            "made_from": self.record.document(),
            "personal_data": self.personal,
            "facts": [{"name": name, "value": value} for name, value in self.facts],
            "figures": [one.document() for one in self.figures],
            "paragraphs": list(self.paragraphs),
            "notes": list(self.notes),
        }

    def sentences(self) -> list[str]:
        """The paragraphs with their figures in place."""
        shown = {one.name: Said(written(one.value), one.value) for one in self.figures}
        return [paragraph.format_map(shown) for paragraph in self.paragraphs]

    def document(self, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
        """The whole report as JSON; for many rows `writing.write_json` is quicker."""
        tables = []
        for table in self.tables:
            columns, rows = table.read(connection)
            tables.append({**about(table), "rows": [dict(zip(columns, row, strict=True)) for row in rows]})
        return {**self.head(), "tables": tables}


def about(table: Table) -> dict[str, Any]:
    """A table without its rows, as JSON."""
    return {"name": table.name, "title": table.title, "note": table.note, "columns": dict(table.says),
            "query": table.query}  # fmt: skip


def table(
    name: str, title: str, query: str, *, says: Mapping[str, str] | None = None, note: str = "", cards: bool = False
) -> Table:
    """A table whose query is kept in one line."""
    return Table(name, title, one_line(query), says or {}, note, cards)


def person_of(asked: Mapping[str, Any]) -> int:
    """The number of the person that a report is asked about; raises WrongInput when it is none."""
    number = asked.get("person")
    if type(number) is not int or not 0 <= number < 1 << 63:
        raise WrongInput("the person must be given by their number in the register", where="person")
    return number


def one_line(query: str) -> str:
    """A query in one line, as reports show it."""
    return " ".join(query.split())


def written(value: object) -> str:
    """A value as a reader sees it: numbers with thousands separators, an absent one as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def provenance(report: Report) -> Sequence[tuple[str, str]]:
    """Where the numbers come from, as named lines for a reader."""
    made = report.record.document()
    period = made["period"]
    packs = [f"{one['id']} {one['version']} ({one['digest'][:16]}…)" for one in made["packs"]]
    dockets = [one["docket"] for one in made["dockets"]]
    shown = (", ".join(dockets[:12]) or "none") + (f" and {len(dockets) - 12} more" if len(dockets) > 12 else "")
    requests = sum(one["requests"] for one in made["dockets"])
    return (
        ("Ledger", str(made["ledger"])),
        ("As of checkpoint", f"size {made['checkpoint']['size']:,}, root {made['checkpoint']['root']}"),
        ("Period", f"{period['from'] or 'the beginning'} to {period['to'] or 'this checkpoint'} (UTC)"),
        ("Law", "; ".join(packs) or "no pack: no docket"),
        ("Dockets", f"{len(dockets):,} with {requests:,} requests, each verified against the ledger: {shown}"),
        ("Entries not explained", written(made["unexplained_entries"])),
    )
