"""From a form to a signed decision: what the officer is about to sign, who signs it, and handing it in.

The rules of deciding are casework's; this only carries a proposal there and a refusal back. An officer signs with a key
of their own, in the browser or on another machine; no officer's key is on the custodian's server.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gatehouse.casework import approval, states
from gatehouse.casework.approval import Proposal
from gatehouse.casework.board import Board
from gatehouse.casework.sampling import Sample
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, Actor, State
from gatehouse.console import desk, steps
from gatehouse.console.models import Account, Step
from gatehouse.console.reading import Reader
from gatehouse.kernel import canonical, clock
from gatehouse.kernel.errors import GatehouseError, MachineFailed, WrongInput
from gatehouse.pipeline import approve, closing, errands, people
from gatehouse.pipeline.approve import docket_of
from gatehouse.store.casebook import Casebook
from gatehouse.store.models import CaseFile, Members

QUEUES = (State.HELD, State.CLEARED, State.APPROVED_ONCE, State.APPROVED_TWICE)
"""The states in which cases wait for somebody, in the order of the journey."""

VERBS = {
    Action.CLEAR: ("Let it pass to the approvals", "Clearing releases nothing. Two officers must still approve."),
    Action.APPROVE: ("Approve the release", "Two different officers must approve before anything is released."),
    Action.RETURN: ("Return it as incomplete", "The requester may mend it and ask again."),
    Action.REFUSE: ("Refuse it", "The requester learns no more than that nothing is disclosed."),
    Action.REOPEN: ("Take back the approvals", "Both approvals are needed again."),
    Action.HOLD: ("Hold it again", "A person must clear it, and both approvals are needed again."),
    Action.WITHDRAW: ("Mark it withdrawn", "The agency itself withdrew the request."),
}


@dataclass(frozen=True)
class Choice:
    """One action that an officer can choose now."""

    action: Action
    title: str
    meaning: str
    question: str


@dataclass(frozen=True)
class Act:
    """One thing that was done to a case, for its history."""

    action: str
    officer: str
    reason: str
    at: str
    cases: int
    ledger_index: int | None


@dataclass(frozen=True, eq=False)
class Standing(Board):
    """A board as it stood after a number of decisions; compared by identity, so that what is made of it is kept."""

    __hash__ = object.__hash__
    __eq__ = object.__eq__


def board(docket: str) -> Standing | None:
    """Where the cases of a docket stand; None while casework has not opened it."""
    made = CaseFile.objects.filter(docket=docket).values_list("decisions_made", flat=True).first()
    if made is None:
        return None
    # Decisions are numbered, but a release moves cases without one.
    left = Members.objects.filter(file__docket=docket, kind="state", name=State.RELEASED).values_list(
        "cases", flat=True
    )
    return _standing(str(desk.site().root), docket, made, hash(bytes(left.first() or b"")))


@lru_cache(maxsize=8)
def _standing(_site: str, docket: str, _decisions_made: int, _released: int) -> Standing:
    found = Casebook().board(docket)
    return Standing(found.size, found.states, found.approved_by)


@lru_cache(maxsize=32)
def members(found: Standing | None, state: State) -> str | None:
    """The cases in one state, as the queue asks for them; None where casework has not opened the docket."""
    return None if found is None else found.states[state].bitstring(found.size)


def choices(state: State) -> list[Choice]:
    """What an officer can do with a case in this state, the way forward first."""
    possible = [action for action in VERBS if state in states.sources(action, Actor.OFFICER)]
    return [Choice(action, *VERBS[action], question(action)) for action in possible]


def question(action: Action) -> str:
    """The question that the reason answers."""
    return approval.prompt(action, "", Selection.of([0])).rpartition("'. ")[2]


def acts(docket: str, seq: int) -> list[Act]:
    """The decisions that touched one case, in the order they were made."""
    return [
        Act(
            states_word(decision.statement.text("action")),
            decision.statement.text("officer"),
            decision.statement.text("reason"),
            decision.statement.text("decided_at"),
            len(decision.selection),
            decision.ledger_index,
        )
        for decision in Casebook().decisions(docket)
        if seq in decision.selection
    ]


def states_word(action: str) -> str:
    """The past tense of an action."""
    return {
        "clear": "Passed to the approvals",
        "hold": "Held again",
        "refuse": "Refused",
        "return": "Returned as incomplete",
        "approve": "Approved",
        "reopen": "Approvals taken back",
        "withdraw": "Withdrawn",
        "recall": "Recalled",
        "release": "Released",
    }.get(action, action)


def selected(reader: Reader, found: Standing, state: State, rule: str | None) -> Selection:
    """All cases of a queue that one rule stopped, or all of the queue."""
    bits = reader.selection(members=members(found, state) or "", rule=rule, size=found.size)
    return Selection.of_bitstring(bits)


def statement_body(officer: str, proposal: Proposal) -> dict[str, Any]:
    """What the officer is about to sign. Raises WrongInput when the officer is not on the roster."""
    person = people.roster(desk.site()).get(officer)
    if person is None:
        raise WrongInput(
            "your account is not linked to an officer on the custodian's roster",
            where="gatehouse.toml",
            remedy="Ask the administrator to link it. Only officers on the roster may decide",
        )
    return approve.draft(desk.office(), person, proposal, clock.now())


def read_body(text: str, officer: str, docket: str) -> dict[str, Any]:
    """The statement that came back with the form: this officer's, about this docket. Raises WrongInput."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise WrongInput("the decision cannot be read", remedy="Go back and decide again") from None
    if not isinstance(found, dict) or found.get("officer") != officer or found.get("docket") != docket:
        raise WrongInput("the decision belongs to another officer or another docket", remedy="Go back and decide again")
    return found


def exact(body: dict[str, Any]) -> str:
    """The exact text that is signed."""
    return canonical.encode(body).decode()


def begin(person: Account, name: str, action: Action, told: dict[str, str], selection: Selection) -> Step:
    """Keep a decision on its way, and draw the sample that it needs, if any. Raises Blocked for who may not decide.

    `told` has what was typed: `reason`, and `seq` of the one case, or `state` and `rule` of the queue.
    """
    proposal = Proposal(name, action, selection, told["reason"])
    statement_body(person.officer, proposal)  # who may not decide at all learns it now
    drawn = None
    if approval.needs_sample(action, selection):
        about = Proposal(name, action, selection, "")
        drawn = approval.sample(Casebook(), person.officer, about, now=clock.now())
    step = steps.begin(person, Step.Kind.DECISION, name, {**told, "action": str(action)}, selection)
    if drawn is not None:
        step.sample = drawn.id
        step.save()
    return step


def sample(person: Account, name: str, identifier: str) -> Sample | None:
    """A sample that was drawn for a decision of this account about a docket."""
    drawn = Casebook().sample(identifier)
    return drawn if drawn is not None and (drawn.docket, drawn.officer) == (name, person.officer) else None


def examine(drawn: Sample) -> None:
    """Record what was found in a sample, once each of its cases was marked. Raises WrongInput before, or Blocked."""
    marks = steps.marks(drawn.id)
    if drawn.found is not None:
        return
    if set(marks) != set(drawn.drawn):
        raise WrongInput(
            f"{len(drawn.drawn) - len(marks)} cases of the sample have no mark yet",
            remedy="Open each of them and mark whether it is right",
        )
    approval.examine(Casebook(), drawn.id, sum(marks.values()))


def text(step: Step) -> str:
    """The exact text of a decision on its way, the same for some minutes. Raises as `statement_body`."""
    drawn = Casebook().sample(step.sample) if step.sample else None
    examined = drawn if drawn is not None and drawn.found is not None else None
    proposal = Proposal(step.docket, Action(step.told["action"]), steps.selection(step), step.told["reason"], examined)
    return steps.exact(step, lambda: exact(statement_body(step.account.officer, proposal)))


def sign(step: Step, statement: Statement) -> None:
    """Hand in a decision on its way with its signature; refused, its text is made anew. Raises Blocked."""
    try:
        hand_in(step.docket, statement, steps.selection(step))
    except GatehouseError:
        steps.look_again(step)
        raise
    steps.finish(step)


def hand_in(docket: str, statement: Statement, selection: Selection) -> None:
    """Hand a signed decision in: checked, kept and committed to the ledger. Raises Blocked with the reason.

    A decision stands once it is kept; where another process holds the ledger, the next decision commits it too.
    """
    place = desk.office()
    approve.take(place, statement, selection, clock.now())
    with contextlib.suppress(MachineFailed):
        approve.commit_decisions(place, docket, clock.now())
        if closing.due(place, docket_of(place.site, docket)) is not None:
            errands.tell(place, docket, clock.now())
