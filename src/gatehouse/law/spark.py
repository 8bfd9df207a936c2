"""The law on Apache Spark: the masks of a batch by the same query, translated; lists are made late, by DuckDB."""

from __future__ import annotations

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from gatehouse.intake.cluster import Cluster
from gatehouse.intake.cluster.connection import Connection
from gatehouse.intake.cluster.dialect import columns_of


@dataclass(frozen=True)
class SparkEngine:
    """A cluster as an engine of the room; `law.admission` lets it decide, or not."""

    cluster: Cluster

    @property
    def version(self) -> str:
        """Engine and version."""
        return self.cluster.version

    def masks(self, connection: DuckDBPyConnection, query: str, facts: str, target: str) -> None:
        """Make the table `target` of `connection`; only the facts that the query reads are handed over."""
        described = connection.execute(f'DESCRIBE "{facts}"').fetchall()
        read = columns_of(query)
        there = Connection(self.cluster)
        try:
            there.take(connection, facts, ", ".join(f'"{name}"' for name, *_ in described if name in read))
            there.execute(f'CREATE TABLE "{target}" AS {query}')
            there.give(connection, target, "seq")
        finally:
            there.close()
