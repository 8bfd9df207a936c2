"""A register that lives in PostgreSQL: its tables or views, copied as columns into a snapshot of Parquet files.

The server streams each table with COPY inside one read-only, repeatable-read transaction, so the snapshot is of one
instant; Python passes blocks of bytes on through a pipe, so that no text of a person is laid down anywhere, and never
sees a row. Sorted rows make the same contents the same digest.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from gatehouse.intake.workspace import open_workspace, quoted, write_parquet
from gatehouse.kernel.errors import CustodianFault, MachineFailed, own
from gatehouse.kernel.postgres import cause_of, driver, name_of, parts

if TYPE_CHECKING:
    import psycopg

# How each type of the contract is asked of the server and read again; anything else would be a guess.
_TYPES = {"BIGINT": "bigint", "UINTEGER": "bigint", "VARCHAR": "text", "DATE": "date", "BOOLEAN": "boolean"}


@own()
def take_snapshot(
    address: str,
    folder: Path,
    tables: Mapping[str, Mapping[str, str]],
    optional: frozenset[str],
    *,
    persons: Collection[int] | None = None,
) -> None:
    """Write the Parquet file of each table (name -> column -> DuckDB type) of a database into `folder`.

    With `persons` only their rows are read, which the server finds through its own index. Raises CustodianFault when
    the address cannot be read, or a table or column is missing, has another type or may not be read; MachineFailed
    when the server cannot be reached or psycopg is not installed.
    """
    psycopg = driver()
    parts(address, where="register")
    where = name_of(address)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with psycopg.connect(address, options="-c default_transaction_read_only=on") as server:
            server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with open_workspace(temporary=folder / "spill") as connection:
                for table, columns in tables.items():
                    if _has(server, table):
                        target = folder / f"{table}.parquet"
                        _copy(server, connection, target, columns, persons)
                    elif table not in optional:
                        raise _missing(where, table)
    except psycopg.errors.UndefinedColumn as wrong:
        column = (wrong.diag.message_primary or "a column").split('"')[1:2]
        what = f"column {column[0] if column else ''} is missing"
        raise CustodianFault(what, where=where, remedy="Add it to the table or view") from None
    except psycopg.errors.InsufficientPrivilege as wrong:
        remedy = "Grant the user of the address the right to SELECT from it"
        raise CustodianFault(cause_of(wrong, address), where=where, remedy=remedy) from None
    except (psycopg.errors.CannotCoerce, psycopg.DataError) as wrong:
        what = f"a value is not of the type that the contract asks for ({type(wrong).__name__})"
        remedy = "Compare the tables with `gatehouse register describe`"
        raise CustodianFault(what, where=where, remedy=remedy) from None
    except psycopg.Error as failure:
        what = f"the database cannot be read: {cause_of(failure, address)}"
        raise MachineFailed(what, where=where) from None


def answers(address: str) -> bool:
    """Whether the server lets us in and has the first table of a register; waits two seconds at most."""
    psycopg = driver()
    try:
        with psycopg.connect(address, connect_timeout=2) as server:
            return _has(server, "persons")
    except psycopg.Error:
        return False


def _has(server: psycopg.Connection, table: str) -> bool:
    row = server.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone()
    return bool(row and row[0])


def _copy(
    server: psycopg.Connection,
    connection: duckdb.DuckDBPyConnection,
    target: Path,
    columns: Mapping[str, str],
    persons: Collection[int] | None,
) -> None:
    """Stream the table that a file is named after as CSV through a pipe into sorted Parquet."""
    asked = ", ".join(f"{column}::{_TYPES[kind]}" for column, kind in columns.items())
    types = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
    only, bound = ("", []) if persons is None else (" WHERE person_id = ANY(%s)", [list(persons)])
    query = f"COPY (SELECT {asked} FROM {target.stem}{only}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)"
    pipe = target.with_suffix(".pipe")
    read = (
        f"read_csv({quoted(pipe)}, header = false, auto_detect = false, parallel = false, columns = {{{types}}}, "
        "delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false)"
    )
    os.mkfifo(pipe, 0o600)
    with ThreadPoolExecutor(1) as reader:
        written = reader.submit(write_parquet, connection, f"SELECT * FROM {read} ORDER BY ALL", target)
        with _writing(pipe, written) as stream, server.cursor().copy(query, bound) as rows:
            for block in rows:
                _pass_on(stream, block)
        written.result()
    pipe.unlink()


@contextlib.contextmanager
def _writing(pipe: Path, reader: Future[None]) -> Iterator[int]:
    """The writing end of a pipe once its reader has opened it; the reader's own error where it ended before."""
    while True:
        try:
            stream = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError as nobody:  # ENXIO: nobody reads yet
            if reader.done():
                reader.result()
                raise MachineFailed("the rows of the database could not be read") from nobody
            time.sleep(0.001)
    os.set_blocking(stream, True)
    try:
        yield stream
    except BrokenPipeError:
        reader.result()
        raise
    finally:
        os.close(stream)  # with this the reader ends, whatever happened here


def _pass_on(stream: int, block: bytes | bytearray | memoryview) -> None:
    left = memoryview(block)
    while left:
        left = left[os.write(stream, left) :]


def _missing(where: str, table: str) -> CustodianFault:
    if table == "restrictions":
        return CustodianFault(
            "there is no table restrictions, which lists the persons who must not be disclosed under section "
            "6103(i)(6)",
            where=where,
            remedy="Determine them and make the table. An empty table states that there are none",
        )
    return CustodianFault(f"there is no table or view {table}", where=where, remedy="Add it; a register needs it")
