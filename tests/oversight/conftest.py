"""A site whose docket was released, opened by one officer, recalled in part and disposed of; made once, then copied."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import house
import pytest
from watched import Watched

from gatehouse.casework.selection import Selection
from gatehouse.cli.main import cli
from gatehouse.pipeline import recall, release
from gatehouse.pipeline import record as records
from gatehouse.pipeline import returns as entering
from gatehouse.release import officer, returns
from gatehouse.release.recall import Cause
from gatehouse.release.recipients import read_identity
from gatehouse.store.shelf import Shelf

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    from django.db import connections

    work = tmp_path_factory.mktemp("watched")
    home = house.build(work)
    house.decide(home, "ann", "clear", cases=Selection.of([1]))
    house.decide(home, "ann", "approve")
    house.decide(home, "bob", "approve")
    house.decide(home, "eve", "refuse", cases=Selection.of([0]))
    done = release.release(home.connection, home.office, house.NAME, house.LATER)
    before = int((home.site.ledger / "checkpoint").read_text().split("\n")[1])
    first = done.releases[0]
    trust, out = home.site.root / "trust", work / "opened"
    officer.open_release(home.package(first.id), read_identity(home.key(first.officer)), trust, out, house.LATER + DAY)
    taken = recall.recall(
        home.connection, home.office, house.NAME, Selection.of([4]),
        cause=Cause("requests", "", "Another person of that name was matched."), officer="eve",
        signer=home.staff["eve"], now=house.LATER + 2 * DAY,
    )  # fmt: skip
    receipt = returns.statements.parse((out / "receipt.json").read_bytes())
    disposal = officer.dispose(out, "overwrite", house.LATER + 3 * DAY)
    entering.enter(
        home.site, house.NAME, [returns.accept(Shelf(), one, house.LATER + 4 * DAY) for one in (receipt, disposal)]
    )
    with records.open_log(home.site) as log:
        records.publish(home.site, log, house.LATER + 4 * DAY)
    connections.close_all()
    return Watched(home.site.root, (receipt, disposal), before, taken.id)


@pytest.fixture
def copied(watched: Watched, tmp_path: Path) -> Watched:
    """A copy that a test may tamper with."""
    shutil.copytree(watched.root, tmp_path / "custodian", symlinks=True)
    return replace(watched, root=tmp_path / "custodian", verified={})


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., str]]:
    """Run `gatehouse report …`; gives what it printed."""

    def run(*arguments: object) -> str:
        capsys.readouterr()
        cli.main(["report", *map(str, arguments)], prog_name="gatehouse", standalone_mode=False)
        return capsys.readouterr().out

    return run
