"""kill -9 at random instants of a release: nothing lost, nothing doubled, nothing sealed twice, nothing half-done.

As many rounds as fit in half a minute; `GATEHOUSE_KILLS=1000` asks for that many kills instead.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import duckdb
import house
import pytest
from django.db import connections

from gatehouse.casework.states import State
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import policy
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.tiles import TileReader
from gatehouse.pipeline import release
from gatehouse.release import officer
from gatehouse.release.recipients import read_identity
from gatehouse.store import jobs
from gatehouse.store.shelf import Shelf

SECONDS = 20
LONGEST = 3.0


def run(home: house.House) -> None:
    with duckdb.connect() as connection:
        release.release(connection, home.office, house.NAME, house.LATER)


def finish(home: house.House) -> None:
    if home.office.casebook.board(house.NAME).counts()[State.RELEASED] and not jobs.unfinished(release.KIND):
        with pytest.raises(AnswerIsNo, match="nothing is approved"):
            run(home)
    else:
        run(home)


def killed(home: house.House, after: float) -> bool:
    """Run a release in a child process and kill it; False when it was done before.

    A kill may fall after the last effect, with nothing left to do: the next child is then told so, and that is right.
    """
    connections.close_all()
    child = os.fork()
    if child == 0:
        status = 9
        try:
            finish(home)
            status = 0
        finally:
            os._exit(status)
    end = time.monotonic() + after
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.WEXITSTATUS(status) == 0, "the release failed by itself"
            return False
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def check(home: house.House) -> None:
    releases = Shelf().releases(house.NAME)
    assert sorted(one.officer for one in releases) == ["ICE-0000", "ICE-0001"]
    files = {path.name: digests.of_file(path) for path in home.docket.releases.glob("*.age")}
    assert files == {f"{one.id}.age": one.digest for one in releases}
    assert not any((home.docket.releases / ".sealing").iterdir())
    certificates = {path.stem: digests.of_file(path) for path in home.docket.certificates.glob("*.json")}
    assert certificates == {one.id: one.certificate for one in releases}
    assert home.office.casebook.board(house.NAME).counts()[State.RELEASED] == 9
    checkpoint = policy.read(home.site.policy).accept((home.site.ledger / "checkpoint").read_bytes())
    reader = TileReader(home.site.ledger, checkpoint.size)
    entries = [reader.entry(index) for index in range(checkpoint.size)]
    assert len(set(entries)) == len(entries)
    events = [Opening.parse(path.read_bytes()) for path in (home.docket.root / "events").glob("release-*.json")]
    assert sorted(str(event.fields()["package"]) for event in events) == sorted(files.values())
    assert all(event.entry in entries for event in events)
    for one in releases:
        out = home.agency / f"out-{one.officer}"
        opened = officer.open_release(
            home.package(one.id), read_identity(home.key(one.officer)), home.site.root / "trust", out, house.LATER
        )
        assert len(opened.rows) == len(one.cases)
        assert json.loads((out / "receipt.json").read_bytes())["body"]["package"] == one.digest


def test_killed_at_any_instant(approved: house.House, fresh_copy: object, tmp_path: Path) -> None:
    wanted = int(os.environ.get("GATEHOUSE_KILLS", "0"))
    seed = int(os.environ.get("GATEHOUSE_SEED", str(time.time_ns())))
    chance = random.Random(seed)  # noqa: S311 - instants, not secrets
    print(f"GATEHOUSE_SEED={seed}")
    kills, rounds, end = 0, 0, time.monotonic() + SECONDS
    home = approved
    longest = LONGEST
    while kills < wanted or (not wanted and time.monotonic() < end):
        for _ in range(3):
            started = time.monotonic()
            if not killed(home, chance.uniform(0, longest)):
                longest = max(0.2, min(LONGEST, time.monotonic() - started))
                break
            kills += 1
        finish(home)
        check(home)
        rounds += 1
        home = fresh_copy(tmp_path / f"round-{rounds}")  # type: ignore[operator]
    print(f"{kills} kills in {rounds} rounds")
    assert kills > 0
