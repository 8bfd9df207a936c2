"""What a certificate cannot show: that nothing stood against a release. `gatehouse check` reads the ledger for it.

The custodian takes its own refusals out and releases all the same; each certificate holds, and each entry is true.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import house
import pytest

from gatehouse.casework.selection import Selection
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.law import adoption
from gatehouse.ledger import halt, signers
from gatehouse.ledger.halt import Action, Scope
from gatehouse.oversight.standing import Finding, Given, Happened, judge
from gatehouse.pipeline import consistency, halts, packs, record, release, withdrawal

MINUTE = dt.timedelta(minutes=1)
SITE = "test.example/2025"


def told(home: house.House) -> list[str]:
    """What `gatehouse check` says, each with its place."""
    with duckdb.connect() as connection:
        return [f"{one.where}: {one.what}" for one in consistency.compare(connection, home.site).differences]


def halted(home: house.House) -> None:
    overseer = signers.parse_signer(signers.new_key("inspector")[0])
    (home.site.root / "oversight.policy").write_text(f"key {overseer.key_text}\nhalt 1\nresume 1\n")
    said = halt.write(Action.HALT, Scope.parse("everything"), house.NOW, "A question", overseer)
    halts.enter(home.site, said, house.NOW + MINUTE)


def withdrawn(home: house.House) -> None:
    withdrawal.ask(home.site, house.NAME, "clerk", house.NOW + MINUTE)


def replaced(home: house.House) -> None:
    house.enact(home, home.site.root.parent, lambda _: None)


STANDS: dict[str, tuple[Callable[[house.House], None], str]] = {
    "a halt": (halted, "released while overseers had halted it"),
    "a withdrawal": (withdrawn, "released after its agency had withdrawn the submission"),
    "newer law": (replaced, "released under law that other law had replaced"),
}


@pytest.mark.parametrize("what", STANDS)
def test_a_release_against_what_stood_in_the_ledger(
    approved: house.House, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    change, said = STANDS[what]
    before = packs.in_force(approved.site, "us.irs.6103-i-2")
    change(approved)
    if what != "newer law":  # this one permits the same: an honest site would name it in the certificate
        with pytest.raises(AnswerIsNo):
            release.release(approved.connection, approved.office, house.NAME, house.LATER)
    monkeypatch.setattr(halts, "refuse", lambda *_, **__: None)
    monkeypatch.setattr(withdrawal, "refuse", lambda *_: None)
    monkeypatch.setattr(packs, "in_force", lambda *_: before)
    done = release.release(approved.connection, approved.office, house.NAME, house.LATER)
    monkeypatch.undo()
    named = [line for line in told(approved) if said in line]
    assert sorted(line.partition(":")[0] for line in named) == sorted(
        f"dockets/{house.NAME}/events/release-{one.id}.json" for one in done.releases
    )


def test_what_is_entered_while_a_release_is_planned_stops_it(
    approved: house.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An honest site leaves no such finding: it asks once more while nobody else can enter anything."""
    real = release._Work._prepared

    def meanwhile(self: release._Work, plan: Any) -> Any:
        found = real(self, plan)
        withdrawn(approved)
        return found

    monkeypatch.setattr(release._Work, "_prepared", meanwhile)
    with pytest.raises(AnswerIsNo, match="withdrew"):
        release.release(approved.connection, approved.office, house.NAME, house.LATER)
    assert not list(approved.docket.events.glob("release-*.json"))


def entered(*events: dict[str, Any]) -> list[Happened]:
    """Events in the order in which they stand, of one docket where they are not the site's."""
    site = {"pack in force", "overseers", "halt", "resume", "roster", "continued", "loss"}
    return [Happened(at, "" if one["event"] in site else "D", one) for at, one in enumerate(events)]


def officers(*names: str, **more: str) -> dict[str, Any]:
    listed = [
        {"id": name, "name": name, "role": "disclosure_officer", "key": KEYS[name], "from": "2025-01-01"}
        | ({"revoked_on": more[name]} if name in more else {})
        for name in names
    ]
    return {"event": "roster", "officers": listed, "endorsements": []}


KEYS = {name: signers.new_key(name)[1] for name in ("ann", "bob", "cay")}
LAW = {"event": "pack in force", "pack": "basis", "version": "1.0.0", "digest": "law"}
RECEIVED = {"event": "received", "docket": "D", "agency": "agency", "pack": "law"}
RELEASED = {"event": "release", "release": "R", "pack": "law", "released_at": "2025-09-01T12:00:00Z"}
NEWER = {"event": "pack in force", "pack": "basis", "version": "1.10.0", "digest": "newer"}
AGAIN = {**LAW, "version": "1.10.0"}
PEOPLE = officers("ann", "bob")
WITHDRAWN = {"event": "unsealed", "release": "R"}


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([LAW, PEOPLE, RECEIVED, RELEASED], []),
        ([PEOPLE, RECEIVED, LAW, RELEASED], ["was determined under law that was never adopted before"]),
        ([LAW, NEWER, PEOPLE, RECEIVED], ["was determined under law that other law had replaced"]),
        ([LAW, NEWER, AGAIN, PEOPLE, RECEIVED, RELEASED], []),
        ([LAW, NEWER, LAW, PEOPLE, RECEIVED], ["was determined under law that other law had replaced"]),
        (
            [NEWER, {**LAW, "version": "one"}, PEOPLE, RECEIVED],
            ["was determined under law that other law had replaced"],
        ),
        ([{"event": "loss"}, PEOPLE, RECEIVED], []),
        ([LAW, PEOPLE, {"event": "continued"}, RECEIVED], ["received after the ledger of the next year had begun"]),
        ([LAW, PEOPLE, RECEIVED, {"event": "continued"}, RELEASED], []),
        ([LAW, PEOPLE, RECEIVED, RELEASED, {"event": "withdrawal"}], []),
        ([LAW, PEOPLE, RECEIVED, {"event": "withdrawal"}, RELEASED, WITHDRAWN], []),
        (
            [LAW, PEOPLE, RECEIVED, {"event": "withdrawal"}, RELEASED, WITHDRAWN, {"event": "sealed", "release": "R"}],
            ["after its agency had withdrawn"],
        ),
        ([LAW, RECEIVED, RELEASED, PEOPLE], ["ann, who is not on the custodian's", "bob, who is not on the"]),
        (
            [LAW, PEOPLE, RECEIVED, officers("ann", "bob", ann="2025-09-01"), RELEASED],
            ["officer ann, who lost the authority on 2025-09-01"],
        ),
        (
            [LAW, PEOPLE, RECEIVED, RELEASED, {**RELEASED, "release": "S", "released_at": "2025-09-02T12:00:00Z"}],
            ["2 of its cases were released before"],
        ),
        ([LAW, PEOPLE, RECEIVED, RELEASED, {**RELEASED, "release": "S"}], []),
    ],
)
def test_each_thing_is_judged_by_what_stood_before_it(events: list[dict[str, Any]], says: list[str]) -> None:
    said = Given(("ann", "bob"), Selection.of([1, 2]))
    found = list(judge(entered(*events), {"R": said, "S": said}, site=SITE))
    assert len(found) == len(says)
    assert all(part in one.what for one, part in zip(found, says, strict=True))


def test_a_resumption_lifts_a_halt_and_a_narrower_one_does_not() -> None:
    overseer = signers.parse_signer(signers.new_key("inspector")[0])
    policy = {"event": "overseers", "policy": f"key {overseer.key_text}\nhalt 1\nresume 1\n"}

    def spoken(action: Action, scope: str, minute: int) -> dict[str, Any]:
        at = house.NOW + minute * MINUTE
        text = halt.write(action, Scope.parse(scope), at, "A question", overseer).decode()
        return {"event": str(action), "text": text}

    def judged(*more: dict[str, Any]) -> list[Finding]:
        return list(judge(entered(policy, LAW, PEOPLE, RECEIVED, *more, RELEASED), {}, site=SITE))

    stop, narrow, wide = (
        spoken(Action.HALT, "agency agency", 0),
        spoken(Action.RESUME, "docket D", 1),
        spoken(Action.RESUME, "agency agency", 2),
    )
    assert [one.release for one in judged(stop)] == [one.release for one in judged(stop, narrow)] == ["R"]
    assert judged(stop, wide) == judged(spoken(Action.HALT, "agency other", 0)) == []


def test_a_docket_is_not_committed_under_law_that_was_replaced_meanwhile(small: house.House, tmp_path: Path) -> None:
    from gatehouse.synthetic.docket import Plan, make_docket

    house.enact(small, tmp_path, lambda _: None)
    with pytest.raises(AnswerIsNo, match="the law changed while this submission was determined"):
        make_docket(small.connection, small.site, Plan("ICE-2", 4, {"ICE-0000": "age1x"}), house.PACK, house.LATER)


def test_an_old_adoption_that_is_entered_again_brings_nothing_back(approved: house.House) -> None:
    """The log's key and the disk are enough: the old pack lies beside the new one, signed by both offices once."""
    basis = "us.irs.6103-i-2"
    old, [first] = packs.in_force(approved.site, basis), packs.adoptions(approved.site, basis)
    replaced(approved)
    pins = approved.site.packs / adoption.PINS
    listed = json.loads(pins.read_bytes())
    listed["packs"][basis] = {"folder": old.folder.name, "version": old.version, "digest": old.digest}
    pins.write_text(json.dumps(listed))
    with record.open_log(approved.site) as log:
        record.event(log, approved.site.events, "site/pack-again", dict(first.fields))
        record.publish(approved.site, log, house.NOW)
    with pytest.raises(AnswerIsNo, match="whose adoption is on record"):
        release.release(approved.connection, approved.office, house.NAME, house.LATER)
    said = f"events/pack-again.json: this adoption goes back to version {old.version}, after version 1.11.0"
    assert said in told(approved)


@pytest.mark.parametrize("narrower", [False, True])
def test_no_other_overseers_lift_a_halt_by_halting_the_same(approved: house.House, *, narrower: bool) -> None:
    """Who is named in the overseers' place halts once more, and then resumes: the first halt stands."""
    inspector, other = (signers.parse_signer(signers.new_key(name)[0]) for name in ("inspector", "other"))
    policy = approved.site.root / "oversight.policy"

    def says(who: signers.Signer, action: Action, scope: str, minute: int) -> None:
        text = halt.write(action, Scope.parse(scope), house.NOW + minute * MINUTE, "A question", who)
        halts.enter(approved.site, text, house.NOW)

    policy.write_text(f"key {inspector.key_text}\nhalt 1\nresume 1\n")
    says(inspector, Action.HALT, "everything", 0)
    policy.write_text(f"key {other.key_text}\nhalt 1\nresume 1\n")
    record.open_log(approved.site).close()
    for minute, action in enumerate((Action.HALT, Action.RESUME), 1):
        says(other, action, "agency us.dhs.ice" if narrower else "everything", minute)
    policy.write_text(f"key {inspector.key_text}\nhalt 1\nresume 1\n")
    with pytest.raises(AnswerIsNo, match="overseers have halted"):
        release.release(approved.connection, approved.office, house.NAME, house.LATER)
    says(inspector, Action.RESUME, "everything", 9)
    assert release.release(approved.connection, approved.office, house.NAME, house.LATER).cases == 9


def test_a_release_while_only_others_had_resumed_is_named() -> None:
    inspector, other = (signers.parse_signer(signers.new_key(name)[0]) for name in ("inspector", "other"))

    def named(who: signers.Signer) -> dict[str, Any]:
        return {"event": "overseers", "policy": f"key {who.key_text}\nhalt 1\nresume 1\n"}

    def says(who: signers.Signer, action: Action, minute: int) -> dict[str, Any]:
        text = halt.write(action, Scope.parse("everything"), house.NOW + minute * MINUTE, "A question", who)
        return {"event": str(action), "text": text.decode()}

    events = [
        LAW, PEOPLE, RECEIVED, named(inspector), says(inspector, Action.HALT, 0), named(other),
        says(other, Action.HALT, 1), says(other, Action.RESUME, 2),
    ]  # fmt: skip
    [found] = judge(entered(*events, RELEASED), {}, site=SITE)
    assert "while overseers had halted it" in found.what
    lifted = [*events, named(inspector), says(inspector, Action.RESUME, 3)]
    assert list(judge(entered(*lifted, RELEASED), {}, site=SITE)) == []
