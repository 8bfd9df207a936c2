"""Whether another engine may decide: only one that made DuckDB's own masks over the pinned table, in this process.

Translating SQL does not keep its meaning by itself: white space, other alphabets' digits, nulls and leap days are read
otherwise by many a database. An engine that differs on one row of the table decides nothing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from duckdb import DuckDBPyConnection as Connection

from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import MachineFailed
from gatehouse.law.edges import edge_rows
from gatehouse.law.evaluate import mask_query, table_of_facts
from gatehouse.law.pack import Pack

LEAP_DAYS = (dt.date(2024, 2, 29), dt.date(2028, 2, 29))


class Engine(Protocol):
    """Where the masks of a batch may be made."""

    @property
    def version(self) -> str:
        """Engine and version, for messages."""

    def masks(self, connection: Connection, query: str, facts: str, target: str) -> None:
        """Make the table `target` of `connection`: the rows of a `mask_query` over its table `facts`."""


@dataclass(frozen=True)
class Admitted:
    """An engine that passed, for one pack and one date; made by `admit` alone."""

    engine: Engine
    decides: tuple[str, dt.date]

    def make(self, connection: Connection, query: str, facts: str, target: str, decided: tuple[str, dt.date]) -> None:
        """Make the masks. Raises MachineFailed for another pack or date than it was admitted for."""
        if decided != self.decides:
            raise MachineFailed(f"{self.engine.version} was not admitted to decide under this pack on this date")
        self.engine.masks(connection, query, facts, target)


def admit(engine: Engine, pack: Pack, as_of: dt.date) -> Admitted:
    """Let an engine decide under a pack on a date, after the pinned table on that date and on two leap days.

    Raises MachineFailed when one mask differs from DuckDB's.
    """
    connection = open_workspace()
    table_of_facts(connection, pack, "pinned", edge_rows(pack))
    for day in (as_of, *LEAP_DAYS):
        query = mask_query(connection, pack, "pinned", day)
        connection.execute(f"CREATE OR REPLACE TABLE by_duckdb AS {query}")
        engine.masks(connection, query, "pinned", "by_engine")
        differing = connection.execute(
            "SELECT count(*) FROM ((FROM by_duckdb EXCEPT ALL FROM by_engine) UNION ALL "
            "(FROM by_engine EXCEPT ALL FROM by_duckdb))"
        ).fetchone()
        if differing != (0,):
            raise MachineFailed(
                f"{engine.version} evaluates this pack differently from DuckDB on the fixed test table, so it "
                f"may not decide",
                where=pack.id,
                remedy="Decide with DuckDB, and report this",
            )
    return Admitted(engine, (pack.digest, as_of))
