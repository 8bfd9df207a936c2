"""Reports on paper: a tagged PDF (PDF/UA-1) that a screen reader reads and a clerk can file, by Typst.

Needs the extra `reports`. Fonts come with Typst, so the same report gives the same pages everywhere. A report without
personal data carries itself as JSON, so that whoever is handed the paper can rebuild its numbers.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.kernel import extras, files
from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.oversight.report import Report, Table, provenance, written

MOST_ROWS = 5_000
"""More rows than this are no paper: some 100 to 1,000 pages."""
MOST_CARDS = 40
"""More rows than this are set as lines of one table, also where fewer would be forms: two a page fill a binder."""
_MOST_ATTACHED = 1 << 24
_DIGEST = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_RELEASE = re.compile(r"(rel|recall)-[0-9a-f]{32}")
_WIDEST, _NARROWEST = 44, 5
_PORTRAIT, _LANDSCAPE, _PADDING = 112, 190, 3
"""Characters a line of a table takes."""
_WRAPPED = 26
"""A wider column is let wrap before the page is turned."""


def ready() -> None:
    """Raise MachineFailed when Typst is not installed."""
    if importlib.util.find_spec("typst") is None:
        raise MachineFailed(
            "PDF needs the extra `reports`, which is not installed",
            remedy=f"{extras.remedy('reports')}, or choose csv or json",
        )


def write_pdf(report: Report, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write a report as PDF. Raises WrongInput when it has more rows than paper is for."""
    files.write(path, pdf(report, connection), mode=0o600 if report.personal else 0o644)


def pdf(report: Report, connection: duckdb.DuckDBPyConnection) -> bytes:
    """A report as the bytes of a PDF. Raises WrongInput for one that is made for programs or has too many rows."""
    if not report.paper:
        remedy = "Choose csv, json or documents"
        raise WrongInput("this report is for programs and has no PDF format", where=report.kind, remedy=remedy)
    ready()
    import typst

    rows = sum(table.count(connection) for table in report.tables)
    if rows > MOST_ROWS:
        raise WrongInput(
            f"the report has {rows:,} rows; a PDF can have at most {MOST_ROWS:,}",
            remedy="Narrow it with --docket, --from and --to, or choose csv or json",
        )
    content = json.dumps(_content(report, connection), ensure_ascii=False)
    template = resources.files(__package__).joinpath("report.typ").read_bytes()
    made = typst.compile(
        template,
        sys_inputs={"report": content, "attached": _attached(report, connection)},
        ignore_system_fonts=True,
        pdf_standards="ua-1",
    )
    assert isinstance(made, bytes)  # noqa: S101 - one document, one file
    return made


def _attached(report: Report, connection: duckdb.DuckDBPyConnection) -> str:
    if report.personal:
        return ""
    text = json.dumps(report.document(connection), ensure_ascii=False, indent=2, sort_keys=True)
    return text if len(text) <= _MOST_ATTACHED else ""


def _content(report: Report, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What the template sets: text only, numbers already written."""
    return {
        "kind": report.kind,
        "title": report.title,
        "law": report.law,
        "purpose": report.purpose,
        "personal": report.personal,
        "asked": {name: str(value) for name, value in report.asked.items()},
        "provenance": [list(line) for line in provenance(report)],
        "checkpoint": f"{report.record.checkpoint.size:,} · {report.record.checkpoint.root.hex()[:16]}…",
        "facts": [list(fact) for fact in report.facts],
        "paragraphs": report.sentences(),
        "figures": [[one.name, one.says, written(one.value), one.query] for one in report.figures],
        "notes": list(report.notes),
        "tables": [_laid_out(table, connection) for table in report.tables],
    }


def _laid_out(table: Table, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    columns, rows = table.read(connection)
    values = [[row[at] for row in rows] for at in range(len(columns))]
    numbers = [bool(rows) and all(cell is None or type(cell) is int for cell in cells) for cells in values]
    shown = [[_shown(cell, whole=table.cards and len(rows) <= MOST_CARDS) for cell in row] for row in rows]
    widths = [_width(name, [row[at] for row in shown]) for at, name in enumerate(columns)]
    needed = sum(min(width, _WRAPPED) + _PADDING for width in widths)
    wide = needed > _PORTRAIT
    cards = table.cards and len(rows) <= MOST_CARDS
    return {
        "title": table.title,
        "note": table.note,
        "cards": cards,
        "columns": [name.replace("_", " ") for name in columns],
        "says": [[name.replace("_", " "), meaning] for name, meaning in table.says.items()],
        "numbers": numbers,
        "widths": widths,
        "fixed": 24 if needed <= (_LANDSCAPE if wide else _PORTRAIT) else 0,
        "wide": wide,
        "rows": shown,
        "query": table.query,
    }


def _shown(cell: object, *, whole: bool) -> str:
    if cell is None:
        return ""
    text = written(cell)
    if _INSTANT.fullmatch(text):
        return text.replace("T", " ").removesuffix("Z")
    if not whole and _DIGEST.fullmatch(text):
        return text[:16] + "…"
    if not whole and _RELEASE.fullmatch(text):
        return text[: text.index("-") + 13] + "…"
    return text


def _width(name: str, cells: Sequence[str]) -> int:
    """How wide a column should be, in characters: its longest word at least, its longest cell at most."""
    longest = max((len(cell) for cell in cells), default=0)
    words = max((len(word) for text in (*cells, name.replace("_", " ")) for word in re.split(r"[ /]", text)), default=1)
    return max(_NARROWEST, min(words, 20), min(longest, _WIDEST))
