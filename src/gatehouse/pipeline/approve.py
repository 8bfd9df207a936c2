"""The stage of people: open a docket for decisions, draw samples, take signed decisions, and commit each to the ledger.

A decision stands once the database has it; its commitment in the ledger follows at once or, after a crash, with the
next decision or release. Nothing is released before every decision is in the ledger.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

import duckdb

from gatehouse import store
from gatehouse.casework import approval, queue, roster
from gatehouse.casework.approval import Proposal
from gatehouse.casework.board import Board
from gatehouse.casework.records import CaseFile
from gatehouse.casework.roster import Roster
from gatehouse.casework.sampling import Sample
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action
from gatehouse.determine.docket import Docket
from gatehouse.intake import manifest as manifests
from gatehouse.intake.manifest import Manifest
from gatehouse.kernel import digests
from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.ledger.signers import Signer
from gatehouse.pipeline import record
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
    return Office(site, Casebook(), roster.read(site.configuration))


def docket_of(site: Site, name: str) -> Docket:
    """A docket of the site. Raises WrongInput when there is none of that name."""
    docket = Docket(site.dockets / name)
    if "/" in name or not docket.summary.is_file():
        raise WrongInput(f"no docket {name}", where=str(site.dockets), remedy="`gatehouse run` makes dockets")
    return docket


def manifest_of(docket: Docket) -> Manifest:
    """The submission's manifest as it came."""
    return manifests.parse(docket.manifest.read_bytes())


def open_docket(connection: duckdb.DuckDBPyConnection, place: Office, docket: Docket) -> CaseFile:
    """Open a committed docket for decisions; open already, it stays as it is.

    Raises WrongInput when its determinations are not in the ledger yet, or are not those it was opened with.
    """
    if docket.id in place.casebook.known():
        return place.casebook.file(docket.id)
    [(uncommitted,)] = connection.execute(
        "SELECT count(*) FILTER (ledger_index IS NULL) FROM read_parquet($file)",
        {"file": str(docket.table("determinations"))},
    ).fetchall()
    if uncommitted:
        raise WrongInput(
            "the determinations are not in the ledger yet", where=docket.id, remedy="Run `gatehouse run` again"
        )
    size, outcomes, clearable = queue.build(connection, docket.root)
    manifest = manifest_of(docket)
    file = CaseFile(
        docket.id,
        manifest.agency,
        size,
        digests.of_file(docket.table("determinations")),
        _received_at(docket),
        _submitters(docket, manifest),
        clearable,
    )
    place.casebook.open(file, Board.start(size, outcomes))
    return file


def draw(place: Office, officer: str, proposal: Proposal, *, now: dt.datetime) -> Sample:
    """Draw the sample that a bulk decision needs first."""
    return approval.sample(place.casebook, officer, proposal, now=now)


def decide(place: Office, officer: str, proposal: Proposal, *, signer: Signer, now: dt.datetime) -> Decided:
    """Sign a decision with an officer's key, take it if it counts, and commit it to the ledger."""
    signed = approval.propose(place.casebook, place.roster, proposal, officer=officer, signer=signer, now=now)
    number, board = approval.decide(place.casebook, place.roster, signed, proposal.selection, now)
    try:
        commit_decisions(place, proposal.docket)
        committed = True
    except MachineFailed:
        committed = False
    return Decided(number, proposal.action, len(proposal.selection), board, committed)


def commit_decisions(place: Office, docket: str) -> int:
    """Put every decision of a docket that is not in the ledger yet into it; gives how many there were."""
    waiting = place.casebook.uncommitted(docket)
    if not waiting:
        return 0
    folder = place.site.dockets / docket / "events"
    with record.open_log(place.site) as log:
        for decision in waiting:
            body = decision.statement.body
            index = record.event(
                log,
                folder,
                f"{docket}/decision-{decision.number}",
                {
                    "event": "decision",
                    "docket": docket,
                    "number": decision.number,
                    "action": str(body["action"]),
                    "cases": len(decision.selection),
                    "selection": decision.selection.digest(),
                    "statement": decision.statement.digest,
                },
            )
            place.casebook.committed(docket, decision.number, index)
    return len(waiting)


def _received_at(docket: Docket) -> dt.datetime:
    text = str(json.loads(docket.receipt.read_bytes())["received_at"])
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(dt.UTC)


def _submitters(docket: Docket, manifest: Manifest) -> frozenset[str]:
    """Everyone who signed, is to receive, or took in the submission, by id and by name."""
    people = {manifest.signatory.name, *(officer.id for officer in manifest.officers)}
    people |= {officer.name for officer in manifest.officers}
    return frozenset(people | _receivers(docket))


def _receivers(docket: Docket) -> set[str]:
    receiver = json.loads(docket.receipt.read_bytes()).get("received_by")
    return {receiver} if isinstance(receiver, str) and receiver else set()


def request_ids(connection: duckdb.DuckDBPyConnection, site: Site, docket: str, cases: Selection) -> list[str]:
    """The requests' ids of some cases, in the order of the submission."""
    rows = connection.execute(
        "SELECT request_id FROM read_parquet($file) "
        "WHERE seq < length($cases) AND get_bit($cases::BIT, seq::INTEGER) = 1 ORDER BY seq",
        {"file": str(docket_of(site, docket).table("determinations")), "cases": cases.bitstring(1)},
    ).fetchall()
    return [str(row[0]) for row in rows]
