"""The ledger's stage: the receipt and every determination of a docket committed as one, and its files bound.

The entry `received` and the determinations go in together, so nothing can come between them; the entry `docket`
follows with the digest of every file. Run again after a crash it ends the same way: the keys in the vault are made
once, a batch goes into the ledger once, and the docket's table is replaced whole.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import duckdb

from gatehouse.casework import queue
from gatehouse.determine import opened
from gatehouse.determine.docket import Docket
from gatehouse.intake import manifest as manifests
from gatehouse.intake.workspace import BY_ROW, quoted, write_parquet
from gatehouse.kernel import digests, files
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed
from gatehouse.ledger import docket_files
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.commitments import commit, determination
from gatehouse.ledger.entries import Docketed, Received
from gatehouse.pipeline import packs, record
from gatehouse.pipeline.hold import Hold
from gatehouse.pipeline.site import Site


def commit_docket(connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket, now: dt.datetime) -> Checkpoint:
    """Commit the receipt, all determinations and all files of a docket; returns the checkpoint that shows them.

    Afterwards `ledger_index` is filled in `determinations.parquet`, in the order of the submission, and
    `queue.parquet` lies beside it. Raises MachineFailed when the ledger is held by another process or the witnesses'
    quorum is not met; trying again is safe. Raises WrongInput for other determinations than those that went in.
    """
    files.sweep(docket.root)
    if site.parts is not None and site.parts.users:  # the log writer keeps its openings there, and removes nothing else
        docket.events.mkdir(exist_ok=True)
        docket.events.chmod(0o3775)
    connection.read_parquet(str(docket.table("determinations"))).create_view("commit_rows", replace=True)
    committed = commit(connection, "commit_rows", determination(connection, "commit_rows"), docket.vault)
    with record.open_log(site) as log:
        name = f"{docket.id}/{opened.RECEIVED}"
        standing = log.batch(name)
        index = standing.start if standing else log.size
        said = _receipt(connection, docket, committed.batch, index)
        if standing is None:
            _refuse_overtaken(site, docket, said)
        with _numbering(connection, docket, index + 1):
            if record.receive(log, docket.events, name, said.fields(), committed.entries) != index:
                raise MachineFailed("the ledger finished a different batch first", remedy="Try again")
        _bind(connection, docket, log, index)
        return record.publish(site, log, now)


def _refuse_overtaken(site: Site, docket: Docket, said: Received) -> None:
    """Raise where the year ended or the law changed since the docket was determined; asked while nobody can enter."""
    record.refuse_closed_year(site)
    basis = manifests.parse(docket.manifest.read_bytes()).basis
    adopted = [one.text("digest") for one in packs.adoptions(site, basis)]
    if said.pack in adopted and adopted[-1] != said.pack:
        raise AnswerIsNo(
            "the law changed while this submission was determined, and nothing of it is on record yet",
            where=docket.id,
            remedy=f"Remove the folder {docket.root} and run the submission again",
        )


def _receipt(connection: duckdb.DuckDBPyConnection, docket: Docket, batch: str, index: int) -> Received:
    manifest = manifests.parse(docket.manifest.read_bytes())
    [(rows, pack, as_of)] = connection.sql(
        "SELECT count(*), any_value(pack_digest), any_value(as_of) FROM commit_rows"
    ).fetchall()
    return Received(
        docket=docket.id,
        agency=manifest.agency,
        submission=manifest.id,
        manifest=digests.of_file(docket.manifest),
        signature=digests.of_file(docket.signature) if docket.signature.is_file() else None,
        receipt=digests.of_file(docket.receipt),
        requests=rows,
        batch=batch,
        first=index + 1,
        pack=pack,
        as_of=as_of.isoformat(),
    )


def _bind(connection: duckdb.DuckDBPyConnection, docket: Docket, log: Hold, received: int) -> None:
    """Commit to every file of the docket; bound already, they must still be those."""
    name = f"{docket.id}/{opened.DOCKET}"
    if log.batch(name) is not None:
        opened.check(docket)
        return
    if not docket.queue.is_file():
        queue.write(connection, docket.root)
    register = json.loads(docket.summary.read_bytes()).get("register_digest")
    entry = Docketed(docket.id, received, docket_files.listing(docket.root), register)
    record.event(log, docket.events, name, entry.fields())


@contextmanager
def _numbering(connection: duckdb.DuckDBPyConnection, docket: Docket, first: int) -> Iterator[None]:
    """Write each determination's index while the batch goes in; it takes its place only after that, if not before."""
    kept = connection.sql("SELECT DISTINCT ledger_index - seq FROM commit_rows").fetchall()
    if kept == [(first,)]:
        yield
        return
    if kept != [(None,)]:
        raise MachineFailed(f"the determinations of {docket.id} have different indexes from the ledger")
    table = docket.table("determinations")
    numbered = table.with_name(f".{table.name}.numbered.tmp")
    query = f"SELECT * REPLACE ({first} + seq AS ledger_index) FROM read_parquet({quoted(table)}) ORDER BY seq"
    with ThreadPoolExecutor(1) as beside:  # hashing holds one processor and leaves the other
        written = beside.submit(write_parquet, connection.cursor(), query, numbered, group=BY_ROW)
        yield
        written.result()
    numbered.replace(table)
    files.sync_folder(docket.root)
