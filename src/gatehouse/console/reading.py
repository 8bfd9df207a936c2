"""Read a docket's files for a page: one warm DuckDB connection a docket, never more rows than the page shows.

Everything is read from Parquet by column and by row group; a list of cases is paged by key (`seq` after the last one
shown), so page 20,000 costs what page 1 costs. Files of a docket are replaced whole and never changed in place, so
counts, the places of requests by id and the order of the queue are kept as long as the files have the same identity.
"""

from __future__ import annotations

import json
import threading
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from gatehouse.determine import determinations
from gatehouse.intake.wire import COLUMNS
from gatehouse.intake.workspace import open_workspace, quoted
from gatehouse.kernel import scratch

PAGE = 25
KNOWN = "list_filter(fired, lambda rule: NOT list_contains(unknown, rule))"
"""The rules that fired for a fact, in SQL."""
TOLD = "events/answered.json"
"""The event that signed a docket's answers: there once they are told."""
TABLES = ("requests", "determinations", "facts", "evidence", "queue")
_UNQUEUED = """SELECT seq AS position, seq, request_id, outcome, fired, codes, unknown, false AS clearable
FROM determinations
WHERE outcome IN ('held', 'cleared')"""
"""The queue of a docket that casework has not opened yet: its cases in row order."""
_ASKED = (*COLUMNS, "seq", "address_verdict", "address_reason", "reason_state", "reason_purpose",
          "reason_why")  # fmt: skip
"""What pages show of a request; the table's other columns are for matching and law, and cost more than these."""
_PREPARED = {
    # Sixty-four bits a request instead of its text: a scan of them takes a millisecond, and the row settles the rest.
    "ids": "SELECT hash(request_id) AS id, seq FROM determinations ORDER BY id",
    "places": """SELECT position, seq, outcome, clearable
        FROM queue ORDER BY position""",
}
"""Tables made once a docket is asked for one of them, and kept in memory: some fifty bytes a request in all."""
_MOST_SELECTIONS = 16
_WINDOW = 20_000
_NEAR, _LAST = 64, 1 << 40
_BOUNDS = ("low", "high")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Counts:
    """How the cases of a docket came out."""

    total: int
    outcomes: Mapping[str, int]
    codes: Mapping[str, int]
    rules: tuple[tuple[str, str, int], ...]
    """Rule, outcome, cases: every rule that fired for a fact on cases of that outcome, most cases first."""
    unknown: tuple[tuple[str, int], ...] = ()
    """Rule, cases: every rule that fired only for want of a fact, most cases first. It says nothing of anybody."""

    def stopping(self) -> dict[str, int]:
        """Cases that each rule stopped, whatever the outcome; what only cleared cases show stops nothing."""
        rules: dict[str, int] = {}
        for rule, outcome, cases in self.rules:
            if outcome != "cleared":
                rules[rule] = rules.get(rule, 0) + cases
        return rules

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


@dataclass(frozen=True)
class Waiting:
    """Where a case stands in the queue; `clearable`: one record agrees and an item is permitted."""

    position: int
    clearable: bool


class Reader:
    """The files of one docket, as they are on disk now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._reasons: dict[tuple[str | None, str | None], list[tuple[str, int]]] = {}
        self._connection = open_workspace("1GB", threads=2)
        # Otherwise every query reads and decodes the description of every row group of its files again.
        self._connection.execute("SET parquet_metadata_cache = true")
        self._preparing = threading.Lock()
        self._prepared: set[str] = set()
        self.tables = frozenset(table for table in TABLES if (folder / f"{table}.parquet").is_file())
        for table in self.tables:
            path = folder / f"{table}.parquet"
            ruled = table in ("determinations", "queue")
            relation = determinations.source(self._connection, path) if ruled else f"read_parquet({quoted(path)})"
            self._connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {relation}")
        if self.determined and "queue" not in self.tables:
            self._connection.execute(f"CREATE VIEW queue AS {_UNQUEUED}")

    def rows(self, query: str, parameters: Mapping[str, Any] | None = None) -> tuple[Row, ...]:
        """Run one query on a cursor of its own; safe from several threads at once."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters or {})
            names = [column[0] for column in cursor.description or ()]
            return tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())

    def _prepare(self, table: str) -> str:
        """Make one of the tables kept in memory, unless it is there; gives its name."""
        with self._preparing:
            if table not in self._prepared:
                self._connection.execute(f"CREATE TABLE {table} AS {_PREPARED[table]}")
                self._prepared.add(table)
        return table

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
                "SELECT rule, outcome, count(*) AS cases "
                f"FROM (SELECT unnest({KNOWN}) AS rule, outcome FROM determinations) "
                "GROUP BY ALL ORDER BY cases DESC, rule, outcome"
            )
        )
        unknown = tuple(
            (str(row["rule"]), int(row["cases"]))
            for row in self.rows(
                "SELECT rule, count(*) AS cases FROM (SELECT unnest(unknown) AS rule FROM determinations) "
                "GROUP BY ALL ORDER BY cases DESC, rule"
            )
        )
        return Counts(sum(outcomes.values()), outcomes, codes, rules, unknown)

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
        # The file is in the order of `position`, so a window reads few row groups; a sparse list reads on to the end.
        for reach in (_WINDOW, None):
            near = [*clauses, "position <= $reach"] if reach is not None else clauses
            bounded = parameters | ({"reach": after + reach} if reach is not None else {})
            found = self.rows(
                f"SELECT position, seq, request_id, outcome, fired, codes, unknown, clearable FROM queue "
                f"WHERE {' AND '.join(near)} ORDER BY position LIMIT $limit",
                bounded,
            )
            if len(found) > limit:
                break
        shown = found[:limit]
        return Page(shown, int(shown[-1]["position"]) if len(found) > limit else None)

    def alone(self) -> Mapping[str, int]:
        """For each rule the requests that it alone stops, as the docket's summary counted them."""
        rules = self.summary.get("rules")
        if not isinstance(rules, dict):
            return {}
        return {rule: int(counts.get("alone", 0)) for rule, counts in rules.items() if isinstance(counts, dict)}

    @cached_property
    def officers(self) -> tuple[tuple[str, int], ...]:
        """Every officer whom requests name and in how many, most requests first."""
        found = self.rows(
            "SELECT officer, count(*) AS cases FROM (SELECT unnest(officer_list) AS officer FROM requests) "
            "GROUP BY officer ORDER BY cases DESC, officer"
        )
        return tuple((str(row["officer"]), int(row["cases"])) for row in found)

    @cached_property
    def _answer_table(self) -> str:
        """The answers as a relation: answers.csv written once as Parquet to a private place, for quick look-ups."""
        path = self.folder / "answers.csv"
        if not path.is_file():
            return "(SELECT '' AS request_id, '' AS outcome, '' AS codes, '' AS text WHERE false)"
        self._spool = scratch.take()
        copy = self._spool.path / "answers.parquet"
        read = f"read_csv({quoted(path)}, header = true, all_varchar = true, delim = ',', quote = '\"')"
        with self._connection.cursor() as cursor:
            cursor.execute(f"COPY (SELECT * FROM {read} ORDER BY request_id) TO {quoted(copy)} (FORMAT parquet)")
        return f"read_parquet({quoted(copy)})"

    @cached_property
    def _answers(self) -> tuple[Row, ...]:
        """What the requester may see, counted by outcome and codes."""
        return self.rows(
            f"SELECT outcome, codes, count(*) AS cases FROM {self._answer_table} GROUP BY ALL ORDER BY ALL"
        )

    def answered(self) -> dict[str, int]:
        """Requests by what the requester sees: `pending`, `answered`, `not_answered`."""
        counts: dict[str, int] = {}
        for row in self._answers:
            counts[str(row["outcome"])] = counts.get(str(row["outcome"]), 0) + int(row["cases"])
        return counts

    def answer_codes(self) -> list[tuple[str, int]]:
        """Requests by reason code as the requester sees them, most requests first."""
        counts: dict[str, int] = {}
        for row in self._answers:
            for code in filter(None, str(row["codes"] or "").split(";")):
                counts[code] = counts.get(code, 0) + int(row["cases"])
        return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))

    def answer(self, request_id: str) -> Row | None:
        """The answer to one request as the requester sees it; None when there is no such request."""
        found = self.rows(f"SELECT * FROM {self._answer_table} WHERE request_id = $id LIMIT 1", {"id": request_id})
        return found[0] if found else None

    def answer_page(self, after: str, limit: int) -> tuple[Row, ...]:
        """Answers in the order of their request ids after one."""
        return self.rows(
            f"SELECT * FROM {self._answer_table} WHERE request_id > $after ORDER BY request_id LIMIT $limit",
            {"after": after, "limit": limit},
        )

    def selection(self, *, members: str, rule: str | None, size: int) -> str:
        """All waiting cases among `members` that a rule stopped, as DuckDB BIT text by `seq`."""
        stopped = " AND list_contains(fired, $rule)" if rule is not None else ""
        parameters: dict[str, Any] = {"members": members} | ({"rule": rule} if rule is not None else {})
        found = self.rows(
            f"SELECT bitstring_agg(seq, 0, {max(int(size) - 1, 0)})::VARCHAR AS bits FROM queue "
            f"WHERE get_bit($members::BIT, seq::INTEGER) = 1{stopped}",
            parameters,
        )
        return str(found[0]["bits"] or "")

    def reasons(self, members: str | None, outcome: str | None = None) -> list[tuple[str, int]]:
        """The rules that fired on waiting cases, most cases first: those among `members`, or of one outcome."""
        kept = self._reasons.get((members, outcome))
        if kept is not None:
            return kept
        where = "get_bit($members::BIT, seq::INTEGER) = 1" if members is not None else "outcome = $outcome"
        parameters = {"members": members} if members is not None else {"outcome": outcome}
        found = self.rows(
            "SELECT rule, sum(cases)::BIGINT AS cases FROM (SELECT unnest(fired) AS rule, cases FROM "
            f"(SELECT fired, count(*) AS cases FROM queue WHERE {where} GROUP BY fired)) "
            "GROUP BY rule ORDER BY cases DESC, rule",
            parameters,
        )
        if len(self._reasons) >= _MOST_SELECTIONS:
            self._reasons.clear()
        counted = [(str(row["rule"]), int(row["cases"])) for row in found]
        self._reasons[members, outcome] = counted
        return counted

    def waiting(self, seq: int) -> Waiting | None:
        """The place of a case in the queue; None for a case that never waited for a person."""
        places = self._prepare("places")
        found = self.rows(f"SELECT position, clearable FROM {places} WHERE seq = $seq LIMIT 1", {"seq": seq})
        return Waiting(int(found[0]["position"]), bool(found[0]["clearable"])) if found else None

    def neighbours(self, position: int, *, outcome: str | None, members: str | None) -> tuple[int | None, int | None]:
        """The cases before and after a position among those that `page` would list."""
        before = self._nearest("DESC", (position - _NEAR, position - 1), (0, position - 1), outcome, members)
        after = self._nearest("ASC", (position + 1, position + _NEAR), (position + 1, _LAST), outcome, members)
        return before, after

    def _nearest(
        self, order: str, near: tuple[int, int], far: tuple[int, int], outcome: str | None, members: str | None
    ) -> int | None:
        """The first case on one side of a position that is listed: among the next few, else wherever it is."""
        lines = f"FROM {self._prepare('places')} WHERE position BETWEEN $low AND $high"
        for row in self.rows(
            f"SELECT seq, outcome {lines} ORDER BY position {order}", dict(zip(_BOUNDS, near, strict=True))
        ):
            if row["outcome"] == outcome if members is None else members[row["seq"]] == "1":
                return int(row["seq"])
        # Reading so long a bit string costs DuckDB more than all the rest, so it is done only where it must be.
        listed = "outcome = $outcome" if members is None else "get_bit($members::BIT, seq::INTEGER) = 1"
        told = {"outcome": outcome} if members is None else {"members": members}
        found = self.rows(
            f"SELECT seq {lines} AND {listed} ORDER BY position {order} LIMIT 1",
            {**dict(zip(_BOUNDS, far, strict=True)), **told},
        )
        return int(found[0]["seq"]) if found else None

    def lines(self, seqs: Sequence[int]) -> tuple[Row, ...]:
        """The id and outcome of some cases, in row order."""
        return self.rows(
            "SELECT seq, request_id, outcome, fired, unknown FROM determinations "
            "WHERE seq IN (SELECT unnest($seqs)) ORDER BY seq",
            {"seqs": list(seqs)},
        )

    @cached_property
    def committed(self) -> range | None:
        """The entries of the log that hold this docket's determinations, one each and in order; None otherwise."""
        if not self.determined:
            return None
        [found] = self.rows(
            "SELECT min(ledger_index - seq) AS low, max(ledger_index - seq) AS high, count(*) AS cases, "
            "count(ledger_index) AS entries FROM determinations"
        )
        whole = found["cases"] and found["cases"] == found["entries"] and found["low"] == found["high"]
        return range(int(found["low"]), int(found["low"]) + int(found["cases"])) if whole else None

    def members(self, outcome: str | None) -> Sequence[int]:
        """The cases of one outcome, or all of them, in row order."""
        return range(self.counts.total) if outcome is None else self._members.get(outcome, ())

    @cached_property
    def _members(self) -> Mapping[str, Sequence[int]]:
        found: dict[str, array[int]] = {}
        for outcome in self.counts.outcomes:
            rows = self.rows(
                "SELECT list(seq ORDER BY seq) AS seqs FROM determinations WHERE outcome = $o", {"o": outcome}
            )
            found[outcome] = array("q", rows[0]["seqs"])
        return found

    def find(self, request_id: str) -> int | None:
        """The row of a request with this id; None when the docket has none."""
        ids = self._prepare("ids")
        for near in self.rows(f"SELECT seq FROM {ids} WHERE id = hash($id)", {"id": request_id}):
            [row] = self.rows("SELECT request_id FROM determinations WHERE seq = $seq", near)
            if row["request_id"] == request_id:
                return int(near["seq"])
        return None

    def case(self, seq: int) -> Case | None:
        """One case with everything kept about it; None when the docket has no such row."""
        found = self.decided(seq)
        if found is None:
            return None
        evidence: tuple[Row, ...] = ()
        if "evidence" in self.tables:
            evidence = self.rows("SELECT * FROM evidence WHERE seq = $seq ORDER BY rank LIMIT 5", {"seq": seq})
        return replace(
            found,
            request=self._one("requests", seq, self._asked) if "requests" in self.tables else {},
            candidates=evidence,
        )

    def decided(self, seq: int) -> Case | None:
        """One case as far as its determination and the facts go that it was derived from; None for no such row."""
        determination = self._one("determinations", seq)
        return Case({}, determination, self._one("facts", seq)) if determination else None

    @cached_property
    def _asked(self) -> str:
        """What pages show of a request, as far as this docket's table has it."""
        with self._connection.cursor() as cursor:
            there = {column[0] for column in cursor.execute("SELECT * FROM requests LIMIT 0").description or ()}
        return ", ".join(column for column in _ASKED if column in there)

    def _one(self, table: str, seq: int, columns: str = "*") -> Row:
        if table not in self.tables:
            return {}
        found = self.rows(f"SELECT {columns} FROM {table} WHERE seq = $seq LIMIT 1", {"seq": seq})
        return found[0] if found else {}

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
