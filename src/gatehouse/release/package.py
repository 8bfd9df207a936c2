"""What a release file is made of, byte for byte, so that anyone may write another reader.

`RELEASE.age` is an age file to one recipient. Inside is an archive of four parts, in this order: `manifest.json`,
`certificate.json`, `terms.txt` and `records.age`; the manifest is signed by the custodian and names the others by
digest. The last is again an age file to the same recipient and holds `records.csv`, `receipt.key` and `records.salt`:
so the proof can be read and checked while the records are still sealed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatehouse.casework import statement as statements
from gatehouse.casework.statement import Statement
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger.signers import Signer, Verifier
from gatehouse.release import archive
from gatehouse.release.items import COLUMNS
from gatehouse.release.recipients import Identity, encrypt

FORM, OLD_FORM = "gatehouse-package/2", "gatehouse-package/1"
OUTER = ("manifest.json", "certificate.json", "terms.txt", "records.age")
INNER = ("records.csv", "receipt.key", "records.salt")
OLD_INNER = ("records.csv", "receipt.key")
SALT_BYTES = 32

Row = tuple[str, ...]
"""One item about one person: the columns of `items.COLUMNS`, all text."""


@dataclass(frozen=True)
class Outer:
    """The parts that are read before the proof holds."""

    manifest: Statement
    """Signed by the custodian's key; binds the other parts by digest."""
    certificate: bytes
    terms: bytes
    records: bytes


def write_csv(rows: Iterable[Row]) -> bytes:
    """The records as CSV (RFC 4180, UTF-8, CRLF), with a header."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def read_csv(data: bytes, *, where: str) -> list[Row]:
    """Read `write_csv`; raises WrongInput on anything it would not have written."""
    try:
        header, *rows = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    except (UnicodeDecodeError, csv.Error, ValueError):
        raise WrongInput("the records cannot be read", where=where, remedy="Ask for a new copy") from None
    records = [tuple(row) for row in rows]
    if tuple(header) != COLUMNS or any(len(row) != len(COLUMNS) for row in records) or write_csv(records) != data:
        raise WrongInput("the records do not have the required columns", where=where, remedy="Ask for a new copy")
    return records


def build(
    custodian: Signer,
    *,
    release: str,
    recipient: str,
    certificate: bytes,
    terms: bytes,
    rows: Sequence[Row],
    receipt_key: str,
    salt: bytes,
) -> bytes:
    """The bytes of a release file, bound together by the custodian's signature.

    Different each time: seal once, record the digest, then publish.
    """
    parts_inside = (write_csv(rows), f"{receipt_key}\n".encode(), f"{salt.hex()}\n".encode())
    inner = archive.pack(dict(zip(INNER, parts_inside, strict=True)))
    records = encrypt(inner, recipient)
    manifest = {
        "format": FORM,
        "release": release,
        "certificate": digests.of_bytes(certificate),
        "terms": digests.of_bytes(terms),
        "records": digests.of_bytes(records),
    }
    parts = (statements.sign(manifest, custodian).encoded(), certificate, terms, records)
    return encrypt(archive.pack(dict(zip(OUTER, parts, strict=True))), recipient)


def open_outer(data: bytes, identity: Identity, custodian: Verifier, *, where: str, old: bool = False) -> Outer:
    """Decrypt the outer layer and check that the custodian signed its manifest and the manifest names its parts.

    `old` takes a package of the format before this one, and none of this one. Raises AnswerIsNo or WrongInput.
    """
    parts = archive.unpack(identity.decrypt(data, where=where), OUTER, where=where)
    manifest = statements.parse(parts["manifest.json"], where=where)
    statements.verify(manifest, [custodian], form=OLD_FORM if old else FORM, where=where)
    for name, part in (("certificate", "certificate.json"), ("terms", "terms.txt"), ("records", "records.age")):
        if manifest.body.get(name) != digests.of_bytes(parts[part]):
            raise AnswerIsNo(
                f"{part} differs from the one that the manifest names", where=where, remedy="Ask for a new copy"
            )
    return Outer(manifest, parts["certificate.json"], parts["terms.txt"], parts["records.age"])


@dataclass(frozen=True)
class Inner:
    """The parts that are read when the proof holds."""

    rows: list[Row]
    records: bytes
    """records.csv to the byte."""
    receipt_key: str
    salt: bytes


def open_inner(outer: Outer, identity: Identity, *, where: str, old: bool = False) -> Inner:
    """Decrypt the records, the key that signs receipts and the salt; call it only when the certificate holds."""
    names = OLD_INNER if old else INNER
    parts = archive.unpack(identity.decrypt(outer.records, where=where), names, where=where)
    rows = read_csv(parts["records.csv"], where=where)
    key = parts["receipt.key"].decode("ascii", "replace").strip()
    return Inner(rows, parts["records.csv"], key, b"" if old else _salt(parts["records.salt"], where))


def _salt(part: bytes, where: str) -> bytes:
    try:
        salt = bytes.fromhex(part.decode("ascii").removesuffix("\n"))
    except ValueError:
        salt = b""
    if len(salt) != SALT_BYTES or part != f"{salt.hex()}\n".encode():
        raise WrongInput("the salt of the records cannot be read", where=where, remedy="Ask for a new copy")
    return salt
