"""The reviewer's queue: which cases wait, in the order of why they stopped, a page at a time.

Built once from a docket's determinations and kept beside them as `queue.parquet` (`position`, `seq`, `request_id`,
`outcome`, `fired`, `codes`, `unknown`, `clearable`). Cases that the same rules stopped stand together, the commonest
first, so a reviewer who has understood one has understood the group. Pages are read by state, in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.casework.board import Board
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import State
from gatehouse.determine import determinations
from gatehouse.intake.workspace import write_parquet

FILE = "queue.parquet"

_QUEUE = """
WITH agreeing AS (
  SELECT seq FROM {evidence} WHERE agrees GROUP BY seq HAVING count(DISTINCT person_id) = 1
), waiting AS (
  SELECT d.seq, d.request_id, d.outcome, d.fired, d.codes, d.unknown,
         d.outcome = 'cleared' OR (len(d.items) > 0 AND agreeing.seq IS NOT NULL) AS clearable
  FROM {determinations} d LEFT JOIN agreeing USING (seq) WHERE d.outcome IN ('held', 'cleared')
), groups AS (
  SELECT outcome, fired, count(*) AS cases FROM waiting GROUP BY ALL
)
SELECT row_number() OVER (ORDER BY waiting.outcome DESC, cases DESC, waiting.fired, seq) - 1 AS position,
       seq, request_id, outcome, fired, codes, unknown, clearable
FROM waiting JOIN groups USING (outcome, fired) ORDER BY position
"""


@dataclass(frozen=True)
class Waiting:
    """One line of the queue."""

    position: int
    seq: int
    request_id: str
    state: State
    fired: tuple[str, ...]
    codes: tuple[str, ...]
    clearable: bool


@dataclass(frozen=True)
class Page:
    """Some lines of the queue and how many there are in all."""

    total: int
    cases: tuple[Waiting, ...]


def write(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write a docket's queue from determinations.parquet and evidence.parquet."""
    decided = determinations.source(connection, folder / "determinations.parquet")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW queue_determinations AS FROM {decided}")
    connection.read_parquet(str(folder / "evidence.parquet")).create_view("queue_evidence", replace=True)
    write_parquet(
        connection,
        _QUEUE.format(determinations="queue_determinations", evidence="queue_evidence"),
        folder / FILE,
    )


def read(connection: duckdb.DuckDBPyConnection, folder: Path) -> tuple[int, dict[State, Selection], Selection]:
    """How many cases a docket has, which outcome each has, and which of the queue a person may clear."""
    connection.read_parquet(str(folder / "determinations.parquet")).create_view("queue_determinations", replace=True)
    [(size,)] = connection.sql("SELECT count(*) FROM queue_determinations").fetchall()
    outcomes = _selections(connection, "queue_determinations", "outcome", size)
    connection.read_parquet(str(folder / FILE)).create_view("queue_lines", replace=True)
    clearable = _selections(connection, "queue_lines", "clearable", size).get("true", Selection())
    return size, {State(outcome): members for outcome, members in outcomes.items()}, clearable


def _selections(connection: duckdb.DuckDBPyConnection, table: str, expression: str, size: int) -> dict[str, Selection]:
    rows = connection.execute(
        f"SELECT ({expression})::VARCHAR, bitstring_agg(seq, 0, {max(size - 1, 0)}) FROM {table} GROUP BY 1"
    ).fetchall()
    return {text: Selection.of_bitstring(bits) for text, bits in rows}


def page(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    board: Board,
    states: Sequence[State] = (State.HELD,),
    *,
    rule: str | None = None,
    start: int = 0,
    length: int = 50,
) -> Page:
    """A page of the queue: cases in these states, optionally only those a rule fired on."""
    members = Selection()
    for state in states:
        members = members | board.states[state]
    where = "get_bit($bits::BIT, seq::INTEGER) = 1" + (" AND list_contains(fired, $rule)" if rule else "")
    arguments: dict[str, object] = {
        "file": str(folder / FILE), "bits": members.bitstring(board.size), "start": start, "length": length,
    }  # fmt: skip
    if rule:
        arguments["rule"] = rule
    rows = connection.execute(
        f"SELECT position, seq, request_id, fired, codes, clearable, count(*) OVER () "
        f"FROM read_parquet($file) WHERE {where} ORDER BY position LIMIT $length OFFSET $start",
        arguments,
    ).fetchall()
    cases = tuple(_waiting(board, row) for row in rows)
    return Page(int(rows[0][6]) if rows else 0, cases)


def _waiting(board: Board, row: tuple[int, int, str, list[str], list[str], bool, int]) -> Waiting:
    state = board.state_of(row[1])
    assert state is not None  # noqa: S101 - the queue is made from the docket's own cases
    return Waiting(row[0], row[1], row[2], state, tuple(row[3]), tuple(row[4]), row[5])


def find(connection: duckdb.DuckDBPyConnection, folder: Path, request_ids: Sequence[str]) -> dict[str, int]:
    """The case number of each request id that the docket has."""
    rows = connection.execute(
        "SELECT request_id, seq FROM read_parquet($file) WHERE request_id IN (SELECT unnest($ids))",
        {"file": str(folder / "determinations.parquet"), "ids": list(request_ids)},
    ).fetchall()
    return {str(row[0]): int(row[1]) for row in rows}


def stopped_by(connection: duckdb.DuckDBPyConnection, folder: Path, rule: str) -> Selection:
    """All queued cases that a rule fired on."""
    rows = connection.execute(
        "SELECT seq FROM read_parquet($file) WHERE list_contains(fired, $rule)",
        {"file": str(folder / FILE), "rule": rule},
    ).fetchall()
    return Selection.of(row[0] for row in rows)
