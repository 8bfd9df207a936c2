"""The stage after release: compare what left with what came back, sign what does not agree, and commit that."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from gatehouse.casework import statement as statements
from gatehouse.casework.board import Blocked
from gatehouse.casework.records import Attempt
from gatehouse.casework.statement import Statement
from gatehouse.kernel import clock, files
from gatehouse.ledger.signers import read_signer
from gatehouse.pipeline import record
from gatehouse.pipeline.approve import Office, docket_of
from gatehouse.release import returns
from gatehouse.release.returns import Returned
from gatehouse.store.shelf import Shelf


def take(place: Office, name: str, path: Path, now: dt.datetime, *, where: str = "") -> Returned:
    """Take in a receipt, use report or disposal certificate about a docket's release.

    Raises Blocked, after recording the attempt, when it is forged, about another release, or untimely.
    """
    docket = docket_of(place.site, name)
    try:
        return returns.accept(
            Shelf(), statements.parse(path.read_bytes(), where=where or path.name), now, docket=docket.id, where=where
        )
    except Blocked as refusal:
        place.casebook.block(Attempt(docket.id, "", "take_in", refusal.code, now))
        raise


def reconcile(place: Office, name: str, now: dt.datetime) -> tuple[Statement, Path]:
    """Reconcile a docket's releases; gives the signed report and where it lies."""
    docket = docket_of(place.site, name)
    shelf = Shelf()
    found = returns.reconcile(shelf, now, docket=docket.id)
    signed = returns.signed_report(found, len(shelf.releases(docket.id)), read_signer(place.site.custodian_key), now)
    path = docket.root / "reconciliations" / f"{clock.stamp(now).replace(':', '')}.json"
    files.write(path, signed.encoded())
    fields = {
        "event": "reconciliation", "docket": docket.id, "report": signed.digest, "discrepancies": len(found),
        "overdue": sum(one.overdue for one in found),
    }  # fmt: skip
    with record.open_log(place.site) as log:
        record.event(log, docket.root / "events", f"{docket.id}/reconciliation-{signed.digest[:16]}", fields)
    return signed, path
