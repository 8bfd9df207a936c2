"""`gatehouse check` sees what it claims to: every file and every column that something binds, altered one at a time.

What nothing binds stands in UNBOUND, as it does in docs/ledger.md. A new file or column that belongs to neither fails.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import house
import pytest

from gatehouse import store
from gatehouse.casework.selection import Selection
from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger import halt, signers
from gatehouse.ledger.halt import Action, Scope
from gatehouse.pipeline import answers, consistency, halts, people, recall, release, returns
from gatehouse.pipeline.site import Site, open_site
from gatehouse.release import officer
from gatehouse.release.recall import Cause
from gatehouse.release.recipients import read_identity

MINUTE = dt.timedelta(minutes=1)
UNBOUND_FILES = (
    "trust/",  # made again at every release; agencies compare what they were handed
    "ledger-state/pending", "ledger-state/lock",
    "answers/.lock", "answers/*/persons", "answers/*/buckets", "answers/*/lists.parquet", "answers/*/built_at",
)  # fmt: skip
"""What is made again, or is seen by another command: `gatehouse answer check` builds the maps again."""
MAY_BE_GONE = (
    "dockets/*/answers.csv.sig",  # made again when the answers are told
    "dockets/*/releases/*.age",  # of a recalled release; every other package is missed
    "ledger/checkpoints/*",  # earlier ones: whoever noted one asks `verify ledger --since`
    "ledger/tile/*/*.p/*", "ledger/tile/*/*/*.p/*",  # of earlier sizes; the specification lets them go
)  # fmt: skip
"""What may be deleted and is not missed, as docs/ledger.md says. In its place nothing else is taken."""
UNBOUND_COLUMNS = {
    "store_attempt.*": "refused acts are the database's alone",
    "store_job.*": "work in progress",
    "store_sample.*": "a sample counts as the decision's statement cites it",
    "store_decision.officer": "read from the statement",
    "store_decision.action": "read from the statement",
    "store_decision.decided_at": "read from the statement",
    "store_release.batch": "groups work in progress",
    "store_release.matters": "told from the requests",
    "store_release.pack_digest": "told from the entry",
    "store_release.published_at": "lies between the entry and now",
    "store_release.ledger_index": "not used",
    "store_return.stated_at": "read from the statement",
    "store_return.taken_at": "not before the statement",
    "store_members.kind": "names a set",
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> house.House:
    """A site with a docket released, opened, reported on, recalled in part; halted and resumed; with answers built."""
    from django.db import connections

    folder = tmp_path_factory.mktemp("kept")
    home = house.build(folder)
    house.decide(home, "ann", "approve")
    house.decide(home, "bob", "approve")
    done = release.release(home.connection, home.office, house.NAME, house.LATER)
    out = folder / "opened"
    first = done.releases[0]
    identity = read_identity(home.key(first.officer))
    officer.open_release(home.package(first.id), identity, home.site.root / "trust", out, house.LATER)
    returns.take(home.office, house.NAME, out / "receipt.json", house.LATER + MINUTE)
    returns.reconcile(home.office, house.NAME, house.LATER + MINUTE)
    overseer = signers.parse_signer(signers.new_key("inspector")[0])
    (home.site.root / "oversight.policy").write_text(f"key {overseer.key_text}\nhalt 1\nresume 1\n")
    for action in (Action.HALT, Action.RESUME):
        said = halt.write(action, Scope.parse("everything"), house.LATER + MINUTE, "A question", overseer)
        halts.enter(home.site, said, house.LATER + MINUTE)
    recall.recall(
        home.connection, home.office, house.NAME, Selection.of([4]), cause=Cause("requests", "", "Another person."),
        officer="eve", signer=home.staff["eve"], now=house.LATER + 2 * MINUTE,
    )  # fmt: skip
    answers.build(home.connection, home.office, house.LATER + 3 * MINUTE)
    people.roster(home.site)
    connections.close_all()
    return home


def told(site: Site) -> list[str]:
    """What the check says of a site, each with its place."""
    from django.db import connections

    connections.close_all()
    store.configure(site.database)
    try:
        with duckdb.connect() as connection:
            return [f"{one.where}: {one.what}" for one in consistency.compare(connection, site).differences]
    except GatehouseError as wrong:
        return [str(wrong)]
    finally:
        connections.close_all()


@pytest.fixture
def copied(kept: house.House, tmp_path: Path) -> Site:
    root = Path(shutil.copytree(kept.site.root, tmp_path / "custodian", symlinks=True))
    return open_site(root)


def bound_files(root: Path) -> Iterator[Path]:
    """Every file of a site that something binds."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        unbound = any(name.match(one) or name.as_posix().startswith(one) for one in UNBOUND_FILES)
        if path.is_file() and not unbound and ".sqlite3" not in path.name:
            yield path


def test_a_site_at_rest_agrees(copied: Site) -> None:
    assert told(copied) == []


@pytest.mark.slow
def test_every_file_that_is_altered_is_named(copied: Site) -> None:
    unnoticed = []
    for path in bound_files(copied.root):
        before = path.read_bytes()
        middle = len(before) // 2
        path.write_bytes(before[:middle] + bytes([before[middle] ^ 1] if before else b"x") + before[middle + 1 :])
        if not told(copied):
            unnoticed.append(path.relative_to(copied.root).as_posix())
        path.write_bytes(before)
    assert unnoticed == []
    assert told(copied) == []


@pytest.mark.slow
def test_every_file_that_is_deleted_or_exchanged_with_a_sibling_is_named(copied: Site) -> None:
    unnoticed = []
    for path in bound_files(copied.root):
        before = path.read_bytes()
        siblings = [one for one in path.parent.iterdir() if one.is_file() and one.suffix == path.suffix and one != path]
        path.unlink()
        if not any(path.relative_to(copied.root).match(one) for one in MAY_BE_GONE) and not told(copied):
            unnoticed.append(f"{path.relative_to(copied.root)} deleted")
        for sibling in siblings[:1]:
            if sibling.read_bytes() != before:
                path.write_bytes(sibling.read_bytes())
                if not told(copied):
                    unnoticed.append(f"{path.relative_to(copied.root)} exchanged")
        path.write_bytes(before)
    assert unnoticed == []


def test_every_file_that_is_added_is_named(copied: Site) -> None:
    unnoticed = []
    folders = {path.parent for path in bound_files(copied.root)} - {copied.root, copied.ledger_state}
    for folder in sorted(folders):
        added = folder / "added.json"
        added.write_bytes(b"{}")
        if not told(copied):
            unnoticed.append(folder.relative_to(copied.root).as_posix())
        added.unlink()
    assert unnoticed == []


def columns(database: Path) -> Iterator[tuple[str, str]]:
    """Every column of every table of people's work that something binds."""
    with sqlite3.connect(database) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in sorted(name for name in tables if name.startswith("store_")):
            for _, column, _, _, _, key in connection.execute(f"PRAGMA table_info({table})"):
                named = {f"{table}.*", f"{table}.{column}"}
                if not key and not column.endswith("_id") and not named & UNBOUND_COLUMNS.keys():
                    yield table, column


def test_every_column_that_is_altered_is_named(copied: Site) -> None:
    database = Path(copied.database.removeprefix("sqlite:///"))
    unnoticed = []
    for table, column in columns(database):
        before = database.read_bytes()
        with sqlite3.connect(database) as connection:
            [(row, value)] = connection.execute(
                f"SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY id DESC LIMIT 1"
            ).fetchall() or [(None, None)]
            if row is None:
                [(row, value)] = connection.execute(f"SELECT id, 'x' FROM {table} LIMIT 1").fetchall()
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", [other(value), row])
        if not told(copied):
            unnoticed.append(f"{table}.{column}")
        database.write_bytes(before)
    assert unnoticed == []


@pytest.mark.parametrize("table", ["store_decision", "store_release", "store_members", "store_return"])
def test_every_row_that_is_deleted_is_named(copied: Site, table: str) -> None:
    database = Path(copied.database.removeprefix("sqlite:///"))
    with sqlite3.connect(database) as connection:
        connection.execute(f"DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})")
    assert told(copied)


def test_a_database_from_before_the_release_is_named(copied: Site, kept: house.House) -> None:
    database = Path(copied.database.removeprefix("sqlite:///"))
    with sqlite3.connect(database) as connection:
        for table in ("store_return", "store_release", "store_job"):
            connection.execute(f"DELETE FROM {table}")
    assert any("the ledger has this release, but the database does not" in line for line in told(copied))


def other(value: object) -> object:
    """Another value of the same kind."""
    if isinstance(value, int):
        return value + 1
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1]) if value else b"\x01"
    text = str(value)
    if text[:1] in "[{":
        read = json.loads(text)
        return json.dumps([*read, "x"] if isinstance(read, list) else {**read, "signature": "x", "body": {}})
    if text[:4].isdigit() and "-" in text:  # a day or an instant, a year later
        return f"{int(text[:4]) + 1}{text[4:]}"
    return text[:-2] + ("0" if text[-2:-1] != "0" else "1") + text[-1:] if len(text) > 2 else f"{text}x"
