"""Look again at everything still open when the law has changed: hold what was approved, recall what nobody opened.

A case on its way to release that the law no longer lets pass is held again, without its approvals. A sealed package
that holds such a case and whose receipt has not come back is recalled. One officer suffices: both take back, neither
lets anything go. Run again, it finds only what is left to do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from gatehouse.casework.approval import Proposal
from gatehouse.casework.board import Blocked
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action, State
from gatehouse.law.pack import Pack
from gatehouse.ledger.signers import Signer
from gatehouse.pipeline import approve, lawful, recall
from gatehouse.pipeline.approve import Office
from gatehouse.release.recall import Cause
from gatehouse.release.returns import Kind, ReleaseRecord
from gatehouse.store.shelf import Shelf

_OPEN = (State.CLEARED, State.APPROVED_ONCE, State.APPROVED_TWICE)
_TRIES = 5


@dataclass(frozen=True)
class Findings:
    """What the law no longer lets pass in one docket."""

    docket: str
    hold: Selection
    """Cases not released yet, to be held."""
    recall: Selection
    """Cases in packages that nobody opened, to be recalled."""
    opened: tuple[str, ...]
    """Releases that hold such cases and were opened before; a person decides about them."""
    stopped_by: Mapping[str, int]

    def __bool__(self) -> bool:
        return bool(self.hold or self.recall)


@dataclass(frozen=True)
class By:
    """The officer who takes back, and why."""

    officer: str
    signer: Signer
    reason: str
    about: str = ""
    """What changed: the order's id, for example."""
    at: dt.datetime | None = None
    """When it was signed, where the key is elsewhere and signed a little earlier."""


def find(
    connection: duckdb.DuckDBPyConnection, place: Office, name: str, now: dt.datetime, pack: Pack | None = None
) -> Findings:
    """What today's law, or another pack, stops among a docket's open cases and releases. Changes nothing."""
    docket = approve.docket_of(place.site, name)
    board = place.casebook.board(name)
    waiting = Selection()
    for state in _OPEN:
        waiting = waiting | board.states[state]
    unopened, opened = _packages(name, now)
    released = board.states[State.RELEASED] & (_cases(unopened) | _cases(opened))
    asked = waiting | released
    if not asked:
        return Findings(name, Selection(), Selection(), (), {})
    passing = lawful.today(connection, place.site, docket, asked, now.date(), pack=pack)
    stopped = asked - passing.cases
    return Findings(
        name,
        stopped & waiting,
        stopped & released & _cases(unopened),
        tuple(one.id for one in opened if one.cases & stopped & released),
        passing.stopped_by,
    )


def proposals(found: Findings, reason: str) -> list[Proposal]:
    """The decisions that take back what was found: cases held, then cases recalled."""
    both = ((Action.HOLD, found.hold), (Action.RECALL, found.recall))
    return [Proposal(found.docket, action, cases, reason) for action, cases in both if cases]


def settle(
    connection: duckdb.DuckDBPyConnection, place: Office, name: str, by: By, now: dt.datetime
) -> tuple[int, list[recall.Recalled]]:
    """Hold and recall what `find` finds, until nothing is left; gives how many cases were held and what was recalled.

    Raises Blocked as any decision does (who took part in the submission may not take back either).
    """
    held, recalled, at = 0, [], by.at or now
    for last in reversed(range(_TRIES)):
        found = find(connection, place, name, now)
        if not found:
            break
        try:
            if found.hold:
                proposal = Proposal(name, Action.HOLD, found.hold, by.reason)
                approve.decide(place, by.officer, proposal, signer=by.signer, now=at)
                held += len(found.hold)
            if found.recall:
                recalled.append(
                    recall.recall(
                        connection, place, name, found.recall, cause=Cause("order", by.about, by.reason),
                        officer=by.officer, signer=by.signer, now=at,
                    )
                )  # fmt: skip
        except Blocked as moved:
            if moved.code not in {"state", "state_changed"} or not last:  # a case moved on meanwhile: look again
                raise
    return held, recalled


def _packages(docket: str, now: dt.datetime) -> tuple[list[ReleaseRecord], list[ReleaseRecord]]:
    """The releases of a docket that can still be opened: without a receipt, and with one."""
    shelf = Shelf()
    unopened: list[ReleaseRecord] = []
    opened: list[ReleaseRecord] = []
    for one in shelf.releases(docket):
        if one.recalled_at is None and now.date() <= one.expires_on:
            receipts = any(back.kind is Kind.RECEIPT for back in shelf.returned(one.id))
            (opened if receipts else unopened).append(one)
    return unopened, opened


def _cases(releases: list[ReleaseRecord]) -> Selection:
    union = Selection()
    for one in releases:
        union = union | one.cases
    return union
