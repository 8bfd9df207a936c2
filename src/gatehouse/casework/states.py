"""The life of a case, written as data: which state, which action, by whom, to which state.

Nothing else in Gatehouse moves a case. Two rules stand beside the table because they look at people and not at states:
an approval counts only from someone who has not approved the case yet, and never from whoever handed the docket in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a case stands; the first four are what the machine determines."""

    HELD = "held"
    CLEARED = "cleared"
    REFUSED = "refused"
    INCOMPLETE = "incomplete"
    APPROVED_ONCE = "approved_once"
    APPROVED_TWICE = "approved_twice"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    RECALLED = "recalled"


class Action(StrEnum):
    """What moves a case."""

    CLEAR = "clear"
    HOLD = "hold"
    REFUSE = "refuse"
    RETURN = "return"
    APPROVE = "approve"
    REOPEN = "reopen"
    RELEASE = "release"
    WITHDRAW = "withdraw"
    RECALL = "recall"


class Actor(StrEnum):
    """Who may move it: an officer with authority on that day, or the sealer once the certificate holds."""

    OFFICER = "officer"
    SEALER = "sealer"


@dataclass(frozen=True)
class Transition:
    """One line of the table."""

    source: State
    action: Action
    actor: Actor
    target: State


def _line(source: State, action: Action, target: State, actor: Actor = Actor.OFFICER) -> Transition:
    return Transition(source, action, actor, target)


OPEN = (State.HELD, State.CLEARED, State.APPROVED_ONCE, State.APPROVED_TWICE)
"""States in which a case still waits for somebody."""

TRANSITIONS: tuple[Transition, ...] = (
    # A person may let a held case pass to the approvals; clearing releases nothing.
    _line(State.HELD, Action.CLEAR, State.CLEARED),
    # Until it is released, any authorised officer may stop a case: stopping never needs a second person.
    *(_line(state, Action.REFUSE, State.REFUSED) for state in OPEN),
    *(_line(state, Action.RETURN, State.INCOMPLETE) for state in OPEN),
    *(_line(state, Action.WITHDRAW, State.WITHDRAWN) for state in OPEN),
    # What the law no longer lets pass waits again, without approvals, until a person has looked at it.
    *(_line(state, Action.HOLD, State.HELD) for state in OPEN if state is not State.HELD),
    # Two approvals by two people.
    _line(State.CLEARED, Action.APPROVE, State.APPROVED_ONCE),
    _line(State.APPROVED_ONCE, Action.APPROVE, State.APPROVED_TWICE),
    # Approvals that no longer stand (authority withdrawn, law changed) are dropped, and both are needed again.
    _line(State.APPROVED_ONCE, Action.REOPEN, State.CLEARED),
    _line(State.APPROVED_TWICE, Action.REOPEN, State.CLEARED),
    _line(State.APPROVED_TWICE, Action.RELEASE, State.RELEASED, Actor.SEALER),
    _line(State.RELEASED, Action.RECALL, State.RECALLED),
)

_TARGETS = {(line.source, line.action, line.actor): line.target for line in TRANSITIONS}

INITIAL = (State.HELD, State.CLEARED, State.REFUSED, State.INCOMPLETE)
"""What a determination can say."""

TERMINAL = tuple(state for state in State if not any(line.source is state for line in TRANSITIONS))
"""States that nothing leaves."""


def target(source: State, action: Action, actor: Actor) -> State | None:
    """Where a case goes; None when this actor may not do this from here."""
    return _TARGETS.get((source, action, actor))


def sources(action: Action, actor: Actor) -> tuple[State, ...]:
    """The states from which this actor may do this."""
    return tuple(state for state in State if (state, action, actor) in _TARGETS)
