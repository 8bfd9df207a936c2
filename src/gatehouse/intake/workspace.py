"""Where a batch lives while it is worked on: one DuckDB connection, and Parquet files that appear whole.

A workspace never touches the network: extensions are neither looked for nor fetched.
"""

from __future__ import annotations

import tempfile
import weakref
from pathlib import Path

import duckdb

from gatehouse.kernel import files


def open_workspace(
    memory: str = "4GB", threads: int | None = None, temporary: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """Open an in-memory database that spills to `temporary` past `memory` (such as `4GB`).

    What spills is personal data: without `temporary` it goes into a folder that only its owner may read, which is
    removed when the connection is gone, and never into the folder where the command happens to run.
    """
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "TimeZone": "UTC",
        "enable_progress_bar": False,
    }
    if threads is not None:
        settings["threads"] = threads
    connection = duckdb.connect(":memory:")
    if temporary is None:
        private = tempfile.TemporaryDirectory(prefix="gatehouse-spill-", ignore_cleanup_errors=True)
        weakref.finalize(connection, private.cleanup)
        temporary = Path(private.name)
    temporary.mkdir(parents=True, exist_ok=True)
    settings["temp_directory"] = str(temporary)
    for name, value in settings.items():
        connection.execute(f"SET {name} = ?", [value])
    return connection


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
