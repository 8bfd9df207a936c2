"""Keys in a hardware module: the private half never leaves it, and whoever signs does not notice the difference.

A key file then holds an address (RFC 7512) instead of a key:
`pkcs11:token=gatehouse;object=log.example%2F2026?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/pin`.
The object's label is the key's name; where a token holds several keys of that name, as in a rotation, `;id=%01` tells
which is meant. The PIN stands in a file of its own, never in the address.

A process logs in to a token once, whatever number of keys it reads: its keys share one session, which is opened anew
after the token was away, and in a child process.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from gatehouse.kernel import extras
from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.ledger.signers import Algorithm, KeySigner, Verifier, is_key_name

SCHEME = "pkcs11:"
_PATH = {"token", "object"}
_QUERY = {"module-path", "pin-source"}
_POINT_HEAD = b"\x04\x20"  # DER: octet string of 32 bytes


def open_signer(address: str, *, where: str = "") -> KeySigner:
    """The Ed25519 signer that a PKCS#11 address names.

    Raises WrongInput when the address, the token, the PIN or the key is wrong, MachineFailed when the module fails.
    """
    parts = _parts(address, where)
    try:
        import pkcs11
    except ImportError:
        raise MachineFailed("hardware keys need the extra hsm", remedy=extras.remedy("hsm")) from None
    token, label = _token(parts), parts["object"]
    own = {"label": label, "key_type": pkcs11.KeyType.EC_EDWARDS}
    if "id" in parts:
        own["id"] = unquote_to_bytes(parts["id"])
    try:
        point = token.ask(_pin(parts), lambda session: _point(pkcs11, session, own))
    except pkcs11.exceptions.MultipleObjectsReturned:
        raise WrongInput(
            "the token contains several keys with this name", where=where, remedy="Add ;id=%.. with the key's CKA_ID"
        ) from None
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        raise WrongInput(f"the hardware key cannot be opened ({type(error).__name__})", where=where) from None
    if len(point) not in {32, 34} or (len(point) == 34 and not point.startswith(_POINT_HEAD)):
        raise WrongInput("the hardware key is not Ed25519", where=where)

    def sign(message: bytes) -> bytes:
        try:
            return token.ask(_pin(parts), lambda session: _signature(pkcs11, session, own, message))
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            raise MachineFailed(
                f"the hardware module did not sign ({type(error).__name__})",
                where=where,
                remedy="Check that the token is connected, and try again",
            ) from None

    return KeySigner(Verifier(label, Algorithm.ED25519, point[-32:]), sign)


def _point(pkcs11: Any, session: Any, own: dict[str, Any]) -> bytes:  # noqa: ANN401 - the library carries no types
    session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, **own)
    public = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, **own)
    return bytes(public[pkcs11.Attribute.EC_POINT])


def _signature(pkcs11: Any, session: Any, own: dict[str, Any], message: bytes) -> bytes:  # noqa: ANN401 - as above
    private = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, **own)
    return bytes(private.sign(message, mechanism=pkcs11.Mechanism.EDDSA))


class _Token:
    """One token and this process's one session with it; one asks at a time."""

    def __init__(self, module: str, label: str) -> None:
        self._module = module
        self._label = label
        self._session: Any = None
        self._pin = b""

    def ask(self, pin: str, question: Callable[[Any], bytes]) -> bytes:
        """Ask the token under a PIN, over the session there is; over a new one where that one is of no use any more.

        Raises what the library raises when the token, the PIN or what is asked for is wrong.
        """
        import pkcs11

        given = hmac.digest(_OWN, pin.encode(), "sha256")
        with _one_at_a_time:
            _after_fork(pkcs11)
            if self._session is not None:
                if not hmac.compare_digest(given, self._pin):  # being logged in must not make a wrong PIN right
                    raise pkcs11.exceptions.PinIncorrect
                try:
                    return question(self._session)
                except (pkcs11.PKCS11Error, RuntimeError):
                    _forget(self._module)  # the token was away, or the module was begun anew
            try:
                self._open(pkcs11, pin)
            except (pkcs11.exceptions.PinIncorrect, pkcs11.exceptions.PinLocked):
                raise  # never twice: a token counts wrong PINs
            except (pkcs11.PKCS11Error, RuntimeError):
                _forget(self._module)
                pkcs11.lib(self._module).reinitialize()  # a module may list its tokens only when it begins
                self._open(pkcs11, pin)
            self._pin = given
            return question(self._session)

    def _open(self, pkcs11: Any, pin: str) -> None:  # noqa: ANN401 - as above
        self._session = pkcs11.lib(self._module).get_token(token_label=self._label).open(user_pin=pin)

    def forget(self) -> None:
        """Let the session go, if it is still one."""
        session, self._session = self._session, None
        with contextlib.suppress(Exception):
            session.close()


_OWN = secrets.token_bytes(32)
_one_at_a_time = threading.Lock()
_tokens: dict[tuple[str, str], _Token] = {}
_process = os.getpid()


def _token(parts: dict[str, str]) -> _Token:
    with _one_at_a_time:
        key = (parts["module-path"], parts["token"])
        return _tokens.setdefault(key, _Token(*key))


def _forget(module: str) -> None:
    for (path, _), token in _tokens.items():
        if path == module:
            token.forget()


def _after_fork(pkcs11: Any) -> None:  # noqa: ANN401 - as above
    """A child may not use what its parent opened: every module begins anew (PKCS #11 v3.1, section 5.3)."""
    global _process  # noqa: PLW0603 - one process, one set of sessions
    if _process == os.getpid():
        return
    for path in {path for path, _ in _tokens}:
        _forget(path)
        pkcs11.lib(path).reinitialize()
    _process = os.getpid()


def _parts(address: str, where: str) -> dict[str, str]:
    path, _, query = address.removeprefix(SCHEME).partition("?")
    pairs = [item.partition("=") for item in [*path.split(";"), *query.split("&")]]
    # an id is bytes, so it stays as it is written
    parts = {name: value if name == "id" else unquote(value) for name, _, value in pairs}
    if {*parts, "id"} != _PATH | _QUERY | {"id"} or len(pairs) != len(parts) or not is_key_name(parts["object"]):
        raise WrongInput(
            "a hardware key's address must name token, object, module-path and pin-source, each once, and may "
            "name an id",
            where=where,
            remedy="See the example in docs/ledger.md",
        )
    return parts


def _pin(parts: dict[str, str]) -> str:
    try:
        return Path(parts["pin-source"]).read_text().strip()
    except OSError as error:
        raise WrongInput(f"the PIN cannot be read ({error.strerror})", where="pin-source") from None
