"""Invented officers and their age keys, derived from the seed, so that a demonstration can open what it releases.

Keys made here protect nothing: whoever knows the seed knows them. They belong to synthetic submissions only.
"""

from __future__ import annotations

import functools
import hashlib

import pyrage

from gatehouse.intake.officers import PERSON, folded_name, judge
from gatehouse.synthetic.words import read_pools as words_of

_CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def names(number: int) -> list[str]:
    """So many invented names, no two of which are one officer's."""
    given = [name for name in _plain("first_names.txt") if " " not in name]
    taken = set(given)
    family = [name for name in _plain("surnames.txt") if name not in taken and " " not in name]
    return [f"{given[n % len(given)]} {family[(n // len(given) + n) % len(family)]}" for n in range(number)]


@functools.cache
def _plain(pools: str) -> tuple[str, ...]:
    """The words of a list of names that are spelled unlike each other once folded, in a fixed order."""
    words = sorted({word for weighted in words_of(pools).values() for word, _ in weighted})
    folded = {folded_name(word): word for word in words}
    return tuple(word for key, word in folded.items() if key and judge(f"{word} Okafor").verdict == PERSON)


def identity(seed: int, officer: str) -> str:
    """The age identity (`AGE-SECRET-KEY-1…`) of a synthetic officer."""
    secret = hashlib.sha256(f"gatehouse-synthetic-officer/{seed}/{officer}".encode()).digest()
    return _bech32("age-secret-key-", secret).upper()


def recipient(seed: int, officer: str) -> str:
    """The public half of that identity (`age1…`)."""
    return str(pyrage.x25519.Identity.from_str(identity(seed, officer)).to_public())


def _checksum(values: list[int]) -> int:
    total = 1
    for value in values:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            total ^= generator if top >> bit & 1 else 0
    return total


def _bech32(prefix: str, data: bytes) -> str:
    """Bech32 (BIP 173) of whole bytes, the encoding of age identities."""
    number, bits = int.from_bytes(data) << (-len(data) * 8 % 5), -(-len(data) * 8 // 5)
    words = [number >> 5 * (bits - 1 - at) & 31 for at in range(bits)]
    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = _checksum([*spread, *words, 0, 0, 0, 0, 0, 0]) ^ 1
    words += [check >> 5 * (5 - at) & 31 for at in range(6)]
    return f"{prefix}1{''.join(_CHARSET[word] for word in words)}"
