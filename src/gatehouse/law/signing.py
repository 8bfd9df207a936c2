"""Sign a pack, verify it, and put it in force: two offices, one proof, never an older version.

`pack.lock` lists every file with its SHA-256, the proof included; `pack.sig` holds one detached signature line per
office over the lock's exact bytes (C2SP signed-note lines). A pack that is unsigned, unproved or older than the one
in force is refused, and the one in force stays.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatehouse.kernel import canonical, digests, files
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law.check import Report
from gatehouse.law.pack import Pack, load
from gatehouse.law.reading import pack_files
from gatehouse.ledger import note
from gatehouse.ledger.signers import Signer, Verifier

LOCK, SIGNATURES, PROOF = "pack.lock", "pack.sig", "proof.json"
HEADER = "gatehouse-pack/1"
PINS = "pinned.json"


@dataclass(frozen=True)
class Offices:
    """Whose signatures a pack needs: the public keys of counsel and of the custodian, each at least one."""

    counsel: Sequence[Verifier]
    custodian: Sequence[Verifier]


def lock_text(folder: Path) -> str:
    """The lock's text: header, then `<sha256>  <path>` per file, sorted by path; `sha256sum -c` reads the lines."""
    listed = sorted([*pack_files(folder), folder / PROOF], key=lambda path: path.relative_to(folder).as_posix())
    lines = [f"{digests.of_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in listed]
    return f"# {HEADER}\n" + "".join(lines)


def proof_of(report: Report) -> dict[str, Any]:
    """What was proved about which bytes, by which solver, as canonical JSON values."""
    import z3

    return {
        "format": "gatehouse-proof/1",
        "pack": report.pack.id,
        "version": report.pack.version,
        "digest": report.pack.digest,
        "solver": f"z3 {z3.get_version_string()}",
        "properties": [
            {"id": verdict.id, "status": str(verdict.status), "text": _text_digest(report.pack, verdict.id)}
            for verdict in report.verdicts
        ],
        "examples": len(report.pack.examples),
        "mutations_noticed": report.mutants - len(report.survivors),
        "mutations": report.mutants,
    }


def _text_digest(pack: Pack, property_id: str) -> str:
    text = next(each.text for each in pack.properties if each.id == property_id)
    return digests.of_bytes(text.encode())


def sign(report: Report, signer: Signer) -> Path:
    """Write proof and lock of a checked pack and add one office's signature; returns the signatures' path.

    A second office signs the same lock: signatures of a lock that no longer fits the files are dropped. Raises
    AnswerIsNo when the pack did not pass its check.
    """
    folder = report.pack.folder
    if not report.passed:
        raise AnswerIsNo("the pack does not pass its check", where=str(folder), remedy="Run: gatehouse law check")
    files.write(folder / PROOF, canonical.encode(proof_of(report)) + b"\n")
    lock = lock_text(folder).encode()
    path = folder / SIGNATURES
    unchanged = (folder / LOCK).is_file() and (folder / LOCK).read_bytes() == lock and path.is_file()
    lines = path.read_text(encoding="utf-8").splitlines() if unchanged else []
    line = note.sign_detached(lock, signer).rstrip("\n")
    files.write(folder / LOCK, lock)
    files.write(path, "".join(f"{each}\n" for each in dict.fromkeys([*lines, line])).encode())
    return path


def verify(folder: Path, offices: Offices, *, no_older_than: str = "") -> Pack:
    """Load a pack that both offices signed, that is proved, and that is no older than a version.

    Raises WrongInput for a pack that does not load or has no lock, AnswerIsNo where lock, proof, signatures or
    version say no.
    """
    pack = load(folder)
    if {key.text for key in offices.counsel} & {key.text for key in offices.custodian}:
        raise AnswerIsNo("the same key stands for both offices", where=str(folder), remedy="Two offices, two keys")
    for name in (LOCK, SIGNATURES, PROOF):
        if not (folder / name).is_file():
            raise AnswerIsNo(f"the pack has no {name}", where=str(folder), remedy="Sign it: gatehouse law sign")
    lock = (folder / LOCK).read_bytes()
    if lock != lock_text(folder).encode():
        raise AnswerIsNo("the files are not those that were signed", where=str(folder / LOCK), remedy="Sign it again")
    _proved(pack)
    for office, keys in (("counsel", offices.counsel), ("the custodian", offices.custodian)):
        _signed(folder, lock, office, keys)
    if no_older_than and version_key(pack.version) < version_key(no_older_than):
        raise AnswerIsNo(
            f"version {pack.version} is older than {no_older_than}, which was in force",
            where=str(folder),
            remedy="Law moves forward: give the corrected pack a higher version",
        )
    return pack


def _proved(pack: Pack) -> None:
    where = str(pack.folder / PROOF)
    try:
        proof = json.loads((pack.folder / PROOF).read_bytes())
        proved = {each["id"] for each in proof["properties"] if each["status"] == "proved"}
        same = proof["digest"] == pack.digest
    except (ValueError, KeyError, TypeError):
        raise WrongInput("this is no proof record", where=where, remedy="Sign the pack again") from None
    missing = sorted({each.id for each in pack.properties} - proved)
    if not same or missing or not pack.properties:
        what = f"not proved: {', '.join(missing)}" if missing else "the proof is of other bytes, or of nothing"
        raise AnswerIsNo(what, where=where, remedy="Run: gatehouse law check, then sign")


def _signed(folder: Path, lock: bytes, office: str, keys: Sequence[Verifier]) -> None:
    where = str(folder / SIGNATURES)
    for line in (folder / SIGNATURES).read_text(encoding="utf-8").splitlines():
        if any(note.SignatureLine.parse(line, where=where).is_by(key) for key in keys):
            note.verify_detached(lock, line, keys, where=where)
            return
    raise AnswerIsNo(f"{office} did not sign this pack", where=where, remedy="Both offices sign with: law sign")


def version_key(version: str) -> tuple[int, ...]:
    """Versions order by their numbers: 1.10.0 is after 1.9.0. Raises WrongInput for another form."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)*", version, re.ASCII):
        raise WrongInput(f"{version!r} is no version", where="pack.toml", remedy="Write numbers with dots: 1.2.0")
    return tuple(int(part) for part in version.split("."))


def adopt(folder: Path, packs: Path, offices: Offices) -> Pack:
    """Put a verified pack in force below `packs`, keeping the one before under `.previous`; refuse anything else.

    The new folder appears whole or not at all. Raises as `verify` does, and then nothing has changed.
    """
    packs.mkdir(parents=True, exist_ok=True)
    pins = pinned(packs)
    pack = load(folder)
    verify(folder, offices, no_older_than=pins.get(pack.id, ""))
    name = folder.resolve().name
    incoming, previous = packs / f".incoming-{name}", packs / ".previous"
    shutil.rmtree(incoming, ignore_errors=True)
    shutil.copytree(folder, incoming)
    verify(incoming, offices, no_older_than=pins.get(pack.id, ""))
    previous.mkdir(exist_ok=True)
    target = packs / name
    if target.exists():
        shutil.rmtree(previous / name, ignore_errors=True)
        target.rename(previous / name)
    incoming.rename(target)
    files.sync_folder(packs)
    files.write(packs / PINS, canonical.encode({**pins, pack.id: pack.version}) + b"\n")
    return load(target)


def pinned(packs: Path) -> dict[str, str]:
    """The version in force of each pack by id; none may be replaced by an older one."""
    path = packs / PINS
    if not path.is_file():
        return {}
    try:
        pins = json.loads(path.read_bytes())
    except ValueError:
        raise WrongInput("this is no list of versions", where=str(path), remedy="Restore it from a backup") from None
    return {str(name): str(version) for name, version in pins.items()}
