"""Statements of the rooms on Spark: every table that one makes is a folder of Parquet files that all workers share.

So a table is what it was when it was made, whatever task is run again, and nothing is held in memory between steps.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from sqlglot import exp

from gatehouse.intake.cluster import dialect
from gatehouse.intake.cluster.session import Cluster
from gatehouse.intake.workspace import quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ROWS_A_FILE = 500_000
"""Most rows of one file, and so of what one task reads as texts at once."""


@dataclass(frozen=True)
class Answer:
    """The rows of a query, few."""

    rows: list[Any]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows."""
        return [tuple(row) for row in self.rows]

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row, or none."""
        return tuple(self.rows[0]) if self.rows else None


@dataclass(frozen=True)
class Connection:
    """As much of a DuckDB connection as the rooms use, on a cluster."""

    cluster: Cluster
    made: dict[str, Path] = field(default_factory=dict)

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> Answer:
        """Run one statement of DuckDB's dialect. Raises TypeError for a kind of statement that has no meaning here."""
        tree = dialect.parse(statement, parameters)
        match tree:
            case exp.Query():
                return Answer(self.cluster.spark.sql(dialect.text(tree)).collect())
            case exp.Create(kind="TABLE"):
                name = tree.find(exp.Table).name
                self.keep(name, self.write(tree.expression, self.cluster.fresh(name)))
            case exp.Drop():
                self.drop(tree.find(exp.Table).name)
            case exp.Copy():
                self.write(tree.this.unnest(), Path(tree.args["files"][0].name).absolute())
            case _:
                raise TypeError(type(tree))
        return Answer([])

    def write(self, query: exp.Expression, path: Path) -> Path:
        """Write the rows of a query as a folder of Parquet files."""
        frame: DataFrame = self.cluster.spark.sql(dialect.text(query))
        frame.write.option("maxRecordsPerFile", ROWS_A_FILE).parquet(path.as_uri())
        return path

    def keep(self, name: str, path: Path) -> None:
        """Let a folder of Parquet files be the table `name`, in the place of one before."""
        before = self.made.get(name)
        self.cluster.spark.read.parquet(path.as_uri()).createOrReplaceTempView(name)
        self.made[name] = path
        if before is not None:
            shutil.rmtree(before, ignore_errors=True)

    def drop(self, name: str) -> None:
        """Forget a table, and remove its files."""
        self.cluster.spark.catalog.dropTempView(name)
        if path := self.made.pop(name, None):
            shutil.rmtree(path, ignore_errors=True)

    def take(self, own: duckdb.DuckDBPyConnection, table: str, columns: str = "*") -> None:
        """Hand over a table of DuckDB."""
        path = self.cluster.fresh(table)
        path.mkdir()
        own.execute(f"COPY (SELECT {columns} FROM {table}) TO {quoted(path / 'rows.parquet')} (FORMAT parquet)")
        self.keep(table, path)

    def give(self, own: duckdb.DuckDBPyConnection, table: str, order: str) -> None:
        """Hand a table over to DuckDB, in order."""
        rows = f"read_parquet({quoted(self.made[table] / '*.parquet')})"
        own.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM {rows} ORDER BY {order}")

    def close(self) -> None:
        """Drop every table."""
        for name in list(self.made):
            self.drop(name)
