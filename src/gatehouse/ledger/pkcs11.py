"""Keys in a hardware module: the private half never leaves it, and whoever signs does not notice the difference.

A key file then holds an address (RFC 7512) instead of a key:
`pkcs11:token=gatehouse;object=log.example%2F2026?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/pin`.
The object's label is the key's name; the PIN stands in a file of its own, never in the address.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

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
        raise WrongInput("hardware keys need an extra", remedy="pip install 'gatehouse[hsm]'") from None
    try:
        session = pkcs11.lib(parts["module-path"]).get_token(token_label=parts["token"]).open(user_pin=_pin(parts))
        own = {"label": parts["object"], "key_type": pkcs11.KeyType.EC_EDWARDS}
        private = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, **own)
        public = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, **own)
        point = bytes(public[pkcs11.Attribute.EC_POINT])
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        raise WrongInput(f"the hardware key cannot be opened ({type(error).__name__})", where=where) from None
    if len(point) not in {32, 34} or (len(point) == 34 and not point.startswith(_POINT_HEAD)):
        raise WrongInput("the hardware key is not Ed25519", where=where)
    return KeySigner(Verifier(parts["object"], Algorithm.ED25519, point[-32:]), _signing(pkcs11, private))


def _signing(pkcs11: Any, private: Any) -> Callable[[bytes], bytes]:  # noqa: ANN401 - the library carries no types
    def sign(message: bytes) -> bytes:
        try:
            return bytes(private.sign(message, mechanism=pkcs11.Mechanism.EDDSA))
        except pkcs11.PKCS11Error as error:
            raise MachineFailed(f"the hardware module did not sign ({type(error).__name__})") from None

    return sign


def _parts(address: str, where: str) -> dict[str, str]:
    path, _, query = address.removeprefix(SCHEME).partition("?")
    pairs = [item.partition("=") for item in [*path.split(";"), *query.split("&")]]
    parts = {name: unquote(value) for name, _, value in pairs}
    if set(parts) != _PATH | _QUERY or len(pairs) != len(parts) or not is_key_name(parts["object"]):
        raise WrongInput(
            "a hardware key's address names token, object, module-path and pin-source, each once",
            where=where,
            remedy="docs/ledger.md shows one",
        )
    return parts


def _pin(parts: dict[str, str]) -> str:
    try:
        return Path(parts["pin-source"]).read_text().strip()
    except OSError as error:
        raise WrongInput(f"the PIN cannot be read ({error.strerror})", where="pin-source") from None
