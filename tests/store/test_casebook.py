"""The database fulfils what casework asks: whole or not at all, one writer at a time, the same on both engines."""

from __future__ import annotations

import os
from dataclasses import replace

import people
import pytest
from django.db import IntegrityError, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people import NOW, REASON

from gatehouse.casework import approval
from gatehouse.casework.board import Blocked, Board
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action, Actor, State
from gatehouse.kernel.errors import WrongInput
from gatehouse.store import models_of
from gatehouse.store.casebook import Casebook

TWO = Selection.of([10, 11])


@pytest.fixture
def book(database: str) -> Casebook:
    casebook = Casebook()
    casebook.open(*people.docket())
    return casebook


def test_a_docket_is_kept_as_it_was_opened(book: Casebook) -> None:
    file, board = people.docket()
    assert book.file("D-1") == file
    assert book.board("D-1") == board
    assert book.known() == ("D-1",)


def test_opening_again_changes_nothing_and_another_docket_is_refused(book: Casebook) -> None:
    file, board = people.docket()
    people.act(book, people.office(), "ann", Action.APPROVE, TWO)
    book.open(file, board)
    assert book.board("D-1").counts()[State.APPROVED_ONCE] == 2
    with pytest.raises(WrongInput):
        book.open(replace(file, determinations="e" * 64), board)


def test_a_decision_is_kept_with_its_board(book: Casebook) -> None:
    staff = people.office()
    people.act(book, staff, "ann", Action.APPROVE, TWO)
    board = people.act(book, staff, "bob", Action.APPROVE, TWO)
    assert book.board("D-1") == board
    kept = book.decisions("D-1")
    assert [(one.number, one.statement.body["officer"], one.selection) for one in kept] == [
        (0, "ann", TWO), (1, "bob", TWO)
    ]  # fmt: skip
    assert [one.number for one in book.uncommitted("D-1")] == [0, 1]
    book.committed("D-1", 0, 17)
    assert [one.ledger_index for one in book.decisions("D-1")] == [17, None]


def test_a_blocked_attempt_is_recorded_and_nothing_else(book: Casebook) -> None:
    with pytest.raises(Blocked):
        people.act(book, people.office(), "cleo", Action.APPROVE, TWO)
    assert [(one.officer, one.action, one.code) for one in book.attempts("D-1")] == [("cleo", "approve", "authority")]
    assert book.decisions("D-1") == ()
    assert book.board("D-1") == people.docket()[1]


def test_a_crash_while_deciding_leaves_the_old_state(book: Casebook, monkeypatch: pytest.MonkeyPatch) -> None:
    from gatehouse.store.casebook import Desk

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Desk, "keep", dies)
    with pytest.raises(KeyboardInterrupt):
        people.act(book, people.office(), "ann", Action.APPROVE, TWO)
    assert book.decisions("D-1") == ()
    assert book.board("D-1") == people.docket()[1]


def test_a_sample_is_examined_once(book: Casebook) -> None:
    many = Selection.of(range(10, 30))
    drawn = approval.sample(book, "ann", approval.Proposal("D-1", Action.APPROVE, many, ""), now=NOW)
    assert book.sample(drawn.id) == drawn
    assert approval.examine(book, drawn.id, 2).found == 2
    with pytest.raises(Blocked):
        approval.examine(book, drawn.id, 0)
    assert book.sample(drawn.id) == replace(drawn, found=2)


def test_numbers_cannot_be_given_twice(book: Casebook) -> None:
    models = models_of()
    people.act(book, people.office(), "ann", Action.APPROVE, TWO)
    row = models.Decision.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_two_officers_at_the_same_instant(book: Casebook) -> None:
    """Both approve the same cases from two processes: both count, in some order, and each only once."""
    staff = people.office()
    connections.close_all()
    children = []
    for officer in ("ann", "bob", "ann", "bob"):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                people.act(Casebook(), staff, officer, Action.APPROVE, TWO)
                status = 0
            except Blocked:
                status = 7
            finally:
                os._exit(status)
        children.append(child)
    ended = [os.WEXITSTATUS(os.waitpid(child, 0)[1]) for child in children]
    assert sorted(ended) == [0, 0, 7, 7]
    assert sorted(str(one.statement.body["officer"]) for one in book.decisions("D-1")) == ["ann", "bob"]
    assert [one.number for one in book.decisions("D-1")] == [0, 1]
    assert book.board("D-1").counts()[State.APPROVED_TWICE] == 2
    assert len(book.attempts("D-1")) == 2


@given(st.lists(st.tuples(st.sampled_from(list(Action)), st.sampled_from(["ann", "bob", "eve"]),
                          st.sets(st.integers(0, 39), min_size=1, max_size=5)), max_size=6))  # fmt: skip
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_kept_board_is_the_fold_of_the_decisions(database: str, acts: list[tuple[Action, str, set[int]]]) -> None:
    from django.core.management import call_command

    call_command("flush", interactive=False, verbosity=0)
    book, staff = Casebook(), people.office()
    file, board = people.docket()
    book.open(file, board)
    for action, officer, cases in acts:
        if action is Action.RELEASE:
            continue
        try:
            people.act(book, staff, officer, action, Selection.of(cases))
        except Blocked:
            continue
    folded: Board = board
    for one in book.decisions("D-1"):
        who = staff.roster.people(str(one.statement.body["officer"]))
        folded = folded.move(Action(str(one.statement.body["action"])), one.selection, actor=Actor.OFFICER, people=who)
    kept = book.board("D-1")
    assert kept.states == folded.states
    assert {who: cases for who, cases in kept.approved_by.items() if cases} == {
        who: cases for who, cases in folded.approved_by.items() if cases
    }
    assert REASON
