"""The whole life of a case, model-checked: every state, every act, every actor, until nothing new is reached."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import pytest

from gatehouse.casework.board import Blocked, Board
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import INITIAL, TERMINAL, TRANSITIONS, Action, Actor, State, sources, target
from gatehouse.kernel.errors import WrongInput

ONE = Selection.of([0])
PEOPLE = {"ann": frozenset({"ann"}), "bob": frozenset({"bob"}), "deputy of ann": frozenset({"deputy of ann", "ann"})}


@dataclass(frozen=True)
class World:
    """One case: where it stands, whose approval it has, and what ever happened to it."""

    state: State
    approved_by: frozenset[str]
    released: bool


def board_of(world: World) -> Board:
    states = {state: ONE if state is world.state else Selection() for state in State}
    return Board(1, states, dict.fromkeys(world.approved_by, ONE))


def step(world: World, action: Action, actor: Actor, who: str) -> World | None:
    try:
        board = board_of(world).move(action, ONE, actor=actor, people=PEOPLE[who])
    except Blocked:
        return None
    after = board.state_of(0)
    assert after is not None
    approved = frozenset(person for person, members in board.approved_by.items() if members)
    return World(after, approved, world.released or after is State.RELEASED)


def reachable() -> dict[World, list[tuple[Action, Actor, str, World]]]:
    graph: dict[World, list[tuple[Action, Actor, str, World]]] = {}
    waiting = deque(World(state, frozenset(), released=False) for state in INITIAL)
    while waiting:
        world = waiting.popleft()
        if world in graph:
            continue
        graph[world] = []
        for action in Action:
            for actor in Actor:
                for who in PEOPLE:
                    after = step(world, action, actor, who)
                    if after is not None:
                        graph[world].append((action, actor, who, after))
                        waiting.append(after)
    return graph


GRAPH = reachable()


def test_every_state_is_reached() -> None:
    assert {world.state for world in GRAPH} == set(State)


def test_every_line_of_the_table_is_used_and_nothing_else_moves() -> None:
    used = {
        (world.state, action, actor, after.state) for world, acts in GRAPH.items() for action, actor, _, after in acts
    }
    assert used == {(line.source, line.action, line.actor, line.target) for line in TRANSITIONS}


def test_released_implies_two_different_people() -> None:
    released = [world for world in GRAPH if world.state in {State.APPROVED_TWICE, State.RELEASED, State.RECALLED}]
    assert released
    for world in released:
        # ann and her deputy share a signature's worth of eyes: bob must be one of the two
        assert "bob" in world.approved_by
        assert "ann" in world.approved_by


def test_only_the_sealer_releases_and_only_what_two_approved() -> None:
    for world, acts in GRAPH.items():
        for action, actor, _, after in acts:
            if after.state is State.RELEASED:
                assert (action, actor, world.state) == (Action.RELEASE, Actor.SEALER, State.APPROVED_TWICE)


def test_what_ended_stays_ended() -> None:
    assert set(TERMINAL) == {State.REFUSED, State.INCOMPLETE, State.WITHDRAWN, State.RECALLED}
    assert all(not acts for world, acts in GRAPH.items() if world.state in TERMINAL)


def test_a_released_case_can_only_be_recalled() -> None:
    after = {(action, one.state) for world, acts in GRAPH.items() if world.state is State.RELEASED
             for action, _, _, one in acts}  # fmt: skip
    assert after == {(Action.RECALL, State.RECALLED)}


def test_reopening_forgets_approvals() -> None:
    for acts in GRAPH.values():
        assert all(not after.approved_by for action, _, _, after in acts if action in {Action.REOPEN, Action.HOLD})


def test_every_open_state_can_be_stopped_by_one_officer() -> None:
    for state in (State.HELD, State.CLEARED, State.APPROVED_ONCE, State.APPROVED_TWICE):
        assert target(state, Action.REFUSE, Actor.OFFICER) is State.REFUSED
        assert target(state, Action.REFUSE, Actor.SEALER) is None


def test_refused_and_incomplete_by_machine_cannot_be_approved() -> None:
    assert set(sources(Action.APPROVE, Actor.OFFICER)) == {State.CLEARED, State.APPROVED_ONCE}


def test_a_move_is_all_or_nothing() -> None:
    board = Board.start(3, {State.CLEARED: Selection.of([0, 1]), State.REFUSED: Selection.of([2])})
    with pytest.raises(Blocked) as refusal:
        board.move(Action.APPROVE, Selection.of([0, 2]), actor=Actor.OFFICER, people=frozenset({"ann"}))
    assert refusal.value.code == "state"
    assert board.counts()[State.CLEARED] == 2


def test_a_board_is_a_partition() -> None:
    with pytest.raises(WrongInput):
        Board.start(3, {State.CLEARED: Selection.of([0, 1])})
    with pytest.raises(WrongInput):
        Board.start(2, {State.CLEARED: Selection.of([0, 1]), State.HELD: Selection.of([1])})
    with pytest.raises(WrongInput):
        Board.start(1, {State.RELEASED: Selection.of([0])})
