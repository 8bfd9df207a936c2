"""Entries that are true and stand where they should not: an approval once more, a release among the site's events."""

from __future__ import annotations

import datetime as dt
import importlib.util
import shutil
from pathlib import Path
from typing import Any

import duckdb
import house
import pytest

from gatehouse.casework.board import Blocked
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, Actor
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import log as logs
from gatehouse.ledger import naming, policy
from gatehouse.ledger.docket_proof import verify_docket
from gatehouse.ledger.opening import Opening
from gatehouse.pipeline import answers, approve, certifying, consistency, disclosures, planning, record
from gatehouse.pipeline import release as stage
from gatehouse.synthetic.docket import agency_signer

MINUTE = dt.timedelta(minutes=1)
STRANGER = Path(__file__).parents[2] / "verifier" / "verify_docket.py"


@pytest.fixture
def undone(small: house.House) -> tuple[Statement, Selection]:
    """Ann's approval of nine cases, which eve stopped and then let pass to the approvals again."""
    house.decide(small, "ann", "approve")
    book = small.office.casebook
    cases = book.board(house.NAME).states["approved_once"]
    house.decide(small, "eve", "hold", cases=cases, now=house.NOW + MINUTE)
    house.decide(small, "eve", "clear", cases=cases, now=house.NOW + 2 * MINUTE)
    return book.decisions(house.NAME)[0].statement, cases


def test_a_site_takes_a_signed_decision_once(small: house.House, undone: tuple[Statement, Selection]) -> None:
    """The cases stand as they stood when it was signed, and its time is within the tolerance for clocks."""
    with pytest.raises(Blocked, match="taken before"):
        approve.take(small.office, *undone, house.NOW + 3 * MINUTE)


def test_an_approval_entered_again_is_named(small: house.House, undone: tuple[Statement, Selection]) -> None:
    """The package opens, for each signature is real and the certificate shows only what stands; whoever has all of the
    docket's events sees one signature twice.
    """
    (statement, cases), place = undone, small.office
    with place.casebook.deciding(house.NAME) as desk:  # the custodian's own code, its refusals taken out
        moved = desk.board.move(Action.APPROVE, cases, actor=Actor.OFFICER, people=place.roster.people("ann"))
        desk.save(moved, statement, cases)
    approve.commit_decisions(place, house.NAME, house.NOW + 3 * MINUTE)
    house.decide(small, "bob", "approve", now=house.NOW + 3 * MINUTE)
    assert stage.release(small.connection, place, house.NAME, house.LATER).cases == 9
    with duckdb.connect() as connection:
        found = consistency.compare(connection, small.site).differences
        assert [(one.where, one.what) for one in found] == [
            (
                f"dockets/{house.NAME}/events/{name}.json",
                "a release rests on a signed decision that was entered once more",
            )
            for name in [min(path.stem for path in small.docket.events.glob("release-*"))]
        ]
        newest = policy.read(small.site.policy).accept((small.site.ledger / "checkpoint").read_bytes())
        with pytest.raises(AnswerIsNo, match="entered once more"):
            verify_docket(connection, small.docket.root, small.site.ledger, newest)
    program, ledger = tool(), str(small.site.ledger)
    size, _, _ = program.check_ledger(ledger, program.Policy(str(small.site.policy)))
    with pytest.raises(program.Failure, match="entered once more"):
        program.check_docket(str(small.docket.root), ledger, size, program.Key(agency_signer().key_text), None)


def test_a_release_that_is_entered_as_an_event_of_the_site(
    approved: house.House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry is true and the package opens, but no account of the docket would have it: neither the answers about
    persons nor `check` look for releases among the events of the site.
    """
    site, kept = approved.site, {}
    real_opening, real_place = certifying.opening_of, certifying.Certifying._place

    def aside(log: Any, _: object, share: Any, said: Any) -> int:
        return record.event(log, site.events, f"site/release-{share.release}", said.fields())

    def opening_of(docket: Any, name: str) -> Opening:
        path = site.events / f"{name}.json"
        return Opening.parse(path.read_bytes()) if path.exists() else real_opening(docket, name)

    def place(self: Any, name: str) -> int:
        found = logs.place(site.ledger_state, f"site/{name}")
        return found.start if found else real_place(self, name)

    def hands_over(self: stage._Work, _: object) -> None:
        for one in self._shelf.sealed(self._batch):
            kept[one.officer] = tmp_path / f"{one.officer}.age"
            shutil.copy(self._docket.releases / planning.STAGING / f"{one.digest}.age", kept[one.officer])
        raise AnswerIsNo("nothing was released, says the custodian")

    with monkeypatch.context() as patched:
        patched.setattr(naming, "is_about", lambda *_: True)
        patched.setattr(planning, "put_on_record", aside)
        patched.setattr(certifying, "opening_of", opening_of)
        patched.setattr(certifying.Certifying, "_place", place)
        patched.setattr(stage._Work, "_mark", hands_over)
        with pytest.raises(AnswerIsNo, match="nothing was released"):
            stage.release(approved.connection, approved.office, house.NAME, house.LATER)
    with duckdb.connect() as connection:
        found = [one.what for one in consistency.compare(connection, site).differences]
    assert len([one for one in found if "says that it is something else" in one]) == len(kept) == 2
    with pytest.raises(AnswerIsNo, match="says that it is something else"):
        answers.build(approved.connection, approved.office, house.LATER)


def test_a_destruction_entered_before_its_time_is_named(released: house.House) -> None:
    """Whoever has the log's key enters it, and alters the tables afterwards: nothing is compared any more."""
    docket = released.docket
    known = Opening.parse((docket.events / "received.json").read_bytes()).fields()
    kept = disclosures.keep(released.connection, released.site, docket)
    accounts = {path.name: digests.of_file(path) for path in (docket.root / "disclosures").glob("*.json")}
    fields = {
        "event": "destruction", "docket": docket.id, "reason": "none", "at": "2025-09-01T12:06:00Z",
        "first": known["first"], "requests": known["requests"], "vault": "0" * 64, "determinations": "0" * 64,
        "disclosures": digests.of_file(kept), "accounts": accounts,
    }  # fmt: skip
    with record.open_log(released.site) as log:
        record.event(log, docket.events, f"{docket.id}/destroyed", fields)
        record.publish(released.site, log, house.LATER)
    with duckdb.connect() as connection:
        found = {one.what for one in consistency.compare(connection, released.site).differences}
    assert found == {
        "it was destroyed before its answers were told",
        "it was destroyed while a release of it could still be used",
        "what was destroyed on record is still there",
    }


def tool() -> Any:
    spec = importlib.util.spec_from_file_location("verify_docket", STRANGER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
