"""A hardware key of software, for tests: an age plugin that unwraps `p256tag` and `mlkem768p256tag` (c2sp.org/age).

Run as `age-plugin-gatehousetest --age-plugin=identity-v1` it speaks c2sp.org/age-plugin; its key lies in the file that
GATEHOUSE_TEST_KEY names. Written from the specifications, apart from the library that sealed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec, mlkem
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NAME = "gatehousetest"
_HYBRID_KEM = 0x0050
_HYBRID_LABEL = b"MLKEM768-P256"
Stanza = tuple[list[str], bytes]


class Key:
    """A P-256 key, and an ML-KEM-768 key beside it."""

    def __init__(self, scalar: int, seed: bytes) -> None:
        self.classic = ec.derive_private_key(scalar, ec.SECP256R1())
        self.quantum = mlkem.MLKEM768PrivateKey.from_seed_bytes(seed)

    def point(self, form: PublicFormat) -> bytes:
        return self.classic.public_key().public_bytes(Encoding.X962, form)

    def hybrid(self) -> bytes:
        return self.quantum.public_key().public_bytes_raw() + self.point(PublicFormat.UncompressedPoint)

    def unwrap(self, arguments: list[str], body: bytes) -> bytes | None:
        """The file key of a stanza that is for this key; None for any other."""
        if arguments[0] not in {"p256tag", "mlkem768p256tag"}:
            return None
        info = f"age-encryption.org/{arguments[0]}".encode()
        tag, enc = _raw(arguments[1]), _raw(arguments[2])
        form = PublicFormat.CompressedPoint if arguments[0] == "p256tag" else PublicFormat.UncompressedPoint
        hint = hashlib.sha256(self.point(form)).digest()[:4]
        if hmac.digest(info, enc + hint, "sha256")[:4] != tag:
            return None
        if arguments[0] == "p256tag":
            suite = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
            return suite.decrypt(enc + body, self.classic, info)
        return _open(self._decapsulate(enc), info, body)

    def _decapsulate(self, enc: bytes) -> bytes:
        """MLKEM768-P256 of the hybrid KEMs for HPKE: both secrets hashed with what the classic one depends on."""
        share = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), enc[1088:])
        parts = (self.quantum.decapsulate(enc[:1088]), self.classic.exchange(ec.ECDH(), share), enc[1088:])
        return hashlib.sha3_256(b"".join(parts) + self.point(PublicFormat.UncompressedPoint) + _HYBRID_LABEL).digest()


def _open(shared: bytes, info: bytes, sealed: bytes) -> bytes:
    """HPKE's base mode (RFC 9180, 5.1) with HKDF-SHA256 and ChaCha20-Poly1305, from the shared secret on."""
    suite = b"HPKE" + _HYBRID_KEM.to_bytes(2, "big") + b"\x00\x01" + b"\x00\x03"

    def extract(salt: bytes, label: bytes, material: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")

    def expand(secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
        text = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
        return hmac.digest(secret, text + b"\x01", "sha256")[:length]

    context = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    key, nonce = expand(secret, b"key", context, 32), expand(secret, b"base_nonce", context, 12)
    return ChaCha20Poly1305(key).decrypt(nonce, sealed, b"")


def _raw(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _received() -> Iterator[Stanza]:
    """Stanzas as they come, until `done`."""
    while True:
        first = sys.stdin.readline()
        arguments, body = first.split()[1:], ""
        while True:
            line = sys.stdin.readline().rstrip("\n")
            body += line
            if len(line) < 64:
                break
        if not arguments or arguments[0] == "done":
            return
        yield arguments, _raw(body)


def _send(arguments: str, body: bytes = b"") -> None:
    text = _text(body)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)] or [""]
    if len(lines[-1]) == 64:
        lines.append("")
    sys.stdout.write("\n".join([f"-> {arguments}", *lines]) + "\n")
    sys.stdout.flush()


def _answered() -> None:
    sys.stdin.readline()
    sys.stdin.readline()


def main() -> None:
    made = json.loads(Path(os.environ["GATEHOUSE_TEST_KEY"]).read_text())
    key = Key(made["scalar"], bytes.fromhex(made["seed"]))
    wrapped: list[tuple[str, list[str], bytes]] = [
        (arguments[1], arguments[2:], body) for arguments, body in _received() if arguments[0] == "recipient-stanza"
    ]
    _send("msg", b"touch the key")
    _answered()
    for file, arguments, body in wrapped:
        found = key.unwrap(arguments, body)
        if found is not None:
            _send(f"file-key {file}", found)
            _answered()
    _send("done")


if __name__ == "__main__":
    main()
