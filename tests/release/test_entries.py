"""Every kind of event is entered where it happens, once, and says nothing in clear."""

from __future__ import annotations

import datetime as dt
import json

import house
import pytest

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import halt, note, signers
from gatehouse.ledger.halt import Action, Scope
from gatehouse.ledger.opening import ENTRY_BYTES, Opening
from gatehouse.ledger.policy import read as read_policy
from gatehouse.ledger.tiles import TileReader
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import halts, record
from gatehouse.pipeline.returns import reconcile, take
from gatehouse.release import officer
from gatehouse.release.recipients import read_identity


def entered(home):
    """Every event of the site and its docket that the ledger holds, by kind; each opening fits an entry."""
    with record.open_log(home.site) as log:
        there = set(TileReader(home.site.ledger, log.size).span(0, log.size))
    found = {}
    for path in [*home.site.events.glob("*.json"), *(home.docket.root / "events").glob("*.json")]:
        opening = Opening.parse(path.read_bytes())
        assert opening.entry in there, path.name
        fields = opening.fields()
        found.setdefault(fields["event"], []).append(fields)
    assert {len(entry) for entry in there} == {ENTRY_BYTES}
    return found


def open_one(home, release):
    out, identity = home.agency / release.id, read_identity(home.key(release.officer))
    officer.open_release(home.package(release.id), identity, home.site.root / "trust", out, house.LATER)
    return out / "receipt.json"


def test_what_comes_back_is_entered(released, releases):
    opened = open_one(released, releases[0])
    taken = take(released.office, house.NAME, opened, house.LATER)
    assert take(released.office, house.NAME, opened, house.LATER).statement == taken.statement
    [receipt] = entered(released)["receipt"]
    assert receipt == {
        "event": "receipt", "docket": house.NAME, "release": releases[0].id, "statement": taken.statement.digest,
    }  # fmt: skip


def test_what_was_taken_in_beside_the_ledger_is_entered_by_reconciling(released, releases):
    from gatehouse.casework import statement
    from gatehouse.release import returns
    from gatehouse.store.shelf import Shelf

    opened = open_one(released, releases[0])
    returns.accept(Shelf(), statement.parse(opened.read_bytes()), house.LATER)
    assert "receipt" not in entered(released)
    reconcile(released.office, house.NAME, house.LATER)
    assert len(entered(released)["receipt"]) == 1


def test_every_change_of_configuration_parties_policy_and_keys_is_entered(released):
    before = len(entered(released)["configuration change"])
    for name in ("gatehouse.toml", "parties.toml"):
        path = released.site.root / name
        text = path.read_text()
        path.write_text(text + "\n# changed\n")
        entered(released)
        path.write_text(text)  # and back, which is noticed together with what comes next
    after = entered(released)["configuration change"]
    assert len(after) == before + 3
    assert len({json.dumps(one) for one in after}) >= 4
    [keys] = entered(released)["key change"]
    (released.site.root / "custodian.vkey").unlink()
    assert entered(released)["key change"] != [keys]


def test_a_halt_is_in_force_and_an_entry(released):
    key = signers.parse_signer(signers.new_key("inspector")[0])
    statement = halt.write(Action.HALT, Scope.parse("everything"), house.LATER, "Found a leak", key)
    with pytest.raises(WrongInput, match="has no overseers"):
        halts.enter(released.site, statement, house.LATER)
    (released.site.root / "oversight.policy").write_text(f"key {key.key_text}\nhalt 1\nresume 1\n")
    other = signers.parse_signer(signers.new_key("someone")[0])
    with pytest.raises(AnswerIsNo):
        halts.enter(
            released.site, halt.write(Action.HALT, Scope.parse("everything"), house.LATER, "Why", other), house.LATER
        )
    assert not halts.is_halted(released.site, agency="us.dhs.ice", docket=house.NAME)
    halts.enter(released.site, statement, house.LATER)
    assert halts.is_halted(released.site, agency="us.dhs.ice", docket=house.NAME)
    resumed = halt.write(Action.RESUME, Scope.parse("everything"), house.LATER, "Mended", key)
    halts.enter(released.site, resumed, house.LATER)  # of the same time: the ledger's order counts
    assert not halts.is_halted(released.site, agency="us.dhs.ice", docket=house.NAME)
    assert [one["text"].split("\n")[1] for one in entered(released)["resume"]] == ["resume everything"]
    assert len(entered(released)["halt"]) == 1
    again = halt.write(Action.HALT, Scope.parse("everything"), house.LATER, "Another leak", key)
    halts.enter(released.site, again, house.LATER)
    halts.enter(released.site, resumed, house.LATER)  # an old resumption laid in again lifts no later halt
    assert halts.is_halted(released.site, agency="us.dhs.ice", docket=house.NAME)
    assert len(entered(released)["resume"]) == 1
    early = halt.write(Action.RESUME, Scope.parse("everything"), house.LATER - dt.timedelta(hours=1), "Mended", key)
    with pytest.raises(AnswerIsNo, match="written before the halt"):
        halts.enter(released.site, early, house.LATER)
    verify_log(released.site.ledger, read_policy(released.site.policy))


def test_a_resumption_waits_for_the_ledger_and_a_halt_does_not(released):
    key = signers.parse_signer(signers.new_key("inspector")[0])
    (released.site.root / "oversight.policy").write_text(f"key {key.key_text}\nhalt 1\nresume 1\n")

    def say(action, reason):
        text = halt.text(action, Scope.parse(f"docket {house.NAME}"), house.LATER, reason)
        return halts.take(released.site, text, note.sign_detached(text.encode(), key).strip(), house.LATER)

    def stopped():
        return halts.is_halted(released.site, agency="us.dhs.ice", docket=house.NAME)

    with record.open_log(released.site):
        assert say(Action.HALT, "Wait").in_force
        assert stopped()
    with record.open_log(released.site):
        told = say(Action.RESUME, "Go on")
        assert told.complete
        assert not told.in_force
        assert stopped()
    with record.open_log(released.site):
        assert not stopped()
    [kept] = released.site.events.glob("resume-*.json")
    text, other = kept.read_bytes(), next(released.site.events.glob("halt-*.json")).read_bytes()
    kept.write_bytes(other)
    with pytest.raises(AnswerIsNo, match="differs from the one in the ledger"):
        stopped()
    kept.write_bytes(text)
    assert not stopped()
    for path in released.site.halts.iterdir():
        path.unlink()
    with pytest.raises(AnswerIsNo, match="2 overseers' statements that are on record are missing"):
        stopped()


def test_nobody_lifts_a_halt_by_naming_other_overseers(released):
    key, own = (signers.parse_signer(signers.new_key(name)[0]) for name in ("inspector", "custodian.own"))
    policy = released.site.root / "oversight.policy"
    policy.write_text(f"key {key.key_text}\nhalt 1\nresume 1\n")
    everything = Scope.parse("everything")
    halts.enter(released.site, halt.write(Action.HALT, everything, house.LATER, "A leak", key), house.LATER)
    policy.write_text(f"key {own.key_text}\nhalt 1\nresume 1\n")
    halts.enter(released.site, halt.write(Action.RESUME, everything, house.LATER, "All is well", own), house.LATER)
    assert halts.is_halted(released.site, agency="us.dhs.ice", docket=house.NAME)
    policy.unlink()
    with pytest.raises(AnswerIsNo, match=r"oversight\.policy is missing"):
        halts.is_halted(released.site, agency="us.dhs.ice", docket=house.NAME)
    policy.write_text(f"key {key.key_text}\nhalt 1\nresume 1\n")
    lifted = halt.write(Action.RESUME, everything, house.LATER + dt.timedelta(minutes=1), "Mended", key)
    halts.enter(released.site, lifted, house.LATER)
    assert not halts.is_halted(released.site, agency="us.dhs.ice", docket=house.NAME)


def test_the_kinds_that_a_release_leaves(released):
    assert set(entered(released)) >= {
        "founded", "configuration change", "key change", "pack in force", "received", "decision", "release",
    }  # fmt: skip
