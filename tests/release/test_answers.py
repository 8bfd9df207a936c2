"""Answers about one person, from releases to a file that verifies: complete, constant, and silent where law says so."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace

import house
import pytest

from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, WrongInput
from gatehouse.ledger import answer as formats
from gatehouse.ledger import policy as policies
from gatehouse.ledger.answer import Answer, Map, verify
from gatehouse.pipeline import answers, recall
from gatehouse.release.recall import Cause
from gatehouse.store import models_of

DAY = house.LATER
AFTER = DAY + dt.timedelta(days=40)
CLEARED = range(2, 11)  # the persons of the nine requests that were released


def allow(home, days):
    """Say in the agreement from when a person may be told."""
    path = home.site.parties
    path.write_text(path.read_text() + (f"notice_after_days = {days}\n" if days is not None else ""))


def ask(home, person, which=Map.NOTICE, **more):
    return answers.answer(home.connection, home.site, person, which, **more)


def shown(home, person, which=Map.NOTICE):
    return verify(ask(home, person, which), policies.read(home.site.policy))


def test_the_sealed_map_lists_exactly_what_was_released(released):
    answers.build(released.connection, released.office, DAY)
    for person in range(12):
        found = shown(released, person, Map.SEALED)
        assert found.registered
        assert [one.agency for one in found.disclosures] == ["us.dhs.ice"] * (person in CLEARED)
        for one in found.disclosures:
            assert (one.entry - entry_of(released, 0), one.items, one.released_on) == (
                person,
                "last_known_address",
                DAY.date(),
            )
    assert not shown(released, 12, Map.SEALED).registered


def entry_of(home, seq):
    return home.connection.execute(
        "SELECT ledger_index FROM read_parquet($1) WHERE seq = $2", [str(home.docket.table("determinations")), seq]
    ).fetchone()[0]


def test_whoever_left_the_register_is_still_answered(released):
    file = f"{released.site.register}/persons.parquet"
    released.connection.execute(f"CREATE TABLE left_over AS FROM read_parquet('{file}') WHERE person_id <> 5")
    released.connection.execute(f"COPY left_over TO '{file}' (FORMAT parquet)")
    released.connection.execute("DROP TABLE left_over")
    answers.build(released.connection, released.office, DAY)
    assert len(shown(released, 5, Map.SEALED).disclosures) == 1


@pytest.mark.parametrize(("days", "told"), [(None, False), (41, False), (40, True), (0, True)])
def test_the_notice_map_tells_what_may_be_told_by_its_day(released, days, told):
    allow(released, days)
    answers.build(released.connection, released.office, AFTER)
    assert bool(shown(released, 5).disclosures) is told
    assert shown(released, 5, Map.SEALED).disclosures
    assert not shown(released, 0).disclosures


def test_what_may_not_be_told_looks_like_nothing(released, monkeypatch):
    allow(released, 365)
    answers.build(released.connection, released.office, AFTER)
    read = []
    real = formats.Answer.encode
    monkeypatch.setattr(formats.Answer, "encode", lambda self: read.append(self) or real(self))
    answers_of = [ask(released, person) for person in range(12)]
    assert {len(data) for data in answers_of} == {len(answers_of[0])}
    assert len(answers_of[0]) < 4000
    shapes = {
        tuple(
            (name, type(value), len(value) if isinstance(value, bytes) else None) for name, value in vars(one).items()
        )
        for one in read
    }
    assert len(shapes) == 1
    assert len({(one.text, one.pages, one.page, one.epoch, one.proof) for one in read}) == 1


def test_the_same_work_is_done_for_everybody(released, monkeypatch):
    """Constant timing by construction: whoever is asked for, the same files are read and as much is hashed."""
    allow(released, 365)
    answers.build(released.connection, released.office, AFTER)
    from gatehouse.ledger import dictionary

    counted = []
    for name in ("digest", "commitment", "leaf_hash", "salts_of", "index_of"):
        real = getattr(dictionary, name)
        monkeypatch.setattr(dictionary, name, lambda *args, real=real, name=name: counted.append(name) or real(*args))
    work = []
    for person in range(12):
        counted.clear()
        ask(released, person)
        work.append(sorted(counted))
    assert all(one == work[0] for one in work)


def test_every_epoch_is_new_and_an_answer_belongs_to_its_own(released):
    allow(released, 0)
    policy = policies.read(released.site.policy)
    first = answers.build(released.connection, released.office, DAY)
    old = ask(released, 5)
    second = answers.build(released.connection, released.office, AFTER)
    new = ask(released, 5)
    assert {first.notice, first.sealed}.isdisjoint({second.notice, second.sealed})
    assert verify(old, policy).as_of == DAY.date()
    with pytest.raises(AnswerIsNo, match="too old"):
        verify(old, policy, not_before=AFTER.date())
    one, other = Answer.parse(old), Answer.parse(new)
    mixed = [
        replace(
            other, epoch=one.epoch, index=one.index, proof=one.proof, earlier=one.earlier, checkpoint=one.checkpoint
        ),
        replace(one, earlier=other.earlier),
        replace(one, checkpoint=other.checkpoint),
        replace(other, path=one.path),
        replace(other, salt=one.salt),
        replace(one, epoch=other.epoch),
    ]
    for forged in mixed:
        with pytest.raises(AnswerIsNo):
            verify(forged.encode(), policy)


def test_an_absence_cannot_be_forged(released):
    allow(released, 0)
    answers.build(released.connection, released.office, DAY)
    policy = policies.read(released.site.policy)
    truth = Answer.parse(ask(released, 5))
    nobody, absent = Answer.parse(ask(released, 0)), Answer.parse(ask(released, 99))
    sealed = Answer.parse(ask(released, 5, Map.SEALED))
    blank = formats.BLANK_PAGE
    forgeries = [
        replace(nobody, person=5),  # somebody else's absence
        replace(absent, person=5),  # a number that is not in the register
        replace(truth, text=blank),
        replace(truth, text=blank, pages=nobody.pages),
        replace(truth, text=blank, pages=nobody.pages, salt=nobody.salt),
        replace(truth, path=nobody.path),
        replace(truth, leaf=absent.leaf, salt=b"", pages=b"", text=b"", page=0),
        replace(truth, leaf=absent.leaf, path=absent.path, salt=b"", pages=b"", text=b"", page=0),
        replace(truth, pages=truth.pages + nobody.pages),
        replace(truth, page=2),
        replace(truth, map=Map.SEALED),
        replace(sealed, map=Map.NOTICE),
        replace(truth, epoch=sealed.epoch),
        replace(truth, index=truth.index - 1),
        replace(truth, proof=truth.proof[:-32]),
        replace(truth, path=bytes([truth.path[0] - 1]) + truth.path[1:]),
    ]
    for forged in forgeries:
        with pytest.raises(GatehouseError):
            verify(forged.encode(), policy)


def test_no_byte_of_an_answer_can_change_what_it_says(released):
    allow(released, 0)
    answers.build(released.connection, released.office, DAY)
    policy = policies.read(released.site.policy)
    data = ask(released, 5)
    truth = verify(data, policy)
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        try:
            found = verify(changed, policy)
        except GatehouseError:
            continue
        assert (found.person, found.disclosures, found.as_of) == (truth.person, truth.disclosures, truth.as_of)


def test_the_maps_can_be_built_again_and_a_release_left_out_shows(released):
    allow(released, 0)
    answers.build(released.connection, released.office, DAY)
    found = answers.check(released.connection, released.office)
    assert (found.persons, found.disclosures, found.told, found.unlisted) == (12, 9, 9, 0)
    path = released.site.parties
    path.write_text(path.read_text().replace("notice_after_days = 0", "notice_after_days = 30"))
    with pytest.raises(AnswerIsNo, match="map on record"):
        answers.check(released.connection, released.office)


def test_a_recalled_release_was_a_disclosure_all_the_same(released):
    cases = recall.stopped(released.connection, released.office, house.NAME, as_of=dt.date(2027, 1, 1))
    assert cases
    recall.recall(
        released.connection, released.office, house.NAME, cases, cause=Cause("rule", "test", "The rule was wrong."),
        officer="ann", signer=released.staff["ann"], now=AFTER,
    )  # fmt: skip
    answers.build(released.connection, released.office, AFTER)
    assert all(shown(released, person, Map.SEALED).disclosures for person in CLEARED)


def test_an_altered_list_stops_the_building_and_the_old_answers_stay(released, releases):
    answers.build(released.connection, released.office, DAY)
    before = ask(released, 5)
    path = released.docket.root / "persons" / f"{releases[0].id}.json"
    path.write_bytes(path.read_bytes().replace(b'["last_known_address"]', b"[]", 1))
    with pytest.raises(AnswerIsNo, match=r"persons/.*: the list of persons in a release is missing"):
        answers.build(released.connection, released.office, AFTER)
    assert ask(released, 5) == before


def test_what_the_database_says_of_releases_changes_no_answer(released):
    """The attack: `UPDATE store_release SET published_at = NULL`, then build anew, and nobody was ever told of."""
    allow(released, 0)
    models = models_of()
    models.Release.objects.update(published_at=None)
    answers.build(released.connection, released.office, DAY)
    assert len(shown(released, 5).disclosures) == 1
    models.Return.objects.all().delete()
    models.Release.objects.all().delete()
    answers.build(released.connection, released.office, AFTER)
    assert len(shown(released, 5, Map.SEALED).disclosures) == 1
    answers.check(released.connection, released.office)
    assert answers.check_earlier(released.connection, released.office) == 1


def test_an_earlier_epoch_that_left_somebody_out_is_named(released):
    answers.build(released.connection, released.office, DAY)
    answers.build(released.connection, released.office, AFTER)
    assert answers.check_earlier(released.connection, released.office) == 1
    first = min((path for path in released.site.answers.iterdir() if path.name.isdecimal()), key=lambda p: int(p.name))
    assert sorted(path.name for path in first.iterdir()) == ["epoch.json", "numbers.parquet"]
    released.connection.execute(
        f"COPY (SELECT range AS person_id FROM range(11)) TO '{first / 'numbers.parquet'}' (FORMAT parquet)"
    )
    with pytest.raises(AnswerIsNo, match="map on record does not match the releases"):
        answers.check_earlier(released.connection, released.office)


def test_before_the_first_epoch_there_is_no_answer(released):
    with pytest.raises(WrongInput, match="no answers have been built"):
        ask(released, 5)
    answers.build(released.connection, released.office, DAY)
    with pytest.raises(WrongInput, match="no such page"):
        ask(released, 5, page=2)
    shutil.rmtree(released.site.answers)
    with pytest.raises(WrongInput):
        ask(released, 5)
