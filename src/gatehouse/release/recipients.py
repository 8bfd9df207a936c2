"""Encryption to named officers with age (age-encryption.org/v1), and reading it with an officer's key file.

An officer's recipient is a text `age1…`: X25519, or a hardware key (`age1tag1…`, `age1tagpq1…`) where pyrage knows it.
Nobody else, the custodian included, can open what was sealed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyrage

from gatehouse.kernel import files
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

_SECRET = "AGE-SECRET-KEY-"  # noqa: S105 - the prefix that every age identity has


def parse(text: str, *, where: str = "") -> Any:  # noqa: ANN401 - pyrage has no common recipient type
    """The recipient that a text names. Raises WrongInput when it is none."""
    kinds = [(f"age1{name}1", getattr(pyrage, name)) for name in ("tagpq", "tag") if hasattr(pyrage, name)]
    kind = next((module for prefix, module in kinds if text.startswith(prefix)), pyrage.x25519)
    try:
        return kind.Recipient.from_str(text)
    except Exception as wrong:
        raise WrongInput("this is no age recipient", where=where, remedy="It reads age1…") from wrong


def encrypt(plain: bytes, recipient: str) -> bytes:
    """Encrypt to exactly one recipient. Never the same bytes twice: the result is recorded before it is used."""
    sealed: bytes = pyrage.encrypt(plain, [parse(recipient)])
    return sealed


class Identity:
    """An officer's private key; knows its public recipient, and shows neither itself nor what it opened."""

    def __init__(self, text: str, *, where: str = "") -> None:
        try:
            self._identity = pyrage.x25519.Identity.from_str(text)
        except Exception as wrong:
            raise WrongInput("this is no age identity", where=where, remedy="It reads AGE-SECRET-KEY-1…") from wrong

    @property
    def recipient(self) -> str:
        """The public half, `age1…`."""
        return str(self._identity.to_public())

    def decrypt(self, sealed: bytes, *, where: str = "") -> bytes:
        """Decrypt, or raise AnswerIsNo: not for this key, or altered."""
        try:
            plain: bytes = pyrage.decrypt(sealed, [self._identity])
        except pyrage.DecryptError as wrong:
            raise AnswerIsNo(
                "this key does not open the package, or the package was altered",
                where=where,
                remedy="Use the key whose age1… stands in the submission; if it is the right one, ask for a new copy",
            ) from wrong
        return plain


def read_identity(path: Path) -> Identity:
    """Read a key file as `age-keygen` and `gatehouse key new` write it: comments and one AGE-SECRET-KEY line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise WrongInput("the key file cannot be read", where=str(path)) from None
    secrets = [line.strip() for line in text.splitlines() if line.strip().startswith(_SECRET)]
    if len(secrets) != 1:
        raise WrongInput(
            "a key file holds exactly one age identity", where=str(path), remedy="age-keygen or gatehouse key new"
        )
    return Identity(secrets[0], where=str(path))


def write_identity(path: Path) -> str:
    """Make an identity in a new file only its owner may read; gives the public recipient."""
    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    try:
        files.write_new(path, f"# public key: {public}\n{identity}\n".encode(), mode=0o600)
    except FileExistsError:
        raise WrongInput("the key file exists", where=str(path), remedy="Choose another name") from None
    return public
