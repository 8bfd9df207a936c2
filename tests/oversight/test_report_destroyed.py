"""A docket whose keys and tables were destroyed: what is left of it is accounted for, and nothing hides behind it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import house
import pytest
from watched import Watched

from gatehouse.casework.states import State
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger.commitments import commit_event
from gatehouse.oversight import sources, writing
from gatehouse.oversight.rebuild import rebuild
from gatehouse.pipeline import closing, destruction, release

LONG_AFTER = house.LATER + dt.timedelta(days=800)


@pytest.fixture
def before(tmp_path: Path) -> tuple[house.House, Watched]:
    home = house.build(tmp_path)
    house.decide(home, "ann", "approve")
    house.decide(home, "bob", "approve")
    release.release(home.connection, home.office, house.NAME, house.LATER)
    house.decide(home, "ann", "refuse", cases=home.office.casebook.board(house.NAME).states[State.HELD])
    assert closing.answer(home.connection, home.office, home.docket, LONG_AFTER)
    return home, Watched(home.site.root, (), 0, "")


def test_its_disclosures_stay_in_every_accounting(before: tuple[house.House, Watched], tmp_path: Path) -> None:
    home, watched = before
    [public] = watched.rows("disclosures")
    [one] = watched.rows("person", "disclosures", asked={"person": 4})
    destruction.destroy(home.connection, home.office, house.NAME, "Retention schedule: two years", LONG_AFTER)
    watched.verified.clear()
    [after] = watched.rows("disclosures")
    assert {**after, "general_purposes": public["general_purposes"]} == public
    [kept] = watched.rows("person", "kept", asked={"person": 4})
    assert (kept["items"], kept["ledger_index"]) == (one["items"], one["ledger_index"])
    [gone] = watched.rows("accounting", "destroyed")
    assert (gone["requests"], gone["disclosures"], gone["reason"]) == (12, 9, "Retention schedule: two years")
    assert len(watched.rows("accounting", "kept")) == 9
    connection, made = watched.make("declaration")
    assert {figure.name: figure.value for figure in made.figures}["destroyed_requests"] == 12
    assert made.record.unexplained == 0
    writing.write_json(made, connection, tmp_path / "declaration.json")
    assert rebuild(open_workspace(), tmp_path / "declaration.json", watched.sources()).differences == ()


def test_a_destruction_that_is_not_on_record_hides_nothing(before: tuple[house.House, Watched]) -> None:
    _, watched = before
    fields = {"event": "destruction", "docket": house.NAME, "reason": "none", "at": "2027-11-10T12:05:00Z"}
    _, opening = commit_event(fields)
    (watched.docket / "events" / "destroyed.json").write_bytes(opening.encode())
    with pytest.raises(AnswerIsNo, match="the ledger has no record of it"):
        watched.make("disclosures")


def test_the_receipt_of_a_destroyed_docket_still_counts_only_as_received(before: tuple[house.House, Watched]) -> None:
    home, watched = before
    destruction.destroy(home.connection, home.office, house.NAME, "Retention schedule: two years", LONG_AFTER)
    receipt = json.loads((watched.docket / "receipt.json").read_bytes())
    (watched.docket / "receipt.json").write_text(json.dumps({**receipt, "requests": 4}))
    with pytest.raises(AnswerIsNo, match="receipt differs from the one"):
        sources.verify(open_workspace(), watched.sources())
