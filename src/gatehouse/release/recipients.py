"""Encryption to named officers with age (age-encryption.org/v1), and reading it with an officer's key file.

Which recipients there are says `intake.recipients`. A key in hardware opens through its age plugin (`AGE-PLUGIN-…`),
with touch or PIN as it asks. Nobody else, the custodian included, can open what was sealed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Protocol

import pyrage

from gatehouse.intake.recipients import parse
from gatehouse.kernel import files
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

_SECRET = "AGE-SECRET-KEY-"  # noqa: S105 - the prefix that every age identity has
_PLUGIN = "AGE-PLUGIN-"
_PUBLIC = re.compile(r"#.*?(age1[0-9a-z]+)\s*$")
"""The comment in which key generators say the public half."""


class Callbacks(Protocol):
    """How a plugin of a hardware key speaks with its user (c2sp.org/age-plugin)."""

    def display_message(self, message: str) -> None:
        """Show a message, such as that the key waits for a touch."""

    def confirm(self, message: str, yes: str, no: str | None) -> bool | None:
        """Ask yes or no; None when nobody can be asked."""

    def request_public_string(self, description: str) -> str | None:
        """Ask for a text; None when nobody can be asked."""

    def request_passphrase(self, description: str) -> str | None:
        """Ask for a PIN or passphrase, unseen; None when nobody can be asked."""


class Nobody:
    """Nobody to ask: a key that needs a PIN or a confirmation does not open."""

    def display_message(self, message: str) -> None:
        """Say nothing."""

    def confirm(self, message: str, yes: str, no: str | None) -> bool | None:
        """Nobody answers."""

    def request_public_string(self, description: str) -> str | None:
        """Nobody answers."""

    def request_passphrase(self, description: str) -> str | None:
        """Nobody answers."""


def encrypt(plain: bytes, recipient: str) -> bytes:
    """Encrypt to exactly one recipient. Never the same bytes twice: the result is recorded before it is used."""
    sealed: bytes = pyrage.encrypt(plain, [parse(recipient)])
    return sealed


class Identity:
    """An officer's private key; knows its public recipient, and shows neither itself nor what it opened.

    A plugin's identity does not tell its recipient, so `recipient` must be given; the officer's side compares it with
    the one that the certificate names.
    """

    def __init__(
        self, text: str, *, recipient: str | None = None, callbacks: Callbacks | None = None, where: str = ""
    ) -> None:
        try:
            if text.startswith(_PLUGIN):
                key = pyrage.plugin.Identity.from_str(text)
                self._identity: Any = pyrage.plugin.IdentityPluginV1(key.plugin(), [key], callbacks or Nobody())
            else:
                self._identity = pyrage.x25519.Identity.from_str(text)
                recipient = str(self._identity.to_public())
        except pyrage.DecryptError as missing:
            raise WrongInput(
                "the key's age plugin is not installed", where=where, remedy="Install age-plugin-… of this key on PATH"
            ) from missing
        except Exception as wrong:
            raise WrongInput("this is no age identity", where=where, remedy="It reads AGE-SECRET-KEY-1…") from wrong
        if recipient is None:
            raise WrongInput(
                "the public half of the key is not said", where=where, remedy="Add the line: # public key: age1…"
            )
        self._recipient = recipient

    @property
    def recipient(self) -> str:
        """The public half, `age1…`."""
        return self._recipient

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


def read_identity(path: Path, callbacks: Callbacks | None = None) -> Identity:
    """Read a key file as age's key generators and `gatehouse key new` write it: comments and one identity.

    For a key in hardware that is a line `AGE-PLUGIN-…`, with its public half in a comment.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise WrongInput("the key file cannot be read", where=str(path)) from None
    lines = [line.strip() for line in text.splitlines()]
    secrets = [line for line in lines if line.startswith((_SECRET, _PLUGIN))]
    if len(secrets) != 1:
        raise WrongInput(
            "a key file holds exactly one age identity", where=str(path), remedy="age-keygen or gatehouse key new"
        )
    public = next((found[1] for line in lines if (found := _PUBLIC.match(line))), None)
    return Identity(secrets[0], recipient=public, callbacks=callbacks, where=str(path))


def write_identity(path: Path) -> str:
    """Make an identity in a new file only its owner may read; gives the public recipient."""
    identity = pyrage.x25519.Identity.generate()
    public = str(identity.to_public())
    try:
        files.write_new(path, f"# public key: {public}\n{identity}\n".encode(), mode=0o600)
    except FileExistsError:
        raise WrongInput("the key file exists", where=str(path), remedy="Choose another name") from None
    return public
