"""The officer's side, with no connection to the custodian: check the proof, open, log every use, report, destroy.

Order is the safeguard: the certificate is checked while the records are still sealed, expiry and recall are checked
before that, and nothing is written until all of it holds. What is written is complete or absent.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatehouse.casework import statement as statements
from gatehouse.casework.statement import Statement
from gatehouse.kernel import clock, digests, files, formulas
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger.signers import Verifier, parse_signer
from gatehouse.release import acquaintance, binding, format1, package, trust, uselog
from gatehouse.release.binding import Header, Verified
from gatehouse.release.recipients import Identity
from gatehouse.release.trust import Trust
from gatehouse.release.uselog import Entry, Use

RECEIPT_FORM = "gatehouse-receipt/1"
REPORT_FORM = "gatehouse-use-report/1"
DISPOSAL_FORM = "gatehouse-disposal/1"
METHODS = ("cryptographic_erase", "overwrite", "degauss", "shred", "incinerate")
"""Ways of destroying media, after NIST SP 800-88."""
CLOCK_TOLERANCE = dt.timedelta(minutes=10)

_RECORDS, _KEY, _SALT, _STATE = "records.csv", "receipt.key", "records.salt", "release.json"


@dataclass(frozen=True)
class Opened:
    """A release that may be read: its proof held, its recipient is this key, and it is neither expired nor recalled."""

    verified: Verified
    package_digest: str
    certificate: bytes
    terms: bytes
    rows: tuple[package.Row, ...]
    receipt_key: str
    salt: bytes = b""
    """With the records it gives the digest that the ledger's entry of the release holds."""


def check(
    data: bytes,
    identity: Identity,
    believed: Trust,
    notices: Iterable[Statement],
    now: dt.datetime,
    *,
    where: str,
    agency: Sequence[Verifier] | None = None,
    old: bool = False,
) -> Opened:
    """Open a package in memory. Raises AnswerIsNo or WrongInput, and then nothing of the records was decrypted.

    `agency` are keys of the agency's own, from the agency. `old` takes a package of format 1, whose certificate proves
    less: neither whose data it holds nor that its release stands in the ledger.
    """
    outer = package.open_outer(data, identity, believed.custodian, where=where, old=old)
    place = f"{where}, certificate.json"
    if old:
        verified = format1.verify(outer.certificate, believed, where=place)
    else:
        verified = binding.verify(outer.certificate, believed, agency=agency, where=place)
    header = verified.header
    if outer.manifest.body.get("release") != header.release or digests.of_bytes(outer.terms) != header.terms:
        raise AnswerIsNo("the certificate is about a different release", where=where, remedy="Ask for a new copy")
    if header.recipient != identity.recipient:
        raise AnswerIsNo("the certificate names a different recipient", where=where)
    _in_time(header, now, where)
    _not_recalled(header.release, notices, where)
    inner = package.open_inner(outer, identity, where=where, old=old)
    binding.covers(verified, inner.rows, where=where)
    binding.contents(verified, inner.salt, inner.records, where=where)
    if parse_signer(inner.receipt_key, where=f"{where}, receipt.key").key_text != header.receipt_key:
        raise AnswerIsNo("the receipt key differs from the one that the certificate names", where=where)
    sealed = digests.of_bytes(data)
    return Opened(verified, sealed, outer.certificate, outer.terms, tuple(inner.rows), inner.receipt_key, inner.salt)


def open_release(
    path: Path,
    identity: Identity,
    trust_folder: Path,
    out: Path,
    now: dt.datetime,
    *,
    agency: Sequence[Verifier] | None = None,
    old: bool = False,
    known: Path | None = None,
    anew: bool = False,
) -> Opened:
    """Open a release file into a folder: terms, records, certificate, use log and a signed receipt.

    Opening again into the same folder checks everything again and adds a line to the use log. Raises AnswerIsNo when
    it must not be opened, WrongInput when the folder belongs to something else; either is then on record beside the
    folder, in `OUT.refused.log`. `known` is the file in which the officer's key remembers custodians; `anew` takes a
    trust folder that differs from it.
    """
    try:
        if out.is_symlink() or (out.exists() and not out.is_dir()):
            raise WrongInput("this is a link or a file, not a folder", where=str(out), remedy="Name a new folder")
        believed = trust.read(trust_folder)
        if known is not None:
            acquaintance.recognize(believed, known, anew=anew)
        notices = tuple(trust.notices(trust_folder, believed.custodian))
        opened = check(_read(path), identity, believed, notices, now, where=path.name, agency=agency, old=old)
        if known is not None:
            acquaintance.remember(believed, opened.verified, known, now, anew=anew, where=path.name)
        return _lay_out(opened, out, now)
    except (AnswerIsNo, WrongInput) as refusal:
        _record_refusal(out, path, refusal, now)
        raise


def _record_refusal(out: Path, path: Path, refusal: AnswerIsNo | WrongInput, now: dt.datetime) -> None:
    line = {
        "at": clock.stamp(now), "file": path.name, "why": refusal.what,
        "sha256": digests.of_file(path) if path.is_file() else None,
    }  # fmt: skip
    log = out.with_name(f"{out.name}.refused.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        stream.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongInput(f"the release cannot be read ({error.strerror})", where=str(path)) from None


def _lay_out(opened: Opened, out: Path, now: dt.datetime) -> Opened:
    header = opened.verified.header
    if (out / _STATE).is_file():
        if state(out)["release"] != header.release:
            raise WrongInput("the folder contains a different release", where=str(out), remedy="Name a new folder")
        if not (out / _RECORDS).is_file():
            raise AnswerIsNo("this release was already disposed of in this folder", where=str(out))
        uselog.append(out, Entry(Use.OPENED, header.officer), now)
        return opened
    if out.exists() and any(out.iterdir()):
        raise WrongInput("the folder is not empty", where=str(out), remedy="Name a new folder")
    _write(opened, out, now)
    return opened


def _write(opened: Opened, out: Path, now: dt.datetime) -> None:
    """Make the folder beside and rename it, so that a crash leaves no half-opened release."""
    building = out.with_name(f".{out.name}.opening")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True, mode=0o700)
    try:
        _fill(building, opened, now)
        if out.exists():
            out.rmdir()
        building.rename(out)
    finally:
        shutil.rmtree(building, ignore_errors=True)  # whatever went wrong, no record stays under another name
    files.sync_folder(out.parent)


def _fill(building: Path, opened: Opened, now: dt.datetime) -> None:
    header = opened.verified.header
    shown = [tuple(map(formulas.text, row)) for row in opened.rows]  # it is opened in spreadsheets
    private = {"terms.txt": opened.terms, "certificate.json": opened.certificate,
               _RECORDS: package.write_csv(shown), _KEY: f"{opened.receipt_key}\n".encode()}  # fmt: skip
    if opened.salt:
        private[_SALT] = f"{opened.salt.hex()}\n".encode()
    matters = sorted({row[1] for row in opened.rows if row[1]})
    facts = {
        "release": header.release, "package": opened.package_digest, "docket": header.docket,
        "officer": header.officer, "expires_on": header.expires_on.isoformat(), "matters": matters,
    }  # fmt: skip
    for name, data in private.items():
        files.write(building / name, data, mode=0o600)
    uselog.append(building, Entry(Use.OPENED, header.officer), now)
    receipt = {
        "format": RECEIPT_FORM, "release": header.release, "package": opened.package_digest,
        "docket": header.docket, "officer": header.officer, "records": len(opened.rows),
        "terms": header.terms, "expires_on": header.expires_on.isoformat(), "opened_at": clock.stamp(now),
    }  # fmt: skip
    files.write(building / "receipt.json", statements.sign(receipt, parse_signer(opened.receipt_key)).encoded())
    files.write(building / _STATE, json.dumps(facts, indent=2).encode())


def state(folder: Path) -> dict[str, Any]:
    """What an opened release is: release, package, docket, officer, expires_on, matters. Raises WrongInput."""
    try:
        content = json.loads((folder / _STATE).read_bytes())
    except (OSError, ValueError):
        raise WrongInput(
            "this is not an opened release", where=str(folder), remedy="Name the folder that `gatehouse open` made"
        ) from None
    assert isinstance(content, dict)  # noqa: S101 - we wrote it
    return content


def log_use(folder: Path, entry: Entry, trust_folder: Path, now: dt.datetime) -> bool:
    """Log a use before it happens. True when it lies within the release's matters and purposes.

    A use outside them is recorded all the same, as outside: the report must be true. After expiry or recall only
    disposal may be logged (AnswerIsNo).
    """
    facts = state(folder)
    if entry.action is not Use.DISPOSED:
        if now.date() > dt.date.fromisoformat(facts["expires_on"]):
            raise AnswerIsNo(
                "the release has expired", where=str(folder), remedy="Dispose of it with `gatehouse use dispose`"
            )
        believed = trust.read(trust_folder)
        _not_recalled(facts["release"], trust.notices(trust_folder, believed.custodian), str(folder))
    uselog.append(folder, entry, now)
    return within(facts["matters"], entry.matter, entry.purpose)


def within(matters: Iterable[str], matter: str, purpose: str) -> bool:
    """Whether a use lies within the matters of a release and the purposes of 26 USC 6103(i)(2)."""
    return matter in set(matters) and purpose in {"preparation", "investigation", "grand_jury"}


def report(folder: Path, now: dt.datetime) -> Statement:
    """A signed use report: the whole use log as it stands, and its head."""
    facts = state(folder)
    entries, head = uselog.read(folder)
    body = {
        "format": REPORT_FORM, "release": facts["release"], "package": facts["package"], "docket": facts["docket"],
        "officer": facts["officer"], "uses": entries, "head": head, "reported_at": clock.stamp(now),
    }  # fmt: skip
    return _signed(folder, body, f"use-report-{len(entries):04}.json")


def dispose(folder: Path, method: str, now: dt.datetime, *, note: str = "") -> Statement:
    """Destroy the records here and make the signed disposal certificate.

    The file is overwritten and removed; what a file system, a backup or a flash disk keeps besides is the officer's to
    destroy by the method stated, and the certificate is the officer's word for it. Doing it again signs the same again.
    """
    if method not in METHODS:
        raise WrongInput("the method is unknown", remedy=f"Choose one of {', '.join(METHODS)} (NIST SP 800-88)")
    facts = state(folder)
    done = folder / "disposal.json"
    if done.is_file():
        return statements.parse(done.read_bytes(), where=done.name)
    entries, head = uselog.read(folder)
    if not entries or entries[-1]["action"] != Use.DISPOSED:
        head = uselog.append(folder, Entry(Use.DISPOSED, facts["officer"], note=method), now)
    _destroy(folder / _RECORDS)
    body = {
        "format": DISPOSAL_FORM, "release": facts["release"], "package": facts["package"], "docket": facts["docket"],
        "officer": facts["officer"], "method": method, "note": note, "head": head, "disposed_at": clock.stamp(now),
    }  # fmt: skip
    return _signed(folder, body, done.name)


def _destroy(path: Path) -> None:
    if not path.is_file():
        return
    with path.open("r+b") as stream:
        stream.write(os.urandom(path.stat().st_size))
        stream.flush()
        os.fsync(stream.fileno())
    path.unlink()
    files.sync_folder(path.parent)


def _signed(folder: Path, body: dict[str, Any], name: str) -> Statement:
    signer = parse_signer((folder / _KEY).read_text(encoding="ascii").strip(), where=_KEY)
    signed = statements.sign(body, signer)
    files.write(folder / name, signed.encoded())
    return signed


def _in_time(header: Header, now: dt.datetime, where: str) -> None:
    if now < header.released_at - CLOCK_TOLERANCE:
        raise AnswerIsNo(
            "this machine's clock is earlier than the release", where=where, remedy="Set the clock and try again"
        )
    if now.date() > header.expires_on:
        raise AnswerIsNo(
            f"the release expired on {header.expires_on}", where=where, remedy="Destroy it and certify its disposal"
        )


def _not_recalled(release: str, notices: Iterable[Statement], where: str) -> None:
    if any(notice.body.get("release") == release for notice in notices):
        raise AnswerIsNo("the release was recalled", where=where, remedy="Destroy every copy: gatehouse use dispose")
