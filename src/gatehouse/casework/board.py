"""Where every case of one docket stands: a partition of its cases by state, moved only by the table of transitions.

A move is all or nothing: if one case of the selection may not move, none does, and the reason names how many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatehouse.casework.selection import Selection
from gatehouse.casework.states import INITIAL, Action, Actor, State, sources, target
from gatehouse.kernel import canonical, digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput


class Blocked(AnswerIsNo):
    """An act that the rules refuse; `code` is stable and goes on record with the attempt."""

    def __init__(self, code: str, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.code = code


@dataclass(frozen=True)
class Board:
    """`size` cases, each in exactly one state; `approved_by` says whose approval each case has."""

    size: int
    states: Mapping[State, Selection]
    approved_by: Mapping[str, Selection] = field(default_factory=dict)

    @classmethod
    def start(cls, size: int, determined: Mapping[State, Selection]) -> Board:
        """A new board from what the machine determined; raises WrongInput unless every case has one outcome."""
        union, total = Selection(), 0
        for state, members in determined.items():
            if state not in INITIAL:
                raise WrongInput(f"{state} is not an outcome of a determination")
            union, total = union | members, total + len(members)
        if total != size or union.bits != (1 << size) - 1:
            raise WrongInput(
                "the determinations do not give each case exactly one outcome",
                where="determinations.parquet",
                remedy="Determine the docket again",
            )
        return cls(size, {state: determined.get(state, Selection()) for state in State})

    def state_of(self, seq: int) -> State | None:
        """Where one case stands; None when the docket has no such case."""
        return next((state for state, members in self.states.items() if seq in members), None)

    def counts(self) -> dict[State, int]:
        """How many cases stand in each state."""
        return {state: len(self.states[state]) for state in State}

    def digest(self, selection: Selection) -> str:
        """SHA-256 over how these cases stand and who approved them: what an officer saw when deciding."""
        states = {str(state): (members & selection) for state, members in self.states.items()}
        approved = {person: (members & selection) for person, members in self.approved_by.items()}
        shown = [{name: members.digest() for name, members in sets.items() if members} for sets in (states, approved)]
        return digests.of_bytes(canonical.encode(shown))

    def approvable_by(self, people: frozenset[str]) -> Selection:
        """Cases that these people could approve now: cleared or approved once, and not yet by any of them."""
        waiting = self.states[State.CLEARED] | self.states[State.APPROVED_ONCE]
        for person in people:
            waiting = waiting - self.approved_by.get(person, Selection())
        return waiting

    def move(self, action: Action, selection: Selection, *, actor: Actor, people: frozenset[str]) -> Board:
        """Move every case of a selection, or none. `people` are the persons this act stands for.

        Raises Blocked: `empty` (nothing selected), `state` (a case is not where this action starts from),
        `same_person` (an approval that stands for someone who approved the case already).
        """
        if not selection:
            raise Blocked("empty", "no cases are selected", remedy="Name the cases to decide")
        allowed = sources(action, actor)
        reachable = Selection()
        for state in allowed:
            reachable = reachable | self.states[state]
        if not selection <= reachable:
            names = ", ".join(allowed) or "no state"
            raise Blocked(
                "state",
                f"{len(selection - reachable)} of {len(selection)} cases cannot be decided this way: "
                f"'{action}' by the {actor} starts from {names}",
                remedy="Another decision may have come first. Look at the docket again",
            )
        approved_by = dict(self.approved_by)
        if action is Action.APPROVE:
            self._two_people(selection, people)
            approved_by |= {person: approved_by.get(person, Selection()) | selection for person in people}
        elif action in {Action.REOPEN, Action.HOLD}:
            approved_by = {person: members - selection for person, members in approved_by.items()}
        return Board(self.size, self._moved(action, actor, selection), approved_by)

    def _two_people(self, selection: Selection, people: frozenset[str]) -> None:
        for person in people:
            again = selection & self.approved_by.get(person, Selection())
            if again:
                raise Blocked(
                    "same_person",
                    f"{len(again)} of {len(selection)} cases already have an approval by or for the same officer",
                    remedy="A different officer must give the second approval",
                )

    def _moved(self, action: Action, actor: Actor, selection: Selection) -> dict[State, Selection]:
        after = dict(self.states)
        for state in sources(action, actor):
            moving = self.states[state] & selection
            goal = target(state, action, actor)
            assert goal is not None  # noqa: S101 - `sources` lists only what has a target
            after[state] = after[state] - moving
            after[goal] = after[goal] | moving
        return after
