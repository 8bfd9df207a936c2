"""The ledger's stage: every determination of a docket committed, numbered, and under a witnessed checkpoint.

Run again after a crash it ends the same way: the keys in the vault are made once, a batch goes into the ledger once,
and the docket's table is replaced whole.
"""

from __future__ import annotations

import datetime as dt

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.intake.workspace import write_parquet
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
        first = log.append(f"{docket.id}/determinations", committed.entries)
        _number(connection, docket, first)
        return record.publish(site, log, now)


def _number(connection: duckdb.DuckDBPyConnection, docket: Docket, first: int) -> None:
    """Write each determination's index into the docket, unless it is there already."""
    kept = connection.sql("SELECT DISTINCT ledger_index - seq FROM commit_rows").fetchall()
    if kept == [(first,)]:
        return
    if kept != [(None,)]:
        raise MachineFailed(f"the determinations of {docket.id} carry other ledger indexes than the ledger")
    write_parquet(
        connection,
        f"SELECT * REPLACE ({first} + seq AS ledger_index) FROM commit_rows ORDER BY seq",
        docket.table("determinations"),
    )
