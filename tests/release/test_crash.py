"""kill -9 at random instants of people's work: nothing lost, nothing doubled, nothing sealed twice, nothing half-done.

From two approvals over release and reconciliation to a recall, on SQLite and on PostgreSQL. As many rounds as fit in a
few seconds; `GATEHOUSE_KILLS=1000` asks for that many kills on each instead (`GATEHOUSE_SEED` draws the same again).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import house
import pytest
import server
from django.db import connections

from gatehouse import store
from gatehouse.casework import statement as statements
from gatehouse.casework.states import State
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import policy
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.tiles import TileReader
from gatehouse.pipeline import recall as recalling
from gatehouse.pipeline import record, release
from gatehouse.pipeline.returns import reconcile
from gatehouse.release import officer, trust
from gatehouse.release.recall import Cause
from gatehouse.release.recipients import read_identity
from gatehouse.store import jobs, transfer
from gatehouse.store.shelf import Shelf

SECONDS = 12
LONGEST = 3.0
MakeHouse = Callable[[str], house.House]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with server.postgres() as address:
        yield address


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def fresh(request: pytest.FixtureRequest, fresh_small: Callable[[Path], house.House], tmp_path: Path) -> MakeHouse:
    """Makes houses in which nothing is decided yet, each with a database of its own."""
    if request.param == "sqlite":
        return lambda name: fresh_small(tmp_path / name)
    first = request.getfixturevalue("postgres_server")

    def on_postgres(name: str) -> house.House:
        home = fresh_small(tmp_path / name)
        transfer.dump(tmp_path / "records")
        address = server.another(first, name.replace("-", "_"))
        text = home.site.configuration.path.read_text()
        home.site.configuration.path.write_text(text.replace("sqlite:///gatehouse.sqlite3", address))
        store.configure(home.site.database)
        transfer.load(tmp_path / "records")
        return home

    return on_postgres


def work(home: house.House) -> None:
    """Do what is left to do, as people and the machine would when they come back after a crash."""
    place = home.office
    with duckdb.connect() as connection:
        for person in ("ann", "bob"):
            if place.casebook.board(house.NAME).approvable_by(frozenset({person})):
                house.decide(home, person, "approve")
        if place.casebook.board(house.NAME).states[State.APPROVED_TWICE] or jobs.unfinished(release.KIND):
            release.release(connection, place, house.NAME, house.LATER)
        reconcile(place, house.NAME, house.LATER)
        recalling.resume(connection, place)
        if released := place.casebook.board(house.NAME).states[State.RELEASED]:
            recalling.recall(
                connection, place, house.NAME, released, cause=Cause("requests", "", "Wrong persons were matched."),
                officer="eve", signer=home.staff["eve"], now=house.LATER,
            )  # fmt: skip


def killed(home: house.House, after: float) -> bool:
    """Work in a child process and kill it; False when it was done before."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        status = 9
        try:
            work(home)
            status = 0
        except Exception:  # noqa: BLE001 - a child shows why it failed, whatever it is
            traceback.print_exc()
        finally:
            os._exit(status)
    end = time.monotonic() + after
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.WEXITSTATUS(status) == 0, "the work failed by itself"
            return False
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def check(home: house.House, scratch: Path) -> None:
    """Each of the six effects is there once: two approvals, two packages, one recall with its two notices."""
    place = home.office
    assert place.casebook.board(house.NAME).counts() | {State.HELD: 0, State.INCOMPLETE: 0} == {
        **dict.fromkeys(State, 0), State.RECALLED: 9,
    }  # fmt: skip
    decisions = [
        (one.number, one.statement.text("action"), one.statement.text("officer"))
        for one in place.casebook.decisions(house.NAME)
    ]
    assert decisions == [(0, "approve", "ann"), (1, "approve", "bob"), (2, "recall", "eve")]
    assert place.casebook.attempts(house.NAME) == ()
    releases = Shelf().releases(house.NAME)
    assert sorted(one.officer for one in releases) == ["ICE-0000", "ICE-0001"]
    check_files(home, {one.id: one.digest for one in releases}, {one.id: one.certificate for one in releases})
    check_ledger(home)
    check_packages(home, scratch)


def check_files(home: house.House, packages: dict[str, str], certificates: dict[str, str]) -> None:
    kept = {path.stem: digests.of_file(path) for path in home.docket.releases.glob("*.age")}
    # A package recalled before it was published never is; its certificate is kept.
    assert kept.items() <= packages.items()
    assert {path.stem: digests.of_file(path) for path in home.docket.certificates.glob("*.json")} == certificates
    assert not any((home.docket.releases / ".sealing").iterdir())
    assert not list(home.docket.root.rglob("*.tmp"))
    [folder] = (home.docket.root / "recalls").iterdir()
    assert {path.name for path in folder.iterdir()} == {
        "incident.json", "persons.parquet", *(f"{name}.json" for name in packages)
    }  # fmt: skip
    laid_out = home.site.root / "trust" / "notices"
    assert {path.name: path.read_bytes() for path in laid_out.iterdir()} == {
        f"{name}.json": (folder / f"{name}.json").read_bytes() for name in packages
    }


def check_ledger(home: house.House) -> None:
    with record.open_log(home.site) as log:  # what was appended since the last checkpoint is shown by the next
        record.publish(home.site, log, house.LATER)
    checkpoint = policy.read(home.site.policy).accept((home.site.ledger / "checkpoint").read_bytes())
    reader = TileReader(home.site.ledger, checkpoint.size)
    entries = [reader.entry(index) for index in range(checkpoint.size)]
    assert len(set(entries)) == len(entries)
    opened = {path: Opening.parse(path.read_bytes()) for path in (home.docket.root / "events").glob("*.json")}
    kinds = sorted(str(one.fields()["event"]) for one in opened.values())
    assert kinds.count("decision") == 3
    assert kinds.count("recall") == 1
    assert [kinds.count(name) for name in ("release", "received")] == [2, 1]
    assert all(one.entry in entries for one in opened.values())
    for decision in home.office.casebook.decisions(house.NAME):
        event = opened[home.docket.root / "events" / f"decision-{decision.number}.json"]
        assert event.fields()["statement"] == decision.statement.digest
        assert reader.entry(decision.ledger_index or -1) == event.entry


def check_packages(home: house.House, scratch: Path) -> None:
    """Each published package opens under a trust folder without the notices, and under the real one does not."""
    before = scratch / "trust"
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(home.site.root / "trust", before, ignore=shutil.ignore_patterns(trust.NOTICES))
    for one in Shelf().releases(house.NAME):
        if one.published_at is None:
            continue
        package, key = home.package(one.id), read_identity(home.key(one.officer))
        out = home.agency / f"out-{one.officer}"
        opened = officer.open_release(package, key, before, out, house.LATER)
        assert len(opened.rows) == len(one.cases)
        assert json.loads((out / "receipt.json").read_bytes())["body"]["package"] == one.digest
        with pytest.raises(AnswerIsNo, match="recalled"):
            officer.open_release(package, key, home.site.root / "trust", home.agency / "again", house.LATER)
        notice = statements.parse((home.site.root / "trust" / "notices" / f"{one.id}.json").read_bytes())
        assert notice.text("package") == one.digest


@pytest.mark.slow
def test_killed_at_any_instant(fresh: MakeHouse, tmp_path: Path) -> None:
    wanted = int(os.environ.get("GATEHOUSE_KILLS", "0"))
    seed = int(os.environ.get("GATEHOUSE_SEED", str(time.time_ns())))
    chance = random.Random(seed)  # noqa: S311 - instants, not secrets
    print(f"GATEHOUSE_SEED={seed}")
    kills, rounds, end = 0, 0, time.monotonic() + SECONDS
    longest = LONGEST
    while kills < wanted or (not wanted and time.monotonic() < end):
        home = fresh(f"round-{rounds}")
        for _ in range(4):
            started = time.monotonic()
            if not killed(home, chance.uniform(0, longest)):
                longest = max(0.2, min(LONGEST, time.monotonic() - started))
                break
            kills += 1
        work(home)
        check(home, tmp_path)
        rounds += 1
        shutil.rmtree(home.site.root.parent)
    print(f"{kills} kills in {rounds} rounds")
    assert kills > 0
