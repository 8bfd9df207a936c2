"""The gate before the law: a site decides only under packs that both its offices signed, proved, and on record.

Every adoption is an entry of the ledger before anything is decided under it. What is in force is what the last of
these entries of the highest version names, byte for byte and signature for signature, so that an old adoption entered
once more brings nothing back; `pinned.json` only says where it lies.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, following, own
from gatehouse.law import adoption
from gatehouse.law.adoption import Pin
from gatehouse.law.pack import Pack
from gatehouse.law.reading import load
from gatehouse.law.signing import LOCK, PROOF, SIGNATURES, is_older
from gatehouse.ledger.log import batches
from gatehouse.ledger.opening import Opening
from gatehouse.pipeline import history, record
from gatehouse.pipeline.event import Event
from gatehouse.pipeline.hold import Hold
from gatehouse.pipeline.site import Site

_AGAIN = "Put it in force again with `gatehouse law adopt`"


@own()
def knows(site: Site, basis: str) -> bool:
    """Whether law for a basis is in force here or ever was. Raises CustodianFault where that cannot be read.

    A site without any law knows every basis: what is missing then is the custodian's.
    """
    pins = adoption.pinned(site.packs)
    return not pins or basis in pins or bool(adoptions(site, basis))


@own()
def in_force(site: Site, basis: str) -> Pack:
    """The pack in force for a basis in law, verified now. Every decision of a site asks here.

    Raises CustodianFault where none was adopted or the offices are not named, AnswerIsNo where the pack is unsigned,
    unproved, changed, or not the one that the last adoption on record names.
    """
    pack = adoption.in_force(site.packs, basis, site.configuration.offices)
    recorded = adoptions(site, basis)
    if not recorded:
        raise AnswerIsNo("its adoption is not on record", where=str(pack.folder), remedy=_AGAIN)
    newest = recorded[0]
    for one in recorded:
        newest = newest if is_older(one.text("version"), newest.text("version")) else one
    if is_older(pack.version, newest.text("version")):
        raise AnswerIsNo(
            f"version {pack.version} is older than {newest.text('version')}, whose adoption is on record",
            where=str(pack.folder),
            remedy="Restore packs/ from a backup, or adopt the newer pack again",
        )
    signatures = digests.of_file(pack.folder / SIGNATURES)
    if (pack.version, pack.digest, signatures) != tuple(map(newest.text, ("version", "digest", "signatures"))):
        raise AnswerIsNo(
            "this pack differs from the one whose adoption is on record", where=str(pack.folder), remedy=_AGAIN
        )
    return pack


def adopt(site: Site, folder: Path, now: dt.datetime) -> Pack:
    """Put a signed pack in force and record that in the ledger; run again after a crash, it finishes.

    Raises as `law.adoption.adopt` does, and AnswerIsNo where the version was ever adopted with other content; then
    the pack in force stays.
    """
    asked = load(folder)
    for one in adoptions(site, asked.id):
        if one.text("version") == asked.version and one.text("digest") != asked.digest:
            raise AnswerIsNo(
                f"version {asked.version} was already adopted with different content",
                where=str(folder),
                remedy="Raise the version in pack.toml and sign again",
            )
    adopted = adoption.adopt(folder, site.packs, site.configuration.offices)
    with following("the pack is in force, and its entry is being made", where=adopted.id):
        record_all(site, now)
    return adopted


def record_all(site: Site, now: dt.datetime) -> None:
    """Enter the adoption of every pack in force that is no entry yet, and publish."""
    with record.open_log(site) as log:
        on_record(site, log)
        record.publish(site, log, now)


def unrecorded(site: Site) -> bool:
    """Whether a pack was put in force and its adoption is no entry of the ledger yet."""
    known = batches(site.ledger_state)
    return any(f"site/{_event(site, pin)}" not in known for pin in adoption.pinned(site.packs).values())


def _event(site: Site, pin: Pin) -> str:
    return f"pack-{digests.of_file(site.packs / pin.folder / SIGNATURES)[:32]}"


def on_record(site: Site, log: Hold) -> None:
    """See that the adoption of every pack in force is in the ledger; what is there already stays as it is."""
    for basis, pin in adoption.pinned(site.packs).items():
        name = _event(site, pin)
        kept = site.events / f"{name}.json"
        fields = _read(kept) if kept.is_file() else _fields(site, basis, pin)
        record.event(log, site.events, f"site/{name}", fields)


def _fields(site: Site, basis: str, pin: Pin) -> dict[str, Any]:
    folder, trusted = site.packs / pin.folder, site.configuration.offices
    return {
        "event": "pack in force", "pack": basis, "version": pin.version, "digest": pin.digest,
        "lock": digests.of_file(folder / LOCK), "proof": digests.of_file(folder / PROOF),
        "signatures": digests.of_file(folder / SIGNATURES),
        "counsel": [key.text for key in trusted.counsel], "custodian": [key.text for key in trusted.custodian],
    }  # fmt: skip


def adoptions(site: Site, basis: str) -> list[Event]:
    """What the ledger says was adopted for a basis, in its order. Raises AnswerIsNo where an adoption is not opened."""
    return [one for one in history.whole(site, {"pack"}).of("pack") if one.text("pack") == basis]


def adopted(site: Site, basis: str, digest: str, before: int) -> tuple[int, Opening]:
    """The last entry before an index by which a pack of this content came into force, and its opening.

    Raises AnswerIsNo where there is none: nothing may rest on law that was never adopted.
    """
    found = [one for one in adoptions(site, basis) if one.text("digest") == digest and one.index < before]
    if not found:
        raise AnswerIsNo("the law that decided the requests was not adopted before that decision", where=basis)
    path = site.events / f"{found[-1].name}.json"
    return found[-1].index, Opening.parse(path.read_bytes(), where=path.name)


def _read(path: Path) -> dict[str, Any]:
    return dict(Opening.parse(path.read_bytes(), where=str(path)).fields())
