"""A site whose log writer and sealer are processes of their own works as one does that is all in one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import house
import pytest

from gatehouse.casework.board import Board
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import State
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import canonical, clock, files
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, MachineFailed, WrongInput
from gatehouse.kernel.line import Call
from gatehouse.ledger import note, policy
from gatehouse.ledger.log import batches
from gatehouse.ledger.opening import ENTRY_BYTES
from gatehouse.ledger.signers import read_verifier
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import consistency, history, keys, record, release, withdrawal
from gatehouse.pipeline.parts import Part, decider, messages
from gatehouse.pipeline.parts.writer import MAY_ENTER
from gatehouse.release import officer
from gatehouse.release.recipients import read_identity

pytestmark = pytest.mark.slow


def writer(home: house.House) -> Call:
    socket = home.site.parts.of(Part.WRITER)
    return Call(socket, messages.FROM_WRITER, most=1 << 20)


def sealer(home: house.House) -> Call:
    socket = home.site.parts.of(Part.SEALER)
    return Call(socket, messages.FROM_SEALER, most=1 << 30)


def test_a_release_goes_through_both_and_opens_at_the_officers(apart: house.House) -> None:
    done = release.release(apart.connection, apart.office, house.NAME, house.LATER)
    assert done.cases == 9
    verify_log(apart.site.ledger, policy.read(apart.site.policy))
    own = replace(apart.site, parts=None)
    with open_workspace() as connection:
        assert consistency.compare(connection, own).differences == ()
    for one in done.releases:
        identity = read_identity(apart.agency / f"{one.officer}.key")
        trust = apart.site.root / "trust"
        out = apart.agency / one.id
        officer.open_release(apart.package(one.id), identity, trust, out, house.LATER)
        assert (out / "records.csv").read_text().count("last_known_address") == len(one.cases)


def test_the_writer_takes_no_determination_that_its_receipt_does_not_name(apart: house.House) -> None:
    known = json.loads((apart.docket.events / "received.json").read_bytes())
    fields = _fields(known) | {"docket": house.NAME}
    with writer(apart) as call:
        size = call.ask(messages.Take())[0].size
        entry = bytes([1]) + bytes.fromhex(fields["batch"])
        rows = [entry + seq.to_bytes(4, "big") + bytes(32) for seq in range(fields["requests"])]
        assert {len(row) for row in rows} == {ENTRY_BYTES}
        made = apart.site.dockets / "OTHER"
        made.mkdir()
        (made / "events").mkdir()
        fields |= {"docket": "OTHER", "first": size + 1}
        for changed, lines, why in (
            ({"first": size}, rows, "names a different place"),
            ({}, rows[:-1], "number of determinations"),
            ({}, [rows[1], rows[0], *rows[2:]], "row order"),
            ({"batch": "0" * 32}, rows, "a different batch"),
            ({"docket": house.NAME}, rows, "not be about another"),
        ):
            with pytest.raises(AnswerIsNo, match=why):
                call.ask(messages.Receive("OTHER/received", fields | changed), b"".join(lines))
        with pytest.raises(AnswerIsNo, match="with its determinations"):
            call.ask(messages.Enter("OTHER/received", fields))
        assert call.ask(messages.Receive("OTHER/received", fields), b"".join(rows))[0].index == size
    assert batches(apart.site.ledger_state)["OTHER/received"] == range(size, size + 1 + len(rows))


def _fields(opening: dict[str, list[str]]) -> dict[str, object]:
    shown = [json.loads(text) for text in opening["shown"]]
    return {name: value for _, name, value in shown}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("site/../../x", {"event": "x"}), ("../site/halt-1", {"event": "halt"}), ("site/unheard", {"event": "x"}),
        (f"{house.NAME}/decision-9", {"event": "decision"}), (f"{house.NAME}/sealed-1", {"docket": house.NAME}),
        (f"{house.NAME}/recall-1", {"event": "recall", "docket": "ANOTHER"}),
        ("NOWHERE/recall-1", {"event": "recall", "docket": "NOWHERE"}),
    ],
)  # fmt: skip
def test_the_writer_enters_only_what_has_the_form_of_its_kind(
    apart: house.House, name: str, fields: dict[str, object]
) -> None:
    with writer(apart) as call:
        call.ask(messages.Take())
        before = batches(apart.site.ledger_state)
        with pytest.raises(GatehouseError):
            call.ask(messages.Enter(name, fields))
    assert batches(apart.site.ledger_state) == before


def test_what_is_in_cannot_be_said_otherwise(apart: house.House) -> None:
    with record.open_log(apart.site) as log:
        said = {"event": "work_set_going", "by": "x"}
        index = record.event(log, apart.site.events, "site/work_set_going-1", said)
        assert record.event(log, apart.site.events, "site/work_set_going-1", said) == index
        with pytest.raises(WrongInput, match="different content"):
            record.event(log, apart.site.events, "site/work_set_going-1", {**said, "by": "y"})


def test_the_turn_ends_with_the_caller(apart: house.House) -> None:
    held = record.open_log(apart.site)
    held.close()
    with record.open_log(apart.site) as log:
        assert log.batch("nothing/of-this") is None
        assert log.size == history.read(apart.site).size


def test_the_sealer_signs_no_package_and_no_list_but_its_own(apart: house.House) -> None:
    for body in (
        {"format": "gatehouse-package/2", "release": "x", "certificate": "", "terms": "", "records": ""},
        {"format": "gatehouse-officers/2", "versions": []},
        {"format": "gatehouse-agencies/1", "agencies": []},
        {"format": "gatehouse-decision/1"}, {},
    ):  # fmt: skip
        with sealer(apart) as call, pytest.raises(AnswerIsNo, match="does not sign texts in this form"):
            call.ask(messages.Sign(), canonical.encode(body))
    for raw in (b"", b"age-encryption.org/v1\n", b'{"format": "gatehouse-receipt/1"}', b"[" * 100_000):
        with sealer(apart) as call, pytest.raises(AnswerIsNo, match="does not sign texts in this form"):
            call.ask(messages.Sign(), raw)


def plan_of(home: house.House, cases: Selection) -> dict[str, object]:
    from gatehouse.pipeline import packs

    return {
        "cases": cases.text(), "officers": [{"id": one, "release": f"rel-{one}"} for one in home.officers],
        "released_at": "2025-09-01T12:05:00Z", "pack": packs.in_force(home.site, "us.irs.6103-i-2").digest,
    }  # fmt: skip


def test_what_the_sealer_says_of_a_plan_holds_no_item(apart: house.House) -> None:
    cases = apart.office.casebook.board(house.NAME).states["approved_twice"]
    with sealer(apart) as call:
        call.ask(messages.Look(house.NAME, cases.text()))
        _, data = call.ask(messages.Prepare(house.NAME, plan_of(apart, cases)))
    with open_workspace() as connection:
        path = f"{apart.site.register}/addresses.parquet"
        lines = connection.execute("SELECT line1 FROM read_parquet(?)", [path]).fetchall()
    assert json.loads(data)
    assert lines
    assert not any(line.encode() in data for (line,) in lines if line)


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"released_at": "2025-08-07T12:05:00Z"}, "on a different day"), ({"pack": "0" * 64}, "law that is not in force")],
)
def test_a_plan_of_another_day_or_under_other_law_is_not_prepared(
    apart: house.House, changed: dict[str, str], why: str
) -> None:
    """A decider that was taken over dates a release back past an order, where no witness says when."""
    cases = apart.office.casebook.board(house.NAME).states["approved_twice"]
    with sealer(apart) as call, pytest.raises(AnswerIsNo, match=why):
        call.ask(messages.Prepare(house.NAME, {**plan_of(apart, cases), **changed}))


def test_no_certificate_no_package(apart: house.House) -> None:
    cases = apart.office.casebook.board(house.NAME).states["approved_twice"]
    with sealer(apart) as call:
        with pytest.raises(WrongInput, match="not prepared"):
            call.ask(messages.Seal("rel-1"), b"{}")
        call.ask(messages.Prepare(house.NAME, plan_of(apart, cases)))
        with pytest.raises(WrongInput, match="not a certificate"):
            call.ask(messages.Seal(f"rel-{apart.officers[0]}"), b"{}")
    assert not list((apart.site.root / "sealer").rglob("*.age"))


def test_a_package_is_sealed_once_whatever_the_database_forgets(apart: house.House) -> None:
    copy = apart.site.root.parent / "before.sqlite3"
    from django.db import connections

    connections.close_all()
    database = apart.site.root / "gatehouse.sqlite3"
    files.write(copy, database.read_bytes())
    release.release(apart.connection, apart.office, house.NAME, house.LATER)
    sealed = {path.name for path in (apart.site.root / "sealer" / "sealed").iterdir()}
    connections.close_all()
    for path in apart.site.root.glob("gatehouse.sqlite3*"):
        path.unlink()
    files.write(database, copy.read_bytes())
    for path in (apart.docket.root / "events").glob("release-*"):
        path.rename(path.with_name(f".{path.name}"))  # and the ledger's openings hidden besides
    with pytest.raises(GatehouseError):
        release.release(apart.connection, apart.office, house.NAME, house.LATER)
    for path in (apart.docket.root / "events").glob(".release-*"):
        path.rename(path.with_name(path.name[1:]))
    with pytest.raises(AnswerIsNo, match="already released"):
        release.release(apart.connection, apart.office, house.NAME, house.LATER)
    assert {path.name for path in (apart.site.root / "sealer" / "sealed").iterdir()} == sealed


def test_a_decision_that_was_left_out_undoes_a_release_all_the_same(apart: house.House) -> None:
    """A decider that was taken over leaves the last decision out of what it shows: the sealer reads the ledger."""
    from gatehouse.pipeline import approve
    from gatehouse.store import models

    house.decide(apart, "eve", "refuse", cases=Selection.of([5]), now=house.LATER)
    approve.commit_decisions(apart.office, house.NAME, house.LATER)
    models.Decision.objects.latest("number").delete()
    with pytest.raises(AnswerIsNo, match="a decision that is in the ledger is missing here"):
        release.release(apart.connection, apart.office, house.NAME, house.LATER)
    assert not list((apart.site.root / "sealer").rglob("*.age"))


def test_a_withdrawal_that_is_not_heeded_stops_the_sealer(apart: house.House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decider that was taken over goes on with what the agency took back."""
    withdrawal.ask(apart.site, house.NAME, "agency-1", house.LATER)
    monkeypatch.setattr(withdrawal, "refuse", lambda docket: None)
    with pytest.raises(AnswerIsNo, match="the agency withdrew"):
        release.release(apart.connection, apart.office, house.NAME, house.LATER)
    assert not list((apart.site.root / "sealer").rglob("*.age"))


def test_a_part_that_is_away_is_told_by_its_name(apart: house.House) -> None:
    with pytest.raises(MachineFailed, match="the web does not answer"):
        Call(apart.site.parts.at(Part.WEB), [], most=0)


def test_the_web_may_enter_every_act_of_its_pages_and_calls() -> None:
    """An act that the console or the API puts on record would fail where the web is a part of its own."""
    source = Path(__file__).parents[2] / "src" / "gatehouse"
    named = {
        kind
        for path in [*(source / "console").rglob("*.py"), *(source / "api").rglob("*.py"), source / "cli" / "serve.py"]
        for kind in re.findall(r"(?:chronicle|_)\.?enter\(\s*(?:request, )?\"([a-z_]+)\"", path.read_text())
    }
    assert {"account_proposed", "letter_made", "key_made"} <= named
    assert named | {withdrawal.EVENT} <= MAY_ENTER[Part.WEB]


def test_a_withdrawal_and_a_webhook_s_call_pass_through_the_parts(apart: house.House) -> None:
    assert withdrawal.ask(apart.site, house.NAME, "agency-1", house.LATER) > 0
    with pytest.raises(AnswerIsNo, match="withdrew"):
        release.release(apart.connection, apart.office, house.NAME, house.LATER)
    said = canonical.encode({"format": messages.CALL_FORM, "event": "release.ready"}).decode() + "\n"
    note.open_note(
        note.sign(said, keys.custodian(apart.site)).encoded, [read_verifier(apart.site.root / "custodian.vkey")]
    )


def test_a_package_of_before_that_is_planned_again_seals_nothing_new(
    apart: house.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decider that was taken over names what it sealed before in a plan with new packages of the same cases."""
    from gatehouse.pipeline import planning
    from gatehouse.pipeline.parts import asked

    before = release.release(apart.connection, apart.office, house.NAME, house.LATER)
    old = [{"id": one.officer, "release": one.id} for one in before.releases]
    real = asked.Sealer.prepare

    def prepare(self: asked.Sealer, docket: Any, plan: Any) -> Any:
        shares = real(self, docket, {**plan, "officers": [*plan["officers"], *old]})
        return tuple(one for one in shares if one.release not in {each["release"] for each in old})

    monkeypatch.setattr(asked.Sealer, "prepare", prepare)
    monkeypatch.setattr(planning, "released_before", lambda *_: Selection())
    with apart.office.casebook.deciding(house.NAME) as desk:
        released = desk.board.states[State.RELEASED]
        desk.keep(
            Board(
                desk.board.size,
                {**desk.board.states, State.RELEASED: Selection(), State.APPROVED_TWICE: released},
                desk.board.approved_by,
            )
        )
    with pytest.raises(AnswerIsNo, match="of these cases are already sealed"):
        release.release(apart.connection, apart.office, house.NAME, house.LATER)
    sealed = {path.stem for path in (apart.site.root / "sealer" / "sealed").iterdir()}
    assert sealed == {one.id for one in before.releases}


def test_an_officer_revoked_meanwhile_is_shown_nothing_in_the_same_conversation(
    approved: house.House, monkeypatch
) -> None:
    monkeypatch.setenv(clock.PRETENDED, clock.stamp(house.LATER))
    desk = decider.Desk(approved.site)
    asked = messages.OpenCase("eve", house.NAME, 0, 1)
    desk.handle(asked, b"")
    path = approved.site.configuration.path
    name = 'name = "eve custodian"'
    path.write_text(path.read_text().replace(name, f"{name}\nrevoked_on = 2025-08-31"))
    with pytest.raises(AnswerIsNo, match="may not decide today"):
        desk.handle(asked, b"")
