"""The stage after release: compare what left with what came back, sign what does not agree, and commit that."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from gatehouse.casework import statement as statements
from gatehouse.casework.board import Blocked
from gatehouse.casework.records import Attempt
from gatehouse.casework.statement import Statement
from gatehouse.determine.docket import Docket
from gatehouse.kernel import clock, files
from gatehouse.kernel.errors import MachineFailed
from gatehouse.pipeline import keys, record
from gatehouse.pipeline.approve import Office, docket_of
from gatehouse.pipeline.site import Site
from gatehouse.release import returns
from gatehouse.release.returns import Kind, Returned
from gatehouse.store.shelf import Shelf

_EVENTS = {Kind.RECEIPT: "receipt", Kind.REPORT: "use report", Kind.DISPOSAL: "disposal"}


def take(place: Office, name: str, path: Path, now: dt.datetime, *, where: str = "") -> Returned:
    """Take in a receipt, use report or disposal certificate about a docket's release.

    Raises Blocked, after recording the attempt, when it is forged, about another release, or untimely.
    """
    docket = docket_of(place.site, name)
    try:
        signed = statements.parse(path.read_bytes(), where=where or path.name)
        taken = returns.accept(Shelf(), signed, now, docket=docket.id, where=where)
    except Blocked as refusal:
        place.casebook.block(Attempt(docket.id, "", "take_in", refusal.code, now))
        raise
    with contextlib.suppress(MachineFailed):  # another process holds the ledger: `finishing` enters it
        enter(place.site, docket.id, [taken])
    return taken


def waiting(docket: Docket) -> list[Returned]:
    """What came back about a docket's releases and is no entry yet, because another process held the ledger."""
    shelf, events = Shelf(), docket.root / "events"
    back = [one for release in shelf.releases(docket.id) for one in shelf.returned(release.id)]
    return [one for one in back if not (events / f"{_stem(one)}.json").is_file()]


def _stem(one: Returned) -> str:
    return f"{one.kind}-{one.statement.digest[:32]}"


def enter(site: Site, docket: str, taken: Sequence[Returned]) -> None:
    """Commit what came back to the ledger, each statement once. Raises MachineFailed when the ledger is held."""
    with record.open_log(site) as log:
        for one in taken:
            fields = {
                "event": _EVENTS[one.kind], "docket": docket, "release": one.statement.text("release"),
                "statement": one.statement.digest,
            }  # fmt: skip
            record.event(log, site.dockets / docket / "events", f"{docket}/{_stem(one)}", fields)


def reconcile(place: Office, name: str, now: dt.datetime) -> tuple[Statement, Path]:
    """Reconcile a docket's releases; gives the signed report and where it lies."""
    docket = docket_of(place.site, name)
    shelf = Shelf()
    # whatever was taken in while another process held the ledger is entered here
    enter(place.site, docket.id, [one for release in shelf.releases(docket.id) for one in shelf.returned(release.id)])
    found = returns.reconcile(shelf, now, docket=docket.id)
    signed = returns.signed_report(found, len(shelf.releases(docket.id)), keys.custodian(place.site), now)
    path = docket.root / "reconciliations" / f"{clock.stamp(now).replace(':', '')}.json"
    fields = {
        "event": "reconciliation", "docket": docket.id, "report": signed.digest, "discrepancies": len(found),
        "overdue": sum(one.overdue for one in found),
    }  # fmt: skip
    with record.open_log(place.site) as log:
        files.sweep(path.parent)
        files.write(path, signed.encoded())
        record.event(log, docket.root / "events", f"{docket.id}/reconciliation-{signed.digest[:16]}", fields)
    return signed, path
