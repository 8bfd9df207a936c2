"""A site copied at one instant and brought back: whole, or it says where it is not; and it never forks its ledger."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import house
import pytest
import server

from gatehouse import store
from gatehouse.casework.states import State
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.ledger import policy
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import approve, consistency, record, release
from gatehouse.pipeline.backup import back_up, restore
from gatehouse.pipeline.site import Site
from gatehouse.store import models_of


def differences(site: Site) -> list[str]:
    store.configure(site.database)
    record.open_log(site).close()  # a copied site's configuration is another one
    return [f"{each.where}: {each.what}" for each in consistency.compare(duckdb.connect(), site).differences]


def with_keys(site: Site, home: house.House) -> Site:
    shutil.copytree(home.site.keys, site.keys, dirs_exist_ok=True)
    return site


def test_a_site_at_rest_tells_one_story(released: house.House) -> None:
    assert differences(released.site) == []


def test_what_is_backed_up_comes_back_and_goes_on(approved: house.House, tmp_path: Path) -> None:
    made = back_up(approved.site, tmp_path / "backup", house.NOW)
    assert made.files > 20
    assert not (tmp_path / "backup" / "site" / "keys").exists()
    site, _ = restore(tmp_path / "backup", tmp_path / "again")
    assert differences(with_keys(site, approved)) == []
    place = approve.office(site)
    assert len(release.release(approved.connection, place, house.NAME, house.LATER).releases) == 2
    assert differences(site) == []


def test_a_backup_is_not_made_inside_the_site_where_no_destruction_finds_it(
    approved: house.House, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(approved.site.root)
    for place in (approved.site.root / "copy", approved.site.root / "dockets" / "copy", link / "copy"):
        with pytest.raises(WrongInput, match="inside the site"):
            back_up(approved.site, place, house.NOW)
        assert not place.exists()


def test_keys_are_copied_only_when_asked_for(approved: house.House, tmp_path: Path) -> None:
    back_up(approved.site, tmp_path / "backup", house.NOW, keys=True)
    kept = tmp_path / "backup" / "site" / "keys" / "log.key"
    assert kept.read_bytes() == approved.site.log_key.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_backup_that_was_changed_restores_nothing(released: house.House, tmp_path: Path) -> None:
    back_up(released.site, tmp_path / "backup", house.NOW)
    [package, *_] = (tmp_path / "backup").rglob("*.age")
    package.write_bytes(package.read_bytes()[:-1] + b"x")
    with pytest.raises(AnswerIsNo, match="differs from what was backed up"):
        restore(tmp_path / "backup", tmp_path / "again")
    assert not (tmp_path / "again").exists()
    assert not list(tmp_path.glob(".again*"))


@pytest.mark.parametrize("name", ["site//srv/out", "site/../../out", "/srv/out", "site/./gatehouse.toml"])
def test_a_backup_never_writes_outside_the_new_site(name: str, approved: house.House, tmp_path: Path) -> None:
    back_up(approved.site, tmp_path / "backup", house.NOW)
    manifest = tmp_path / "backup" / "backup.json"
    listed = json.loads(manifest.read_bytes())
    listed["files"][name] = listed["files"]["site/gatehouse.toml"]
    manifest.write_text(json.dumps(listed))
    with pytest.raises(AnswerIsNo, match="differs from what was backed up"):
        restore(tmp_path / "backup", tmp_path / "again")


@pytest.mark.parametrize("line", ['database="sqlite:///work.db"', '  database  = "sqlite:////srv/live.sqlite3" # old'])
def test_a_restored_site_never_works_on_the_database_it_was_copied_from(
    line: str, approved: house.House, tmp_path: Path
) -> None:
    back_up(approved.site, tmp_path / "backup", house.NOW)
    text = approved.site.configuration.path.read_text().replace('database = "sqlite:///gatehouse.sqlite3"', line)
    assert line in text
    kept = tmp_path / "backup" / "site" / "gatehouse.toml"
    kept.write_text(text)
    manifest = tmp_path / "backup" / "backup.json"
    listed = json.loads(manifest.read_bytes())
    listed["files"]["site/gatehouse.toml"] = digests.of_file(kept)
    manifest.write_text(json.dumps(listed))
    site, _ = restore(tmp_path / "backup", tmp_path / "again")
    assert site.database == f"sqlite:///{tmp_path / 'again' / 'gatehouse.sqlite3'}"


def test_nothing_is_overwritten(approved: house.House, tmp_path: Path) -> None:
    back_up(approved.site, tmp_path / "backup", house.NOW)
    with pytest.raises(WrongInput, match="exists"):
        back_up(approved.site, tmp_path / "backup", house.NOW)
    with pytest.raises(WrongInput, match="not empty"):
        restore(tmp_path / "backup", approved.site.root)


def test_while_it_is_copied_nobody_writes(approved: house.House, tmp_path: Path) -> None:
    def write(*_: object) -> None:
        with pytest.raises(MachineFailed), record.open_log(approved.site):
            pass

    back_up(approved.site, tmp_path / "backup", house.NOW, progress=write)


def test_an_older_site_goes_on_from_the_newer_public_ledger_and_says_what_it_forgot(
    approved: house.House, tmp_path: Path
) -> None:
    back_up(approved.site, tmp_path / "backup", house.NOW)
    release.release(approved.connection, approved.office, house.NAME, house.LATER)
    mirror = Path(shutil.copytree(approved.site.ledger, tmp_path / "mirror"))
    newest = verify_log(mirror, policy.read(approved.site.policy)).checkpoint
    site, _ = restore(tmp_path / "backup", tmp_path / "again", ledger=mirror)
    with_keys(site, approved)
    assert [line for line in differences(site) if line.startswith("ledger, entries") and "acknowledged" in line]
    with record.open_log(site) as log:
        assert log.size == newest.size
        record.event(log, site.events, "site/restored", {"event": "restored"})
        record.publish(site, log, house.LATER)
    verified = verify_log(site.ledger, policy.read(site.policy))
    assert verified.checkpoint.size == newest.size + 1
    assert (site.ledger / "checkpoints" / str(newest.size)).read_bytes() == (mirror / "checkpoint").read_bytes()


def test_a_ledger_that_does_not_continue_the_backup_is_refused(approved: house.House, tmp_path: Path) -> None:
    older = Path(shutil.copytree(approved.site.ledger, tmp_path / "older"))
    release.release(approved.connection, approved.office, house.NAME, house.LATER)
    back_up(approved.site, tmp_path / "backup", house.NOW)
    with pytest.raises(AnswerIsNo, match="does not continue"):
        restore(tmp_path / "backup", tmp_path / "again", ledger=older)
    assert not (tmp_path / "again").exists()


def _lose(home: house.House) -> None:
    models_of().Decision.objects.order_by("number").last().delete()


DAMAGES: dict[str, tuple[Callable[[house.House], object], str]] = {
    "a decision that the database lost": (_lose, "the ledger has this decision, but the database does not"),
    "an opening that was lost": (
        lambda home: (home.docket.root / "events" / "decision-1.json").unlink(),
        "the opening of the event ICE-2025-0003/decision-1 is missing",
    ),
    "a package that was lost": (
        lambda home: next(home.docket.releases.glob("*.age")).unlink(), "the file is missing"
    ),
    "a package that was changed": (
        lambda home: next(home.docket.releases.glob("*.age")).write_bytes(b"x"), "the file differs"
    ),
    "a package of nobody": (
        lambda home: (home.docket.releases / "r-0.age").write_bytes(b"x"), "nothing on record names this file"
    ),
    "a docket that was lost": (lambda home: shutil.rmtree(home.docket.root), "its folder is missing"),
    "a docket that the database lost": (
        lambda home: [
            model.objects.all().delete()
            for model in (models_of().Decision, models_of().Release, models_of().Members, models_of().CaseFile)
        ],
        "the database does not have this docket",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_it_says_where_the_stories_differ(damage: str, released: house.House) -> None:
    act, says = DAMAGES[damage]
    store.configure(released.site.database)
    act(released)
    found = differences(released.site)
    assert [line for line in found if says in line], found


@pytest.mark.postgres
def test_a_site_on_postgresql_is_backed_up_and_restored_with_its_database(tmp_path: Path) -> None:
    from django.db import connections

    with server.postgres() as address:
        home = house.build(tmp_path, database=address)
        house.decide(home, "ann", "approve")
        house.decide(home, "bob", "approve")
        back_up(home.site, tmp_path / "backup", house.NOW)
        house.decide(home, "ann", "refuse", cases=home.office.casebook.board(house.NAME).states[State.HELD])
        other = server.another(address, "restored")
        site, _ = restore(tmp_path / "backup", tmp_path / "again", database=other)
        assert site.database == other
        assert differences(with_keys(site, home)) == []
        assert len(models_of().Decision.objects.all()) == 2
        with pytest.raises(MachineFailed, match=r"pg_restore failed: .*already exists"):
            restore(tmp_path / "backup", tmp_path / "third", database=other)
        assert not (tmp_path / "third").exists()
        connections.close_all()
