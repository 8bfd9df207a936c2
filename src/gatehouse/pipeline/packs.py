"""The gate before the law: a site decides only under packs that both its offices signed, proved, and on record.

Every adoption is an entry of the ledger before anything is decided under it, and the entries hold law to its direction:
a pack older than one that is on record is refused, whatever `pinned.json` says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, own
from gatehouse.law import adoption
from gatehouse.law.adoption import Pin
from gatehouse.law.pack import Pack
from gatehouse.law.signing import LOCK, PROOF, SIGNATURES, version_key
from gatehouse.ledger.log import Log
from gatehouse.ledger.opening import Opening
from gatehouse.pipeline import offices, record
from gatehouse.pipeline.site import Site


@own()
def knows(site: Site, basis: str) -> bool:
    """Whether law for a basis is in force here or ever was. Raises CustodianFault where that cannot be read.

    A site without any law knows every basis: what is missing then is the custodian's.
    """
    pins = adoption.pinned(site.packs)
    return not pins or basis in pins or any(_adoptions(site, basis))


@own()
def in_force(site: Site, basis: str) -> Pack:
    """The pack in force for a basis in law, verified now. Every decision of a site asks here.

    Raises CustodianFault where none was adopted or the offices are not named, AnswerIsNo where the pack is unsigned,
    unproved, changed, or older than one that was in force before.
    """
    pack = adoption.in_force(site.packs, basis, offices.read(site))
    newest = max((str(fields["version"]) for fields in _adoptions(site, basis)), key=version_key, default="")
    if newest and version_key(pack.version) < version_key(newest):
        raise AnswerIsNo(
            f"version {pack.version} is older than {newest}, whose adoption is on record", where=str(pack.folder),
            remedy="Restore packs/ from a backup, or adopt the newer pack again",
        )  # fmt: skip
    return pack


def adopt(site: Site, folder: Path, now: dt.datetime) -> Pack:
    """Put a signed pack in force and record that in the ledger; run again after a crash, it finishes.

    Raises as `law.adoption.adopt` does; then the pack in force stays.
    """
    adopted = adoption.adopt(folder, site.packs, offices.read(site))
    with record.open_log(site) as log:
        on_record(site, log)
        record.publish(site, log, now)
    return adopted


def on_record(site: Site, log: Log) -> None:
    """See that the adoption of every pack in force is in the ledger; what is there already stays as it is."""
    for basis, pin in adoption.pinned(site.packs).items():
        signatures = digests.of_file(site.packs / pin.folder / SIGNATURES)
        name = f"pack-{signatures[:32]}"
        kept = site.events / f"{name}.json"
        fields = _read(kept) if kept.is_file() else _fields(site, basis, pin)
        record.event(log, site.events, f"site/{name}", fields)


def _fields(site: Site, basis: str, pin: Pin) -> dict[str, Any]:
    folder, trusted = site.packs / pin.folder, offices.read(site)
    return {
        "event": "pack in force", "pack": basis, "version": pin.version, "digest": pin.digest,
        "lock": digests.of_file(folder / LOCK), "proof": digests.of_file(folder / PROOF),
        "signatures": digests.of_file(folder / SIGNATURES),
        "counsel": [key.text for key in trusted.counsel], "custodian": [key.text for key in trusted.custodian],
    }  # fmt: skip


def _adoptions(site: Site, basis: str) -> Iterator[dict[str, Any]]:
    """What was recorded of the packs for a basis."""
    for path in sorted(site.events.glob("pack-*.json")):
        fields = _read(path)
        if fields.get("pack") == basis:
            yield fields


def _read(path: Path) -> dict[str, Any]:
    return dict(Opening.parse(path.read_bytes(), where=str(path)).fields())
