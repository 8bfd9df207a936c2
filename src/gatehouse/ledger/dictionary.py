"""The authenticated dictionary: under one root, everything that is answered for any person, and nothing twice. Pure.

A binary search tree over the bits of an index that anyone can compute. A node says at which bit its two sides part, so
from a root every index leads down one way only, to one leaf: its own, which says what is answered, or another's, and
then there is none of its own. Leaves are salted, so a path shows nothing of anybody else. Commitments to the leaves
are made anew for every epoch, with a new nonce in every index, so that two epochs share nothing that could be compared.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

HASH = 32
SALT = 16
STEP = 1 + HASH
"""A step of a path: the bit at which the node parts, and the hash of the side that is not gone down."""
BITS = 8 * HASH

_PARTS = [b"\x21" + bytes([bit]) for bit in range(BITS)]


def prefix(nonce: str) -> str:
    """The text that, followed by a person's number in decimal, is hashed to that person's index."""
    return f"gatehouse-answers/1 {nonce} "


def index_of(nonce: str, person: int) -> bytes:
    """Where a person stands in the epoch of a nonce: SHA-256 of the text `gatehouse-answers/1 NONCE NUMBER`."""
    return hashlib.sha256(f"{prefix(nonce)}{person}".encode()).digest()


def digest(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def page_digests(pages: Sequence[bytes]) -> bytes:
    """The SHA-256 of each page of a list of disclosures, one after another."""
    return b"".join(digest(page) for page in pages)


def salts_of(secret: bytes, index: bytes) -> tuple[bytes, bytes]:
    """A person's two salts, one for each map, from the epoch's secret: the halves of SHA-256(secret, index)."""
    both = hashlib.sha256(secret + index).digest()
    return both[:SALT], both[SALT:]


def commitment(salt: bytes, listed: bytes) -> bytes:
    """What stands in a leaf for a list of disclosures: SHA-256(0x22, salt, list digest)."""
    return hashlib.sha256(b"\x22" + salt + listed).digest()


def leaf_hash(index: bytes, committed: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x20, index, commitment)."""
    return hashlib.sha256(b"\x20" + index + committed).digest()


def node_hash(bit: int, left: bytes, right: bytes) -> bytes:
    """The hash of a node whose sides part at a bit (0 the most significant): SHA-256(0x21, bit, left, right)."""
    return hashlib.sha256(_PARTS[bit] + left + right).digest()


def bit_of(index: bytes, bit: int) -> int:
    """One bit of an index, counted from the most significant."""
    return index[bit >> 3] >> (7 - (bit & 7)) & 1


def parting(one: bytes, other: bytes) -> int:
    """The first bit at which two different indexes differ."""
    return BITS - (int.from_bytes(one) ^ int.from_bytes(other)).bit_length()


def partings(indexes: Sequence[bytes]) -> list[int]:
    """Where each of some sorted, different indexes parts from the next."""
    whole = int.from_bytes
    keys = [whole(index) for index in indexes]
    return [BITS - (one ^ other).bit_length() for one, other in pairwise(keys)]


def fold(bits: Sequence[int], hashes: Sequence[bytes]) -> bytes:
    """The root above some leaves (or subtrees) in the order of their indexes; `bits` is where each parts from the next.

    A node stands above all that share more bits than the two it parts, so each is closed as soon as a lower bit comes.
    """
    sha256, parts = hashlib.sha256, _PARTS
    open_bits: list[int] = []
    open_hashes: list[bytes] = []
    node = hashes[0]
    lowest = -1  # the bit of the innermost open node
    for bit, following in zip(bits, hashes[1:], strict=True):
        while lowest > bit:
            node = sha256(parts[open_bits.pop()] + open_hashes.pop() + node).digest()
            lowest = open_bits[-1] if open_bits else -1
        open_bits.append(bit)
        open_hashes.append(node)
        node, lowest = following, bit
    while open_bits:
        node = sha256(parts[open_bits.pop()] + open_hashes.pop() + node).digest()
    return node


def depth(bits: Sequence[int]) -> int:
    """How many steps the longest path of such a tree has."""
    open_bits: list[int] = []
    heights: list[int] = []
    height = 0
    for bit in bits:
        while open_bits and open_bits[-1] > bit:
            open_bits.pop()
            height = max(heights.pop(), height) + 1
        open_bits.append(bit)
        heights.append(height)
        height = 0
    while heights:
        height = max(heights.pop(), height) + 1
    return height


def descend(indexes: Sequence[bytes], hashes: Sequence[bytes], target: bytes) -> tuple[int, bytes]:
    """Go down from the root to where a target leads: the place of the leaf that is found, and the path from the root.

    Each step of the path is the node's bit and the hash of its other side. The leaf is the target's own, or the target
    is not in the tree.
    """
    low, high = 0, len(indexes)
    steps: list[bytes] = []
    while high - low > 1:
        bit = parting(indexes[low], indexes[high - 1])
        middle = _middle(indexes, low, high, bit)
        left, right = (low, middle), (middle, high)
        (low, high), (away, end) = (right, left) if bit_of(target, bit) else (left, right)
        steps.append(bytes([bit]) + fold(partings(indexes[away:end]), hashes[away:end]))
    return low, b"".join(steps)


def root_of(path: bytes, target: bytes, leaf: bytes) -> bytes | None:
    """The root that a path leads to from the leaf that a target finds; None where the path is none of that target's.

    A path's bits rise from the root down: whoever made a tree otherwise made one in which this target finds nothing.
    """
    if len(path) % STEP or len(path) > STEP * BITS:
        return None
    last, node = BITS, leaf
    for at in range(len(path) - STEP, -1, -STEP):
        bit, other = path[at], path[at + 1 : at + STEP]
        if bit >= last:
            return None
        node = node_hash(bit, other, node) if bit_of(target, bit) else node_hash(bit, node, other)
        last = bit
    return node


def agree(path: bytes, one: bytes, other: bytes) -> bool:
    """Whether two indexes go the same way at every node of a path, as they must where one finds the other's leaf."""
    return all(bit_of(one, bit) == bit_of(other, bit) for bit in path[::STEP])


def _middle(indexes: Sequence[bytes], low: int, high: int, bit: int) -> int:
    """Where, among sorted indexes that part at a bit, the upper side begins."""
    first = int.from_bytes(indexes[high - 1]) >> (BITS - 1 - bit) << (BITS - 1 - bit)
    return bisect_left(indexes, first.to_bytes(HASH), low, high)
