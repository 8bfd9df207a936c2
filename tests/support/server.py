"""A PostgreSQL server of our own for a test session, started as the user `postgres` when we are root."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def _programs() -> Path:
    return sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]


def _as_postgres(*command: str) -> None:
    drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    subprocess.run([*drop, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty database `gatehouse` on a fresh server."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-pg-"))
    folder.chmod(0o777)
    data = folder / "data"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    _as_postgres(str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync")
    _as_postgres(str(programs / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        _as_postgres(str(programs / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "gatehouse")
        yield f"postgresql://postgres@127.0.0.1:{port}/gatehouse"
    finally:
        _as_postgres(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def stopped(address: str) -> Iterator[None]:
    """Stop the server at an address at once, as a crash would, and start it again afterwards."""
    import psycopg

    with psycopg.connect(address) as connection:
        (data,) = connection.execute("SHOW data_directory").fetchone() or ("",)
    program = str(_programs() / "pg_ctl")
    options = (Path(data) / "postmaster.opts").read_text().split(maxsplit=1)[1].replace('"', "").strip()
    _as_postgres(program, "-D", data, "-m", "immediate", "-w", "stop")
    try:
        yield
    finally:
        _as_postgres(program, "-D", data, "-o", options, "-l", str(Path(data).parent / "log"), "-w", "start")


def another(address: str, name: str) -> str:
    """The address of a further empty database on the same server."""
    server, _, _ = address.rpartition("/")
    port = server.rpartition(":")[2]
    _as_postgres(str(_programs() / "createdb"), "-h", "127.0.0.1", "-p", port, "-U", "postgres", name)
    return f"{server}/{name}"


def hold_register(address: str, folder: Path) -> str:
    """Put a register of Parquet files into a database as tables of the register contract; gives the address."""
    import duckdb
    import psycopg

    from gatehouse.match.register import TABLES

    types = {"BIGINT": "bigint", "UINTEGER": "int", "VARCHAR": "text", "DATE": "date", "BOOLEAN": "boolean"}
    with psycopg.connect(address) as db, duckdb.connect() as files:
        for table, columns in TABLES.items():
            path = folder / f"{table}.parquet"
            if not path.is_file():
                continue
            db.execute(
                f"CREATE TABLE {table} ({', '.join(f'{name} {types[is_[-1]]}' for name, is_ in columns.items())})"
            )
            with db.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as into:
                for row in files.sql(f"SELECT {', '.join(columns)} FROM read_parquet('{path}')").fetchall():
                    into.write_row(row)
    return address
