"""The database of a site, made again from its dockets and events and compared, column by column."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import duckdb

from gatehouse.casework.board import Blocked, Board
from gatehouse.casework.records import Decision
from gatehouse.casework.roster import Roster
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action, Actor
from gatehouse.determine.docket import Docket
from gatehouse.kernel.errors import GatehouseError
from gatehouse.pipeline import approve, people
from gatehouse.pipeline.consistency import recalls
from gatehouse.pipeline.consistency.story import AGAIN, LOST, Difference
from gatehouse.pipeline.event import Event
from gatehouse.pipeline.history import History
from gatehouse.pipeline.site import Site
from gatehouse.release.returns import Kind, ReleaseRecord
from gatehouse.store.casebook import Casebook
from gatehouse.store.shelf import Shelf

_RECONCILE = "Run `gatehouse release DOCKET --reconcile`, which records what came back"
_Move = tuple[float, Action, Selection, Actor, frozenset[str]]
"""Where in the ledger, what, of which cases, by whom, and for which persons."""


def differences(
    connection: duckdb.DuckDBPyConnection, site: Site, known: History, placed: Mapping[str, Docket]
) -> Iterator[Difference]:
    """Every row and column of people's work that dockets and events do not bear out."""
    casebook = Casebook()
    names = casebook.known()
    for name in sorted(placed.keys() - set(names)):
        yield Difference(f"dockets/{name}", "the database does not have this docket", AGAIN)
    for name in names:
        docket = placed.get(name)
        if docket is None:
            yield Difference(f"dockets/{name}", "the database has this docket, but its folder is missing", LOST)
            continue
        yield from _decisions(name, casebook.decisions(name), known.of("decision", scope=name))
        yield from _releases(docket, known)
        yield from _returns(name, known)
        if not docket.is_destroyed:
            yield from _file(connection, site, docket, casebook, known)


def _decisions(docket: str, kept: Sequence[Decision], told: Iterable[Event]) -> Iterator[Difference]:
    events = {int(one.fields["number"]): one for one in told}
    rows = {one.number: one for one in kept}
    for number in sorted(events.keys() - rows.keys()):
        where = f"dockets/{docket}/events/decision-{number}.json"
        yield Difference(where, "the ledger has this decision, but the database does not", LOST)
    for number, row in sorted(rows.items()):
        where, event = f"database, decision {number} of {docket}", events.get(number)
        if row.ledger_index is None and event is None:
            yield Difference(where, "it waits for the ledger", AGAIN)
        elif event is None or event.index != row.ledger_index:
            yield Difference(where, "it is not in the ledger at the place that the database names", LOST)
        else:
            yield from _decision(where, row, event)


def _decision(where: str, row: Decision, event: Event) -> Iterator[Difference]:
    said = (event.fields["statement"], event.fields["selection"], event.fields["cases"])
    if (row.statement.digest, row.selection.digest(), len(row.selection)) != said:
        yield Difference(where, "its statement or its cases differ from those on record", LOST)


def _releases(docket: Docket, known: History) -> Iterator[Difference]:
    recalled = recalls.notices(docket, known).keys()
    withdrawn = known.unsealed(docket.id)
    planned = {one.text("release"): one for one in known.of("release", scope=docket.id)}
    sealed = {one.text("release"): one for one in known.of("sealed", scope=docket.id)}
    rows = {one.id: one for one in Shelf().releases(docket.id)}
    for name in sorted(planned.keys() - withdrawn - rows.keys()):
        where = f"database, release {name} of {docket.id}"
        yield Difference(where, "the ledger has this release, but the database does not", LOST)
    for name, row in sorted(rows.items()):
        where = f"database, release {name} of {docket.id}"
        if name not in planned or name in withdrawn:
            yield Difference(where, "the ledger does not have this release", LOST)
        elif name not in sealed or row.published_at is None:
            yield Difference(where, "it is sealed but not published", "Run: gatehouse release")
        else:
            yield from _release(where, row, planned[name], sealed[name], recalled=name in recalled)


def _release(where: str, row: ReleaseRecord, planned: Event, sealed: Event, *, recalled: bool) -> Iterator[Difference]:
    """Each column of a release against its entries; when it was recorded lies between them and what came after."""
    columns = {
        "officer": (row.officer, planned.text("officer")),
        "agency": (row.agency, planned.text("agency")),
        "receipt_key": (row.receipt_key, planned.text("receipt_key")),
        "expires_on": (row.expires_on.isoformat(), planned.text("expires_on")),
        "sealed_at": (row.sealed_at.strftime("%Y-%m-%dT%H:%M:%SZ"), planned.text("released_at")),
        "cases": ({"cases": len(row.cases), "sha256": row.cases.digest()}, planned.fields.get("selection")),
        "digest": (row.digest, sealed.text("package")),
        "certificate": (row.certificate, sealed.text("certificate")),
        "recalled_at": (row.recalled_at is not None, recalled),
    }
    for column, (kept, said) in columns.items():
        if kept != said:
            yield Difference(f"{where}, {column}", "the value differs from the one on record", LOST)
    if row.published_at is not None and row.published_at < row.sealed_at:
        yield Difference(f"{where}, published_at", "it was published before it was released", LOST)


def _returns(docket: str, known: History) -> Iterator[Difference]:
    """What came back about a docket's releases: each statement and its entry."""
    told = {one.text("statement"): one for one in known.of(*Kind, scope=docket)}
    shelf = Shelf()
    kept = {
        back.statement.digest: (release.id, back)
        for release in shelf.releases(docket)
        for back in shelf.returned(release.id)
    }
    for digest in sorted(told.keys() - kept.keys()):
        where = f"database, {told[digest].kind} of {told[digest].text('release')}"
        yield Difference(where, "the ledger has this statement, but the database does not", LOST)
    for digest, (release, back) in kept.items():
        event = told.get(digest)
        if event is None:
            yield Difference(f"database, {back.kind} of {release}", "it waits for the ledger", _RECONCILE)
        elif (event.kind, event.text("release")) != (str(back.kind), release):
            yield Difference(f"database, {back.kind} of {release}", "it differs from what the ledger has", LOST)


def _file(
    connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket, casebook: Casebook, known: History
) -> Iterator[Difference]:
    """A docket's own row and its board, made again from the docket and the decisions."""
    try:
        stated, start = approve.facts_of(connection, site, docket)
    except GatehouseError as wrong:
        yield Difference(f"dockets/{docket.id}", wrong.what, LOST)
        return
    kept = casebook.file(docket.id)
    for column in ("agency", "size", "determinations", "received_at", "submitters", "clearable"):
        if getattr(kept, column) != getattr(stated, column):
            yield Difference(f"database, docket {docket.id}, {column}", "the value differs from the docket's", LOST)
    decisions = casebook.decisions(docket.id)
    if casebook.made(docket.id) != len(decisions):
        yield Difference(
            f"database, docket {docket.id}, decisions_made", "the count differs from the number of rows", LOST
        )
    board = casebook.board(docket.id)
    try:
        again = _replayed(people.roster(site), known, start, decisions, docket.id)
    except Blocked as refused:
        yield Difference(f"database, board of {docket.id}", f"its decisions do not lead to it: {refused.what}", LOST)
        return
    for state in sorted(again.states):
        if again.states[state] != board.states[state]:
            yield Difference(
                f"database, board of {docket.id}, {state}", "the cases differ from those decided this way", LOST
            )
    approvals = {name: cases for name, cases in again.approved_by.items() if cases}
    if approvals != {name: cases for name, cases in board.approved_by.items() if cases}:
        yield Difference(f"database, board of {docket.id}", "the approvals differ from those on record", LOST)


def _replayed(roster: Roster, known: History, board: Board, decisions: Sequence[Decision], docket: str) -> Board:
    """The board to which the decisions and the releases of a docket lead, in their order."""
    released = Selection()
    moves = [*_decided(roster, decisions), *_sealed(known, docket)]
    for _, action, cases, actor, persons in sorted(moves, key=lambda move: move[0]):
        moving = cases
        if action is Action.RELEASE:  # a case may lie in the packages of two officers
            moving, released = cases - released, released | cases
        board = board.move(action, moving, actor=actor, people=persons) if moving else board
    return board


def _decided(roster: Roster, decisions: Iterable[Decision]) -> Iterator[_Move]:
    for one in decisions:
        at = one.ledger_index if one.ledger_index is not None else math.inf
        persons = roster.people(one.statement.text("officer"))
        yield at, Action(one.statement.text("action")), one.selection, Actor.OFFICER, persons


def _sealed(known: History, docket: str) -> Iterator[_Move]:
    rows = {one.id: one for one in Shelf().releases(docket)}
    for event in known.of("sealed", scope=docket):
        if (row := rows.get(event.text("release"))) is not None:
            yield event.index, Action.RELEASE, row.cases, Actor.SEALER, frozenset()
