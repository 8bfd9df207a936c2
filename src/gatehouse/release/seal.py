"""Seal a release: verify the certificate, then encrypt exactly what it permits to the one officer it names.

There is no way to seal without a certificate that holds: this function checks it itself, against the custodian's trust
and not the caller's word. Encryption gives other bytes each time, so a caller records the digest before it publishes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger.signers import Signer, parse_signer
from gatehouse.release import package
from gatehouse.release.binding import Verified, contents, covers, verify
from gatehouse.release.package import Row
from gatehouse.release.trust import Trust


@dataclass(frozen=True)
class Sealed:
    """A sealed package and its name for ever: the SHA-256 of its bytes."""

    verified: Verified
    data: bytes
    digest: str


def seal(
    certificate: bytes,
    trust: Trust,
    custodian: Signer,
    *,
    terms: bytes,
    rows: Sequence[Row],
    receipt_key: str,
    salt: bytes,
) -> Sealed:
    """Seal records under a certificate, or raise and have done nothing.

    `receipt_key` is the private half of the key that the certificate names; whoever opens the package can sign with it.
    `salt` is that of the records, to which the ledger's entry of the release committed.
    Raises AnswerIsNo when the certificate, the terms, the key or the records do not agree with each other.
    """
    verified = verify(certificate, trust)
    header = verified.header
    covers(verified, rows, where=header.release)
    contents(verified, salt, package.write_csv(rows), where=header.release)
    if digests.of_bytes(terms) != header.terms:
        raise AnswerIsNo("the use terms differ from those that the certificate names", where=header.release)
    if parse_signer(receipt_key).key_text != header.receipt_key:
        raise AnswerIsNo("the receipt key differs from the one that the certificate names", where=header.release)
    if custodian.verifier != trust.custodian:
        raise AnswerIsNo("the signing key does not belong to the custodian", where=header.release)
    data = package.build(
        custodian,
        release=header.release,
        recipient=header.recipient,
        certificate=certificate,
        terms=terms,
        rows=rows,
        receipt_key=receipt_key,
        salt=salt,
    )
    return Sealed(verified, data, digests.of_bytes(data))
