"""A drill: how long from a correction to signed notices, measured on a copy that cannot be taken for the real thing.

The copy has the site's dockets, law, register and records; its keys, its ledger, its witnesses and the officer who
recalls are its own and new. So nothing that is signed in a drill is signed by anyone, no witness hears of it, and the
site stays as it was. The dockets' large files are read where they are.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from gatehouse import store
from gatehouse.casework import statement as statements
from gatehouse.casework.roster import Officer
from gatehouse.casework.states import State
from gatehouse.determine import opened
from gatehouse.determine.docket import Docket
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed
from gatehouse.kernel.postgres import is_address
from gatehouse.ledger import docket_files
from gatehouse.ledger.entries import Docketed
from gatehouse.ledger.signers import Signer, new_key, parse_signer
from gatehouse.pipeline import keys, packs, record
from gatehouse.pipeline import recall as stage
from gatehouse.pipeline import site as sites
from gatehouse.pipeline.approve import Office, office
from gatehouse.pipeline.hold import Hold
from gatehouse.pipeline.recall import Recalled
from gatehouse.pipeline.site import Founding, Site
from gatehouse.release.recall import Cause
from gatehouse.release.trust import NOTICE_FORM
from gatehouse.store import transfer

OFFICER = "drill"
REASON = "A drill: every released case is assumed to be wrong."
_OWN = ("recalls", "events", "reconciliations")
"""What a recall writes within a docket: the copy has its own."""


@dataclass(frozen=True)
class Drilled:
    """What a drill took, in seconds from the correction on."""

    recalls: tuple[Recalled, ...]
    listed: float
    """Until the law had been asked about every released case and releases and persons were listed."""
    told: float
    """Until every notice was signed and laid out for the agencies."""


def drill(
    connection: duckdb.DuckDBPyConnection, site: Site, workshop: Path, now: dt.datetime, *, dockets: Sequence[str] = ()
) -> Drilled:
    """Recall every released case of the dockets named, or of all, on a copy in the empty folder `workshop`.

    Raises AnswerIsNo when nothing is released, MachineFailed when a notice is missing or does not verify.
    """
    with _copied(site, workshop, now) as (place, signer):
        released = {
            name: cases
            for name in dockets or place.casebook.known()
            if (cases := place.casebook.board(name).states[State.RELEASED])
        }
        if not released:
            raise AnswerIsNo("there are no releases to recall", where=str(site.root))
        started = time.monotonic()
        for name, cases in released.items():
            stage.stopped(connection, place, name)
            stage.concerned(connection, place, name, cases)
        listed = time.monotonic() - started
        cause = Cause("pack_change", "drill", REASON)
        done = tuple(
            stage.recall(connection, place, name, cases, cause=cause, officer=OFFICER, signer=signer, now=now)
            for name, cases in released.items()
        )
        told = time.monotonic() - started
        _check(place, done)
    return Drilled(done, listed, told)


@contextmanager
def _copied(site: Site, workshop: Path, now: dt.datetime) -> Iterator[tuple[Office, Signer]]:
    """The copy, opened; afterwards the process works on the site's own database again."""
    records = workshop / "records.jsonl"
    store.configure(site.database)
    transfer.dump(records)
    try:
        place, signer = _copy(site, workshop / "site", now)
        transfer.load(records)
        yield place, signer
    finally:
        store.configure(site.database)


def _copy(site: Site, folder: Path, now: dt.datetime) -> tuple[Office, Signer]:
    signer = parse_signer(new_key(OFFICER)[0])
    officer = Officer(OFFICER, OFFICER, "disclosure_officer", signer.verifier, now.date())
    made = founded(site, folder, "drill", [officer], now)
    with record.open_log(made) as log:
        packs.on_record(made, log)
        for docket in site.dockets.iterdir():
            if docket.is_dir() and not docket.name.startswith("."):
                _link(docket, made.dockets / docket.name)
                if opened.is_laid_down(Docket(docket)):
                    _lay_down(log, opened.check(Docket(docket)), made.dockets / docket.name)
        record.publish(made, log, now)
    return office(made), signer


def _lay_down(log: Hold, docket: opened.OpenDocket, copy: Path) -> None:
    """Bind the copy's files in the drill's own ledger, so that it opens through the door as the docket does."""
    received = replace(docket.received, first=log.size + 1)
    record.event(log, copy / "events", f"{copy.name}/{opened.RECEIVED}", received.fields())
    bound = Docketed(copy.name, received.first - 1, docket_files.listing(copy), docket.docketed.register)
    record.event(log, copy / "events", f"{copy.name}/{opened.DOCKET}", bound.fields())


def founded(site: Site, folder: Path, kind: str, officers: Iterable[Officer], now: dt.datetime) -> Site:
    """A site for a drill: the law, register and parties of another, and keys, ledger and officers of its own."""
    parties = site.parties if site.parties.is_file() else None
    offices = site.configuration.offices
    made = sites.make(
        folder,
        Founding(
            f"{kind}/{site.name}", _register(site), parties, site.demonstration, offices, officers=tuple(officers)
        ),
    )
    shutil.rmtree(made.packs)
    shutil.copytree(site.packs, made.packs)
    made.events.mkdir()
    for adopted in site.events.glob("pack-*.json"):
        shutil.copyfile(adopted, made.events / adopted.name)
    record.begin(made, now)
    return made


def _register(site: Site) -> str:
    return site.register if is_address(site.register) else str(Path(site.register).absolute())


def _link(docket: Path, copy: Path) -> None:
    copy.mkdir()
    for each in docket.iterdir():
        if each.name not in _OWN:
            _same(each, copy / each.name)


def _same(source: Path, target: Path) -> None:
    """The same file under another name, or a copy where the folder lies elsewhere; the door takes no links to files."""
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_same_file)
    else:
        _same_file(source, target)


def _same_file(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _check(place: Office, done: Sequence[Recalled]) -> None:
    """Every release that held a recalled case has its notice, signed, where agencies look."""
    custodian = keys.custodian(place.site).verifier
    for one in done:
        for notice in one.notices:
            laid_out = place.site.root / "trust" / "notices" / f"{notice.text('release')}.json"
            if not laid_out.is_file():
                raise MachineFailed("a notice is missing after a recall", where=laid_out.name)
            statements.verify(statements.parse(laid_out.read_bytes()), [custodian], form=NOTICE_FORM)
