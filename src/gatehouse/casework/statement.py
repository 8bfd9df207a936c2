"""Signed statements: a JSON object and one signature line over its canonical bytes.

Decisions, receipts, use reports, disposal certificates and recall notices are all statements, so one function checks
them all. A statement whose `format` is not the one expected is refused before anything else is read from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gatehouse.kernel import canonical, digests
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger.note import sign_detached, verify_detached
from gatehouse.ledger.signers import Signer, Verifier

_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Statement:
    """What was said, and the signature line (C2SP signed note, Ed25519) over its canonical JSON."""

    body: Mapping[str, Any]
    signature: str

    def text(self, key: str) -> str:
        """One text of the body; raises WrongInput when it is missing or no text."""
        value = self.body.get(key)
        if not isinstance(value, str):
            raise WrongInput(
                f"the text '{key}' is missing from a signed statement", remedy="Ask its author for a complete copy"
            )
        return value

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes that were signed."""
        return digests.of_bytes(canonical.encode(self.body))

    def document(self) -> dict[str, Any]:
        """The statement as JSON: `{"body": …, "signature": …}`."""
        return {"body": dict(self.body), "signature": self.signature}

    def encoded(self) -> bytes:
        """The document's canonical bytes with a final newline, as files hold it."""
        return canonical.encode(self.document()) + b"\n"


def sign(body: Mapping[str, Any], signer: Signer) -> Statement:
    """Sign a body whose values are those of canonical JSON."""
    return Statement(body, sign_detached(canonical.encode(body), signer).removesuffix("\n"))


def verify(statement: Statement, keys: Iterable[Verifier], *, form: str, where: str = "") -> Verifier:
    """Which of these keys signed it. Raises WrongInput on another format, AnswerIsNo when none of them did."""
    if statement.body.get("format") != form:
        raise WrongInput(f"this is not a {form} statement", where=where, remedy="Hand in the right file")
    _check_canonical(statement, where)
    return verify_detached(canonical.encode(statement.body), statement.signature, keys, where=where)


def of_document(document: object, *, where: str = "") -> Statement:
    """Take a statement from parsed JSON; raises WrongInput."""
    if (
        not isinstance(document, dict)
        or set(document) != {"body", "signature"}
        or not isinstance(document["body"], dict)
        or not isinstance(document["signature"], str)
    ):
        raise WrongInput(
            "a signed statement must have a body and a signature", where=where, remedy="Ask for the file again"
        )
    return Statement(document["body"], document["signature"])


def parse(data: bytes, *, where: str = "") -> Statement:
    """Read a statement from the bytes of a file; raises WrongInput."""
    if len(data) > _MOST_BYTES:
        raise WrongInput("the signed statement is too large", where=where)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as broken:
        raise WrongInput("this is not JSON", where=where, remedy="Ask for the file again") from broken
    found = of_document(document, where=where)
    _check_canonical(found, where)
    return found


def _check_canonical(statement: Statement, where: str) -> None:
    """Raise WrongInput for a statement that no signature can be over: half a character, a fraction, a deep nest."""
    try:
        canonical.encode(statement.document())
    except (TypeError, ValueError, RecursionError):  # UnicodeEncodeError is a ValueError
        raise WrongInput(
            "the signed statement is not canonical JSON", where=where, remedy="Ask its author for a complete copy"
        ) from None
