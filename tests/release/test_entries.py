"""Every kind of event is entered where it happens, once, and says nothing in clear."""

from __future__ import annotations

import json

import house
import pytest

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import halt, signers
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
    with pytest.raises(WrongInput, match="nobody oversees"):
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
    resumed = halt.write(Action.RESUME, Scope.parse("everything"), house.LATER.replace(hour=13), "Mended", key)
    halts.enter(released.site, resumed, house.LATER)
    assert not halts.is_halted(released.site, agency="us.dhs.ice", docket=house.NAME)
    assert [one["text"].split("\n")[1] for one in entered(released)["halt"]].count("resume everything") == 1
    verify_log(released.site.ledger, read_policy(released.site.policy))


def test_the_kinds_that_a_release_leaves(released):
    assert set(entered(released)) >= {
        "founded", "configuration change", "key change", "pack in force", "received", "decision", "release",
    }  # fmt: skip
