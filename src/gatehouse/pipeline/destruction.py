"""The end of a docket: its keys and its tables destroyed, on record, while every proof in the ledger stays valid.

Whatever holds personal data has its owner here: the docket, what was handed in for it, and what a crash left half-made.
What stays is what the custodian must account for: that it was received, decided and answered, every signed statement,
and who was disclosed to whom (`disclosures.parquet`, 26 USC 6103(p)(3)(A)). The destruction is on record before a file
is deleted, so a crash between the two is finished by destroying again. Copies and backups are for the custodian.
"""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.determine import probing
from gatehouse.determine.docket import TABLES, Docket
from gatehouse.kernel import clock, digests, files, scratch
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger.opening import Opening
from gatehouse.pipeline import closing, disclosures, history, inbox, record
from gatehouse.pipeline.approve import Office, docket_of
from gatehouse.pipeline.determine import MAKING
from gatehouse.pipeline.site import Site
from gatehouse.release.accounting import FOLDER
from gatehouse.release.returns import Kind
from gatehouse.store.shelf import Shelf

_FOLDERS = ("releases", "certificates", "recalls")
_FILES = ("vault.parquet", *(f"{name}.parquet" for name in TABLES), "queue.parquet", "answers.csv", "answers.csv.sig")


@dataclass(frozen=True)
class Destroyed:
    """What was destroyed, and where the ledger says so."""

    docket: str
    entry: int
    files: int


def destroy(
    connection: duckdb.DuckDBPyConnection, place: Office, name: str, reason: str, now: dt.datetime
) -> Destroyed:
    """Destroy a docket that is closed and answered: its vault, its tables, its packages and certificates.

    Raises AnswerIsNo while a case is open or the answers are not told yet, WrongInput without a reason or a docket.
    """
    history.whole(place.site)
    docket = docket_of(place.site, name)
    told = docket.root / "events" / "destroyed.json"
    if not reason.strip():
        raise WrongInput(
            "the reason for destruction is missing", remedy="Give the reason, such as the retention rule that applies"
        )
    if not told.exists():
        _refuse_open(place, docket, now)
        kept = disclosures.keep(connection, place.site, docket)
        [(first, requests)] = connection.execute(
            "SELECT min(ledger_index), count(*) FROM read_parquet($1)", [str(docket.table("determinations"))]
        ).fetchall()
        fields = {
            "event": "destruction", "docket": docket.id, "reason": reason.strip(), "at": clock.stamp(now),
            "first": first, "requests": requests, "vault": digests.of_file(docket.vault),
            "determinations": digests.of_file(docket.table("determinations")), "disclosures": digests.of_file(kept),
            "accounts": {path.name: digests.of_file(path) for path in sorted((docket.root / FOLDER).glob("*.json"))},
        }  # fmt: skip
    else:
        fields = dict(Opening.parse(told.read_bytes(), where=str(told)).fields())
    with record.open_log(place.site) as log:
        entry = record.event(log, told.parent, f"{docket.id}/destroyed", fields)
        record.publish(place.site, log, now)
    gone = [*_remains(docket), *inbox.of(place.site, docket)]
    for path in gone:
        path.unlink()
    for folder in (*(docket.root / name for name in _FOLDERS), *_unfinished(docket)):
        shutil.rmtree(folder, ignore_errors=True)
    scratch.sweep(place.site.dockets, MAKING)  # where processes that were killed were making dockets
    files.sync_folder(docket.root)
    return Destroyed(docket.id, entry, len(gone))


def begun(site: Site, docket: Docket) -> bool:
    """Whether a docket's destruction is on record and something of what it destroys is still there."""
    told = (docket.root / "events" / "destroyed.json").exists()
    return told and any((*_remains(docket), *inbox.of(site, docket)))


def finish(connection: duckdb.DuckDBPyConnection, place: Office, name: str, now: dt.datetime) -> Destroyed:
    """End a destruction that is on record, for the reason that was given then."""
    told = place.site.dockets / name / "events" / "destroyed.json"
    reason = str(Opening.parse(told.read_bytes(), where=str(told)).fields()["reason"])
    return destroy(connection, place, name, reason, now)


def _refuse_open(place: Office, docket: Docket, now: dt.datetime) -> None:
    if closing.due(place, docket) is None or not (docket.root / "events" / "answered.json").exists():
        raise AnswerIsNo(
            "the docket is not closed, or its answers are not published yet", where=docket.id,
            remedy="When no case is open, publish them with `gatehouse release DOCKET --answers`",
        )  # fmt: skip
    shelf = Shelf()
    for one in shelf.releases(docket.id):
        disposed = any(back.kind is Kind.DISPOSAL for back in shelf.returned(one.id))
        if one.published_at is not None and one.expires_on > now.date() and not disposed:
            raise AnswerIsNo(
                "a release is still in use, and could not be recalled after destruction", where=one.id,
                remedy=f"Wait for its disposal certificate, or until {one.expires_on}",
            )  # fmt: skip
    counts_until = dt.date.fromisoformat(docket.read_summary()["as_of"]) + probing.WINDOW
    if now.date() <= counts_until:  # forgetting requests would let their officers and subjects begin anew
        raise AnswerIsNo(
            "its requests still count against the agency's ceilings", where=docket.id,
            remedy=f"Wait until after {counts_until}",
        )  # fmt: skip


def _unfinished(docket: Docket) -> list[Path]:
    """Folders beside the docket in which an older release, or a command, was making it when it was killed."""
    return [docket.root.with_name(f".{docket.root.name}.{work}") for work in ("making", "cluster", "spill")]


def _remains(docket: Docket) -> list[Path]:
    """Every file that is to go, what a crash left of earlier writing included."""
    named = [path for name in _FILES if (path := docket.root / name).is_file()]
    below = [path for folder in _FOLDERS for path in (docket.root / folder).rglob("*") if path.is_file()]
    return [*named, *below, *docket.root.glob(".*.tmp")]
