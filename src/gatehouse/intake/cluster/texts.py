"""Texts are read by DuckDB in Spark's tasks: one Parquet file in, one out, so that no row is ever a Python object.

What reads here is this Gatehouse's own code; a worker that has another version of it, or of DuckDB, refuses.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from sqlglot import exp

from gatehouse.intake import addresses
from gatehouse.intake.cluster import dialect
from gatehouse.intake.cluster.connection import Connection
from gatehouse.intake.workspace import open_workspace, quoted
from gatehouse.kernel import digests, scratch
from gatehouse.kernel.errors import MachineFailed

MEMORY = "1GB"
"""What DuckDB may use in one task; the rest is spilled on the worker."""

Step = Callable[[duckdb.DuckDBPyConnection, str], str]
"""Makes a query of what is asked, given a connection and the relation of one file's rows."""


@dataclass(frozen=True)
class Texts:
    """The reader of texts of one connection; see `match.engine.Reader`."""

    connection: Connection
    at_once: int = 2**62

    def project(self, target: str, columns: str, source: str) -> None:
        """Make the table `target` of expressions, each over one row of the query `source`."""
        self._make(target, dialect.parse(f"SELECT * FROM ({source})"), functools.partial(_project, columns))

    def view(self, target: str, columns: str, source: str) -> None:
        """The same: between two engines nothing is read again."""
        self.project(target, columns, source)

    def compare(self, target: str, columns: str, joined: str, sides: Sequence[str]) -> None:
        """Make the table `target` of expressions over rows that met in a join whose relations are called `sides`."""
        met = dialect.parse(f"SELECT 1 FROM {joined}")
        met.set("expressions", [dialect.row_of(side) for side in sides])
        self._make(target, met, functools.partial(_project, columns))

    def standardise(self, source: str, target: str, key: str) -> None:
        """`intake.addresses.standardise` over the rows of a table."""
        self._make(target, dialect.parse(f"SELECT * FROM {source}"), functools.partial(_standardise, key))

    def _make(self, target: str, source: exp.Expression, step: Step) -> None:
        cluster = self.connection.cluster
        unread, out = cluster.fresh(f"{target}-unread"), cluster.fresh(target)
        self.connection.write(source, unread)
        out.mkdir()
        parts = sorted(map(str, unread.glob("*.parquet")))
        task = functools.partial(read, step=step, out=str(out), version=version())
        cluster.spark.sparkContext.parallelize(parts, len(parts)).foreach(task)
        shutil.rmtree(unread, ignore_errors=True)
        self.connection.keep(target, out)


def version() -> str:
    """What must be equal on every worker: DuckDB, and the code that reads texts."""
    intake = Path(addresses.__file__).parent.parent
    code = [path for path in intake.rglob("*") if path.suffix in (".py", ".txt", ".csv", ".tsv", ".toml", ".json")]
    return f"{duckdb.__version__} {digests.of_files(intake, code)}"


def read(part: str, *, step: Step, out: str, version: str) -> None:
    """In a task: one file of rows to one file of what they say; run again, it writes the same file again."""
    if version != _own_version():
        raise MachineFailed("a worker runs a different version of Gatehouse or DuckDB from this command")
    target = Path(out) / Path(part).name
    with scratch.folder() as spill:
        connection = open_workspace(MEMORY, threads=1, temporary=spill)
        try:
            asked = step(connection, f"read_parquet({quoted(Path(part))})")
            working = target.with_suffix(f".{spill.name}")
            connection.execute(f"COPY ({asked}) TO {quoted(working)} (FORMAT parquet, COMPRESSION snappy)")
            working.rename(target)
        except duckdb.Error as failed:
            # its message may hold data; Spark would write it into the worker's log
            raise MachineFailed(f"texts could not be read: {type(failed).__name__}") from None
        finally:
            connection.close()


@functools.cache
def _own_version() -> str:
    return version()


def _project(columns: str, _connection: duckdb.DuckDBPyConnection, rows: str) -> str:
    return f"SELECT {columns} FROM {rows}"


def _standardise(key: str, connection: duckdb.DuckDBPyConnection, rows: str) -> str:
    connection.execute(f"CREATE TEMP TABLE unread AS SELECT * FROM {rows}")
    addresses.standardise(connection, "unread", "read", key)
    return "SELECT * FROM read"
