"""Read a docket's files for a page: one warm DuckDB connection a docket, never more rows than the page shows.

Everything is read from Parquet by column and by row group; a list of cases is paged by key (`seq` after the last one
shown), so page 20,000 costs what page 1 costs. Files of a docket are replaced whole and never changed in place, so
counts are kept as long as the file has the same identity.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.kernel import ids

PAGE = 25
TABLES = ("requests", "determinations", "facts", "evidence", "queue")
_UNQUEUED = """SELECT seq AS position, seq, request_id, outcome, fired, codes, false AS clearable FROM determinations
WHERE outcome IN ('held', 'cleared')"""
"""The queue of a docket that casework has not opened yet: its cases in row order."""
_MOST_OPEN = 16

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Counts:
    """How the cases of a docket came out."""

    total: int
    outcomes: Mapping[str, int]
    codes: Mapping[str, int]
    rules: tuple[tuple[str, str, int], ...]
    """Rule, outcome, cases: every rule that fired on cases of that outcome, most cases first."""

    def stopped_by(self, outcome: str) -> list[tuple[str, int]]:
        """The rules that fired on cases of one outcome, most cases first."""
        return [(rule, count) for rule, found, count in self.rules if found == outcome]


@dataclass(frozen=True)
class Page:
    """Some cases, and where the next page starts (None when this is the last)."""

    rows: tuple[Row, ...]
    after: int | None


@dataclass(frozen=True)
class Case:
    """Everything the docket holds about one request."""

    request: Row
    determination: Row
    facts: Row = field(default_factory=dict)
    candidates: tuple[Row, ...] = ()

    @property
    def seq(self) -> int:
        """The row of the submission, from 0."""
        return int(self.determination["seq"])


class Reader:
    """The files of one docket, as they are on disk now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection = duckdb.connect(
            config={"threads": 2, "memory_limit": "1GB", "autoinstall_known_extensions": "false"}
        )
        self.tables = frozenset(table for table in TABLES if (folder / f"{table}.parquet").is_file())
        for table in self.tables:
            quoted = str(folder / f"{table}.parquet").replace("'", "''")
            self._connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{quoted}')")
        if self.determined and "queue" not in self.tables:
            self._connection.execute(f"CREATE VIEW queue AS {_UNQUEUED}")

    def rows(self, query: str, parameters: Mapping[str, Any] | None = None) -> tuple[Row, ...]:
        """Run one query on a cursor of its own; safe from several threads at once."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters or {})
            names = [column[0] for column in cursor.description or ()]
            return tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())

    @property
    def determined(self) -> bool:
        """Whether the machine has finished with this docket."""
        return "determinations" in self.tables

    @cached_property
    def receipt(self) -> Row:
        """What the requester was given on receipt; empty when there is none yet."""
        return self._json("receipt.json")

    @cached_property
    def summary(self) -> Row:
        """What determination said of the whole docket; empty when there is none yet."""
        return self._json("summary.json")

    def _json(self, name: str) -> Row:
        path = self.folder / name
        if not path.is_file():
            return {}
        content = json.loads(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else {}

    @cached_property
    def counts(self) -> Counts:
        """Outcomes, codes and rules, counted once."""
        if not self.determined:
            return Counts(0, {}, {}, ())
        outcomes = {
            str(row["outcome"]): int(row["cases"])
            for row in self.rows("SELECT outcome, count(*) AS cases FROM determinations GROUP BY ALL ORDER BY ALL")
        }
        codes = {
            str(row["code"]): int(row["cases"])
            for row in self.rows(
                "SELECT code, count(*) AS cases FROM (SELECT unnest(codes) AS code FROM determinations) "
                "GROUP BY code ORDER BY cases DESC, code"
            )
        }
        rules = tuple(
            (str(row["rule"]), str(row["outcome"]), int(row["cases"]))
            for row in self.rows(
                "SELECT rule, outcome, count(*) AS cases FROM (SELECT unnest(fired) AS rule, outcome FROM determinations)"
                " GROUP BY ALL ORDER BY cases DESC, rule, outcome"
            )
        )
        return Counts(sum(outcomes.values()), outcomes, codes, rules)

    def page(
        self,
        *,
        outcome: str | None = None,
        rule: str | None = None,
        members: str | None = None,
        after: int = -1,
        limit: int = PAGE,
    ) -> Page:
        """Waiting cases after a position, commonest reason first: of one outcome, stopped by one rule, among `members`.

        `members` is DuckDB BIT text by `seq`: the cases that stand in some states now.
        """
        clauses: list[str] = ["position > $after"]
        parameters: dict[str, Any] = {"after": after, "limit": limit + 1}
        for clause, name, value in (
            ("outcome = $outcome", "outcome", outcome),
            ("list_contains(fired, $rule)", "rule", rule),
            ("get_bit($members::BIT, seq::INTEGER) = 1", "members", members),
        ):
            if value is not None:
                clauses.append(clause)
                parameters[name] = value
        found = self.rows(
            f"SELECT position, seq, request_id, outcome, fired, codes, clearable FROM queue "
            f"WHERE {' AND '.join(clauses)} ORDER BY position LIMIT $limit",
            parameters,
        )
        shown = found[:limit]
        return Page(shown, int(shown[-1]["position"]) if len(found) > limit else None)

    def find(self, request_id: str) -> int | None:
        """The row of a request with this id; None when the docket has none."""
        found = self.rows("SELECT seq FROM determinations WHERE request_id = $id LIMIT 1", {"id": request_id})
        return int(found[0]["seq"]) if found else None

    def case(self, seq: int) -> Case | None:
        """One case with everything kept about it; None when the docket has no such row."""
        determination = self._one("determinations", seq)
        if not determination:
            return None
        evidence: tuple[Row, ...] = ()
        if "evidence" in self.tables:
            evidence = self.rows("SELECT * FROM evidence WHERE seq = $seq ORDER BY rank LIMIT 5", {"seq": seq})
        return Case(self._one("requests", seq), determination, self._one("facts", seq), evidence)

    def _one(self, table: str, seq: int) -> Row:
        if table not in self.tables:
            return {}
        found = self.rows(f"SELECT * FROM {table} WHERE seq = $seq LIMIT 1", {"seq": seq})
        return found[0] if found else {}

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


class Shelf:
    """The dockets of one site, with the most recently read ones kept open."""

    def __init__(self, dockets: Path) -> None:
        self._dockets = dockets
        self._open: OrderedDict[str, tuple[object, Reader]] = OrderedDict()
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Every docket, newest first by the time its folder was made."""
        if not self._dockets.is_dir():
            return []
        folders = [path for path in self._dockets.iterdir() if path.is_dir() and ids.is_name(path.name)]
        return [path.name for path in sorted(folders, key=lambda path: (-path.stat().st_mtime, path.name))]

    def reader(self, name: str) -> Reader | None:
        """The reader of one docket; None when there is none of that name (names are never paths)."""
        folder = self._dockets / name
        if not ids.is_name(name) or not folder.is_dir():
            return None
        with self._lock:
            identity = _identity(folder)
            kept = self._open.get(name)
            if kept is not None and kept[0] == identity:
                self._open.move_to_end(name)
                return kept[1]
            reader = Reader(folder)
            self._open[name] = (identity, reader)
            while len(self._open) > _MOST_OPEN:
                # Not closed here: another thread may be reading. It closes when the last reader lets go of it.
                self._open.popitem(last=False)
            return reader


def _identity(folder: Path) -> object:
    """What changes when a file of the docket is replaced."""
    names = [*(f"{table}.parquet" for table in TABLES), "receipt.json", "summary.json"]
    return tuple(_stat(folder / name) for name in names)


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
