"""A copy of a whole site at one instant, and a site made from such a copy.

The ledger's writing lock is held while the copy is made: nothing can be committed meanwhile, reading goes on, and
whoever wants to write waits. The database is copied first, so files are never older than the rows that speak of them.
Private keys stay out unless they are asked for; a copy with keys must be kept as the keys are.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatehouse.kernel import canonical, clock, digests, files
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.kernel.postgres import apart, cause_of, name_of
from gatehouse.kernel.progress import Progress, silent
from gatehouse.ledger import policy, tiles
from gatehouse.ledger.log import take_over
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import record
from gatehouse.pipeline.site import Site, open_site
from gatehouse.site import configuration
from gatehouse.site.settings import DATABASE

FORM = "gatehouse-backup/1"
MANIFEST, TREE = "backup.json", "site"
_SCHEME = "sqlite:///"
_SQLITE, _DUMP = "database.sqlite3", "database.dump"
_MADE_AGAIN = ("index", "spill")
"""Folders of a site that are made from the rest."""


@dataclass(frozen=True)
class Copy:
    """A finished backup: when it was made, the ledger's size then, and how much was copied."""

    made_at: str
    size: int
    files: int
    bytes: int


def back_up(site: Site, target: Path, now: dt.datetime, *, keys: bool = False, progress: Progress = silent) -> Copy:
    """Copy a site to the new folder `target`, built beside it and renamed, so that it is there whole or not at all.

    Raises WrongInput when the folder exists or is in the site,
    MachineFailed when the database cannot be copied or the ledger stays held.
    """
    if target.exists():
        raise WrongInput("the folder already exists", where=str(target), remedy="Name a new folder for each backup")
    if target.resolve().is_relative_to(site.root.resolve()):  # the next copy would hold it, and no destruction find it
        raise WrongInput("the folder is inside the site", where=str(target), remedy="Name a folder elsewhere")
    building = target.with_name(f".{target.name}.making")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True, mode=0o700)  # the database is in it
    (building / TREE).mkdir()
    try:
        with record.open_log(site) as log:
            size = log.size
            database = _dump(site.database, building)
            listed = _copy(site, building / TREE, progress, keys=keys)
        listed[database] = digests.of_file(building / database)
        stated = {"format": FORM, "site": site.name, "made_at": clock.stamp(now), "size": size, "keys": keys}
        files.write(building / MANIFEST, canonical.encode({**stated, "files": listed}) + b"\n")
        building.rename(target)
        files.sync_folder(target.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return _described(target)


def restore(
    source: Path, root: Path, *, database: str = "", ledger: Path | None = None, progress: Progress = silent
) -> tuple[Site, Copy]:
    """Make the site `root` from a backup, every file checked against the backup's list.

    `database` is the address of an empty PostgreSQL database where the backup is of one. `ledger` is a newer copy of
    the public ledger, from a mirror: it must continue the backup's, and is taken in its place. Raises WrongInput when
    the folder holds anything, AnswerIsNo when a file is not what was backed up or the ledger does not continue it.
    """
    if root.exists() and any(root.iterdir()):
        raise WrongInput("the folder is not empty", where=str(root), remedy="Restore into a new folder")
    copied = _described(source)
    building = root.with_name(f".{root.name}.making")
    shutil.rmtree(building, ignore_errors=True)
    try:
        _unpack(source, building, progress)
        if ledger is not None:
            _continue(building, ledger, copied.size)
        _load(source, building, database)
        if root.exists():
            root.rmdir()
        building.rename(root)
        files.sync_folder(root.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return open_site(root), copied


def _described(folder: Path) -> Copy:
    listed = _manifest(folder)
    total = sum((folder / name).stat().st_size for name in listed["files"] if (folder / name).is_file())
    return Copy(str(listed["made_at"]), int(listed["size"]), len(listed["files"]), total)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        listed = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        listed = None
    if not isinstance(listed, dict) or listed.get("format") != FORM:
        raise WrongInput(
            "there is no backup here", where=str(folder), remedy="Name a folder that `gatehouse backup` made"
        )
    return listed


def _kept(site: Site, *, keys: bool) -> Iterator[Path]:
    """Every file to copy; locks, caches, the live database and, unless asked for, private keys are left out."""
    for folder, names, found in os.walk(site.root):
        here = Path(folder)
        names[:] = [name for name in names if not name.startswith(".")]  # what is being made is not yet there
        if here == site.root:
            names[:] = sorted(set(names) - {*_MADE_AGAIN, *(() if keys else ("keys",))})
        for name in sorted(found):
            if not (name.startswith((".", _live(site))) or (here.name, name) == ("ledger-state", "lock")):
                yield here / name


def _live(site: Site) -> str:
    """How the files of the site's own SQLite database are called; nothing is called so where it has none."""
    return Path(site.database).name if site.database.startswith(_SCHEME) else "/"


def _copy(site: Site, target: Path, progress: Progress, *, keys: bool) -> dict[str, str]:
    listed = {}
    for number, path in enumerate(_kept(site, keys=keys)):
        name = path.relative_to(site.root)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target / name)
        listed[f"{TREE}/{name.as_posix()}"] = digests.of_file(target / name)
        progress("copy", number + 1, 0)
    return listed


def _dump(address: str, target: Path) -> str:
    if address.startswith(_SCHEME):
        with (
            closing(sqlite3.connect(address.removeprefix(_SCHEME))) as live,
            closing(sqlite3.connect(target / _SQLITE)) as kept,
        ):
            live.backup(kept)
        return _SQLITE
    _run("pg_dump", address, "--format=custom", "--no-owner", f"--file={target / _DUMP}")
    return _DUMP


def _run(program: str, address: str, *arguments: str) -> None:
    """Run a PostgreSQL program on a database. Its password travels in the environment, which other users cannot read.

    Raises MachineFailed with what the program gave as the cause, which never contains the password.
    """
    if shutil.which(program) is None:
        raise MachineFailed(
            f"{program} is not on PATH", remedy="Install it. On Debian: apt-get install postgresql-client"
        )
    plain, password = apart(address)
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    command = [program, *arguments, f"--dbname={plain}"]
    ended = subprocess.run(command, check=False, capture_output=True, env=environment)  # noqa: S603 - fixed programs
    if ended.returncode:
        cause = cause_of(ended.stderr.decode("utf-8", "replace"), address)
        raise MachineFailed(f"{program} failed: {cause}", where=name_of(address))


def _unpack(source: Path, target: Path, progress: Progress) -> None:
    listed = _manifest(source)["files"]
    for number, (name, digest) in enumerate(sorted(listed.items())):
        path = source / name
        plain = name == Path(name).as_posix() and not Path(name).is_absolute() and ".." not in Path(name).parts
        if not plain or path.is_symlink() or not path.is_file() or digests.of_file(path) != digest:
            raise AnswerIsNo("this file differs from what was backed up", where=name, remedy="Use another backup")
        if name.startswith(f"{TREE}/"):
            place = target / name.removeprefix(f"{TREE}/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)
        progress("restore", number + 1, len(listed))
    for folder in ("keys", "dockets", "packs"):
        (target / folder).mkdir(exist_ok=True)
    (target / "keys").chmod(0o700)


def _continue(root: Path, newer: Path, size: int) -> None:
    """Put a newer copy of the ledger in place of the backup's, of which every entry must be in it."""
    newest = verify_log(newer, policy.read(root / "witnesses.policy")).checkpoint
    kept, taken = tiles.TileReader(root / "ledger", size), tiles.TileReader(newer, newest.size)
    if newest.size < size or any(a != b for a, b in zip(kept.span(0, size), taken.span(0, size), strict=True)):
        raise AnswerIsNo(
            "that ledger does not continue the backup's ledger", where=str(newer), remedy="Use a different copy"
        )
    shutil.rmtree(root / "ledger")
    shutil.copytree(newer, root / "ledger")
    take_over(root / "ledger-state", newest)


def _load(source: Path, root: Path, database: str) -> None:
    """Give the restored site a database of its own, never the one that it was copied from."""
    if (source / _SQLITE).is_file():
        if database:
            raise WrongInput("the backup is from an SQLite site", where="--database", remedy="Leave the option out")
        configuration.move_database(root, DATABASE)
        shutil.copy2(source / _SQLITE, root / DATABASE.removeprefix(_SCHEME))
        return
    if not database:
        raise WrongInput(
            "the backup is from a PostgreSQL site", where="--database", remedy="Name an empty database to load it into"
        )
    configuration.move_database(root, database)
    options = ("--no-owner", "--exit-on-error", "--single-transaction")
    _run("pg_restore", database, *options, str(source / _DUMP))
