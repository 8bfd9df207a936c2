"""What somebody signed ends, whatever stopped it; a dry run changes nothing; a second recall gives no more time."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
import house
import pytest
import server
from click.testing import CliRunner

from gatehouse.casework.selection import Selection
from gatehouse.casework.states import State
from gatehouse.cli.main import cli
from gatehouse.kernel.errors import BeingFinished
from gatehouse.ledger import halt, log, signers
from gatehouse.pipeline import finishing, halts, record, returns
from gatehouse.pipeline import recall as recalling
from gatehouse.release import officer
from gatehouse.release.recall import Cause
from gatehouse.release.recipients import read_identity
from gatehouse.store.shelf import Shelf

SOURCE = Path(__file__).parents[2] / "src"
LATER = house.LATER


def take_back(home: house.House, *cases: int, now: dt.datetime = LATER) -> recalling.Recalled:
    return recalling.recall(
        home.connection, home.office, house.NAME, Selection.of(cases),
        cause=Cause("requests", "", "Another person of that name was matched."), officer="eve",
        signer=home.staff["eve"], now=now,
    )  # fmt: skip


def lapse() -> None:
    """As if the minutes had passed after which a failed piece is tried again."""
    from gatehouse.store import models

    models.Job.objects.update(lease_until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))


def notices(home: house.House) -> dict[str, dict[str, object]]:
    folder = home.site.root / "trust" / "notices"
    return {path.name: json.loads(path.read_bytes())["body"] for path in sorted(folder.glob("*.json"))}


def interrupted(home: house.House) -> None:
    """A recall that met a busy ledger: its cases are recalled, its notices are not out."""
    with record.open_log(home.site), pytest.raises(BeingFinished, match=r"the cases are recalled \(1\).*finished by"):
        take_back(home, 4)
    assert home.office.casebook.board(house.NAME).state_of(4) is State.RECALLED
    assert notices(home) == {}


def test_a_recall_that_meets_a_busy_ledger_is_finished_by_itself(released: house.House) -> None:
    interrupted(released)
    finishing.finish(released.office, LATER)
    assert notices(released) == {}  # the piece was begun a moment ago
    lapse()
    assert finishing.finish(released.office, LATER) == 1
    [body] = notices(released).values()
    assert body["release"] in {one.id for one in Shelf().releases(house.NAME)}
    assert finishing.finish(released.office, LATER) == 0


def test_decisions_halts_and_receipts_that_met_a_busy_ledger_are_entered(released: house.House, tmp_path: Path) -> None:
    overseer = signers.parse_signer(signers.new_key("ig.example")[0])
    (released.site.root / "oversight.policy").write_text(f"key {overseer.key_text}\nhalt 1\nresume 1\n")
    stop = halt.write(halt.Action.HALT, halt.Scope.parse("everything"), LATER, "An order.", overseer)
    one = Shelf().releases(house.NAME)[0]
    key, trusted = read_identity(released.key(one.officer)), released.site.root / "trust"
    officer.open_release(released.package(one.id), key, trusted, tmp_path / "opened", LATER)
    [receipt] = (tmp_path / "opened").rglob("*receipt*.json")
    with record.open_log(released.site):
        house.decide(released, "ann", "refuse", cases=Selection.of([0]), now=LATER)
        returns.take(released.office, house.NAME, receipt, LATER)
        with pytest.raises(BeingFinished, match="the statement is in the folder"):
            halts.enter(released.site, stop, LATER)
    before = set(log.batches(released.site.ledger_state))
    assert finishing.finish(released.office, LATER) >= 1  # opening the ledger for one enters another too
    added = set(log.batches(released.site.ledger_state)) - before
    assert sorted(name.rpartition("/")[2].partition("-")[0] for name in added) == ["decision", "halt", "receipt"]
    assert finishing.finish(released.office, LATER) == 0


def test_one_piece_that_cannot_be_finished_does_not_hold_up_the_rest(
    released: house.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(released)
    lapse()
    with record.open_log(released.site):
        house.decide(released, "ann", "refuse", cases=Selection.of([0]), now=LATER)
    monkeypatch.setattr(recalling._Work, "_commit", lambda _: (_ for _ in ()).throw(OSError(28, "No space")))
    assert finishing.finish(released.office, LATER) == 1
    monkeypatch.undo()
    lapse()
    assert finishing.finish(released.office, LATER) == 1


def test_a_second_recall_of_one_package_adds_a_notice_and_the_earliest_day_stands(released: house.House) -> None:
    take_back(released, 4)
    take_back(released, 6, 8, now=LATER + dt.timedelta(days=3))
    bodies = list(notices(released).values())
    package = bodies[0]["release"]
    assert [body["release"] for body in bodies] == [package, package]
    assert sorted(len(body["request_ids"]) for body in bodies) == [1, 2]  # type: ignore[arg-type]
    assert {body["dispose_by"] for body in bodies} == {"2025-09-11"}
    assert [one.recalled_at for one in Shelf().releases(house.NAME) if one.id == package] == [LATER]


def state_of(home: house.House) -> dict[str, str]:
    """Everything at a site: each file's digest, and the rows of its database."""
    found = {
        str(path.relative_to(home.site.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.site.root.rglob("*")
        if path.is_file() and not path.name.startswith("gatehouse.sqlite3")
    }
    with closing(sqlite3.connect(home.site.database.removeprefix("sqlite:///"))) as database:
        found["database"] = "\n".join(database.iterdump())
    return found


DRY_RUNS = {
    "recall": ["recall", "--docket", house.NAME, "--requests", "R-4", "--dry-run"],
}
"""By command, what to call."""


def commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from commands(found, f"{path}{name} ")
        elif found is not None:
            yield f"{path}{name}", found


def test_every_command_with_a_dry_run_is_tested() -> None:
    having = {name for name, command in commands(cli) if any("--dry-run" in each.opts for each in command.params)}
    assert having == set(DRY_RUNS)


@pytest.mark.parametrize("name", DRY_RUNS)
def test_a_dry_run_changes_nothing(released: house.House, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Not even what is unfinished and could be finished on the way."""
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-09-01T12:30:00Z")
    interrupted(released)
    lapse()
    [(request,)] = released.connection.execute(
        "SELECT request_id FROM read_parquet(?) WHERE seq = 6", [str(released.docket.table("determinations"))]
    ).fetchall()
    before = state_of(released)
    given = [request if part == "R-4" else part for part in DRY_RUNS[name]]
    done = CliRunner().invoke(cli, [*given, "--site", str(released.site.root)])
    assert done.exit_code == 0, (done.output, done.exception)
    assert "1 cases" in done.output
    assert state_of(released) == before


@pytest.mark.slow
@pytest.mark.postgres
def test_work_survives_a_restart_of_the_database(tmp_path: Path) -> None:
    with server.postgres() as address:
        home = house.build(tmp_path, requests=4, database=address, held=0, incomplete=0)
        assert home.office.casebook
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"}
        arguments = [sys.executable, "-m", "gatehouse", "work", "--site", str(home.site.root)]
        with (tmp_path / "said").open("wb") as said:
            working = subprocess.Popen(arguments, env=environment, stdout=said, stderr=said)
        try:
            until = time.monotonic() + 120

            def wait_for(text: str) -> None:
                while text not in (tmp_path / "said").read_text():
                    assert working.poll() is None, (tmp_path / "said").read_text()
                    assert time.monotonic() < until, (tmp_path / "said").read_text()
                    time.sleep(0.2)

            wait_for("Carrying on")
            with server.stopped(address):
                wait_for("The database does not answer")
            wait_for("The database answers again")
            working.terminate()
            assert working.wait(30) == 0
        finally:
            working.kill()
