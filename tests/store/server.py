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


def another(address: str, name: str) -> str:
    """The address of a further empty database on the same server."""
    server, _, _ = address.rpartition("/")
    port = server.rpartition(":")[2]
    _as_postgres(str(_programs() / "createdb"), "-h", "127.0.0.1", "-p", port, "-U", "postgres", name)
    return f"{server}/{name}"
