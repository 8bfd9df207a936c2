"""Sign a pack and verify it: two offices, one record of what was checked and proved.

`proof.json` says what was proved about which digest, and by which engines; `pack.lock` lists every file with its
SHA-256, the proof included; `pack.sig` holds one detached signature line per office over the lock's exact bytes (C2SP
signed-note lines). So a pack is proved once, and afterwards two signatures answer for that in milliseconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gatehouse
from gatehouse.kernel import canonical, digests, files, ids
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law.check import Report
from gatehouse.law.folder import pack_files
from gatehouse.law.pack import Pack
from gatehouse.law.prove import Status
from gatehouse.law.reading import load
from gatehouse.ledger import note
from gatehouse.ledger.signers import Signer, Verifier

LOCK, SIGNATURES, PROOF = "pack.lock", "pack.sig", "proof.json"
HEADER = "gatehouse-pack/1"
SIGNED = (LOCK, SIGNATURES, PROOF)
FORM = "gatehouse-proof/1"


@dataclass(frozen=True)
class Offices:
    """Whose signatures a pack needs: the public keys of counsel and of the custodian, each at least one."""

    counsel: Sequence[Verifier]
    custodian: Sequence[Verifier]

    def shared(self) -> str:
        """What shows that one human holds both offices: a public key, or a name; empty where nothing does."""
        if {key.public for key in self.counsel} & {key.public for key in self.custodian}:
            return "one key"
        names = {ids.folded(key.name) for key in self.counsel} & {ids.folded(key.name) for key in self.custodian}
        return f"one name ({min(names)})" if names else ""


def lock_text(folder: Path) -> str:
    """The lock's text: header, then `<sha256>  <path>` per file, sorted by path; `sha256sum -c` reads the lines."""
    listed = sorted([*pack_files(folder), folder / PROOF], key=lambda path: path.relative_to(folder).as_posix())
    lines = [f"{digests.of_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in listed]
    return f"# {HEADER}\n" + "".join(lines)


def proof_of(report: Report) -> dict[str, Any]:
    """What was checked and proved about which bytes, and by which engines, as canonical JSON values."""
    import duckdb
    import z3

    return {
        "format": FORM,
        "pack": report.pack.id,
        "version": report.pack.version,
        "engines": {
            "duckdb": duckdb.__version__, "gatehouse": gatehouse.__version__, "z3": z3.get_version_string(),
        },
        "warnings": sum(finding.severity == "warning" for finding in report.findings),
        **_demanded(report.pack),
    }  # fmt: skip


def _demanded(pack: Pack) -> dict[str, Any]:
    """What a proof must say of a pack: its digest, every property by its text, every example, every mutation."""
    return {
        "digest": pack.digest,
        "properties": [
            {"id": each.id, "status": str(Status.PROVED), "text": digests.of_bytes(each.text.encode())}
            for each in pack.properties
        ],
        "examples": len(pack.examples),
        "mutations_noticed": 2 * len(pack.rules),
    }


def record(report: Report) -> Path:
    """Write the record of what was checked and proved beside a pack; returns its path.

    Raises AnswerIsNo when the pack did not pass its check.
    """
    path = report.pack.folder / PROOF
    if not report.passed:
        raise AnswerIsNo("the pack does not pass its check", where=str(path.parent), remedy="Run: gatehouse law check")
    files.write(path, canonical.encode(proof_of(report)) + b"\n")
    return path


def sign(report: Report, signer: Signer) -> Path:
    """Write proof and lock of a checked pack and add one office's signature; returns the signatures' path.

    A second office signs the same lock, whatever engines it checked with; signatures of a lock that no longer fits the
    files are dropped. Raises AnswerIsNo when the pack did not pass its check.
    """
    if not report.passed or not _locked(report.pack):
        record(report)
    return sign_recorded(report.pack, signer)


def sign_recorded(pack: Pack, signer: Signer) -> Path:
    """Add one office's signature to a pack whose record of proof stands beside it; returns the signatures' path.

    The record is taken at its word, so its source must be trusted as the software is: the check just made, or the
    release that the pack came with. Raises AnswerIsNo where it is of other bytes or there is none.
    """
    return add(pack, note.sign_detached(to_sign(pack), signer))


def to_sign(pack: Pack) -> bytes:
    """The exact bytes that both offices sign: the lock. Raises AnswerIsNo without a record of proof of these files."""
    _proved(pack)
    return lock_text(pack.folder).encode()


def add(pack: Pack, line: str) -> Path:
    """Add a signature line, made over `to_sign` wherever the key is, to a pack; returns the signatures' path."""
    folder, path = pack.folder, pack.folder / SIGNATURES
    lines = path.read_text(encoding="utf-8").splitlines() if _locked(pack) else []
    files.write(folder / LOCK, to_sign(pack))
    files.write(path, "".join(f"{each}\n" for each in dict.fromkeys([*lines, line.rstrip("\n")])).encode())
    return path


def _locked(pack: Pack) -> bool:
    """Whether a lock with signatures stands beside the pack and fits it."""
    folder = pack.folder
    whole = all((folder / name).is_file() for name in (LOCK, SIGNATURES, PROOF))
    return whole and (folder / LOCK).read_bytes() == lock_text(folder).encode() and _says_proved(pack)


def verify(folder: Path, offices: Offices, *, no_older_than: str = "") -> Pack:
    """Load a pack that both offices signed, that is proved, and that is no older than a version.

    Raises WrongInput for a pack that does not load or has no lock, AnswerIsNo where lock, proof, signatures or
    version say no.
    """
    pack = load(folder)
    if offices.shared():
        raise AnswerIsNo(
            f"{offices.shared()} is the key of both offices", where=str(folder), remedy="Each office needs its own key"
        )
    for name in (LOCK, SIGNATURES, PROOF):
        if not (folder / name).is_file():
            raise AnswerIsNo(f"the pack has no {name}", where=str(folder), remedy="Sign it with `gatehouse law sign`")
    lock = (folder / LOCK).read_bytes()
    if lock != lock_text(folder).encode():
        raise AnswerIsNo(
            "the files differ from those that were signed", where=str(folder / LOCK), remedy="Sign it again"
        )
    _proved(pack)
    for office, keys in (("counsel", offices.counsel), ("the custodian", offices.custodian)):
        _signed(folder, lock, office, keys)
    if no_older_than and version_key(pack.version) < version_key(no_older_than):
        raise AnswerIsNo(
            f"version {pack.version} is older than {no_older_than}, which was in force",
            where=str(folder),
            remedy="Give the corrected pack a higher version",
        )
    return pack


def _proved(pack: Pack) -> None:
    if not (pack.folder / PROOF).is_file():
        raise AnswerIsNo(f"the pack has no {PROOF}", where=str(pack.folder), remedy="Run: gatehouse law check --record")
    if not pack.properties or not _says_proved(pack):
        raise AnswerIsNo(
            "the proof is for different bytes, or does not cover every property, example and mutation",
            where=str(pack.folder / PROOF),
            remedy="Run: gatehouse law check --record, then sign",
        )


def _says_proved(pack: Pack) -> bool:
    """Whether the proof record says all that is demanded of these bytes; only signatures make it worth anything."""
    where = str(pack.folder / PROOF)
    try:
        proof = json.loads((pack.folder / PROOF).read_bytes())
    except (ValueError, RecursionError):
        proof = None
    if not isinstance(proof, dict) or proof.get("format") != FORM:
        raise WrongInput("this is not a proof record", where=where, remedy="Sign the pack again")
    return all(proof.get(name) == value for name, value in _demanded(pack).items())


def _signed(folder: Path, lock: bytes, office: str, keys: Sequence[Verifier]) -> None:
    where = str(folder / SIGNATURES)
    for line in (folder / SIGNATURES).read_text(encoding="utf-8", errors="replace").splitlines():
        if any(note.SignatureLine.parse(line, where=where).is_by(key) for key in keys):
            note.verify_detached(lock, line, keys, where=where)
            return
    raise AnswerIsNo(
        f"{office} did not sign this pack", where=where, remedy="Both offices must sign with `gatehouse law sign`"
    )


def is_older(version: str, other: str) -> bool:
    """Whether one version comes before another; what is no version comes before every one."""
    if version == other:
        return False
    try:
        return version_key(version) < version_key(other)
    except WrongInput:
        return True


def version_key(version: str) -> tuple[int, ...]:
    """Versions order by their numbers: 1.10.0 is after 1.9.0. Raises WrongInput for another form."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)*", version, re.ASCII):
        raise WrongInput(f"{version!r} is not a version", where="pack.toml", remedy="Write numbers with dots: 1.2.0")
    return tuple(int(part) for part in version.split("."))
