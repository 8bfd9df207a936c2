"""Which packs are in force in a folder, and how another one comes into force: in one instant, never backwards.

Every adopted pack has a folder of its own beside the others, and `pinned.json` names the one in force for each basis
in law with its version and digest. Writing that file is the adoption, so a reader finds the old law or the new, never
neither, and whatever was refused or broke off leaves the old one in force.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from gatehouse.kernel import canonical, files
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law.folder import pack_files
from gatehouse.law.pack import Pack
from gatehouse.law.signing import LOCK, PROOF, SIGNATURES, Offices, verify, version_key

PINS = "pinned.json"
_FORM = "gatehouse-packs/1"


@dataclass(frozen=True)
class Pin:
    """One pack in force: its folder's name, its version and its digest."""

    folder: str
    version: str
    digest: str


def pinned(packs: Path) -> Mapping[str, Pin]:
    """The packs in force by basis in law; none where nothing was adopted. Raises WrongInput for a broken list."""
    path = packs / PINS
    if not path.is_file():
        return {}
    try:
        listed = json.loads(path.read_bytes())
        pins = {str(basis): Pin(**each) for basis, each in listed["packs"].items()}
        whole = listed["format"] == _FORM and all(Path(pin.folder).name == pin.folder for pin in pins.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise WrongInput("this is not a list of packs in force", where=str(path), remedy="Restore it from a backup")
    return pins


def folder_for(packs: Path, basis: str) -> Path:
    """The folder of the pack in force for a basis in law. Raises WrongInput where there is none."""
    pin = pinned(packs).get(basis)
    if pin is None:
        raise WrongInput(
            f"no pack of law is in force for the basis {basis!r}", where=str(packs),
            remedy="Sign a pack and put it in force with `gatehouse law adopt`",
        )  # fmt: skip
    return packs / pin.folder


def in_force(packs: Path, basis: str, offices: Offices) -> Pack:
    """The pack in force, verified now: signed by both offices, proved, and the very bytes that were adopted.

    Raises WrongInput where none was adopted or it does not load, AnswerIsNo where it does not verify. No other version
    stands in for one that fails: an older law may permit what a newer one forbids.
    """
    folder = folder_for(packs, basis)
    pack, pin = verify(folder, offices), pinned(packs)[basis]
    if (pack.id, pack.version, pack.digest) != (basis, pin.version, pin.digest):
        raise AnswerIsNo(
            "this pack differs from the one that was adopted",
            where=str(folder),
            remedy="Adopt it with `gatehouse law adopt`",
        )
    return pack


def adopt(folder: Path, packs: Path, offices: Offices) -> Pack:
    """Put a verified pack in force below `packs` in one instant; the one before stays beside it.

    The same pack again changes nothing. Raises as `verify` does, and AnswerIsNo for a version that is older than the
    one in force or is the same with other content; then nothing has changed.
    """
    packs.mkdir(parents=True, exist_ok=True)
    with _alone(packs):
        pins = pinned(packs)
        pack = verify(folder, offices)
        standing = pins.get(pack.id)
        if standing is not None:
            _follows(pack, standing)
            _keeps_orders(folder, packs / standing.folder)
            if standing.digest == pack.digest and _same_signatures(folder, packs / standing.folder):
                return verify(packs / standing.folder, offices)
        target = packs / _name(pack, standing)
        incoming = target.with_name(f".incoming-{target.name}")
        shutil.rmtree(incoming, ignore_errors=True)
        _copy(folder, incoming)
        if verify(incoming, offices).digest != pack.digest:
            raise AnswerIsNo("the pack changed while Gatehouse read it", where=str(folder), remedy="Adopt it again")
        shutil.rmtree(target, ignore_errors=True)  # left by an adoption that broke off: no pin names it
        incoming.rename(target)
        files.sync_folder(packs)
        named = {**pins, pack.id: Pin(target.name, pack.version, pack.digest)}
        listed = {basis: asdict(pin) for basis, pin in named.items()}
        files.write(packs / PINS, canonical.encode({"format": _FORM, "packs": listed}) + b"\n")
    return verify(target, offices)


def _follows(pack: Pack, standing: Pin) -> None:
    new, old = version_key(pack.version), version_key(standing.version)
    if new < old:
        raise AnswerIsNo(
            f"version {pack.version} is older than {standing.version}, which is in force", where=str(pack.folder),
            remedy="Give the corrected pack a higher version",
        )  # fmt: skip
    if new == old and pack.digest != standing.digest:
        raise AnswerIsNo(
            f"version {pack.version} is already in force with different content", where=str(pack.folder),
            remedy="Raise the version in pack.toml and sign again",
        )  # fmt: skip


def _keeps_orders(folder: Path, standing: Path) -> None:
    """Orders are added and never edited: each order in force must stand in the next version byte for byte."""
    for path in sorted((standing / "orders").glob("*.toml")):
        kept = folder / "orders" / path.name
        if not kept.is_file() or kept.read_bytes() != path.read_bytes():
            raise AnswerIsNo(
                f"an order of the version in force is {'changed' if kept.is_file() else 'missing'} in this one",
                where=str(kept),
                remedy="Put it back unchanged. To end it, add a later order",
            )


def _name(pack: Pack, standing: Pin | None) -> str:
    """The folder for a pack, another one than the folder in force (which is the same version, signed again)."""
    name = f"{pack.id}@{pack.version}"
    return name if standing is None or standing.folder != name else f"{name}-signed-again"


def _same_signatures(first: Path, second: Path) -> bool:
    names = (LOCK, SIGNATURES)
    return all((second / name).is_file() for name in names) and all(
        (first / name).read_bytes() == (second / name).read_bytes() for name in names
    )


def _copy(folder: Path, target: Path) -> None:
    """Copy what was signed and nothing else, durably."""
    for path in [*pack_files(folder), *(folder / name for name in (LOCK, SIGNATURES, PROOF))]:
        files.write(target / path.relative_to(folder), path.read_bytes())


@contextlib.contextmanager
def _alone(packs: Path) -> Iterator[None]:
    """One adoption at a time; the lock falls with the process."""
    handle = os.open(packs, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
