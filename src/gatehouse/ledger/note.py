"""Signed notes: a text, an empty line, and one line for each signature (c2sp.org/signed-note@v1.0.0).

A note opens only if a known key signed it and no known key's signature is wrong; unknown signers are ignored.
A detached signature is one such line over the exact bytes of a file.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import cosignature
from gatehouse.ledger.signers import Algorithm, Signer, Verifier, decode_base64, is_key_name

_MAX_NOTE = 1 << 20
_MAX_SIGNATURES = 100
_DASH = "— "


@dataclass(frozen=True)
class SignatureLine:
    """One signature: who says it is theirs, the four bytes that identify the key, and the signature itself."""

    name: str
    key_hash: bytes
    signature: bytes
    text: str

    @classmethod
    def parse(cls, line: str, *, where: str = "") -> SignatureLine:
        """Read one line without its newline; raises WrongInput when it is not canonical."""
        name, gap, encoded = line.removeprefix(_DASH).partition(" ")
        data = decode_base64(encoded)
        if not line.startswith(_DASH) or not gap or not is_key_name(name) or data is None or len(data) < 5:
            raise WrongInput("a signature line must read `— name base64`", where=where)
        return cls(name, data[:4], data[4:], line)

    def is_by(self, verifier: Verifier) -> bool:
        """Whether name and key hash are this key's; says nothing yet about the signature."""
        return self.name == verifier.name and self.key_hash == verifier.key_hash


@dataclass(frozen=True)
class Note:
    """A parsed note. `text` ends with a newline; nothing in it is proven until `opened`."""

    text: str
    lines: tuple[SignatureLine, ...]

    @classmethod
    def parse(cls, data: bytes, *, where: str = "note") -> Note:
        """Take a note apart, checking form only: size, UTF-8, no control characters, canonical lines."""
        text, lines = _take_apart(data, where)
        return cls(text, tuple(SignatureLine.parse(line, where=where) for line in lines))

    @property
    def encoded(self) -> bytes:
        """The note's bytes."""
        return (self.text + "\n" + "".join(f"{line.text}\n" for line in self.lines)).encode()

    def signed_by(self, verifiers: Iterable[Verifier], *, where: str = "note") -> dict[Verifier, SignatureLine]:
        """Each known key that signed, with its first line; raises AnswerIsNo when a known key's line is wrong."""
        found: dict[Verifier, SignatureLine] = {}
        for verifier in verifiers:
            for line in self.lines:
                if not line.is_by(verifier):
                    continue
                if not _accepts(verifier, self.text, line.signature):
                    raise AnswerIsNo(f"the signature of {verifier.name} is wrong", where=where)
                found.setdefault(verifier, line)
        return found

    def plus(self, lines: Iterable[str]) -> Note:
        """The same note with more signature lines, none twice."""
        known = {line.text for line in self.lines}
        added = tuple(SignatureLine.parse(line) for line in dict.fromkeys(lines) if line not in known)
        return Note(self.text, self.lines + added)


def sign(text: str, *signers: Signer) -> Note:
    """Sign a text that ends with a newline."""
    if not text.endswith("\n"):
        raise ValueError("a note's text ends with a newline")
    lines = tuple(SignatureLine.parse(signer.signature_line(text.encode())) for signer in signers)
    return Note.parse(Note(text, lines).encoded)


def open_note(data: bytes, verifiers: Iterable[Verifier], *, where: str = "note") -> Note:
    """Parse a note and demand that at least one of the known keys signed it, and none wrongly.

    Raises WrongInput when it is no note, AnswerIsNo when no known key signed or a known key's signature is wrong.
    """
    note = Note.parse(data, where=where)
    if not note.signed_by(verifiers, where=where):
        raise AnswerIsNo("no known key signed this", where=where)
    return note


def sign_detached(data: bytes, signer: Signer) -> str:
    """A detached signature over exactly these bytes: one line, with its newline."""
    return signer.signature_line(data) + "\n"


def sign_file(path: Path, signer: Signer) -> str:
    """A detached signature over a file's exact bytes: one line, with its newline."""
    return sign_detached(path.read_bytes(), signer)


def verify_detached(data: bytes, line: str | bytes, verifiers: Iterable[Verifier], *, where: str = "") -> Verifier:
    """Which known key signed exactly these bytes. `line` is one signature line, its final newline optional.

    Only plain Ed25519 keys (type 0x01) sign files. Raises WrongInput when the line is malformed, AnswerIsNo when no
    known key made it or the bytes are not those that were signed.
    """
    text = line if isinstance(line, str) else _decode(line, where)
    signature = SignatureLine.parse(text.removesuffix("\n"), where=where)
    known = [key for key in verifiers if signature.is_by(key) and key.algorithm is Algorithm.ED25519]
    if not known:
        raise AnswerIsNo("the signature was made with an unknown key", where=where)
    for verifier in known:
        if verifier.accepts(data, signature.signature):
            return verifier
    raise AnswerIsNo(
        f"the signature of {known[0].name} is wrong: the bytes differ from those that were signed", where=where
    )


def _accepts(verifier: Verifier, text: str, signature: bytes) -> bool:
    if verifier.algorithm is Algorithm.ED25519:
        return verifier.accepts(text.encode(), signature)
    return cosignature.accepts(verifier, text, signature)


def _decode(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise WrongInput("this is not UTF-8 text", where=where) from None


def _take_apart(data: bytes, where: str) -> tuple[str, list[str]]:
    if len(data) > _MAX_NOTE:
        raise WrongInput("a note may have at most one megabyte", where=where)
    whole = _decode(data, where)
    if any(unicodedata.category(character) == "Cc" and character != "\n" for character in set(whole)):
        raise WrongInput("a note must not contain control characters", where=where)
    text, gap, signatures = whole.rpartition("\n\n")
    lines = signatures.removesuffix("\n").split("\n")
    if not gap or not signatures.endswith("\n") or not text or len(lines) > _MAX_SIGNATURES:
        raise WrongInput("a note must be a text, an empty line and signature lines", where=where)
    return text + "\n", lines
