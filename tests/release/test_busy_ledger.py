"""Releases, orders, packs and destructions that meet a busy ledger, at whatever step: each ends by itself."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import court
import house
import pytest

from gatehouse.casework.states import State
from gatehouse.kernel.errors import AnswerIsNo, BeingFinished, MachineFailed
from gatehouse.law.check import Report
from gatehouse.law.prove import Status, Verdict
from gatehouse.law.reading import load
from gatehouse.law.signing import sign
from gatehouse.pipeline import closing, destruction, finishing, history, orders, packs, record, release
from gatehouse.pipeline.recheck import By
from gatehouse.store.shelf import Shelf

pytestmark = pytest.mark.slow

LATER = house.LATER
LONG_AFTER = LATER + dt.timedelta(days=800)


def lapse() -> None:
    from gatehouse.store import models

    models.Job.objects.update(lease_until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))


def told(home: house.House, kind: str) -> int:
    return len(history.whole(home.site, {kind}).events)


@pytest.mark.parametrize("step", ["_commit_plan", "_seal", "_mark", "_commit"])
def test_a_release_ends_whichever_step_met_the_busy_ledger(
    approved: house.House, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Somebody takes the ledger just before one step, and gives it back only after the release has failed."""
    taken = []
    met = getattr(release._Work, step)

    def meets(work, *given):
        if not taken:
            taken.append(record.open_log(approved.site))
        return met(work, *given)

    monkeypatch.setattr(release._Work, step, meets)
    with pytest.raises(MachineFailed):
        release.release(approved.connection, approved.office, house.NAME, LATER)
    monkeypatch.undo()
    [held] = taken
    held.close()
    lapse()
    assert finishing.finish(approved.office, LATER) >= 1
    published = [one for one in Shelf().releases(house.NAME) if one.published_at is not None]
    assert published
    assert approved.office.casebook.board(house.NAME).counts()[State.RELEASED] == 9
    assert told(approved, "sealed") == len(published) == len(list(approved.docket.releases.glob("*.age")))
    assert finishing.finish(approved.office, LATER) == 0


@pytest.fixture(scope="session")
def parcel(templates: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An order prepared against the pack in force and signed by both offices."""
    folder, home = tmp_path_factory.mktemp("busy"), templates.made  # type: ignore[attr-defined]
    seated = court.sit(home)
    shown, _ = orders.preview(
        home.connection, home.office, [court.draft(home, folder, court.order())], text=folder / "order.txt",
        out=folder / "parcel", now=LATER,
    )  # fmt: skip
    for key in (seated.counsel, seated.custodian):
        orders.sign(shown.folder, key)
    return shown.folder


def test_an_order_that_met_a_busy_ledger_is_in_force_and_on_record_afterwards(
    approved: house.House, parcel: Path
) -> None:
    with (
        record.open_log(approved.site),
        pytest.raises(BeingFinished, match="the pack is in force"),
    ):
        orders.enter(approved.connection, approved.office, parcel, By("eve", approved.staff["eve"], "Served."), LATER)
    assert [one.order for one in orders.unfinished(approved.site)] == [court.ORDER]
    assert finishing.finish(approved.office, LATER) >= 1
    assert not orders.unfinished(approved.site)
    assert told(approved, "order") == 1
    with pytest.raises(AnswerIsNo, match="stopped by the law"):  # by the order alone, before anybody held a case
        release.release(approved.connection, approved.office, house.NAME, LATER)
    done = orders.enter(
        approved.connection, approved.office, parcel, By("eve", approved.staff["eve"], "Served."), LATER
    )
    assert done.held == {house.NAME: 9}
    assert finishing.finish(approved.office, LATER) == 0


def test_a_pack_that_met_a_busy_ledger_goes_on_record(small: house.House, tmp_path: Path) -> None:
    draft = tmp_path / "draft"
    shutil.copytree(small.site.pack_for(court.PACK), draft)
    path = draft / "pack.toml"
    path.write_text(path.read_text().replace('version = "1.', 'version = "1.1', 1))
    pack = load(draft)
    verdicts = [Verdict(each.id, each.says, Status.PROVED, 0.0, None, "") for each in pack.properties]
    for signer in house.offices(small):
        sign(Report(pack, [], [], verdicts, 0, []), signer)
    before = told(small, "pack")
    with record.open_log(small.site), pytest.raises(BeingFinished, match="the pack is in force"):
        packs.adopt(small.site, draft, LATER)
    assert packs.unrecorded(small.site)
    assert finishing.finish(small.office, LATER) == 1
    assert told(small, "pack") == before + 1
    assert load(small.site.pack_for(court.PACK)).digest == pack.digest
    assert finishing.finish(small.office, LATER) == 0


def test_a_destruction_that_met_a_busy_ledger_destroyed_nothing_and_one_on_record_ends(
    released: house.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = released.office.casebook.board(house.NAME)
    house.decide(released, "ann", "refuse", cases=board.states[State.HELD])
    assert closing.answer(released.connection, released.office, released.docket, LONG_AFTER)
    files = sorted(path for path in released.docket.root.rglob("*") if path.is_file())
    with record.open_log(released.site), pytest.raises(MachineFailed):
        destruction.destroy(released.connection, released.office, house.NAME, "Two years.", LONG_AFTER)
    left = [path for path in files if path.is_file()]
    assert left == files
    monkeypatch.setattr(destruction, "_remains", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(OSError, match="Input/output"):
        destruction.destroy(released.connection, released.office, house.NAME, "Two years.", LONG_AFTER)
    monkeypatch.undo()
    assert released.docket.vault.exists()
    assert finishing.finish(released.office, LONG_AFTER) == 1
    assert not released.docket.vault.exists()
    assert told(released, "destroyed") == 1
    assert finishing.finish(released.office, LONG_AFTER) == 0
