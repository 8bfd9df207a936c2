"""Reports as files: CSV with its metadata, JSON, the documents of an export, and lines for a terminal.

The same report gives the same bytes. What contains personal data is written readable by its owner alone and is never
given as text. Cells that a spreadsheet would read as formulas are made text by an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from gatehouse.intake.workspace import quoted
from gatehouse.kernel import digests, files, formulas
from gatehouse.kernel.errors import WrongInput
from gatehouse.oversight.report import Report, Table, about, provenance, written

LINES = 50
"""Rows of a table that a terminal shows."""
_KINDS = {"BIGINT": "integer", "BOOLEAN": "boolean"}


def write_csv(report: Report, connection: duckdb.DuckDBPyConnection, path: Path) -> list[Path]:
    """Write a report of one table as `path`, of several as `path/<table>.csv`; beside it the metadata (W3C CSVW).

    The metadata hold all that the report says of itself, the meaning of the columns and each file's SHA-256.
    Returns the files.
    """
    several = len(report.tables) > 1
    if several and path.exists() and not path.is_dir():
        raise WrongInput(f"the report has {len(report.tables)} tables", where=str(path), remedy="Name a new folder")
    made = []
    for table in report.tables:
        target = path / f"{table.name}.csv" if several else path
        with files.replacing(target) as temporary:
            _private(temporary, report)
            connection.execute(
                f"COPY ({_guarded(connection, table)}) TO {quoted(temporary)} (FORMAT csv, HEADER, USE_TMP_FILE false)"
            )
        made.append(target)
    metadata = path / "csv-metadata.json" if several else path.with_name(f"{path.name}-metadata.json")
    groups = [_described(connection, table, file) for table, file in zip(report.tables, made, strict=True)]
    content = {"@context": "http://www.w3.org/ns/csvw", "dc:title": report.title, "tables": groups,
               "notes": [report.head()]}  # fmt: skip
    files.write(metadata, _json(content), mode=0o600 if report.personal else 0o644)
    return [*made, metadata]


def _guarded(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    columns = connection.execute(f"DESCRIBE {table.query}").fetchall()
    shown = ", ".join(
        f"{formulas.sql(name)} AS {name}" if kind == "VARCHAR" else str(name) for name, kind, *_ in columns
    )
    return f"SELECT {shown} FROM ({table.query})"


def _described(connection: duckdb.DuckDBPyConnection, table: Table, file: Path) -> dict[str, Any]:
    columns = [
        {"name": name, "titles": name, "datatype": _KINDS.get(kind, "string")}
        | ({"dc:description": table.says[name]} if name in table.says else {})
        for name, kind, *_ in connection.execute(f"DESCRIBE {table.query}").fetchall()
    ]
    more = {"sha256": digests.of_file(file), "query": table.query, "note": f"{table.note} {formulas.NOTE}".strip()}
    return {"url": file.name, "dc:title": table.title, "tableSchema": {"columns": columns}, "notes": [more]}


def write_json(report: Report, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write the whole report as one JSON document; a million rows take seconds."""
    with files.replacing(path) as temporary:
        _private(temporary, report)
        with temporary.open("wb") as stream:
            _stream(report, connection, stream, temporary.with_suffix(".rows"))


def _stream(report: Report, connection: duckdb.DuckDBPyConnection, stream: BinaryIO, part: Path) -> None:
    stream.write(_json(report.head()).rstrip(b"\n}") + b',\n  "tables": [')
    for at, table in enumerate(report.tables):
        stream.write((b"," if at else b"") + b"\n" + _json(about(table)).rstrip(b"\n}") + b',\n  "rows": ')
        try:
            _private(part, report)
            connection.execute(f"COPY ({table.query}) TO {quoted(part)} (FORMAT json, ARRAY true, USE_TMP_FILE false)")
            with part.open("rb") as rows:
                shutil.copyfileobj(rows, stream, 1 << 20)
        finally:
            part.unlink(missing_ok=True)
        stream.write(b"}")
    stream.write(b"]\n}\n")


def csv_text(report: Report, connection: duckdb.DuckDBPyConnection) -> str:
    """The one table of a report as CSV. Raises WrongInput when it has several, or contains personal data."""
    if report.personal or len(report.tables) != 1:
        raise WrongInput(f"the report {report.kind} has {len(report.tables)} tables", remedy="Name a folder: --out DIR")
    found = connection.execute(_guarded(connection, report.tables[0]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column[0] for column in found.description or ())
    writer.writerows(found.fetchall())
    return text.getvalue()


def write_text(report: Report, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write what a terminal shows, with every row."""
    files.write(path, "".join(f"{line}\n" for line in lines(report, connection, 1 << 62)).encode())


def write_documents(report: Report, connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Write the documents of an export, one a line, in the other system's own form; returns how many.

    What the report says of itself goes beside it as `<name>.report.json`. Raises WrongInput when it is no export.
    """
    [*_, table] = report.tables
    if "document" not in {name for name, *_ in connection.execute(f"DESCRIBE {table.query}").fetchall()}:
        raise WrongInput(f"the report {report.kind} cannot be exported as documents", remedy="Choose csv, json or pdf")
    rows = connection.execute(f"SELECT document FROM ({table.query})").fetchall()
    mode = 0o600 if report.personal else 0o644
    files.write(path, b"".join(f"{document}\n".encode() for (document,) in rows), mode=mode)
    beside = {**report.head(), "sha256": digests.of_file(path), "query": table.query}
    files.write(path.with_name(f"{path.name}.report.json"), _json(beside), mode=mode)
    return len(rows)


def lines(report: Report, connection: duckdb.DuckDBPyConnection, most: int = LINES) -> Iterator[str]:
    """The report as lines for a terminal. Raises WrongInput when it contains personal data."""
    if report.personal:
        raise WrongInput(f"the report {report.kind} contains personal data", remedy="Write it to a file with --out")
    yield report.title
    yield f"{report.law}"
    yield ""
    for name, value in [*provenance(report), *report.facts]:
        yield f"{name}: {value}"
    for number, sentence in enumerate(report.sentences(), 1):
        yield from ("", f"{number}. {sentence}")
    for table in report.tables:
        yield from ("", table.title)
        yield from _aligned(table, connection, most)
    for note in report.notes:
        yield from ("", note)


def _aligned(table: Table, connection: duckdb.DuckDBPyConnection, most: int) -> Iterator[str]:
    columns, rows = table.read(connection)
    if not rows:
        yield "  none"
        return
    shown = [columns, *[["" if cell is None else written(cell) for cell in row] for row in rows[:most]]]
    widths = [max(len(row[at]) for row in shown) for at in range(len(columns))]
    right = [all(cell is None or type(cell) is int for cell in values) for values in zip(*rows[:most], strict=True)]
    for row in shown:
        cells = (cell.rjust(width) if flush else cell.ljust(width)
                 for cell, width, flush in zip(row, widths, right, strict=True))  # fmt: skip
        yield ("  " + "  ".join(cells)).rstrip()
    if len(rows) > most:
        yield f"  and {len(rows) - most:,} more: write them to a file with --format csv --out"


def _private(temporary: Path, report: Report) -> None:
    temporary.touch(mode=0o600 if report.personal else 0o644)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"
