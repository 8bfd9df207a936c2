"""The dockets of a site, each file against the entry, the event or the signature that binds it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.kernel import digests
from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger import docket_files
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.docket_proof import batch_of, verify_docket
from gatehouse.ledger.note import verify_detached
from gatehouse.ledger.signers import read_verifier
from gatehouse.ledger.tiles import TileReader
from gatehouse.pipeline import destruction, disclosures, planning
from gatehouse.pipeline.consistency import recalls
from gatehouse.pipeline.consistency.story import LOST, Difference
from gatehouse.pipeline.event import Event
from gatehouse.pipeline.history import History
from gatehouse.pipeline.site import Site
from gatehouse.release import accounting

_DESTROY = "Run `gatehouse destroy` once more, which ends what was begun"
_FINDING = "This is a finding, and stays one: the ledger shows it"
_LISTED = ("releases", "certificates", "persons", "disclosures")
"""Folders of a docket in which an event names every file."""


def of(site: Site) -> dict[str, Docket]:
    """Every docket of a site by its name: what lies there, and what is hidden or left from a refusal left out."""
    return {path.parent.name: Docket(path.parent) for path in sorted(site.dockets.glob("*/summary.json"))}


def differences(
    connection: duckdb.DuckDBPyConnection, site: Site, known: History, head: Checkpoint
) -> Iterator[Difference]:
    """Every docket that the ledger does not bear out, and every file in one that nothing binds or that differs."""
    placed = of(site)
    received = {one.scope for one in known.of("received")}
    for name in sorted(received - placed.keys()):
        yield Difference(f"dockets/{name}", "the ledger has this docket, but its folder is missing", LOST)
    reader = TileReader(site.ledger, head.size)
    held = Counter(batch_of(entry) for entry in reader.span(0, head.size))  # counted once, for every docket
    for docket in placed.values():
        if docket.is_destroyed:
            yield from _destroyed(connection, site, docket, known)
        else:
            yield from _proven(connection, site, docket, head, held)
        yield from _later(site, docket, known)


def _proven(
    connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket, head: Checkpoint, held: Mapping[bytes, int]
) -> Iterator[Difference]:
    """The docket against the published tree; its events may be newer than that, and are compared with the history."""
    try:
        verify_docket(connection, docket.root, site.ledger, head, held=held)
    except GatehouseError as wrong:
        yield Difference(_place(docket, wrong.where), wrong.what, wrong.remedy or LOST)
    except duckdb.Error:
        yield Difference(f"dockets/{docket.id}", "its tables cannot be read", LOST)


def _destroyed(
    connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket, known: History
) -> Iterator[Difference]:
    """Of a destroyed docket, what must stay: the receipt's entry, and what the destruction says of it."""
    received = next(known.of("received", scope=docket.id), None)
    event = next(known.of("destroyed", scope=docket.id), None)
    where = f"dockets/{docket.id}/events/destroyed.json"
    if event is None:
        yield Difference(where, "the destruction is not in the ledger", LOST)
        return
    said = (event.fields.get("first"), event.fields.get("requests"))
    if received is None or said != (received.fields.get("first"), received.fields.get("requests")):
        yield Difference(where, "the destruction covers different determinations from those received", LOST)
    for what in _too_early(docket, known, event):
        yield Difference(where, what, _FINDING)
    if destruction.begun(site, docket):
        yield Difference(f"dockets/{docket.id}", "what was destroyed on record is still there", _DESTROY)
    sealed = {f"{one.text('release')}.json" for one in known.of("sealed", scope=docket.id)}
    if set(event.fields.get("accounts", ())) != sealed:
        yield Difference(where, "the destruction keeps the accounts of other releases than were sealed", LOST)
    path = docket.root / disclosures.KEPT
    if (digests.of_file(path) if path.is_file() else None) != event.fields.get("disclosures"):
        yield Difference(f"dockets/{docket.id}/{path.name}", "the file differs from the one on record", LOST)
    elif path.is_file() and not known.faults and not _accounts(connection, site, docket):
        yield Difference(f"dockets/{docket.id}/{path.name}", "it does not list what was released", LOST)
    try:
        docketed = next(known.of("docket", scope=docket.id))
        docket_files.compare(docket.root, docketed.fields["files"])
    except StopIteration:
        yield Difference(f"dockets/{docket.id}", "the ledger has no entry for the docket's files", LOST)
    except GatehouseError as wrong:
        yield Difference(_place(docket, wrong.where), wrong.what, LOST)


def _too_early(docket: Docket, known: History, event: Event) -> Iterator[str]:
    """Why a docket could not be destroyed yet, by what the ledger has of it."""
    before = [one for one in known.events if one.scope == docket.id and one.index < event.index]
    disposed = {one.text("release") for one in before if one.kind == "disposal"}
    over = known.unsealed(docket.id) | disposed
    if not any(one.kind == "answered" for one in before):
        yield "it was destroyed before its answers were told"
    if any(
        one.kind == "release" and one.text("release") not in over and one.text("expires_on") > event.text("at")[:10]
        for one in before
    ):
        yield "it was destroyed while a release of it could still be used"


def _accounts(connection: duckdb.DuckDBPyConnection, site: Site, docket: Docket) -> bool:
    """Whether what is kept of a docket's disclosures is what was released; a list that is gone is named elsewhere."""
    try:
        return disclosures.is_kept(connection, site, docket)
    except GatehouseError:
        return True


def _later(site: Site, docket: Docket, known: History) -> Iterator[Difference]:
    """What came after the docket was laid down: packages, certificates, lists, answers, recalls, reports."""
    expected: dict[str, tuple[str, bool]] = {}
    for name, digest, required in _bound(docket, known):
        expected[name] = (digest, required)
    for folder in docket_files.GROWING:
        if folder == "events":
            continue
        for path in sorted((docket.root / folder).rglob("*")):
            name = path.relative_to(docket.root).as_posix()
            if path.is_file() and name not in expected and not _on_the_way(path) and folder in _LISTED:
                yield Difference(f"dockets/{docket.id}/{name}", "nothing on record names this file", LOST)
    for name, (digest, required) in expected.items():
        path, where = docket.root / name, f"dockets/{docket.id}/{name}"
        if not path.is_file():
            if required and (not docket.is_destroyed or name.startswith((accounting.FOLDER, planning.PERSONS))):
                yield Difference(where, "the file is missing", LOST)
        elif digests.of_file(path) != digest:
            yield Difference(where, "the file differs from the one on record", LOST)
    yield from recalls.differences(site, docket, known)
    yield from _signed_answers(site, docket)


def _on_the_way(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts[-3:])


def _bound(docket: Docket, known: History) -> Iterator[tuple[str, str, bool]]:
    """Files that events name: path below the docket, digest, and whether the file must be there."""
    for one in known.of("destroyed", scope=docket.id):
        for name, digest in one.fields.get("accounts", {}).items():
            yield f"{accounting.FOLDER}/{name}", digest, True
    withdrawn = known.unsealed(docket.id)
    recalled = recalls.notices(docket, known).keys()
    for one in known.of("release", scope=docket.id):
        release = one.text("release")
        if release not in withdrawn and "persons" in one.fields:
            yield f"persons/{release}.json", one.text("persons"), True
    for one in known.of("sealed", scope=docket.id):
        release = one.text("release")
        yield f"releases/{release}.age", one.text("package"), release not in recalled
        yield f"certificates/{release}.json", one.text("certificate"), True
        certificate = docket.certificates / f"{release}.json"
        if certificate.is_file():
            made = _accounted(certificate, one.text("package"))
            if made is not None:
                yield f"{accounting.FOLDER}/{release}.json", digests.of_bytes(made), True


def _accounted(certificate: Path, package: str) -> bytes | None:
    """The record of disclosure that a certificate makes; None where it cannot be read, which is told elsewhere."""
    try:
        return accounting.encode(accounting.record(certificate.read_bytes(), package, where=certificate.name))
    except (GatehouseError, ValueError, KeyError):
        return None


def _signed_answers(site: Site, docket: Docket) -> Iterator[Difference]:
    """The signature under the answers, by the custodian's key."""
    signature, answers = docket.root / "answers.csv.sig", docket.answers
    if not signature.is_file() or not answers.is_file():
        return
    try:
        key = read_verifier(site.root / "custodian.vkey")
        verify_detached(answers.read_bytes(), signature.read_bytes(), [key], where=signature.name)
    except GatehouseError as wrong:
        yield Difference(f"dockets/{docket.id}/{signature.name}", wrong.what, LOST)


def _place(docket: Docket, where: str) -> str:
    """A place below a docket, as the site's paths are written."""
    inside = where.removeprefix(docket.id).lstrip(", ")
    return f"dockets/{docket.id}/{inside}" if inside else f"dockets/{docket.id}"
