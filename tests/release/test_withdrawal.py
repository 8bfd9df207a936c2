"""A submission that its agency withdraws after sending: on record, nothing more released, its open cases answered."""

from __future__ import annotations

import house
import pytest

from gatehouse.casework.states import State
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.pipeline import consistency, finishing, history, record, release, withdrawal


def test_nothing_of_a_withdrawn_submission_is_released_and_its_cases_are_closed(approved: house.House) -> None:
    site, now = approved.site, house.NOW
    entry = withdrawal.ask(site, house.NAME, "agency-1", now)
    assert withdrawal.ask(site, house.NAME, "agency-2", now) == entry, "once is enough"
    [said] = history.whole(site, {withdrawal.EVENT}).events
    assert (said.text("agency"), said.text("by"), said.scope) == ("us.dhs.ice", "agency-1", house.NAME)
    with pytest.raises(AnswerIsNo, match="withdrew"):
        release.release(approved.connection, approved.office, house.NAME, now)
    finishing.finish(approved.office, now)
    board = approved.office.casebook.board(house.NAME)
    assert not board.states[State.RELEASED]
    assert board.states[State.APPROVED_TWICE]
    record.open_log(site).close()
    assert consistency.compare(approved.connection, site).differences == ()


def test_a_release_that_began_is_stopped_by_a_withdrawal(
    approved: house.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = release._Work._mark

    def withdrawn_meanwhile(work, plan):
        withdrawal.ask(approved.site, house.NAME, "agency-1", house.NOW)
        return marked(work, plan)

    monkeypatch.setattr(release._Work, "_mark", withdrawn_meanwhile)
    with pytest.raises(AnswerIsNo, match="withdrew"):
        release.release(approved.connection, approved.office, house.NAME, house.NOW)
    assert not approved.office.casebook.board(house.NAME).states[State.RELEASED]
    assert not list(approved.docket.releases.glob("*.age"))


def test_a_withdrawal_that_is_removed_from_the_folder_is_noticed(approved: house.House) -> None:
    withdrawal.ask(approved.site, house.NAME, "agency-1", house.NOW)
    (approved.docket.events / "withdrawal.json").unlink()
    with pytest.raises(AnswerIsNo):
        release.release(approved.connection, approved.office, house.NAME, house.NOW)
