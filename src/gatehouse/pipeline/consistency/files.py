"""The files of a site outside its dockets, each against the event or the key that binds it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from gatehouse.casework import endorsement
from gatehouse.kernel import digests
from gatehouse.kernel.errors import GatehouseError
from gatehouse.law import adoption
from gatehouse.law.reading import load
from gatehouse.law.signing import SIGNATURES, is_older
from gatehouse.ledger.log import batches
from gatehouse.ledger.signers import read_signer
from gatehouse.pipeline import halts, packs, record
from gatehouse.pipeline.consistency.story import AGAIN, LOST, Difference
from gatehouse.pipeline.event import SITE, Event
from gatehouse.pipeline.history import History
from gatehouse.pipeline.site import Site

_CHANGED = "Put it back, or run any command that writes to the ledger, which records the change"

_EPOCH = ("epoch.json", "persons", "buckets", "lists.parquet", "numbers.parquet")


def differences(site: Site, known: History) -> Iterator[Difference]:
    """Every file of the site that differs from what binds it, by its place."""
    yield from _watched(site, known)
    yield from _keys(site)
    yield from _law(site, known)
    yield from _people(site, known)
    yield from _halts(site)
    yield from _openings(site)
    yield from _answers(site, known)


def _watched(site: Site, known: History) -> Iterator[Difference]:
    """Configuration, parties, policies and public keys, against the last change on record."""
    for kind in record.WATCHED:
        last = _last(known, kind)
        for name, digest in sorted((last.fields.get("files", {}) if last else {}).items()):
            path = site.root / name
            if (digests.of_file(path) if path.is_file() else None) != digest:
                yield Difference(name, "the file differs from the one on record", _CHANGED)
    last, path = _last(known, "overseers"), site.root / record.OVERSIGHT
    stated = path.read_bytes().decode(errors="replace") if path.is_file() else None
    if last is not None and last.fields.get("policy") != stated:
        yield Difference(record.OVERSIGHT, "the overseers differ from those on record", _CHANGED)


_KEYS = frozenset({"log.key", "custodian.key", "log.key.next", "sessions.key", "accounts.key"})
"""The site's own, and the doors' secrets for sessions and second factors."""


def _keys(site: Site) -> Iterator[Difference]:
    """The private keys, against the public ones on record."""
    for private, public in ((site.log_key, "log.vkey"), (site.custodian_key, "custodian.vkey")):
        where = private.relative_to(site.root).as_posix()
        try:
            matches = read_signer(private).key_text == (site.root / public).read_text(encoding="utf-8").strip()
        except (GatehouseError, OSError, UnicodeDecodeError):
            matches = False
        if not matches:
            yield Difference(where, f"the key does not match the public half {public}", LOST)
    for path in sorted(site.keys.rglob("*")):
        if path.is_file() and path.name not in _KEYS:
            where = path.relative_to(site.root).as_posix()
            yield Difference(where, "this key does not belong in a site", "Hand it to its owner and remove it")


def _law(site: Site, known: History) -> Iterator[Difference]:
    """Every pack that lies at the site, against its adoption, and the list of those in force."""
    adopted = list(known.of("pack"))
    yield from _backward(adopted)
    where = f"packs/{adoption.PINS}"
    try:
        pins = adoption.pinned(site.packs)
    except GatehouseError as wrong:
        yield Difference(where, wrong.what, LOST)
        return
    for basis in sorted({one.text("pack") for one in adopted} | pins.keys()):
        if basis not in pins:
            yield Difference(where, f"no pack is in force for {basis}, though one was adopted", LOST)
            continue
        try:
            packs.in_force(site, basis)
        except GatehouseError as wrong:
            yield Difference(f"packs/{pins[basis].folder}", wrong.what, LOST)
    for folder in sorted(site.packs.iterdir()):
        if folder.is_dir() and not _is_adopted(folder, adopted):
            yield Difference(f"packs/{folder.name}", "no adoption on record names this pack", LOST)
        elif folder.is_file() and folder.name != adoption.PINS:
            yield Difference(f"packs/{folder.name}", "this file does not belong there", "Move it elsewhere")


def _backward(adopted: list[Event]) -> Iterator[Difference]:
    """Adoptions of law that a higher version had replaced before: nothing comes into force by one."""
    newest: dict[str, str] = {}
    for one in adopted:
        basis, version = one.text("pack"), one.text("version")
        if basis in newest and is_older(version, newest[basis]):
            what = f"this adoption goes back to version {version}, after version {newest[basis]}"
            yield Difference(f"events/{one.name}.json", what, "This is a finding, and stays one: the ledger shows it")
        else:
            newest[basis] = version


def _is_adopted(folder: Path, adopted: list[Event]) -> bool:
    try:
        digest, signatures = load(folder).digest, digests.of_file(folder / SIGNATURES)
    except (GatehouseError, OSError):
        return False
    return any((one.text("digest"), one.text("signatures")) == (digest, signatures) for one in adopted)


def _people(site: Site, known: History) -> Iterator[Difference]:
    """Roster and endorsements, against the last version on record."""
    last = _last(known, "roster")
    try:
        stated = site.configuration.roster.document()
        vouched = [one.document() for one in endorsement.read(site.root / endorsement.FOLDER)]
    except GatehouseError as wrong:
        yield Difference(wrong.where or site.configuration.path.name, wrong.what, LOST)
        return
    if last is not None and last.fields["endorsements"] != vouched:
        yield Difference(endorsement.FOLDER, "the endorsements differ from those on record", _CHANGED)
    if last is not None and last.fields["officers"] != stated:
        yield Difference(site.configuration.path.name, "the officers differ from those on record", _CHANGED)


def _halts(site: Site) -> Iterator[Difference]:
    """The overseers' statements, against those on record."""
    try:
        halts.standing(site)
        halts.waiting(site)
    except GatehouseError as wrong:
        yield Difference(wrong.where or "halts", wrong.what, LOST)


def _openings(site: Site) -> Iterator[Difference]:
    """Openings of events that never went into the ledger, or of none."""
    names = batches(site.ledger_state)
    paths = [(SITE, path) for path in site.events.iterdir()]
    paths += [(path.parent.parent.name, path) for path in site.dockets.glob("*/events/*")]
    for scope, path in sorted(paths):
        if path.suffix != ".json" or f"{scope}/{path.stem}" not in names:
            yield Difference(path.relative_to(site.root).as_posix(), "this event is not in the ledger", AGAIN)


def _answers(site: Site, known: History) -> Iterator[Difference]:
    """The epochs of answers, by the roots that their events name. `gatehouse answer check` builds one again."""
    entered = {one.index: one for one in known.of("answers")}
    for folder in sorted(site.answers.iterdir()) if site.answers.is_dir() else []:
        if folder.name.startswith("."):
            continue
        where, event = f"answers/{folder.name}", entered.get(int(folder.name)) if folder.name.isdecimal() else None
        if event is None:
            yield Difference(where, "no event on record names these answers", LOST)
            continue
        for path in sorted(folder.iterdir()):
            if path.name not in _EPOCH:
                yield Difference(f"{where}/{path.name}", "this file does not belong there", "Move it elsewhere")
        try:
            said = json.loads((folder / "epoch.json").read_bytes())
            roots = {name: said[name] for name in ("notice", "sealed")}
        except (OSError, ValueError, KeyError, TypeError):
            roots = {}
        if roots != {name: event.fields[name]["root"] for name in ("notice", "sealed")}:
            yield Difference(f"{where}/epoch.json", "the roots differ from those on record", LOST)


def _last(known: History, kind: str) -> Event | None:
    return next(reversed(list(known.of(kind, scope=SITE))), None)
