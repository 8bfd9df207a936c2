"""A register that lives in PostgreSQL: its tables or views, copied once as columns into a snapshot of Parquet files.

The server streams each table with COPY inside one read-only, repeatable-read transaction, so the snapshot is of one
instant; Python passes blocks of bytes on and never sees a row. Sorted rows make the same contents the same digest.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import duckdb

from gatehouse.intake.workspace import open_workspace, quoted, write_parquet
from gatehouse.kernel.errors import CustodianFault, MachineFailed

if TYPE_CHECKING:
    import psycopg

SCHEMES = ("postgresql://", "postgres://")

# How each type of the contract is asked of the server and read again; anything else would be a guess.
_TYPES = {"BIGINT": "bigint", "UINTEGER": "bigint", "VARCHAR": "text", "DATE": "date", "BOOLEAN": "boolean"}


def name_of(address: str) -> str:
    """The address without user and password, for messages and records."""
    parts = urlsplit(address)
    return f"postgresql://{parts.hostname or ''}{parts.path}"


def take_snapshot(address: str, folder: Path, tables: dict[str, dict[str, str]], optional: frozenset[str]) -> None:
    """Write the Parquet file of each table (name -> column -> DuckDB type) of a database into `folder`.

    Raises CustodianFault when a table or column is missing, MachineFailed when the server cannot be reached or psycopg
    is not installed.
    """
    try:
        import psycopg
    except ImportError:
        remedy = "Install the extra: pip install gatehouse[postgres]"
        raise MachineFailed("psycopg is not installed", where=name_of(address), remedy=remedy) from None
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with psycopg.connect(address, options="-c default_transaction_read_only=on") as server:
            server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with open_workspace(temporary=folder / "spill") as connection:
                for table, columns in tables.items():
                    if _has(server, table):
                        _copy(server, connection, table, columns, folder)
                    elif table not in optional:
                        raise _missing(address, table)
    except psycopg.errors.UndefinedColumn as wrong:
        column = (wrong.diag.message_primary or "a column").split('"')[1:2]
        what = f"column {column[0] if column else ''} is missing"
        raise CustodianFault(what, where=name_of(address), remedy="Add it to the table or view") from None
    except psycopg.OperationalError:
        raise MachineFailed("the database cannot be reached", where=name_of(address)) from None


def _has(server: psycopg.Connection, table: str) -> bool:
    row = server.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone()
    return bool(row and row[0])


def _copy(
    server: psycopg.Connection, connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], folder: Path
) -> None:
    """Stream one table as CSV to a temporary file, and from there into sorted Parquet."""
    asked = ", ".join(f"{column}::{_TYPES[kind]}" for column, kind in columns.items())
    types = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".csv") as file:
        with server.cursor().copy(f"COPY (SELECT {asked} FROM {table}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)") as rows:
            for block in rows:
                file.write(block)
        file.flush()
        read = (
            f"read_csv({quoted(Path(file.name))}, header = false, auto_detect = false, columns = {{{types}}}, "
            "delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false)"
        )
        write_parquet(connection, f"SELECT * FROM {read} ORDER BY ALL", folder / f"{table}.parquet")


def _missing(address: str, table: str) -> CustodianFault:
    if table == "restrictions":
        return CustodianFault(
            "there is no table restrictions, so nobody determined who must not be disclosed under section 6103(i)(6)",
            where=name_of(address),
            remedy="Determine it and make the table; an empty one states that there are none",
        )
    return CustodianFault(f"there is no table or view {table}", where=name_of(address), remedy="A register needs it")
