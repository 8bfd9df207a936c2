"""State follows from the ledger: what it does not bear out, and what nobody can open, is named and stops work."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.law.template import write_template
from gatehouse.ledger.commitments import commit_event
from gatehouse.ledger.log import Log
from gatehouse.ledger.signers import read_signer
from gatehouse.pipeline import founding, history, record
from gatehouse.pipeline.site import Founding, Site

NOW = dt.datetime(2025, 8, 7, 14, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("founded")
    write_template(folder / "pack", "us.example.one")
    founding.found(folder / "site", Founding("gateway.example/2025"), [folder / "pack"], NOW)
    return folder / "site"


@pytest.fixture
def site(founded: Path, tmp_path: Path) -> Site:
    from gatehouse.pipeline.site import open_site

    return open_site(Path(shutil.copytree(founded, tmp_path / "site")))


def enter(site: Site, name: str) -> None:
    with record.open_log(site) as log:
        record.event(log, site.events, f"site/{name}", {"event": name.partition("-")[0]})
        record.publish(site, log, NOW)


def test_the_events_of_a_site_in_the_order_of_its_ledger(site: Site) -> None:
    enter(site, "account_made-1")
    found = history.whole(site)
    assert [one.index for one in found.events] == list(range(found.size))
    assert [one.kind for one in found.events] == ["founded", "configuration", "key", "pack", "account_made"]
    assert next(one.name for one in found.of("pack", "founded", scope=history.SITE)) == "founded"


@pytest.mark.parametrize("name", ["founded", "configuration-0", "account_made-1"])
def test_an_event_whose_opening_is_gone_stops_work(site: Site, name: str) -> None:
    enter(site, "account_made-1")
    (site.events / f"{name}.json").unlink()
    with pytest.raises(AnswerIsNo, match=f"the opening of the event site/{name} is missing"):
        history.whole(site)


def test_an_opening_that_was_exchanged_stops_work(site: Site) -> None:
    enter(site, "account_made-1")
    _, other = commit_event({"event": "account_made", "more": True})
    (site.events / "account_made-1.json").write_bytes(other.encode())
    with pytest.raises(AnswerIsNo, match="differs from the one in the ledger"):
        history.whole(site)


def test_an_entry_of_the_log_writers_own_stops_work(site: Site) -> None:
    """Whoever holds the log's key can append; what nobody opens is still there to be explained."""
    entry, _ = commit_event({"event": "unknown"})
    with Log.open(site.ledger, read_signer(site.log_key), state=site.ledger_state) as log:
        log.append("site/halt-forgotten", [entry])
    with pytest.raises(AnswerIsNo, match="halt-forgotten is missing"):
        history.whole(site)


def test_a_batch_that_the_private_state_forgets_stops_work(site: Site) -> None:
    import sqlite3

    enter(site, "account_made-1")
    enter(site, "account_made-2")
    (site.events / "account_made-1.json").unlink()
    with sqlite3.connect(site.ledger_state / "ledger.sqlite3") as database:
        database.execute("DELETE FROM batches WHERE name = 'site/account_made-1'")
    with pytest.raises(AnswerIsNo, match=r"ledger, entry 4: no event explains these entries"):
        history.whole(site)


def test_an_event_exchanged_together_with_its_entry_is_not_under_the_checkpoint(site: Site) -> None:
    enter(site, "account_made-1")
    entry, opening = commit_event({"event": "account_made", "more": True})
    (site.events / "account_made-1.json").write_bytes(opening.encode())
    [bundle] = (site.ledger / "tile" / "entries" / "000.p").glob("5")
    data = bundle.read_bytes()
    bundle.write_bytes(data[: -len(entry)] + entry)
    with pytest.raises(AnswerIsNo, match="not under the published checkpoint"):
        history.whole(site)


@pytest.mark.parametrize("other", ["letter_made-1", "determinations", "determinations-1", "halt-1"])
def test_an_event_under_another_name_stops_work(site: Site, other: str) -> None:
    """Names stand in the private state and on files; whoever has the disk could make a halt a letter."""
    import sqlite3

    enter(site, "account_made-1")
    (site.events / "account_made-1.json").rename(site.events / f"{other}.json")
    with sqlite3.connect(site.ledger_state / "ledger.sqlite3") as database:
        database.execute("UPDATE batches SET name = ? WHERE name = 'site/account_made-1'", [f"site/{other}"])
    with pytest.raises(AnswerIsNo, match="says that it is something else"):
        history.whole(site)


def test_reading_some_kinds_stops_at_a_fault_of_these_alone(site: Site) -> None:
    enter(site, "account_made-1")
    (site.events / "account_made-1.json").unlink()
    assert [one.kind for one in history.whole(site, {"pack"}).events] == ["pack"]
    with pytest.raises(AnswerIsNo):
        history.whole(site, {"account_made"})
