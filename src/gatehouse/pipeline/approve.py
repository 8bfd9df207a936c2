"""The stage of people: open a docket for decisions, draw samples, take signed decisions, and commit each to the ledger.

A decision stands once the database has it; its commitment in the ledger follows at once or, after a crash, with the
next decision or release. Nothing is released before every decision is in the ledger.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import duckdb

from gatehouse import store
from gatehouse.casework import approval, queue
from gatehouse.casework.about import About
from gatehouse.casework.approval import Proposal
from gatehouse.casework.board import Board
from gatehouse.casework.records import CaseFile
from gatehouse.casework.roster import Officer, Roster
from gatehouse.casework.sampling import Sample
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action
from gatehouse.determine.docket import Docket
from gatehouse.intake import manifest as manifests
from gatehouse.intake import parties
from gatehouse.intake import receipt as receipts
from gatehouse.intake.manifest import Manifest
from gatehouse.kernel import digests
from gatehouse.kernel.errors import MachineFailed
from gatehouse.ledger import entries
from gatehouse.ledger.signers import Signer
from gatehouse.pipeline import dockets, people, record, subject
from gatehouse.pipeline.dockets import Placed
from gatehouse.pipeline.site import Site
from gatehouse.store.casebook import Casebook


@dataclass(frozen=True)
class Office:
    """A site with its records and its people."""

    site: Site
    casebook: Casebook
    roster: Roster


@dataclass(frozen=True)
class Decided:
    """A decision that stands."""

    number: int
    action: Action
    cases: int
    board: Board
    in_ledger: bool
    """False when another process held the ledger: the next decision or release commits it."""


def office(site: Site) -> Office:
    """Ready a site's database and read its roster."""
    store.configure(site.database)
    return Office(site, Casebook(), people.roster(site))


def docket_of(site: Site, name: str) -> Placed:
    """A docket of the site, through the one door. Raises as `dockets.find` does."""
    return dockets.find(site, name)


def manifest_of(docket: Docket) -> Manifest:
    """The submission's manifest as it came."""
    return manifests.parse(docket.manifest.read_bytes())


def open_docket(connection: duckdb.DuckDBPyConnection, place: Office, docket: Docket) -> CaseFile:
    """Open a committed docket for decisions; open already, it stays as it is.

    Raises WrongInput when it is not in the ledger yet or was opened with other determinations, AnswerIsNo when a file
    of it is not the one that was committed.
    """
    if docket.id in place.casebook.known():
        return place.casebook.file(docket.id)
    file, board = facts_of(connection, place.site, docket)
    place.casebook.open(file, board)
    return file


def facts_of(connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket) -> tuple[CaseFile, Board]:
    """What deciding a docket's cases depends on, and where they stand before anybody decides: both from the docket.

    Raises as `dockets.find` does.
    """
    docket = dockets.find(site, docket.id)
    size, outcomes, clearable = queue.read(connection, docket.root)
    manifest = manifest_of(docket)
    file = CaseFile(
        docket.id,
        manifest.agency,
        size,
        digests.of_file(docket.table("determinations")),
        docket.received_at.astimezone(dt.UTC),
        receipts.submitters(manifest, json.loads(docket.receipt.read_bytes())),
        clearable,
    )
    return file, Board.start(size, outcomes)


def draw(place: Office, officer: str, proposal: Proposal, *, now: dt.datetime) -> Sample:
    """Draw the sample that a bulk decision needs first."""
    return approval.sample(place.casebook, officer, proposal, now=now)


def decide(place: Office, officer: str, proposal: Proposal, *, signer: Signer, now: dt.datetime) -> Decided:
    """Sign a decision with an officer's key, take it if it counts, and commit it to the ledger."""
    about = subject.ask(place.site, proposal.docket, proposal.selection)
    signed = approval.propose(place.casebook, place.roster, proposal, about, officer=officer, signer=signer, now=now)
    number, board = _decide(place, signed, proposal.selection, about, now)
    return Decided(
        number, proposal.action, len(proposal.selection), board, in_ledger=put_in(place, proposal.docket, now)
    )


def draft(place: Office, officer: Officer, proposal: Proposal, now: dt.datetime) -> dict[str, Any]:
    """What an officer is about to sign, wherever the key is."""
    about = subject.ask(place.site, proposal.docket, proposal.selection)
    file, board = place.casebook.file(proposal.docket), place.casebook.board(proposal.docket)
    return approval.body(file, board, officer, proposal, about, now=now)


def take(place: Office, signed: Statement, selection: Selection, now: dt.datetime) -> tuple[int, Board]:
    """Take a decision that was signed elsewhere, if it counts; `put_in` commits it. Raises as `approval.decide`."""
    about = subject.ask(place.site, signed.text("docket"), selection)
    return _decide(place, signed, selection, about, now)


def _decide(
    place: Office, signed: Statement, selection: Selection, about: About, now: dt.datetime
) -> tuple[int, Board]:
    known = parties.read(place.site.parties).agencies if place.site.parties.is_file() else {}
    agency = known.get(place.casebook.file(signed.text("docket")).agency)
    sending = [key.verifier for key in agency.keys] if agency is not None else []
    return approval.decide(place.casebook, place.roster, signed, selection, about, now=now, sending=sending)


def put_in(place: Office, docket: str, now: dt.datetime) -> bool:
    """Commit what was decided and have it witnessed; False when the ledger is held or the witnesses are not reached."""
    try:
        commit_decisions(place, docket, now)
    except MachineFailed:
        return False
    return True


def commit_decisions(place: Office, docket: str, now: dt.datetime) -> int:
    """Put every decision of a docket that is not in the ledger yet into it, and publish; gives how many there were.

    A decision counts for a release only when witnesses saw it soon after it was signed, so each is published at once.
    """
    waiting = place.casebook.uncommitted(docket)
    if not waiting:
        return 0
    folder = place.site.dockets / docket / "events"
    with record.open_log(place.site) as log:
        for decision in waiting:
            said = entries.Decided(
                docket=docket,
                number=decision.number,
                action=decision.statement.text("action"),
                cases=len(decision.selection),
                selection=decision.selection.digest(),
                statement=decision.statement.digest,
            )
            index = record.event(log, folder, f"{docket}/decision-{decision.number}", said.fields())
            place.casebook.committed(docket, decision.number, index)
        record.publish(place.site, log, now)
    return len(waiting)


def request_ids(connection: duckdb.DuckDBPyConnection, site: Site, docket: str, cases: Selection) -> list[str]:
    """The requests' ids of some cases, in the order of the submission."""
    rows = connection.execute(
        "SELECT request_id FROM read_parquet($file) "
        "WHERE seq < length($cases) AND get_bit($cases::BIT, seq::INTEGER) = 1 ORDER BY seq",
        {"file": str(docket_of(site, docket).table("determinations")), "cases": cases.bitstring(1)},
    ).fetchall()
    return [str(row[0]) for row in rows]
