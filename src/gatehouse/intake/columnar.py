"""Parquet tables looked at before they are read: what their footer states, and how long their texts really are.

A few kilobytes of Parquet can stand for terabytes, since every row may name one text of a dictionary. So rows and sizes
are checked from the footer, then the lengths of all rows are added up without a text being copied.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import duckdb

from gatehouse.intake import pages
from gatehouse.intake.faults import check_count, oversized, short_of
from gatehouse.intake.limits import Limits
from gatehouse.intake.wire import COLUMNS, MAX_ROW
from gatehouse.intake.workspace import open_workspace, quoted
from gatehouse.kernel.errors import WrongInput, place

_MAGIC = b"PAR1"
_MOST_FOOTER = 8 << 20
"""Bytes of a footer: a hundred groups of rows of twenty-six columns need a tenth of it."""


def unreadable(path: Path, column: str | None = None) -> WrongInput:
    """The refusal of a Parquet file whose bytes are no such file."""
    where = place(path.name, column=column)
    return WrongInput("the file is not a readable Parquet file", where=where, remedy="Write it again")


def check(connection: duckdb.DuckDBPyConnection, path: Path, rows: int, limits: Limits) -> None:
    """Raise WrongInput when a Parquet file is damaged, or holds other rows or more text than its manifest states."""
    _check_footer(path)
    try:
        _check_stated(connection, path, rows, limits)
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quoted(path)})").fetchall()
    except duckdb.OutOfMemoryException as stopped:
        raise short_of(stopped) from None
    except duckdb.Error:
        raise unreadable(path) from None
    texts = [str(name) for name, kind, *_ in described if kind == "VARCHAR"]
    if texts and rows:
        _check_texts(connection, path, texts, rows, limits)


def _check_footer(path: Path) -> None:
    with path.open("rb") as stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(max(0, size - 8))
        tail = stream.read()
    length = int.from_bytes(tail[:4], "little")
    if len(tail) < 8 or tail[4:] != _MAGIC or length > size - 12:
        raise unreadable(path)
    if length > _MOST_FOOTER:
        raise WrongInput(
            "the file's footer is too long", where=path.name, remedy="Write it again with fewer row groups"
        )


def _check_stated(connection: duckdb.DuckDBPyConnection, path: Path, rows: int, limits: Limits) -> None:
    """What the footer states: rows in all, rows by group and bytes unpacked."""
    [(found, grouped, size)] = connection.execute(f"""
        WITH groups AS (
            SELECT any_value(row_group_num_rows) AS rows, sum(total_uncompressed_size) AS size,
                   min(total_uncompressed_size) AS least
            FROM parquet_metadata({quoted(path)}) GROUP BY row_group_id
        )
        SELECT (SELECT sum(num_rows) FROM parquet_file_metadata({quoted(path)})),
               coalesce(sum(rows), 0), CASE WHEN min(least) < 0 THEN -1 ELSE coalesce(sum(size), 0) END
        FROM groups
    """).fetchall()
    if found != grouped or size < 0:
        raise unreadable(path)
    check_count(path, found, rows)
    if size > limits.text(rows):
        raise oversized(path, limits)
    _check_pages(connection, path)


def _check_pages(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """What each page claims, against the footer: a reader makes room for as much as a page's header says."""
    stated = connection.execute(f"""
        SELECT path_in_schema, least(data_page_offset, coalesce(nullif(dictionary_page_offset, 0), data_page_offset)),
               total_compressed_size, total_uncompressed_size, num_values
        FROM parquet_metadata({quoted(path)})
    """)
    try:
        pages.check(path, (pages.Chunk(str(column), *map(int, row)) for column, *row in stated.fetchall()))
    except pages.Lies as lies:
        raise unreadable(path, lies.column if lies.column in COLUMNS else None) from None
    except TypeError:
        raise unreadable(path) from None


def _check_texts(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: Sequence[str], rows: int, limits: Limits
) -> None:
    """How long the texts really are: each row and all together, read column by column when one cannot be read."""
    try:
        longest, size, row = _measured(connection, path, columns)
    except duckdb.OutOfMemoryException as stopped:
        raise short_of(stopped) from None
    except duckdb.Error:
        raise unreadable(path, _unreadable_column(path, columns)) from None
    if longest > MAX_ROW:
        problem, remedy = f"the row is longer than {MAX_ROW >> 10} KiB", "Shorten the field"
        raise WrongInput(problem, where=place(path.name, row + 1), remedy=remedy)
    if size > limits.text(rows):
        raise oversized(path, limits)


def _measured(connection: duckdb.DuckDBPyConnection, path: Path, columns: Sequence[str]) -> tuple[int, int, int]:
    """Bytes of the longest row and of all rows, and the first row that is too long, from 0."""
    total = " + ".join(f"coalesce(strlen({_named(column)}), 0)" for column in columns)
    found = connection.execute(f"""
        WITH measured AS (
            SELECT file_row_number AS row, {total} AS size FROM read_parquet({quoted(path)}, file_row_number = true)
        )
        SELECT max(size), sum(size), coalesce(min(row) FILTER (size > {MAX_ROW}), 0) FROM measured
    """).fetchall()
    [(longest, size, row)] = found
    return int(longest or 0), int(size or 0), int(row)


def _unreadable_column(path: Path, columns: Sequence[str]) -> str | None:
    """The first column that cannot be read alone, where it has one of the contract's names."""
    for column in columns:
        try:
            with open_workspace("1GB", threads=1) as alone:  # an error may have closed the other one for good
                _measured(alone, path, [column])
        except duckdb.Error:
            return column if column in COLUMNS else None
    return None


def _named(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
