"""Encryption to named officers with age (age-encryption.org/v1), and reading it with an officer's key file.

Which recipients there are says `intake.recipients`. A key in hardware opens through its age plugin (`AGE-PLUGIN-…`),
with touch or PIN as it asks. Nobody else, the custodian included, can open what was sealed.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pyrage

from gatehouse.intake.recipients import parse
from gatehouse.kernel import files
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.release import plugin_watch

_SECRET = "AGE-SECRET-KEY-"  # noqa: S105 - the prefix that every age identity has
_PLUGIN = "AGE-PLUGIN-"
_SAYS_NO = ("No matching keys found", "decryption error", "Decryption failed", "MAC is invalid", "Header")
"""How the library says that a key is another one's or a package altered, as opposed to a plugin's failure."""
SILENCE = 120.0
"""Seconds for which a plugin may say nothing, a touch included; a person who is asked may take any time."""
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


class _Watched:
    """Passes a plugin's questions on to a person, while a process beside this one watches that it is not silent."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._watcher: subprocess.Popen[bytes] | None = None
        self.silenced = False

    @contextlib.contextmanager
    def over(self, program: str) -> Iterator[None]:
        """Watch a plugin's program for as long as this lasts; `silenced` says afterwards whether it had to be ended."""
        command = [sys.executable, "-I", "-S", plugin_watch.__file__, str(os.getpid()), program, str(SILENCE)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as watcher:  # noqa: S603 - our own interpreter and file
            self._watcher = watcher
            try:
                yield
            finally:
                self._watcher = None
                with contextlib.suppress(BrokenPipeError):
                    watcher.communicate()
                self.silenced = watcher.returncode == plugin_watch.SILENCED

    def _sign(self, sign: bytes) -> None:
        if self._watcher is not None and self._watcher.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._watcher.stdin.write(sign)
                self._watcher.stdin.flush()

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        self._sign(b"?")
        try:
            yield
        finally:
            self._sign(b".")

    def display_message(self, message: str) -> None:
        self._sign(b".")
        self._callbacks.display_message(message)

    def confirm(self, message: str, yes: str, no: str | None) -> bool | None:
        with self._asking():
            return self._callbacks.confirm(message, yes, no)

    def request_public_string(self, description: str) -> str | None:
        with self._asking():
            return self._callbacks.request_public_string(description)

    def request_passphrase(self, description: str) -> str | None:
        with self._asking():
            return self._callbacks.request_passphrase(description)


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
        self._plugin, self._watched = "", _Watched(callbacks or Nobody())
        try:
            if text.startswith(_PLUGIN):
                key = pyrage.plugin.Identity.from_str(text)
                self._plugin = f"age-plugin-{key.plugin()}"
                self._identity: Any = pyrage.plugin.IdentityPluginV1(key.plugin(), [key], self._watched)
            else:
                self._identity = pyrage.x25519.Identity.from_str(text)
                recipient = str(self._identity.to_public())
        except pyrage.DecryptError as missing:
            raise WrongInput(
                "the key's age plugin is not installed",
                where=where,
                remedy="Install the age-plugin-… program for this key on PATH",
            ) from missing
        except Exception as wrong:
            raise WrongInput(
                "this is not an age identity", where=where, remedy="An age identity begins with AGE-SECRET-KEY-1"
            ) from wrong
        if recipient is None:
            raise WrongInput(
                "the public half of the key is missing", where=where, remedy="Add the line: # public key: age1…"
            )
        self._recipient = recipient

    @property
    def recipient(self) -> str:
        """The public half, `age1…`."""
        return self._recipient

    def decrypt(self, sealed: bytes, *, where: str = "") -> bytes:
        """Decrypt, or raise AnswerIsNo: not for this key, or altered.

        Raises MachineFailed where the key's plugin breaks off, answers nonsense, or says nothing for `SILENCE` seconds.
        """
        try:
            with self._watched.over(self._plugin) if self._plugin else contextlib.nullcontext():
                plain: bytes = pyrage.decrypt(sealed, [self._identity])
        except pyrage.DecryptError as wrong:
            if self._plugin and not any(said in str(wrong) for said in _SAYS_NO):
                raise self._broken(where) from wrong
            raise AnswerIsNo(
                "this key does not open the package, or the package was altered",
                where=where,
                remedy="Use the key whose age1… the submission names. If this is the right key, ask for a new copy",
            ) from wrong
        return plain

    def _broken(self, where: str) -> MachineFailed:
        said = f"said nothing for {SILENCE:g} seconds" if self._watched.silenced else "broke off or answered nonsense"
        return MachineFailed(
            f"the key's plugin {self._plugin} {said}; the package was not touched", where=where,
            remedy="Check that the key is plugged in and that its plugin works (try `age -d`), then try again",
        )  # fmt: skip


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
            "a key file must contain exactly one age identity",
            where=str(path),
            remedy="Make one with age-keygen or `gatehouse key new`",
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
        raise WrongInput("the key file already exists", where=str(path), remedy="Choose another name") from None
    return public
