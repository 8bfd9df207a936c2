"""A site as those who watch it see it: its folder, what came back, and the reports made of both."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import house

from gatehouse.intake.workspace import open_workspace
from gatehouse.ledger import policy
from gatehouse.oversight import counted, reports, sources
from gatehouse.oversight.report import Report
from gatehouse.oversight.sources import Period, Record, Sources


@dataclass
class Watched:
    """The site's folder, what its recipients sent back, and where the ledger stood before the recall."""

    root: Path
    returned: tuple[object, ...]
    before_recall: int
    recall: str
    verified: dict[object, tuple[duckdb.DuckDBPyConnection, Record]] = field(default_factory=dict)
    """What was verified and gathered already, for tests that change nothing."""

    @property
    def docket(self) -> Path:
        return self.root / "dockets" / house.NAME

    def sources(self) -> Sources:
        believed = policy.read(self.root / "witnesses.policy")
        return sources.of_site(self.root, believed, (), self.returned)

    def make(
        self,
        name: str,
        asked: dict[str, object] | None = None,
        *,
        period: Period | None = None,
        size: int | None = None,
    ) -> tuple[duckdb.DuckDBPyConnection, Report]:
        known = (period, size, len(self.returned))
        if known not in self.verified:
            connection = open_workspace()
            record = sources.verify(connection, self.sources(), period=period, size=size)
            counted.gather(connection, record)
            self.verified[known] = connection, record
        connection, record = self.verified[known]
        return connection, reports.make(connection, record, name, asked or {})

    def rows(self, name: str, table: str = "", **given: object) -> list[dict[str, object]]:
        asked = given.pop("asked", None)
        connection, made = self.make(name, asked, **given)
        document = made.document(connection)
        return next(one["rows"] for one in document["tables"] if not table or one["name"] == table)
