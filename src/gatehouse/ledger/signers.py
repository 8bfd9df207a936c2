"""Keys as text: one line that names its holder, its algorithm and the key, and signs or verifies bytes.

The texts are the verifier and signer keys of C2SP signed notes (c2sp.org/signed-note@v1.0.0), so that any
implementation of that standard reads them. A key that says one name and hashes to another is refused.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gatehouse.kernel import files, letters
from gatehouse.kernel.errors import WrongInput

_PRIVATE = "PRIVATE+KEY+"
_MAX_KEY_TEXT = 8192
_MAX_NAME = 255  # bytes; cosigned messages carry the name behind a one-byte length
_SEED = 32  # bytes, for Ed25519 and for ML-DSA-44 alike


class Algorithm(enum.IntEnum):
    """Signature types of C2SP signed notes."""

    ED25519 = 0x01
    ED25519_COSIGNATURE = 0x04
    MLDSA44_COSIGNATURE = 0x06


_PUBLIC_LENGTH = {Algorithm.ED25519: 32, Algorithm.ED25519_COSIGNATURE: 32, Algorithm.MLDSA44_COSIGNATURE: 1312}


def decode_base64(text: str) -> bytes | None:
    """Decode canonical standard base64 (RFC 4648 §4); None when a different text would decode to the same bytes."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None


def is_key_name(name: str) -> bool:
    """Whether a text may name a key: letters that show themselves, no spaces, no plus, at most 255 bytes of UTF-8."""
    plain = letters.are_seen(name) and "+" not in name and not any(character.isspace() for character in name)
    return plain and 0 < len(name.encode()) <= _MAX_NAME


def key_hash(name: str, algorithm: Algorithm, public: bytes) -> bytes:
    """The four bytes that, with the name, identify a key: SHA-256(name, newline, type, public key)[:4]."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


@dataclass(frozen=True)
class Verifier:
    """A public key and the name of its holder."""

    name: str
    algorithm: Algorithm
    public: bytes

    @classmethod
    def parse(cls, text: str, *, where: str = "") -> Verifier:
        """Read a verifier key `name+hash+base64`; raises WrongInput when any part does not fit the others."""
        name, hash_text, body = _split(text, where, "verifier key")
        algorithm, public = _algorithm(body, where)
        if len(public) != _PUBLIC_LENGTH[algorithm]:
            raise WrongInput("a verifier key has the wrong length for its algorithm", where=where)
        verifier = cls(name, algorithm, public)
        if verifier.key_hash.hex() != hash_text:
            raise WrongInput("a verifier key does not match its own hash", where=where, remedy="Copy the key again")
        return verifier

    @property
    def key_hash(self) -> bytes:
        """Four bytes that stand before every signature by this key."""
        return key_hash(self.name, self.algorithm, self.public)

    @property
    def text(self) -> str:
        """The key as one line without the newline."""
        body = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.key_hash.hex()}+{body}"

    def accepts(self, message: bytes, signature: bytes) -> bool:
        """Whether a raw signature over exactly these bytes is by this key (RFC 8032; FIPS 204 for ML-DSA-44)."""
        try:
            if self.algorithm is Algorithm.MLDSA44_COSIGNATURE:
                from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

                MLDSA44PublicKey.from_public_bytes(self.public).verify(signature, message)
            else:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, UnsupportedAlgorithm, ImportError, ValueError):
            return False
        return True


class Signer(Protocol):
    """What signs: a key file here, a hardware module elsewhere; nobody else needs to know which."""

    @property
    def name(self) -> str:
        """Whose key it is."""

    @property
    def verifier(self) -> Verifier:
        """The public half."""

    @property
    def key_text(self) -> str:
        """The public half as text."""

    def sign(self, message: bytes) -> bytes:
        """A raw signature over these bytes."""

    def signature_line(self, message: bytes) -> str:
        """The signature as a line `— name base64(hash, signature)`, without the newline."""


@dataclass(frozen=True)
class KeySigner:
    """A signer whose private operation is a function, in memory or in a module."""

    verifier: Verifier
    _sign: Callable[[bytes], bytes] = field(repr=False)

    @property
    def name(self) -> str:
        """Whose key it is."""
        return self.verifier.name

    @property
    def key_text(self) -> str:
        """The public half as text, `name+hash+base64`."""
        return self.verifier.text

    def sign(self, message: bytes) -> bytes:
        """A raw signature over these bytes (64 bytes; 2,420 for ML-DSA-44)."""
        return self._sign(message)

    def signature_line(self, message: bytes) -> str:
        """The signature as a line of a signed note, without the newline.

        Only for plain Ed25519 keys: a cosignature also says when, and is made by `cosignature.cosign`.
        """
        if self.verifier.algorithm is not Algorithm.ED25519:
            raise WrongInput(f"the key {self.name} can only cosign checkpoints", remedy="Use a signing key")
        return line_of(self.verifier, self.sign(message))


def line_of(verifier: Verifier, signature: bytes) -> str:
    """A signature line `— name base64(hash, signature)`, without the newline."""
    return f"— {verifier.name} {base64.b64encode(verifier.key_hash + signature).decode()}"


def new_key(name: str, algorithm: Algorithm = Algorithm.ED25519) -> tuple[str, str]:
    """Make a key: (private text, public text), each one line without the newline."""
    if not is_key_name(name):
        raise WrongInput("a key's name must have at most 255 bytes, with no spaces and no plus sign")
    seed = secrets.token_bytes(_SEED)
    verifier = _from_seed(name, algorithm, seed).verifier
    body = base64.b64encode(bytes([algorithm]) + seed).decode()
    return f"{_PRIVATE}{name}+{verifier.key_hash.hex()}+{body}", verifier.text


def parse_signer(text: str, *, where: str = "") -> KeySigner:
    """Read a private key `PRIVATE+KEY+name+hash+base64`; raises WrongInput, never quoting the key."""
    if not text.startswith(_PRIVATE):
        raise WrongInput("this is not a private key", where=where, remedy="Make one with `gatehouse key new FILE`")
    name, hash_text, body = _split(text.removeprefix(_PRIVATE), where, "private key")
    algorithm, seed = _algorithm(body, where)
    if len(seed) != _SEED:
        raise WrongInput("a private key has the wrong length for its algorithm", where=where)
    signer = _from_seed(name, algorithm, seed)
    if signer.verifier.key_hash.hex() != hash_text:
        raise WrongInput("a private key does not match its own hash", where=where)
    return signer


def read_signer(path: Path) -> Signer:
    """Read the signer that a file names: a private key on one line, or the address of one in a hardware module."""
    text = _one_line(path)
    if text.startswith("pkcs11:"):
        from gatehouse.ledger import pkcs11

        return pkcs11.open_signer(text, where=path.name)
    return parse_signer(text, where=path.name)


def read_verifier(path: Path) -> Verifier:
    """Read a verifier key from a file of one line."""
    return Verifier.parse(_one_line(path), where=path.name)


def write_key(path: Path, name: str, algorithm: Algorithm = Algorithm.ED25519) -> Verifier:
    """Make a key, write its private half to a new file only the owner may read, and return the public half.

    Raises WrongInput when the file exists: a key is never overwritten.
    """
    private, public = new_key(name, algorithm)
    try:
        files.write_new(path, f"{private}\n".encode(), mode=0o600)
    except FileExistsError:
        raise WrongInput("the key file already exists", where=path.name, remedy="Choose another name") from None
    return Verifier.parse(public)


def _one_line(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_KEY_TEXT + 1)
        text = data.decode()
    except OSError as error:
        raise WrongInput(f"the key cannot be read ({error.strerror})", where=path.name) from None
    except UnicodeDecodeError:
        raise WrongInput("a key must be UTF-8 text", where=path.name) from None
    lines = text.removesuffix("\n").split("\n")
    if len(data) > _MAX_KEY_TEXT or len(lines) != 1:
        raise WrongInput("a key file must contain one key on one line", where=path.name)
    return lines[0]


def _split(text: str, where: str, what: str) -> tuple[str, str, bytes]:
    # at most two splits: base64 may itself contain a plus
    parts = text.split("+", 2) if len(text) <= _MAX_KEY_TEXT else []
    body = decode_base64(parts[2]) if len(parts) == 3 else None
    if body is None or not is_key_name(parts[0]):
        raise WrongInput(f"this is not a {what}", where=where, remedy="Write it as name+hash+base64 on one line")
    return parts[0], parts[1], body


def _algorithm(body: bytes, where: str) -> tuple[Algorithm, bytes]:
    try:
        return Algorithm(body[0]), body[1:]
    except (IndexError, ValueError):
        raise WrongInput("the key's algorithm is not supported", where=where) from None


def _from_seed(name: str, algorithm: Algorithm, seed: bytes) -> KeySigner:
    if algorithm is Algorithm.MLDSA44_COSIGNATURE:
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

        try:
            lattice = MLDSA44PrivateKey.from_seed_bytes(seed)
        except UnsupportedAlgorithm:
            raise WrongInput(
                "this machine's cryptography library does not support ML-DSA-44", remedy="Use an Ed25519 key"
            ) from None
        return KeySigner(Verifier(name, algorithm, lattice.public_key().public_bytes_raw()), lattice.sign)
    curve = Ed25519PrivateKey.from_private_bytes(seed)
    return KeySigner(Verifier(name, algorithm, curve.public_key().public_bytes_raw()), curve.sign)
