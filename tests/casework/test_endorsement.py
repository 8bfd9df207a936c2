"""A roster grows only by the word of two officers who stood on it before, whatever the custodian writes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.casework import endorsement
from gatehouse.casework.endorsement import Version
from gatehouse.casework.roster import Officer, Roster
from gatehouse.kernel.errors import WrongInput
from gatehouse.kernel.ids import folded
from gatehouse.ledger.signers import new_key, parse_signer

SITE = "gateway.example/2026"
KEYS = {name: parse_signer(new_key(f"{name}.custodian")[0]) for name in ("ann", "bob", "eve", "mal", "moe")}
DAY = dt.date(2026, 1, 2)


def officer(name, **facts):
    return Officer(name, f"{name} custodian", "disclosure_officer", KEYS[name].verifier, DAY, **facts)


def roster(*people):
    return Roster({one.id: one for one in people})


def word(endorser, new, site=SITE):
    return endorsement.endorse(new, officer(endorser), KEYS[endorser], site=site)


ANN, BOB, EVE, MAL, MOE = map(officer, ("ann", "bob", "eve", "mal", "moe"))
FOUNDED = Version(roster(ANN, BOB))


def after(stated, *words):
    return endorsement.admitted([FOUNDED, Version(stated, tuple(words))], site=SITE)


def test_the_first_two_are_named_by_the_custodian():
    assert set(endorsement.admitted([Version(roster(ANN)), FOUNDED], site=SITE).officers) == {"ann", "bob"}


def test_a_third_counts_once_two_have_endorsed_the_entry():
    both = roster(ANN, BOB, EVE)
    assert after(both).unendorsed == {"eve"}
    assert after(both, word("ann", EVE)).unendorsed == {"eve"}
    assert after(both, word("ann", EVE), word("ann", EVE)).unendorsed == {"eve"}
    assert set(after(both, word("ann", EVE), word("bob", EVE)).officers) == {"ann", "bob", "eve"}


@pytest.mark.parametrize(
    "forged",
    [
        (word("ann", EVE, "other.example/2026"), word("bob", EVE)),
        (word("ann", replace(EVE, role="disclosure_manager")), word("bob", EVE)),
        (word("ann", replace(EVE, until=DAY)), word("bob", EVE)),
        (word("ann", MAL), word("bob", EVE)),
        (word("mal", EVE), word("moe", EVE)),
        (replace(word("bob", EVE), body=word("ann", EVE).body), word("bob", EVE)),
        (word("ann", EVE), replace(word("bob", EVE), signature=word("ann", EVE).signature)),
    ],
    ids=["another site", "another role", "another end", "another person", "invented endorsers", "moved", "two of one"],
)
def test_an_endorsement_of_something_else_counts_for_nothing(forged):
    assert after(roster(ANN, BOB, EVE), *forged).unendorsed == {"eve"}


def test_invented_approvers_do_not_count_though_the_founders_are_revoked_first():
    gone = roster(replace(ANN, revoked_on=DAY), replace(BOB, revoked_on=DAY))
    versions = [FOUNDED, Version(gone), Version(roster(MAL, MOE)), Version(roster(MAL, MOE, EVE))]
    assert endorsement.admitted(versions, site=SITE).officers == {}


def test_a_new_key_for_an_old_name_needs_endorsing():
    taken = replace(BOB, key=KEYS["mal"].verifier)
    assert after(roster(ANN, taken)).unendorsed == {"bob"}
    with_eve = Version(roster(ANN, BOB, EVE), (word("ann", EVE), word("bob", EVE)))
    words = (word("ann", taken), word("eve", taken))
    again = endorsement.admitted([FOUNDED, with_eve, Version(roster(ANN, taken, EVE), words)], site=SITE)
    assert again.officers["bob"].key == taken.key


LATER = st.none() | st.dates(DAY, DAY + dt.timedelta(days=400))
ENTRIES = st.builds(
    lambda until, revoked_on, conflicts: replace(BOB, until=until, revoked_on=revoked_on, conflicts=tuple(conflicts)),
    LATER,
    LATER,
    st.sets(st.sampled_from("abc")),
)


@given(ENTRIES, ENTRIES)
def test_authority_is_taken_away_by_the_custodian_alone_and_never_given(before, now):
    counted = endorsement.admitted([Version(roster(ANN, EVE, before)), Version(roster(ANN, EVE, now))], site=SITE)
    days = [DAY + dt.timedelta(days=number) for number in range(402)]
    first, last = roster(before), roster(now)
    gained = any(first.why_not("bob", day) is not None and last.why_not("bob", day) is None for day in days)
    gained = gained or not set(before.conflicts) <= set(now.conflicts)
    if gained:
        assert "bob" in counted.unendorsed
    if now == before:
        assert "bob" in counted.officers


def test_nobody_endorses_themselves_or_with_another_key():
    with pytest.raises(WrongInput, match="officers cannot endorse themselves"):
        word("ann", ANN)
    with pytest.raises(WrongInput, match="not the key of officer ann"):
        endorsement.endorse(EVE, ANN, KEYS["bob"], site=SITE)


def test_one_human_under_two_entries_has_one_voice():
    twin = replace(officer("eve"), name="CUSTODIAN, Ánn")
    both = roster(ANN, BOB, twin)
    assert both.people("ann") == both.people("eve") == {"ann", "eve"}
    assert both.people("bob") == {"bob"}


@pytest.mark.parametrize(
    "changed",
    [{"id": "Ann"}, {"id": "custodian-ann"}, {"name": "ANN"}, {"key": KEYS["ann"].verifier}],
    ids=["an id folded", "a name as an id", "a name folded", "a key"],
)
def test_two_entries_that_share_an_id_a_name_or_a_key_are_one_human(changed):
    twin = replace(officer("eve"), **changed)
    both = roster(ANN, BOB, twin)
    assert both.apart(["ann", twin.id]) == 1
    assert both.apart(["ann", "bob", twin.id]) == 2
    assert both.marks("ann") & both.marks(twin.id)


def test_one_human_endorses_once_under_however_many_ids():
    """Two entries of the first roster under one name were two voices, and let a third in by themselves."""
    twin = replace(officer("mal"), name="CUSTODIAN, Ánn")
    both = roster(ANN, BOB, twin)
    words = word("ann", EVE), endorsement.endorse(EVE, twin, KEYS["mal"], site=SITE)
    known = [Version(both), Version(roster(ANN, BOB, twin, EVE), words)]
    assert endorsement.admitted(known, site=SITE).unendorsed == {"eve"}
    known[-1] = Version(known[-1].stated, (*words, word("bob", EVE)))
    assert endorsement.admitted(known, site=SITE).unendorsed == set()


def test_nobody_endorses_an_entry_of_their_own_under_another_id():
    twin = replace(officer("eve"), name="Ann CUSTODIAN")
    with pytest.raises(WrongInput, match="officers cannot endorse themselves"):
        word("ann", twin)
    key_of_bob = replace(EVE, key=KEYS["bob"].verifier)
    known = [FOUNDED, Version(roster(ANN, key_of_bob), (word("ann", key_of_bob), word("bob", key_of_bob)))]
    assert endorsement.admitted(known, site=SITE).unendorsed == {"eve"}


def test_two_entries_of_one_human_are_not_the_first_two():
    twin = replace(officer("mal"), name="Ann custodian")
    stated = roster(ANN, twin)
    assert set(endorsement.admitted([Version(stated), Version(roster(ANN, twin, BOB))], site=SITE).officers) >= {"bob"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ana Ruiz", "ana  RUÍZ", True),
        ("Ana Ruiz", "Ruiz, Ana", True),
        ("O'Neil", "O’Neil", True),
        ("Ana Ruiz", "Ana Ruis", False),
        ("-", "...", False),
        ("李雷", "李雷", True),
    ],
)
def test_names_are_compared_folded(one, other, same):
    assert (folded(one) == folded(other)) is same


@pytest.mark.parametrize(
    "taken",
    [
        (ANN, BOB),
        (ANN, BOB, replace(EVE, revoked_on=dt.date(2025, 6, 1))),
        (ANN, BOB, replace(EVE, until=dt.date(2025, 6, 1))),
    ],
    ids=["removed", "revoked", "ended"],
)
def test_words_that_were_given_once_do_not_bring_an_officer_back(taken):
    """The signature over the same entry is the same bytes, so whoever keeps it could restate what was taken away."""
    words = (word("ann", EVE), word("bob", EVE))
    known = [FOUNDED, Version(roster(ANN, BOB, EVE), words), Version(roster(*taken), words)]
    back = endorsement.admitted([*known, Version(roster(ANN, BOB, EVE), words)], site=SITE)
    assert back.unendorsed == {"eve"}
    later = replace(EVE, start=dt.date(2025, 7, 1))
    given = (*words, word("ann", later), word("bob", later))
    again = endorsement.admitted([*known, Version(roster(ANN, BOB, later), given)], site=SITE)
    assert again.unendorsed == set()
