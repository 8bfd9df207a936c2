"""Cosignatures: a dated statement that a checkpoint continues everything its cosigner has seen before.

The bytes signed are those of c2sp.org/tlog-cosignature: Ed25519 over the whole note text, ML-DSA-44 over origin,
size and root. Both carry the time in front of the signature.
"""

from __future__ import annotations

import base64
import binascii
import struct

from gatehouse.ledger.signers import Algorithm, Signer, Verifier, line_of

_LAST_TIME = 2**53
"""The last POSIX time that every reader holds exactly; a cosignature says when, so none is of time 0."""


def message(verifier: Verifier, text: str, timestamp: int) -> bytes | None:
    """The bytes that a cosigner signs for a checkpoint's text (with its final newline) at a POSIX time.

    None when the text lacks the three lines of a checkpoint, or the time is 0 or beyond 2^53.
    """
    if not 0 < timestamp <= _LAST_TIME:
        return None
    if verifier.algorithm is Algorithm.ED25519_COSIGNATURE:
        return f"cosignature/v1\ntime {timestamp}\n{text}".encode()
    try:
        origin, size, root = text.split("\n")[:3]
        name, log, digest = verifier.name.encode(), origin.encode(), base64.b64decode(root, validate=True)
        numbers = struct.pack(">QB", timestamp, len(log)), struct.pack(">QQ", 0, int(size))
        head = b"subtree/v1\n\0" + bytes([len(name)]) + name
    except (ValueError, struct.error, binascii.Error):
        return None
    return head + numbers[0] + log + numbers[1] + digest if len(digest) == 32 else None


def accepts(verifier: Verifier, text: str, signature: bytes) -> bool:
    """Whether a signature (8 bytes of time, then the raw signature) by this cosigner covers a checkpoint's text."""
    if len(signature) < 8:
        return False
    signed = message(verifier, text, timestamp(signature))
    return signed is not None and verifier.accepts(signed, signature[8:])


def timestamp(signature: bytes) -> int:
    """The POSIX time in front of a cosignature."""
    return int.from_bytes(signature[:8], "big")


def cosign(signer: Signer, text: str, time: int) -> str:
    """A cosignature line for a checkpoint's text, without the newline. The caller has verified consistency."""
    signed = message(signer.verifier, text, time)
    if signed is None:
        raise ValueError("only a checkpoint can be cosigned, at a time in or after 1970")
    return line_of(signer.verifier, time.to_bytes(8, "big") + signer.sign(signed))
