"""Where a batch is worked on: DuckDB in this process, or Apache Spark for registers that outgrow one machine.

Both give the same rows. Spark decides under a pack only after it passed the pinned table in this process; what it
decided is replayed, like everything, by DuckDB.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gatehouse.intake.cluster import open_cluster
from gatehouse.law import spark as law_on_spark
from gatehouse.law.admission import Admitted, admit
from gatehouse.law.pack import Pack
from gatehouse.match import spark as match_on_spark
from gatehouse.match.engine import Engine, OwnEngine
from gatehouse.site.settings import Choice


@dataclass(frozen=True)
class Engines:
    """An engine of the match room, and one of the law where it is not DuckDB itself."""

    match: Engine
    law: law_on_spark.SparkEngine | None = None

    def masks(self, pack: Pack, as_of: dt.date) -> Admitted | None:
        """Who makes the masks under a pack on a date, once admitted; None is DuckDB."""
        return None if self.law is None else admit(self.law, pack, as_of)


@contextmanager
def open_engines(choice: Choice, *, folder: Path, memory: str) -> Iterator[Engines]:
    """Start what was chosen; `folder` is a new one, seen by every worker, for what lies between two steps."""
    if choice.master is None:
        yield Engines(OwnEngine(memory))
        return
    with open_cluster(choice.master, folder=folder, memory=memory) as cluster:
        yield Engines(match_on_spark.SparkEngine(cluster), law_on_spark.SparkEngine(cluster))
