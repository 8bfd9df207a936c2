"""The tables of a submission, read into one: each as it was signed, each request once (design §5.2).

Runs where untrusted bytes are read, and nowhere else (`intake.reading`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from gatehouse.intake import columnar, faults, mapping, parcel, readers, rowfaults
from gatehouse.intake.limits import Limits
from gatehouse.intake.manifest import Table
from gatehouse.intake.wire import COLUMNS, MAX_ID, MAX_ROW
from gatehouse.kernel.errors import WrongInput, place


def load(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[tuple[Path, Table]],
    layout: mapping.Layout,
    target: str,
    limits: Limits,
) -> None:
    """Append the tables in the manifest's order to the new table `target` of the wire's columns.

    Raises WrongInput where one is not what was signed, is larger than it may be, or has a fault in a row.
    """
    readers.create(connection, target)
    for path, table in files:
        _load_table(connection, path, table, layout=layout, target=target, limits=limits)
    tables = [table for _, table in files]
    check_length(connection, target, tables)
    check_ids(connection, target, tables)


def _load_table(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    table: Table,
    *,
    layout: mapping.Layout,
    target: str,
    limits: Limits,
) -> None:
    before = parcel.plain(path).stat()
    lines = limits.lines(table.rows)
    if readers.digest(path, layout, lines=lines) != table.sha256:
        problem, remedy = "the digest is not the one that was signed", "Send the table as it was when signed"
        raise WrongInput(problem, where=path.name, remedy=remedy)
    if path.suffix.lower() == ".parquet":
        columnar.check(connection, path, table.rows, limits)
    elif before.st_size > limits.text(table.rows):
        raise rowfaults.find(path, layout, lines) or faults.oversized(path, limits)
    rows = readers.load(connection, path, layout, target)
    after = path.stat()
    if (before.st_ino, before.st_size, before.st_mtime_ns) != (after.st_ino, after.st_size, after.st_mtime_ns):
        raise WrongInput("the table changed while Gatehouse read it", where=path.name, remedy="Send it again")
    faults.check_count(path, rows, table.rows)


def check_length(connection: duckdb.DuckDBPyConnection, target: str, tables: Sequence[Table]) -> None:
    """No request is longer than one may be, whatever a reader made of its line; raises WrongInput naming the row."""
    total = " + ".join(f"coalesce(strlen({column}), 0)" for column in COLUMNS)
    [(long,)] = connection.execute(f"SELECT min(rowid) FROM {target} WHERE {total} > {MAX_ROW}").fetchall()
    if long is not None:
        file, row = _row(tables, long)
        raise WrongInput(
            f"the row is longer than {MAX_ROW >> 10} KiB", where=place(file, row), remedy="Shorten the fields"
        )


def check_ids(connection: duckdb.DuckDBPyConnection, target: str, tables: Sequence[Table]) -> None:
    """Each request has its own plain id, and no text anywhere holds a NUL; raises WrongInput naming the row."""
    shaped = connection.execute(
        f"SELECT min(rowid) FROM {target} WHERE request_id IS NULL OR length(request_id) > {MAX_ID} "
        r"OR regexp_matches(request_id, '\p{C}')"
    ).fetchone()
    if shaped and shaped[0] is not None:
        remedy = f"Give each request an id of 1 to {MAX_ID} printable characters"
        raise WrongInput("the id is missing, too long or unprintable", where=_place(tables, shaped[0]), remedy=remedy)
    twice = connection.execute(f"""
        WITH repeated AS (
            SELECT request_id FROM {target} GROUP BY request_id HAVING count(*) > 1
        ), placed AS (
            SELECT rowid, request_id, min(rowid) OVER (PARTITION BY request_id) AS first_row
            FROM {target} WHERE request_id IN (FROM repeated)
        )
        SELECT min(rowid) AS first, min(rowid) FILTER (rowid <> first_row) AS second
        FROM placed GROUP BY request_id ORDER BY second LIMIT 1
    """).fetchone()
    if twice:
        first, second = twice
        (file, row), (other, _) = _row(tables, first), _row(tables, second)
        problem = f"repeats the id of row {row}{'' if file == other else f' of {file}'}"
        raise WrongInput(problem, where=_place(tables, second), remedy="Give each request a unique id")
    nul = " OR ".join(f"contains({column}, chr(0))" for column in COLUMNS)
    if any(not table.file.lower().endswith(".csv") for table in tables):
        found = connection.execute(f"SELECT min(rowid) FROM {target} WHERE {nul}").fetchone()
        if found and found[0] is not None:
            file, row = _row(tables, found[0])
            raise WrongInput("the cell contains a NUL character", where=place(file, row), remedy="Remove it")


def _row(tables: Sequence[Table], rowid: int) -> tuple[str, int]:
    """The file of a row, and the row's number in it, from 1."""
    for table in tables:
        if rowid < table.rows:
            return table.file, rowid + 1
        rowid -= table.rows
    raise IndexError(rowid)


def _place(tables: Sequence[Table], rowid: int) -> str:
    file, row = _row(tables, rowid)
    return place(file, row, "request_id")
