"""Where an index is made and requests are matched: a connection that understands the room's SQL, and a reader of texts.

An engine moves rows; what a text says is always read by DuckDB, wherever the rows are. DuckDB in this process is the
engine unless another is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from gatehouse.intake.addresses import standardise
from gatehouse.intake.workspace import open_workspace


class Reader(Protocol):
    """What reads texts, row by row: DuckDB always, so that no two engines read differently."""

    @property
    def at_once(self) -> int:
        """Texts standardised at once; bounds the memory of the step."""

    def project(self, target: str, columns: str, source: str) -> None:
        """Make the table `target` of expressions, each over one row of the query `source`."""

    def view(self, target: str, columns: str, source: str) -> None:
        """The same as `project`, where reading again costs less than keeping."""

    def compare(self, target: str, columns: str, joined: str, sides: Sequence[str]) -> None:
        """Make the table `target` of expressions over rows that met in a join whose relations are called `sides`."""

    def standardise(self, source: str, target: str, key: str) -> None:
        """`intake.addresses.standardise` over the rows of a table."""


class Engine(Protocol):
    """One place to work in."""

    @property
    def version(self) -> str:
        """Engine and version; an index is read by the one that made it."""

    def open(self, spill: Path) -> AbstractContextManager[tuple[duckdb.DuckDBPyConnection, Reader]]:
        """Start work of its own, with a folder for what does not fit in memory; leaving ends it."""

    def beside(
        self, connection: duckdb.DuckDBPyConnection, given: Mapping[str, str], made: Mapping[str, str]
    ) -> AbstractContextManager[tuple[duckdb.DuckDBPyConnection, Reader]]:
        """Work on tables of `connection`: `given` (columns by table); those `made` (order by table) are there after."""


@dataclass(frozen=True)
class OwnEngine:
    """DuckDB in this process."""

    memory: str = "4GB"
    version: str = duckdb.__version__

    @contextmanager
    def open(self, spill: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Reader]]:
        """A workspace of its own."""
        with open_workspace(self.memory, temporary=spill) as connection:
            connection.execute("SET preserve_insertion_order = false")
            yield connection, _OwnReader(connection)

    @contextmanager
    def beside(
        self, connection: duckdb.DuckDBPyConnection, given: Mapping[str, str], made: Mapping[str, str]
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, Reader]]:
        """The caller's connection itself: what is given and made is there already."""
        yield connection, _OwnReader(connection)


@dataclass(frozen=True)
class _OwnReader:
    connection: duckdb.DuckDBPyConnection
    at_once: int = 1_000_000

    def project(self, target: str, columns: str, source: str) -> None:
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {target} AS SELECT {columns} FROM ({source})")

    def view(self, target: str, columns: str, source: str) -> None:
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {target} AS SELECT {columns} FROM ({source})")

    def compare(self, target: str, columns: str, joined: str, sides: Sequence[str]) -> None:
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {target} AS SELECT {columns} FROM {joined}")

    def standardise(self, source: str, target: str, key: str) -> None:
        standardise(self.connection, source, target, key)
