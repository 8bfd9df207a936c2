"""What a page asks to be signed, and the signatures that come back: made in the browser, or wherever the key is.

Whoever keeps a key off this machine downloads the exact bytes, signs them with `gatehouse key sign` and uploads the
lines. Nothing here says that a signature is good: whoever takes the statement in verifies it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, WrongInput
from gatehouse.ledger import note
from gatehouse.ledger.signers import Verifier

UPLOADED = "signatures"
"""The form's field of signature files."""
_MOST_BYTES = 16 << 10
_MOST_LINES = 64


@dataclass(frozen=True)
class ToSign:
    """One text of a form that is signed: the fields it and its signature travel in, and the text itself."""

    field: str
    text: str
    signature: str

    @property
    def digest(self) -> str:
        """SHA-256 of the exact bytes, to compare with what the signing machine says."""
        return digests.of_bytes(self.text.encode())


def ask(texts: Sequence[str]) -> list[ToSign]:
    """Several texts of one form."""
    return [ToSign(f"text-{number}", text, f"signature-{number}") for number, text in enumerate(texts)]


def given(request: HttpRequest, fields: Sequence[str]) -> list[str]:
    """The signature lines of a form: those in its fields, else those in the files uploaded; none where none came.

    Raises WrongInput for a file that holds no signature lines.
    """
    lines = [line for field in fields if (line := request.POST.get(field, "").strip())]
    return lines or [
        line for upload in request.FILES.getlist(UPLOADED) for line in _lines(upload.read(_MOST_BYTES + 1))
    ]


def only(request: HttpRequest, field: str) -> str:
    """The one signature line of a form; empty where none came. Raises WrongInput for several."""
    lines = given(request, [field])
    if len(lines) > 1:
        raise WrongInput("more than one signature was handed in", remedy="Upload only the signature of this text")
    return lines[0] if lines else ""


def _lines(data: bytes) -> list[str]:
    remedy = "Upload the .sig file that `gatehouse key sign` wrote"
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    lines = [line for line in text.split("\n") if line]
    if not lines or len(data) > _MOST_BYTES or len(lines) > _MOST_LINES:
        raise WrongInput("an uploaded file contains no signature", remedy=remedy)
    try:
        return [read_line(line) for line in lines]
    except WrongInput:
        raise WrongInput("an uploaded file contains no signature", remedy=remedy) from None


def read_line(line: str) -> str:
    """One signature line without the end of its line. Raises WrongInput for anything else."""
    return note.SignatureLine.parse(line.rstrip("\r\n")).text


def fitted(texts: Sequence[str], lines: Sequence[str], keys: Sequence[Verifier]) -> list[tuple[str, Verifier]]:
    """For each text the line that one of these keys made over exactly it, in whatever order the lines came.

    Raises AnswerIsNo where a text has none: a key that is not known here, or a signature over other bytes.
    """
    return [_over(text, lines, keys) for text in texts]


def _over(text: str, lines: Sequence[str], keys: Sequence[Verifier]) -> tuple[str, Verifier]:
    known = False
    for line in lines:
        try:
            return line, note.verify_detached(text.encode(), line, keys)
        except GatehouseError:
            known = known or any(note.SignatureLine.parse(line).is_by(key) for key in keys)
    if not lines:
        raise WrongInput("no signature was uploaded", remedy="Sign what is shown, or upload the .sig files")
    raise AnswerIsNo(
        "a signature is missing, or covers different bytes from those shown"
        if known
        else "the signature was made with an unknown key",
        remedy="Download the text to sign again, and sign exactly that"
        if known
        else "Sign with the key that the custodian has on file for you",
    )
