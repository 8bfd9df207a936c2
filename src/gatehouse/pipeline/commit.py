"""The ledger's stage: every determination of a docket committed, numbered, and under a witnessed checkpoint.

Run again after a crash it ends the same way: the keys in the vault are made once, a batch goes into the ledger once,
and the docket's table is replaced whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.intake.workspace import BY_ROW, quoted, write_parquet
from gatehouse.kernel import digests, files
from gatehouse.kernel.errors import MachineFailed
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.commitments import DETERMINATION, commit
from gatehouse.pipeline import record
from gatehouse.pipeline.site import Site


def commit_docket(connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket, now: dt.datetime) -> Checkpoint:
    """Commit the receipt and all determinations of a docket; returns the checkpoint that shows them.

    Afterwards `ledger_index` is filled in `determinations.parquet`, in the order of the submission. Raises
    MachineFailed when the ledger is held by another process or the witnesses' quorum is not met; trying again is safe.
    """
    files.sweep(docket.root)
    connection.read_parquet(str(docket.table("determinations"))).create_view("commit_rows", replace=True)
    committed = commit(connection, "commit_rows", DETERMINATION, docket.vault)
    with record.open_log(site) as log:
        receipt = {"event": "received", "docket": docket.id, "receipt": digests.of_file(docket.receipt)}
        record.event(log, docket.root / "events", f"{docket.id}/received", receipt)
        batch = f"{docket.id}/determinations"
        standing = log.batch(batch)
        first = standing.start if standing else log.size
        with _numbering(connection, docket, first):
            if log.append(batch, committed.entries) != first:
                raise MachineFailed("the ledger finished another batch first", remedy="Try again")
        return record.publish(site, log, now)


@contextmanager
def _numbering(connection: duckdb.DuckDBPyConnection, docket: Docket, first: int) -> Iterator[None]:
    """Write each determination's index while the batch goes in; it takes its place only after that, if not before."""
    kept = connection.sql("SELECT DISTINCT ledger_index - seq FROM commit_rows").fetchall()
    if kept == [(first,)]:
        yield
        return
    if kept != [(None,)]:
        raise MachineFailed(f"the determinations of {docket.id} carry other ledger indexes than the ledger")
    table = docket.table("determinations")
    numbered = table.with_name(f".{table.name}.numbered.tmp")
    query = f"SELECT * REPLACE ({first} + seq AS ledger_index) FROM read_parquet({quoted(table)}) ORDER BY seq"
    with ThreadPoolExecutor(1) as beside:  # hashing holds one processor and leaves the other
        written = beside.submit(write_parquet, connection.cursor(), query, numbered, group=BY_ROW)
        yield
        written.result()
    numbered.replace(table)
    files.sync_folder(docket.root)
