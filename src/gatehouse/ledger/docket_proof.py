"""A docket against the ledger: every request of the submission has exactly one determination, and it is the one that
was committed, in the order of the submission, with none added and none missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import tiles
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.commitments import DETERMINATION, commit
from gatehouse.ledger.opening import BATCH_BYTES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NEEDED = ("requests.parquet", "determinations.parquet", "vault.parquet")


@dataclass(frozen=True)
class Accounted:
    """How many requests were found committed, and where the first one stands in the ledger."""

    requests: int
    first: int


def verify_docket(
    connection: DuckDBPyConnection,
    docket: Path,
    ledger: Path,
    checkpoint: Checkpoint,
    *,
    held: Mapping[bytes, int] | None = None,
) -> Accounted:
    """Check a docket against a ledger that was verified under `checkpoint`.

    `held` says how many entries of each batch the ledger holds, where the caller has counted them for many dockets.
    Raises AnswerIsNo with the first difference, by row of the submission; WrongInput when the docket is not whole.
    """
    for name in _NEEDED:
        if not (docket / name).is_file():
            raise WrongInput("the docket lacks a file", where=name, remedy="Verify the folder that `run` made")
    for table in ("requests", "determinations"):
        connection.read_parquet(str(docket / f"{table}.parquet")).create_view(f"docket_{table}", replace=True)
    _check_pairs(connection)
    first, count = _place(connection)
    if first + count > checkpoint.size:
        raise AnswerIsNo("the checkpoint does not cover every determination of the docket", where=docket.name)
    made = commit(connection, "docket_determinations", DETERMINATION, docket / "vault.parquet")
    reader = tiles.TileReader(ledger, checkpoint.size)
    for seq, (entry, committed) in enumerate(zip(made.entries, reader.span(first, count), strict=True)):
        if entry != committed:
            raise AnswerIsNo("the determination is not the one in the ledger", where=f"{docket.name}, row {seq + 1}")
    batch = bytes.fromhex(made.batch)
    if (_count_batch(reader, checkpoint.size, batch) if held is None else held.get(batch, 0)) != count:
        raise AnswerIsNo("the ledger holds more entries of this batch than the docket", where=docket.name)
    return Accounted(count, first)


def batch_of(entry: bytes) -> bytes:
    """Which batch an entry belongs to."""
    return entry[1 : 1 + BATCH_BYTES]


def _check_pairs(connection: DuckDBPyConnection) -> None:
    row = connection.execute(
        "SELECT coalesce(r.seq, d.seq) + 1, r.seq IS NULL, d.seq IS NULL "
        "FROM docket_requests r FULL JOIN docket_determinations d ON r.seq = d.seq AND r.request_id = d.request_id "
        "WHERE r.seq IS NULL OR d.seq IS NULL ORDER BY 1 LIMIT 1"
    ).fetchone()
    if row is not None:
        what = "a determination answers no request" if row[1] else "a request has no determination"
        raise AnswerIsNo(what, where=f"determinations.parquet, row {row[0]}")
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM docket_requests), (SELECT count(*) FROM docket_determinations), "
        "(SELECT count(DISTINCT request_id) FROM docket_requests)"
    ).fetchone()
    assert counts is not None  # noqa: S101 - an aggregate always answers
    if len(set(counts)) != 1:
        raise AnswerIsNo("a request or a determination stands twice", where="determinations.parquet")


def _place(connection: DuckDBPyConnection) -> tuple[int, int]:
    row = connection.execute(
        "SELECT min(ledger_index - seq), max(ledger_index - seq), count(*), count(ledger_index) "
        "FROM docket_determinations"
    ).fetchone()
    if row is None or row[2] == 0 or row[2] != row[3]:
        raise AnswerIsNo("a determination was never committed to the ledger", where="determinations.parquet")
    if row[0] != row[1] or row[0] < 0:
        raise AnswerIsNo("the ledger's order is not the submission's", where="determinations.parquet")
    return int(row[0]), int(row[2])


def _count_batch(reader: tiles.TileReader, size: int, batch: bytes) -> int:
    return sum(batch_of(entry) == batch for entry in reader.span(0, size))
