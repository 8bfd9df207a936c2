"""Where a batch lives while it is worked on: one DuckDB connection, and Parquet files that appear whole.

Every connection of the program is made here. None of them touches the network, for extensions are neither looked for
nor fetched; what spills goes into a private folder that is gone afterwards.
"""

from __future__ import annotations

import weakref
from pathlib import Path

import duckdb

from gatehouse.kernel import files, scratch

_CLOSED = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "enable_progress_bar": False,
    "TimeZone": "UTC",
}


def open_workspace(
    memory: str = "4GB", threads: int | None = None, temporary: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """Open an in-memory database that reads and writes files, and spills past `memory` (such as `4GB`).

    What spills is personal data. It goes into a folder of its own, in `temporary` or where the system keeps temporary
    files, that only its owner may read and that is removed when the connection is gone; what a process that was killed
    left there is removed by the next one. Nothing is ever spilled into the folder where the command happens to run.
    """
    connection = duckdb.connect(":memory:")
    private = scratch.take(temporary)
    weakref.finalize(connection, private.close)
    _set(connection, memory=memory, threads=threads, temp_directory=str(private.path))
    return connection


def open_enclosed(memory: str = "1GB", threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Open an in-memory database that can read no path and spills nowhere, for what comes in as values."""
    connection = duckdb.connect(":memory:")
    _set(connection, memory=memory, threads=threads, temp_directory="", enable_external_access=False)
    return connection


def spills(connection: duckdb.DuckDBPyConnection) -> Path | None:
    """The private folder of a workspace, for files that must not outlive it; None of any other connection."""
    [(where,)] = connection.execute("SELECT current_setting('temp_directory')").fetchall()
    return Path(where) if where and Path(where).name.startswith(scratch.PREFIX) else None


def _set(connection: duckdb.DuckDBPyConnection, *, memory: str, threads: int | None, **others: bool | str) -> None:
    for name, value in {**_CLOSED, "threads": threads, "memory_limit": memory, **others}.items():
        if value is not None:
            connection.execute(f"SET {name} = ?", [value])


def quoted(path: Path) -> str:
    """A path as an SQL text literal, for statements that take no parameters there."""
    return "'" + str(path).replace("'", "''") + "'"


# Weaker compression and small dictionaries: two thirds of the time, and three hundredths more bytes.
_PARQUET = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 5000"

WHOLE, BY_ROW, WIDE_BY_ROW = 122_880, 61_440, 30_720
"""Rows of a row group: for tables that are read as a whole, for those of which single rows are asked for as well, and
for the widest of these.

A row costs reading its group: half as large is half the time for a page, and for a wide table a fifth more for writing.
"""


def write_parquet(connection: duckdb.DuckDBPyConnection, query: str, path: Path, *, group: int = WHOLE) -> None:
    """Write a query's rows to a Parquet file, compressed, in the query's order; all or nothing, durably."""
    with files.replacing(path) as temporary:
        connection.execute(f"COPY ({query}) TO {quoted(temporary)} ({_PARQUET}, ROW_GROUP_SIZE {group})")
