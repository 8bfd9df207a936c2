"""Matching on Apache Spark, for registers that outgrow one machine; the rules, the SQL and the reading are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.intake.cluster import Cluster
from gatehouse.intake.cluster.connection import Connection
from gatehouse.intake.cluster.texts import Texts
from gatehouse.match.engine import Reader


@dataclass(frozen=True)
class SparkEngine:
    """A cluster as an engine of the room."""

    cluster: Cluster

    @property
    def version(self) -> str:
        """Both engines: one joins, the other reads."""
        return f"{self.cluster.version} {duckdb.__version__}"

    @contextmanager
    def open(self, spill: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Reader]]:
        """Work of its own; what lies between two steps is in the cluster's folder."""
        connection = Connection(self.cluster)
        try:
            yield connection, Texts(connection)
        finally:
            connection.close()

    @contextmanager
    def beside(
        self, connection: duckdb.DuckDBPyConnection, given: Mapping[str, str], made: Mapping[str, str]
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, Reader]]:
        """Tables of the caller's connection are handed over as Parquet files, and so are the answers."""
        with self.open(self.cluster.folder) as (there, reader):
            for table, columns in given.items():
                there.take(connection, table, columns)
            yield there, reader
            for table, order in made.items():
                there.give(connection, table, order)
