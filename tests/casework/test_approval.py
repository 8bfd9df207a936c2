from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from people import ABOUT, NOW, REASON, Memory, Office, act, docket, office

from gatehouse.casework import approval, statement
from gatehouse.casework.about import Recipient
from gatehouse.casework.board import Blocked
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action, State
from gatehouse.kernel.errors import WrongInput

TWO = Selection.of([10, 11])
MANY = Selection.of(range(10, 30))


@pytest.fixture
def book() -> Memory:
    memory = Memory()
    memory.open(*docket())
    return memory


@pytest.fixture
def staff() -> Office:
    return office()


def blocked(book: Memory, code: str) -> None:
    """The refused act is on record with its code, and nothing moved."""
    assert [attempt.code for attempt in book.refused] == [code]
    assert book.kept["D-1"] == []
    assert book.boards["D-1"] == docket()[1]


def test_two_people_make_a_case_releasable(book: Memory, staff: Office) -> None:
    assert act(book, staff, "ann", Action.APPROVE, TWO).counts()[State.APPROVED_ONCE] == 2
    assert act(book, staff, "bob", Action.APPROVE, TWO).counts()[State.APPROVED_TWICE] == 2
    assert [decision.statement.body["officer"] for decision in book.kept["D-1"]] == ["ann", "bob"]


def test_the_same_person_twice_is_one_pair_of_eyes(book: Memory, staff: Office) -> None:
    act(book, staff, "ann", Action.APPROVE, TWO)
    with pytest.raises(Blocked) as refusal:
        act(book, staff, "ann", Action.APPROVE, TWO)
    assert refusal.value.code == "same_person"
    assert book.boards["D-1"].counts()[State.APPROVED_TWICE] == 0


def test_nobody_approves_beside_their_own_delegate(book: Memory) -> None:
    staff = office(eve={"delegated_by": "ann", "delegation": "DO 11-2", "until": "2026-06-30"})
    act(book, staff, "eve", Action.APPROVE, TWO)
    with pytest.raises(Blocked) as refusal:
        act(book, staff, "ann", Action.APPROVE, TWO)
    assert refusal.value.code == "same_person"
    act(book, staff, "bob", Action.APPROVE, TWO)


@pytest.mark.parametrize(
    ("who", "changes", "said"),
    [
        ("cleo", {}, "role"),
        ("ann", {"until": "2026-03-02"}, "ended"),
        ("ann", {"from": "2026-03-03"}, "only from"),
        ("ann", {"revoked_on": "2026-03-02"}, "lost"),
        ("ann", {"delegated_by": "bob", "delegation": "DO 11-2", "until": "2026-03-01"}, "delegation that ended"),
        ("ann", {"delegated_by": "cleo", "delegation": "DO 11-2", "until": "2026-12-31"}, "without authority"),
        ("ann", {"delegated_by": "nobody", "delegation": "DO 11-2", "until": "2026-12-31"}, "no authority"),
    ],
)
def test_without_authority_that_day(book: Memory, who: str, changes: dict[str, object], said: str) -> None:
    staff = office(**{who: changes})
    with pytest.raises(Blocked, match=said):
        act(book, staff, who, Action.APPROVE, TWO)
    blocked(book, "authority")


def test_authority_holds_on_the_last_day(book: Memory) -> None:
    act(book, office(ann={"until": "2026-03-03", "from": "2026-03-02"}), "ann", Action.APPROVE, TWO)


@pytest.mark.parametrize("submitter", ["ann", "ann example", "ann.example"])
def test_whoever_handed_it_in_does_not_decide(staff: Office, submitter: str) -> None:
    book = Memory()
    book.open(*docket(submitters=frozenset({submitter})))
    with pytest.raises(Blocked):
        act(book, staff, "ann", Action.REFUSE, TWO)
    blocked(book, "submitter")


def test_whoever_holds_a_key_of_the_agency_does_not_decide(book: Memory, staff: Office) -> None:
    proposal = approval.Proposal("D-1", Action.APPROVE, TWO, REASON)
    signed = approval.propose(book, staff.roster, proposal, ABOUT, officer="ann", signer=staff.keys["ann"], now=NOW)
    agency = replace(staff.keys["ann"].verifier, name="us.dhs.ice")
    with pytest.raises(Blocked):
        approval.decide(book, staff.roster, signed, TWO, ABOUT, now=NOW, sending=[agency])
    blocked(book, "submitter")


def test_a_stated_conflict(book: Memory) -> None:
    with pytest.raises(Blocked):
        act(book, office(ann={"conflicts": ["us.dhs.ice"]}), "ann", Action.APPROVE, TWO)
    blocked(book, "conflict")


@pytest.mark.parametrize(
    "reason",
    ["", "   ", "ok", "yesyesyesyesyes", "ok ok ok ok ok ok", "\u3164" * 7 + " " + "\u3164" * 9,
     "\u034f\u0301" * 9 + " \u0301",
     "The letter\u2800withdraws it.", "\u2014 \u2026 \u2014\u2014\u2014\u2014\u2014\u2014\u2014\u2014"],
)  # fmt: skip
def test_a_reason_is_required(book: Memory, staff: Office, reason: str) -> None:
    with pytest.raises(Blocked):
        act(book, staff, "ann", Action.REFUSE, TWO, reason=reason)
    blocked(book, "reason")


def test_the_question_is_stored_beside_the_answer(book: Memory, staff: Office) -> None:
    act(book, staff, "ann", Action.REFUSE, TWO)
    kept = book.kept["D-1"][0].statement.body
    assert kept["prompt"] == "Docket D-1, 2 cases, decision 'refuse'. Why may these requests not be answered?"
    assert kept["reason"] == REASON


def test_many_cases_need_a_sample_first(book: Memory, staff: Office) -> None:
    with pytest.raises(Blocked):
        act(book, staff, "ann", Action.APPROVE, MANY)
    blocked(book, "sample")


def test_refusing_many_needs_no_sample(book: Memory, staff: Office) -> None:
    assert act(book, staff, "ann", Action.REFUSE, MANY).counts()[State.REFUSED] == 30


def drawn(book: Memory, officer: str, selection: Selection, found: int | None) -> object:
    sample = approval.sample(book, officer, approval.Proposal("D-1", Action.APPROVE, selection, ""), now=NOW)
    return approval.examine(book, sample.id, found) if found is not None else sample


def test_a_clean_sample_lets_many_pass(book: Memory, staff: Office) -> None:
    sample = drawn(book, "ann", MANY, 0)
    act(book, staff, "ann", Action.APPROVE, MANY, sample=sample)
    cited = book.kept["D-1"][0].statement.body["sample"]
    assert (cited["population"], cited["size"], cited["found"], cited["confidence_percent"]) == (20, 16, 0, 95)
    assert cited["wrong_at_most"] <= 1


@pytest.mark.parametrize(
    ("officer", "selection", "found"),
    [("bob", MANY, 0), ("ann", MANY - Selection.of([29]), 0), ("ann", MANY, 1)],
    ids=["drawn by someone else", "drawn from other cases", "a wrong case was found"],
)
def test_another_sample_does_not_do(
    book: Memory, staff: Office, officer: str, selection: Selection, found: int
) -> None:
    sample = drawn(book, officer, selection, found)
    with pytest.raises(Blocked):
        act(book, staff, "ann", Action.APPROVE, MANY, sample=sample)
    blocked(book, "sample")


def test_a_sample_must_be_examined(book: Memory, staff: Office) -> None:
    with pytest.raises(Blocked):
        act(book, staff, "ann", Action.APPROVE, MANY, sample=drawn(book, "ann", MANY, None))
    blocked(book, "sample")


def test_a_sample_cannot_be_misquoted(book: Memory, staff: Office) -> None:
    sample = drawn(book, "ann", MANY, 1)
    with pytest.raises(Blocked):
        act(book, staff, "ann", Action.APPROVE, MANY, sample=replace(sample, found=0))
    blocked(book, "sample")


def test_held_cases_are_cleared_only_where_one_record_agrees(book: Memory, staff: Office) -> None:
    assert act(book, staff, "ann", Action.CLEAR, Selection.of([0])).state_of(0) is State.CLEARED
    with pytest.raises(Blocked) as refusal:
        act(book, staff, "ann", Action.CLEAR, Selection.of([1, 7]))
    assert refusal.value.code == "not_clearable"


@pytest.mark.parametrize("minutes", [-11, 11])
def test_a_clock_that_is_wrong(book: Memory, staff: Office, minutes: int) -> None:
    proposal = approval.Proposal("D-1", Action.APPROVE, TWO, REASON)
    signed = approval.propose(
        book,
        staff.roster,
        proposal,
        ABOUT,
        officer="ann",
        signer=staff.keys["ann"],
        now=NOW + dt.timedelta(minutes=minutes),
    )
    with pytest.raises(Blocked):
        approval.decide(book, staff.roster, signed, TWO, ABOUT, now=NOW)
    blocked(book, "clock")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reason": "Some other reason, not the one signed."}, "signature"),
        ({"action": "clear"}, "signature"),
        ({"decided_at": "2026-03-02T12:00:01Z"}, "signature"),
        ({"officer": "bob"}, "signature"),
    ],
)
def test_what_was_signed_cannot_be_changed(book: Memory, staff: Office, change: dict[str, str], code: str) -> None:
    proposal = approval.Proposal("D-1", Action.APPROVE, TWO, REASON)
    signed = approval.propose(book, staff.roster, proposal, ABOUT, officer="ann", signer=staff.keys["ann"], now=NOW)
    forged = statement.Statement({**signed.body, **change}, signed.signature)
    with pytest.raises(Blocked):
        approval.decide(book, staff.roster, forged, TWO, ABOUT, now=NOW)
    blocked(book, code)


def test_another_selection_than_the_one_signed(book: Memory, staff: Office) -> None:
    proposal = approval.Proposal("D-1", Action.APPROVE, TWO, REASON)
    signed = approval.propose(book, staff.roster, proposal, ABOUT, officer="ann", signer=staff.keys["ann"], now=NOW)
    with pytest.raises(Blocked):
        approval.decide(book, staff.roster, signed, Selection.of([10, 12]), ABOUT, now=NOW)
    blocked(book, "selection")


def test_a_statement_about_other_determinations(book: Memory, staff: Office) -> None:
    proposal = approval.Proposal("D-1", Action.APPROVE, TWO, REASON)
    signed = approval.propose(book, staff.roster, proposal, ABOUT, officer="ann", signer=staff.keys["ann"], now=NOW)
    book.files["D-1"] = replace(book.files["D-1"], determinations="e" * 64)
    with pytest.raises(Blocked):
        approval.decide(book, staff.roster, signed, TWO, ABOUT, now=NOW)
    blocked(book, "determinations")


@pytest.mark.parametrize(
    "change",
    [
        {"index": 10}, {"entry": "f" * 64}, {"batch": "f" * 32}, {"candidates": "f" * 64}, {"items": ()},
        {"recipients": (Recipient("ICE-0042", "age1other"),)}, {"pack": "f" * 64}, {"as_of": "2026-03-03"},
    ],
    ids=str,
)  # fmt: skip
def test_a_statement_about_another_docket_person_or_recipient(
    book: Memory, staff: Office, change: dict[str, object]
) -> None:
    """What would go to whom was signed; whoever exchanges it afterwards has no decision."""
    proposal = approval.Proposal("D-1", Action.APPROVE, TWO, REASON)
    signed = approval.propose(book, staff.roster, proposal, ABOUT, officer="ann", signer=staff.keys["ann"], now=NOW)
    with pytest.raises(Blocked):
        approval.decide(book, staff.roster, signed, TWO, replace(ABOUT, **change), now=NOW)
    blocked(book, "subject")


def test_cases_that_were_decided_on_since_they_were_seen(book: Memory, staff: Office) -> None:
    proposal = approval.Proposal("D-1", Action.APPROVE, TWO, REASON)
    signed = approval.propose(book, staff.roster, proposal, ABOUT, officer="ann", signer=staff.keys["ann"], now=NOW)
    act(book, staff, "bob", Action.APPROVE, Selection.of([10]))
    with pytest.raises(Blocked):
        approval.decide(book, staff.roster, signed, TWO, ABOUT, now=NOW)
    assert [one.code for one in book.attempts("D-1")] == ["state_changed"]
    assert [one.statement.text("officer") for one in book.kept["D-1"]] == ["bob"]
    assert act(book, staff, "ann", Action.APPROVE, TWO).state_of(10) is State.APPROVED_TWICE


def test_someone_who_is_not_on_the_roster(book: Memory, staff: Office) -> None:
    staff.keys["mallory"] = staff.keys["ann"]
    with pytest.raises(Blocked):
        act(book, staff, "mallory", Action.APPROVE, TWO)
    blocked(book, "unknown_officer")


def test_no_officer_can_release_by_hand(book: Memory, staff: Office) -> None:
    proposal = approval.Proposal("D-1", Action.APPROVE, TWO, REASON)
    ann = staff.roster.officers["ann"]
    body = approval.body(book.files["D-1"], book.boards["D-1"], ann, proposal, ABOUT, now=NOW)
    signed = statement.sign({**body, "action": "release"}, staff.keys["ann"])
    with pytest.raises(WrongInput):
        approval.decide(book, staff.roster, signed, TWO, ABOUT, now=NOW)
