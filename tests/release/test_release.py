"""From approval to disposal and recall on real files: what must leave leaves once, and nothing else."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import json
import random
from collections.abc import Callable
from pathlib import Path

import house
import pytest

from gatehouse.casework import statement as statements
from gatehouse.casework.board import Blocked
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import State
from gatehouse.kernel import digests, formulas
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law.reading import load
from gatehouse.ledger import halt
from gatehouse.ledger.note import verify_detached
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.signers import new_key, parse_signer
from gatehouse.pipeline import closing
from gatehouse.pipeline import recall as recalling
from gatehouse.pipeline import release as stage
from gatehouse.pipeline.returns import reconcile, take
from gatehouse.release import officer, returns, trust
from gatehouse.release.recall import Cause
from gatehouse.release.recipients import read_identity, write_identity
from gatehouse.release.uselog import Entry, Use
from gatehouse.store import models_of
from gatehouse.store.shelf import Shelf

LATER = house.LATER
DAY = dt.timedelta(days=1)


def release(approved: house.House) -> stage.Released:
    return stage.release(approved.connection, approved.office, house.NAME, LATER)


def opened(home: house.House, record: returns.ReleaseRecord, now: dt.datetime = LATER) -> Path:
    out = home.agency / f"opened-{record.officer}"
    officer.open_release(
        home.package(record.id), read_identity(home.key(record.officer)), home.site.root / "trust", out, now
    )
    return out


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "records.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_officer_receives_exactly_their_own_cases(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...]
) -> None:
    given = {one.officer: {row["request_id"] for row in rows(opened(released, one))} for one in releases}
    # request n names officer n modulo 2; 0 and 1 are held, 11 is incomplete
    assert given == {
        "ICE-0000": {f"R-{n:06}" for n in range(2, 11, 2)},
        "ICE-0001": {f"R-{n:06}" for n in range(3, 11, 2)},
    }


def test_a_record_holds_the_least(released: house.House, releases: tuple[returns.ReleaseRecord, ...]) -> None:
    first = rows(opened(released, releases[0]))[0]
    assert first == {
        "request_id": "R-000002", "matter_number": "HSI-2", "item": "last_known_address", "line1": "102 Main St",
        "line2": "", "city": "Springfield", "state": "IL", "postal_code": "62701", "country": "US",
    }  # fmt: skip


def test_nobody_else_opens_it(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...], tmp_path: Path
) -> None:
    write_identity(tmp_path / "other.key")
    for key in (tmp_path / "other.key", released.key("ICE-0001")):
        with pytest.raises(AnswerIsNo, match="does not open"):
            officer.open_release(
                released.package(releases[0].id), read_identity(key), released.site.root / "trust",
                tmp_path / "out", LATER,
            )  # fmt: skip
    assert not (tmp_path / "out").exists()
    refused = [json.loads(line) for line in (tmp_path / "out.refused.log").read_bytes().splitlines()]
    assert [line["file"] for line in refused] == [f"{releases[0].id}.age"] * 2
    assert "does not open" in refused[0]["why"]


def test_one_approval_releases_nothing(small: house.House) -> None:
    house.decide(small, "ann", "approve")
    with pytest.raises(AnswerIsNo, match="no case has approvals"):
        release(small)
    assert list(small.docket.releases.iterdir()) == []


def test_releasing_again_releases_nothing_again(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...]
) -> None:
    before = {path.name: digests.of_file(path) for path in released.docket.releases.glob("*.age")}
    with pytest.raises(AnswerIsNo):
        release(released)
    assert {path.name: digests.of_file(path) for path in released.docket.releases.glob("*.age")} == before


def test_a_held_case_cleared_by_a_person_is_released_under_that_decision(small: house.House) -> None:
    house.decide(small, "eve", "clear", cases=Selection.of([0]))
    house.decide(small, "ann", "approve")
    house.decide(small, "bob", "approve")
    done = release(small)
    assert "R-000000" in {row["request_id"] for row in rows(opened(small, done.releases[0]))}
    carried = json.loads((small.docket.certificates / f"{done.releases[0].id}.json").read_bytes())["decisions"]
    assert [one["statement"]["body"]["action"] for one in carried] == ["clear", "approve", "approve"]


def test_an_order_entered_after_approval_stops_the_release(approved: house.House) -> None:
    with pytest.raises(AnswerIsNo, match="stopped by the law"):
        stage.release(approved.connection, approved.office, house.NAME, dt.datetime(2025, 11, 22, tzinfo=dt.UTC))
    assert approved.office.casebook.board(house.NAME).counts()[State.APPROVED_TWICE] == 9


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("report_approved_until = 2026-12-31", "report_approved_until = 2025-08-31"),
        ("open_findings = 0", "open_findings = 3"),
        ("from = 2025-04-07", "from = 2025-04-07\nuntil = 2025-09-01"),
        ('items = ["last_known_address"]', 'items = ["name"]'),
        ('capacities = ["agency_head"]', 'capacities = ["delegate"]'),
    ],
)
def test_what_the_custodian_learns_after_approval_counts(approved: house.House, written: str, instead: str) -> None:
    text = approved.site.parties.read_text()
    assert written in text
    approved.site.parties.write_text(text.replace(written, instead))
    with pytest.raises(AnswerIsNo, match="none of the approved cases"):
        release(approved)
    assert approved.office.casebook.board(house.NAME).counts()[State.APPROVED_TWICE] == 9


def test_overseers_stop_a_release_and_let_it_go_on(approved: house.House) -> None:
    private, public = new_key("inspector.example")
    overseer = parse_signer(private)
    (approved.site.root / "oversight.policy").write_text(f"key {public}\nhalt 1\nresume 1\n")
    folder = approved.site.root / "halts"
    folder.mkdir()

    def say(action: halt.Action, at: dt.datetime, name: str) -> None:
        scope = halt.Scope.parse("agency us.dhs.ice")
        (folder / name).write_bytes(halt.write(action, scope, at, "Court order", overseer))

    say(halt.Action.HALT, house.NOW, "1.halt")
    with pytest.raises(AnswerIsNo, match="halted"):
        release(approved)
    (folder / "2.halt").write_bytes(b"resume everything, says nobody")
    with pytest.raises((AnswerIsNo, WrongInput)):
        release(approved)
    say(halt.Action.RESUME, house.LATER, "2.halt")
    (approved.site.root / "oversight.policy").rename(approved.site.root / "away")
    with pytest.raises(AnswerIsNo, match=r"oversight\.policy is missing"):
        release(approved)
    assert list(approved.docket.releases.iterdir()) == []
    (approved.site.root / "away").rename(approved.site.root / "oversight.policy")
    assert release(approved).cases == 9


def test_a_person_restricted_meanwhile_stays(approved: house.House) -> None:
    file = Path(approved.site.register) / "restrictions.parquet"
    approved.connection.execute(
        f"COPY (SELECT 4::BIGINT AS person_id, 'informant' AS kind, DATE '2025-09-01' AS determined_on) "
        f"TO '{file}' (FORMAT parquet)"
    )
    done = release(approved)
    assert done.cases == 8
    assert done.left == {"restricted since": 1}
    assert approved.office.casebook.board(house.NAME).state_of(4) is State.APPROVED_TWICE


def test_an_approver_who_lost_the_authority_before_release(approved: house.House) -> None:
    text = approved.site.configuration.path.read_text()
    changed = text.replace('name = "bob custodian"', 'name = "bob custodian"\nrevoked_on = 2025-08-15')
    approved.site.configuration.path.write_text(changed)
    with pytest.raises(AnswerIsNo, match="authority"):
        release(approved)
    assert list(approved.docket.releases.glob("*.age")) == []
    assert approved.office.casebook.board(house.NAME).counts()[State.RELEASED] == 0
    [attempt] = approved.office.casebook.attempts(house.NAME)
    assert (attempt.action, attempt.code) == ("release", "authority")
    # without the approval that no longer stands, and with another one, it leaves after all
    twice = approved.office.casebook.board(house.NAME).states[State.APPROVED_TWICE]
    house.decide(approved, "eve", "reopen", cases=twice)
    house.decide(approved, "ann", "approve")
    house.decide(approved, "eve", "approve")
    assert release(approved).cases == 9


def test_a_package_altered_by_one_byte_is_refused_and_recorded(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...], tmp_path: Path
) -> None:
    data = released.package(releases[0].id).read_bytes()
    payload = data.index(b"\n---") + 60
    chance = random.Random(1)  # noqa: S311 - which bytes, not secrets
    places = [0, 5, data.index(b"X25519"), data.index(b"---"), payload, len(data) - 1]
    places += [chance.randrange(len(data)) for _ in range(40)]
    spoiled, out = tmp_path / "spoiled.age", tmp_path / "out"
    for place in places:
        spoiled.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises((AnswerIsNo, WrongInput)):
            officer.open_release(
                spoiled, read_identity(released.key("ICE-0000")), released.site.root / "trust", out, LATER
            )
        assert not out.exists()
    lines = [json.loads(line) for line in (tmp_path / "out.refused.log").read_bytes().splitlines()]
    assert len(lines) == len(places)
    assert lines[-1]["sha256"] == digests.of_file(spoiled)


def test_a_case_refused_while_sealing_stops_the_whole_batch(
    approved: house.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gatehouse.pipeline.sealing import Done, Own
    from gatehouse.release import certificate as certificates

    whole = Own.seal

    def refused_meanwhile(self: Own, release: str, certificate: bytes) -> Done:
        sealed = whole(self, release, certificate)
        if certificates.parse(certificate).release.opening.fields()["officer"] == "ICE-0001":
            house.decide(approved, "eve", "refuse", cases=Selection.of([5]))
        return sealed

    monkeypatch.setattr(Own, "seal", refused_meanwhile)
    with pytest.raises(Blocked):
        release(approved)
    assert Shelf().releases(house.NAME) == ()
    assert list(approved.docket.releases.rglob("*.age")) == []
    assert approved.office.casebook.attempts(house.NAME)[-1].action == "release"
    monkeypatch.undo()
    assert release(approved).cases == 8


def test_answers_come_all_at_once_when_the_docket_closes(approved: house.House) -> None:
    def outcomes() -> dict[str, str]:
        with approved.docket.answers.open(newline="") as stream:
            return {row["request_id"]: f"{row['outcome']} {row['codes']}".strip() for row in csv.DictReader(stream)}

    def told(now: dt.datetime) -> bool:
        return closing.answer(approved.connection, approved.office, approved.docket, now)

    release(approved)
    assert not told(LATER)
    assert outcomes()["R-000004"] == "pending"
    house.decide(approved, "eve", "refuse", cases=Selection.of([0, 1]))
    assert told(LATER)
    after = outcomes()
    assert after["R-000004"] == "answered"
    assert after["R-000000"] == "not_answered SUBJECT"
    assert after["R-000011"].startswith("not_answered FORM")
    verify_detached(
        approved.docket.answers.read_bytes(),
        approved.docket.answers.with_name("answers.csv.sig").read_text(),
        [house.custodian_signer(approved).verifier],
    )
    kept = approved.docket.answers.read_bytes()
    assert told(LATER + DAY)
    assert approved.docket.answers.read_bytes() == kept
    event = Opening.parse((approved.docket.root / "events" / "answered.json").read_bytes())
    assert event.fields()["answers"] == digests.of_bytes(kept)


def waiting(home: house.House, days: int) -> None:
    """Let the site tell answers at multiples of so many days."""
    text = home.site.configuration.path.read_text()
    home.site.configuration.path.write_text(text.replace("answer_days = 0", f"answer_days = {days}"))
    assert home.site.answer_days == days


@pytest.mark.parametrize(
    ("decided_after", "told_after"),
    [(dt.timedelta(minutes=5), 10), (DAY * 9, 10), (DAY * 10, 10), (DAY * 11, 20), (DAY * 34, 40)],
)
def test_the_day_of_the_answers_tells_nothing_of_what_was_on_file(
    small: house.House, decided_after: dt.timedelta, told_after: int
) -> None:
    """However long people looked, answers come at a whole number of periods after receipt, and never before one."""
    waiting(small, 10)
    before = small.docket.answers.read_bytes()
    decided = house.NOW + decided_after
    house.decide(small, "eve", "refuse", cases=Selection.of(range(11)), now=decided)
    moment = house.NOW + DAY * told_after
    assert closing.due(small.office, small.docket) == moment
    early = moment - dt.timedelta(seconds=1)
    if early >= decided:
        assert not closing.answer(small.connection, small.office, small.docket, early)
        assert small.docket.answers.read_bytes() == before
    assert closing.answer(small.connection, small.office, small.docket, moment)
    assert small.docket.answers.read_bytes() != before


def test_answers_are_told_on_their_day_without_anybody_doing_anything(small: house.House) -> None:
    waiting(small, 10)
    assert closing.tell_due(small.office, LATER + DAY * 100) == 0
    house.decide(small, "eve", "refuse", cases=Selection.of(range(11)))
    assert closing.tell_due(small.office, LATER) == 0
    assert closing.tell_due(small.office, house.NOW + DAY * 10) == 1
    assert b"pending" not in small.docket.answers.read_bytes()
    assert closing.tell_due(small.office, house.NOW + DAY * 11) == 0


def test_a_docket_that_the_machine_refused_alone_is_answered_no_sooner(tmp_path: Path) -> None:
    home = house.build(tmp_path, requests=4, held=0, incomplete=4)
    waiting(home, 10)
    assert closing.due(home.office, home.docket) == house.NOW + DAY * 10


def test_every_silence_has_the_same_text_and_the_same_length(tmp_path: Path) -> None:
    """Absent, ambiguous, mismatched, restricted, refused by a reviewer: one row cannot be told from another."""
    facts = {
        "absent": "persons_agreeing = 0, corroboration = NULL, tin_agrees = NULL, restricted = NULL",
        "ambiguous": "persons_agreeing = 2, corroboration = NULL, restricted = NULL",
        "other_tin": "persons_agreeing = 0, corroboration = NULL, tin_agrees = false, restricted = NULL",
        "restricted": "restricted = true",
        "not_filed": "period_filed = false",
        "refused_by_a_person": "corroboration = 'none'",
    }
    home = house.build(
        tmp_path, requests=len(facts), held=0, incomplete=0,
        facts=dict(enumerate(facts.values())),
    )  # fmt: skip
    board = home.office.casebook.board(house.NAME)
    assert {len(board.states[state]) for state in (State.HELD, State.REFUSED)} == {2, 4}
    pending = home.docket.answers.read_bytes().decode().splitlines()[1:]
    house.decide(home, "eve", "refuse", cases=board.states[State.HELD])
    assert closing.answer(home.connection, home.office, home.docket, LATER)
    silent = home.docket.answers.read_bytes().decode().splitlines()[1:]
    for lines in (pending, silent):
        without_id = {line.partition(",")[2] for line in lines}
        assert len(lines) == len(facts)
        assert len(without_id) == 1, without_id
        assert len({len(line) for line in lines}) == 1


def test_the_officers_side_to_the_end(released: house.House, releases: tuple[returns.ReleaseRecord, ...]) -> None:
    shelf, trust = Shelf(), released.site.root / "trust"
    for record in releases:
        out = opened(released, record)
        assert officer.log_use(out, Entry(Use.VIEWED, record.officer, "HSI-2", "investigation"), trust, LATER)
        receipt = statements.parse((out / "receipt.json").read_bytes())
        returns.accept(shelf, receipt, LATER + DAY)
        returns.accept(shelf, officer.report(out, LATER + DAY), LATER + DAY)
        returns.accept(shelf, officer.dispose(out, "overwrite", LATER + DAY), LATER + DAY)
        assert not (out / "records.csv").exists()
        with pytest.raises(AnswerIsNo, match="disposed"):
            opened(released, record, LATER + DAY)
    signed, _ = reconcile(released.office, house.NAME, LATER + 2 * DAY)
    assert signed.body["discrepancies"] == []


def test_what_does_not_come_back_is_found_and_counts_as_overdue(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...]
) -> None:
    shelf, trust = Shelf(), released.site.root / "trust"
    out = opened(released, releases[0])
    assert not officer.log_use(out, Entry(Use.VIEWED, "x", "HSI-99", "investigation"), trust, LATER)
    assert not officer.log_use(out, Entry(Use.DISCLOSED, "x", "HSI-2", "other"), trust, LATER)
    returns.accept(shelf, officer.report(out, LATER), LATER)
    signed, _ = reconcile(released.office, house.NAME, LATER + 100 * DAY)
    found = {(one["officer"], one["kind"]) for one in signed.body["discrepancies"]}
    assert found == {
        ("ICE-0000", "no_receipt"), ("ICE-0000", "no_use_report"), ("ICE-0000", "no_disposal"),
        ("ICE-0000", "outside_matter_or_purpose"), ("ICE-0000", "disclosed_onward"),
        ("ICE-0001", "no_receipt"), ("ICE-0001", "no_use_report"), ("ICE-0001", "no_disposal"),
    }  # fmt: skip
    assert returns.overdue(shelf, "us.dhs.ice", LATER + 100 * DAY) == 6
    assert returns.overdue(shelf, "us.dhs.ice", LATER + DAY) == 0


def test_it_does_not_open_after_expiry_nor_before_its_time(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...], tmp_path: Path
) -> None:
    record = releases[0]
    with pytest.raises(AnswerIsNo, match="expired"):
        opened(released, record, LATER + 91 * DAY)
    with pytest.raises(AnswerIsNo, match="clock"):
        opened(released, record, LATER - DAY)
    out = opened(released, record, LATER + 90 * DAY)
    with pytest.raises(AnswerIsNo, match="expired"):
        officer.log_use(
            out, Entry(Use.VIEWED, "x", "HSI-2", "investigation"), released.site.root / "trust", LATER + 91 * DAY
        )


def test_recall_reaches_the_officer(released: house.House, releases: tuple[returns.ReleaseRecord, ...]) -> None:
    out = opened(released, releases[0])
    recalled = recalling.recall(
        released.connection, released.office, house.NAME, Selection.of([4]),
        cause=Cause("requests", "", "Another person of that name was matched."), officer="eve",
        signer=released.staff["eve"], now=LATER + dt.timedelta(minutes=1),
    )  # fmt: skip
    assert [notice.body["release"] for notice in recalled.notices] == [releases[0].id]
    assert recalled.persons == 1
    with pytest.raises(AnswerIsNo, match="recalled"):
        opened(released, releases[0], LATER + DAY)
    with pytest.raises(AnswerIsNo, match="recalled"):
        officer.log_use(
            out, Entry(Use.VIEWED, "x", "HSI-2", "investigation"), released.site.root / "trust", LATER + DAY
        )
    assert opened(released, releases[1], LATER + DAY).is_dir()
    signed, _ = reconcile(released.office, house.NAME, LATER + 2 * DAY)
    assert "no_disposal_after_recall" in {one["kind"] for one in signed.body["discrepancies"]}
    returns.accept(Shelf(), officer.dispose(out, "overwrite", LATER + 2 * DAY), LATER + 2 * DAY)
    signed, _ = reconcile(released.office, house.NAME, LATER + 3 * DAY)
    assert "no_disposal_after_recall" not in {one["kind"] for one in signed.body["discrepancies"]}


def corrected(before: str, after: str) -> Callable[[Path], None]:
    """A change of every file of a pack."""

    def change(draft: Path) -> None:
        changed = 0
        for path in draft.rglob("*.toml"):
            text = path.read_text()
            if before in text:
                path.write_text(text.replace(before, after))
                changed += 1
        assert changed

    return change


def test_the_exact_list_after_a_corrected_rule(released: house.House, tmp_path: Path) -> None:
    def stopped(**asked: object) -> list[int]:
        return list(recalling.stopped(released.connection, released.office, house.NAME, **asked))

    assert stopped() == []
    assert stopped(as_of=dt.date(2025, 11, 22)) == list(range(2, 11))
    pack = load(released.site.pack_for("us.irs.6103-i-2"))
    rule = next(name for name in sorted(pack.by_id) if name.startswith("order-2025-11-21"))
    assert stopped(rule=rule) == []
    assert stopped(rule=rule, as_of=dt.date(2025, 11, 22)) == list(range(2, 11))
    with pytest.raises(WrongInput):
        stopped(rule="no-such-rule")
    house.enact(released, tmp_path, corrected("8 USC 1253(a)(1)", "8 USC 1253(a)(9)"))
    assert stopped() == list(range(2, 11))


def test_notices_and_incident_report_hold_no_taxpayer_data(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...]
) -> None:
    recalled = recalling.recall(
        released.connection, released.office, house.NAME, Selection.of([4, 5]),
        cause=Cause("requests", "", "Another person of that name was matched."), officer="eve",
        signer=released.staff["eve"], now=LATER,
    )  # fmt: skip
    for path in recalled.folder.glob("*.json"):
        for text in ("Main St", "Springfield", "62701", "LAST", "900000000"):
            assert text not in path.read_text()
    assert (recalled.folder / "persons.parquet").stat().st_mode & 0o077 == 0
    assert recalled.incident.body["records"] == 2
    assert recalled.incident.body["report_by"] == "2025-09-02T12:05:00Z"


@pytest.mark.parametrize("step", ["_write", "_commit", "_hand_over"])
def test_a_recall_that_a_crash_interrupts_is_finished(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(recalling._Work, step, dies)
    with pytest.raises(KeyboardInterrupt):
        recalling.recall(
            released.connection, released.office, house.NAME, Selection.of([4]),
            cause=Cause("requests", "", "Another person of that name was matched."), officer="eve",
            signer=released.staff["eve"], now=LATER,
        )  # fmt: skip
    monkeypatch.undo()
    assert recalling.resume(released.connection, released.office) == []  # this very process still holds it
    models_of().Job.objects.filter(kind="recall").update(holder="")
    (finished,) = recalling.resume(released.connection, released.office)
    assert [notice.body["release"] for notice in finished.notices] == [releases[0].id]
    assert len(list((released.site.root / "trust" / "notices").iterdir())) == 1
    assert released.office.casebook.board(house.NAME).state_of(4) is State.RECALLED
    assert len(released.office.casebook.decisions(house.NAME)) == 3


def test_only_what_was_released_can_be_recalled(approved: house.House) -> None:
    with pytest.raises(Blocked):
        recalling.recall(
            approved.connection, approved.office, house.NAME, Selection.of([4]),
            cause=Cause("requests", "", "Another person of that name was matched."), officer="eve",
            signer=approved.staff["eve"], now=LATER,
        )  # fmt: skip


def test_a_receipt_for_another_release_is_refused_and_recorded(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...], tmp_path: Path
) -> None:
    shelf = Shelf()
    receipt = statements.parse((opened(released, releases[0]) / "receipt.json").read_bytes())
    other = parse_signer((opened(released, releases[1]) / "receipt.key").read_text().strip())
    forged = [
        statements.sign({**receipt.body, "release": releases[1].id}, other),
        statements.sign(receipt.body, other),
        statements.sign({**receipt.body, "officer": "ICE-0001"}, other),
        statements.sign(receipt.body, parse_signer(new_key("mallory")[0])),
        statements.Statement({**receipt.body, "records": 1}, receipt.signature),
        statements.Statement({**receipt.body, "release": "rel-none"}, receipt.signature),
    ]
    for one in forged:
        with pytest.raises((AnswerIsNo, WrongInput)):
            returns.accept(shelf, one, LATER)
    path = tmp_path / "receipt.json"
    path.write_bytes(forged[0].encoded())
    with pytest.raises(Blocked, match="a different release"):
        take(released.office, house.NAME, path, LATER)
    assert released.office.casebook.attempts(house.NAME)[-1].code == "other_release"
    assert shelf.returned(releases[0].id) == ()
    assert shelf.returned(releases[1].id) == ()


def test_the_use_log_cannot_be_rewritten(released: house.House, releases: tuple[returns.ReleaseRecord, ...]) -> None:
    out = opened(released, releases[0])
    officer.log_use(out, Entry(Use.VIEWED, "x", "HSI-2", "investigation"), released.site.root / "trust", LATER)
    log = out / "use.log"
    whole = log.read_bytes()
    for altered in (whole.replace(b"ICE-0000", b"ICE-0001", 1), whole.split(b"\n", 1)[1], whole + whole):
        log.write_bytes(altered)
        with pytest.raises(AnswerIsNo, match="altered"):
            officer.report(out, LATER)
    log.write_bytes(whole + b'{"number":2,"at":"2025')
    assert len(officer.report(out, LATER).body["uses"]) == 2


def test_every_decision_and_release_is_in_the_ledger(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...]
) -> None:
    from gatehouse.ledger import policy
    from gatehouse.ledger.opening import Opening
    from gatehouse.ledger.tiles import TileReader

    checkpoint = policy.read(released.site.policy).accept((released.site.ledger / "checkpoint").read_bytes())
    reader = TileReader(released.site.ledger, checkpoint.size)
    entries = {reader.entry(index) for index in range(checkpoint.size)}
    events = {}
    for path in (released.docket.root / "events").glob("*.json"):
        opening = Opening.parse(path.read_bytes())
        assert opening.entry in entries
        events[path.stem] = opening.fields()
    assert {"decision-0", "decision-1", *(f"release-{one.id}" for one in releases)} <= set(events)
    for one in releases:
        assert events[f"sealed-{one.id}"]["package"] == digests.of_file(released.package(one.id))


def test_opening_over_a_link_or_into_a_failing_folder_leaves_no_record(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [record] = [one for one in releases if one.officer == "ICE-0000"]

    def opening(out: Path) -> None:
        key = read_identity(released.key("ICE-0000"))
        officer.open_release(released.package(record.id), key, released.site.root / "trust", out, LATER)

    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "nowhere").symlink_to(tmp_path / "not-there")
    (tmp_path / "file").write_text("x")
    for name in ("link", "nowhere", "file"):
        with pytest.raises(WrongInput, match="this is a link or a file, not a folder"):
            opening(tmp_path / name)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError("no")))
        with pytest.raises(OSError, match="no"):
            opening(tmp_path / "failing")
    assert not [path for path in tmp_path.rglob("*") if path.name == "records.csv" or path.name.endswith(".opening")]


def test_no_record_is_a_formula_in_a_spreadsheet(
    released: house.House, releases: tuple[returns.ReleaseRecord, ...], tmp_path: Path
) -> None:
    [record] = [one for one in releases if one.officer == "ICE-0000"]
    key, believed = read_identity(released.key("ICE-0000")), trust.read(released.site.root / "trust")
    found = officer.check(released.package(record.id).read_bytes(), key, believed, (), LATER, where="x")
    signs = ("=1+1", "＝1+1", "@x", "12 Main St")
    spoiled = tuple((*row[:-1], signs[number % 4]) for number, row in enumerate(found.rows))
    officer._write(dataclasses.replace(found, rows=spoiled), tmp_path / "opened", LATER)
    written = [list(row.values())[-1] for row in rows(tmp_path / "opened")]
    assert written == [formulas.text(row[-1]) for row in spoiled]
    assert written[:2] == ["'=1+1", "'＝1+1"]


@pytest.mark.parametrize(
    "said",
    [b'{"body": {"x": "\\ud800"}, "signature": ""}', b'{"body": {"\\udfff": 1}, "signature": "x"}',
     b'{"body": {"x": 1.5}, "signature": ""}', b'{"body": {"x": ' + b"[" * 900 + b"]" * 900 + b'}, "signature": ""}',
     b'{"body": {"x": NaN}, "signature": ""}', b'{"body": ' + b"[" * 100_000, b'{"body": {}, "signature": "\\ud800"}'],
    ids=["half a character", "half a key", "a fraction", "a nest", "no number", "a deeper nest", "half a signature"],
)  # fmt: skip
def test_a_statement_that_no_signature_can_be_over_is_refused_in_words(said: bytes) -> None:
    with pytest.raises(WrongInput):
        found = statements.parse(said, where="x")
        statements.verify(found, [], form="another", where="x")
