"""The stage after release: compare what left with what came back, sign what does not agree, and commit that."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from gatehouse.casework.statement import Statement
from gatehouse.kernel import clock, files
from gatehouse.ledger.signers import read_signer
from gatehouse.pipeline import record
from gatehouse.pipeline.approve import Office, docket_of
from gatehouse.release import returns
from gatehouse.store.shelf import Shelf


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
