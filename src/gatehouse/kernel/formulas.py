"""Cells that a spreadsheet would read as formulas, made text by an apostrophe in front.

A spreadsheet that opens a CSV file runs what begins like a formula, whoever wrote it. Full-width signs count too, for
some programs read them as the plain ones, and so does what stands behind spaces.
"""

from __future__ import annotations

import re

PATTERN = r"^\s*[=+\-@＝＋－＠]|^[\t\r\n]"
"""What such a cell begins with, in a form that Python and DuckDB (RE2) read alike."""
NOTE = "Text that begins like a formula has an apostrophe in front."
_BEGINS = re.compile(PATTERN)


def text(cell: str) -> str:
    """A cell as text, whatever program opens the file."""
    return f"'{cell}" if _BEGINS.search(cell) else cell


def sql(column: str) -> str:
    """The same as an SQL expression over a column of text."""
    return f"CASE WHEN regexp_matches({column}, '{PATTERN}') THEN '''' || {column} ELSE {column} END"
