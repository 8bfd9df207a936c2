"""Where a batch lives while it is worked on: one DuckDB connection, and Parquet files that appear whole.

A workspace never touches the network: extensions are neither looked for nor fetched.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from gatehouse.kernel import files


def open_workspace(
    memory: str = "4GB", threads: int | None = None, temporary: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """Open an in-memory database that spills to `temporary` past `memory` (such as `4GB`)."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "TimeZone": "UTC",
        "enable_progress_bar": False,
    }
    if threads is not None:
        settings["threads"] = threads
    if temporary is not None:
        temporary.mkdir(parents=True, exist_ok=True)
        settings["temp_directory"] = str(temporary)
    connection = duckdb.connect(":memory:")
    for name, value in settings.items():
        connection.execute(f"SET {name} = ?", [value])
    return connection


def quoted(path: Path) -> str:
    """A path as an SQL text literal, for statements that take no parameters there."""
    return "'" + str(path).replace("'", "''") + "'"


def write_parquet(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write a query's rows to a Parquet file, compressed, in the query's order; all or nothing, durably."""
    with files.replacing(path) as temporary:
        connection.execute(f"COPY ({query}) TO {quoted(temporary)} (FORMAT parquet, COMPRESSION zstd)")
