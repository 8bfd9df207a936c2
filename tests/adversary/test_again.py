"""What was signed once is entered once more: an approval that another officer had undone comes back by itself."""

from __future__ import annotations

import datetime as dt
import importlib.util
from pathlib import Path
from typing import Any

import duckdb
import house
import pytest

from gatehouse.casework.board import Blocked
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, Actor
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import policy
from gatehouse.ledger.docket_proof import verify_docket
from gatehouse.pipeline import approve, consistency, release

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
    assert release.release(small.connection, place, house.NAME, house.LATER).cases == 9
    with duckdb.connect() as connection:
        found = consistency.compare(connection, small.site).differences
        assert [(one.where, one.what) for one in found] == [
            (f"dockets/{house.NAME}/events/decision-3.json", "a signed decision was entered more than once")
        ]
        newest = policy.read(small.site.policy).accept((small.site.ledger / "checkpoint").read_bytes())
        with pytest.raises(AnswerIsNo, match="entered more than once"):
            verify_docket(connection, small.docket.root, small.site.ledger, newest)
    program = tool()
    with pytest.raises(program.Failure, match="entered more than once"):
        program.own_events(str(small.docket.root), house.NAME)


def tool() -> Any:
    spec = importlib.util.spec_from_file_location("verify_docket", STRANGER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
