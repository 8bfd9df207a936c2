"""The Merkle tree of RFC 6962 §2: roots, inclusion and consistency proofs over SHA-256. Pure.

Nodes are read through a function, so that the same code serves tiles on disk, lists in memory and tests. A perfect
node at `level` l and `index` i covers the entries i·2^l to (i+1)·2^l.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

HASH = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
_MAX_PROOF = 63

ReadNode = Callable[[int, int], bytes]
"""(level, index) → the 32-byte hash of a perfect node."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry: SHA-256(0x00, entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01, left, right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf_hashes(entries: Sequence[bytes]) -> bytes:
    """The hashes of many entries, concatenated."""
    sha256 = hashlib.sha256
    return b"".join([sha256(b"\x00" + entry).digest() for entry in entries])


def parents(hashes: bytes) -> bytes:
    """The next level above an even number of concatenated hashes."""
    sha256 = hashlib.sha256
    return b"".join([sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64)])


def perfect_nodes(begin: int, end: int) -> list[tuple[int, int]]:
    """The perfect nodes (level, index), left to right, that cover entries begin to end.

    `begin` is a multiple of the greatest power of two in the range, as in every recursion of RFC 6962.
    """
    nodes = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        nodes.append((level, begin >> level))
        begin += 1 << level
    return nodes


def range_hash(begin: int, end: int, read: ReadNode) -> bytes:
    """The Merkle tree hash of entries begin to end (RFC 6962 §2.1)."""
    nodes = perfect_nodes(begin, end)
    if not nodes:
        return EMPTY_ROOT
    total = read(*nodes[-1])
    for node in reversed(nodes[:-1]):
        total = node_hash(read(*node), total)
    return total


def inclusion_proof(index: int, size: int, read: ReadNode) -> list[bytes]:
    """The audit path of one entry, from its sibling up (RFC 6962 §2.1.1)."""
    if not 0 <= index < size:
        raise ValueError("the entry is not in a tree of this size")
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(range_hash(middle, end, read))
            end = middle
        else:
            path.append(range_hash(begin, middle, read))
            begin = middle
    return path[::-1]


def consistency_proof(old: int, new: int, read: ReadNode) -> list[bytes]:
    """What shows that a tree of `new` entries begins with the tree of `old` ones (RFC 6962 §2.1.2)."""
    if not 0 <= old <= new:
        raise ValueError("a tree cannot shrink")
    if old in {0, new}:
        return []
    path: list[bytes] = []
    begin, end, whole = 0, new, True
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(range_hash(middle, end, read))
            end = middle
        else:
            path.append(range_hash(begin, middle, read))
            begin, whole = middle, False
    if not whole:
        path.append(range_hash(begin, end, read))
    return path[::-1]


def root_before_last(proof: Sequence[bytes]) -> bytes:
    """The root of the tree without its last entry, from that entry's inclusion proof, which is all of that tree."""
    if not proof:
        return EMPTY_ROOT
    total = proof[0]
    for sibling in proof[1:]:
        total = node_hash(sibling, total)
    return total


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a leaf hash stands at an index of the tree with this size and root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size or len(proof) > _MAX_PROOF or len(leaf) != HASH:
        return False
    at, last, total = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            total = node_hash(sibling, total)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            total = node_hash(total, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and total == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `new` entries begins with the tree of `old` ones (RFC 9162 §2.1.4.2).

    The empty tree begins every tree, with an empty proof, as witnesses demand (c2sp.org/tlog-witness).
    """
    if not 0 <= old <= new or len(proof) > _MAX_PROOF:
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT and (new > 0 or new_root == EMPTY_ROOT)
    if old == new:
        return not proof and old_root == new_root
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    return bool(path) and _climb(old, new, old_root, new_root, path)


def _climb(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    of_old = of_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            of_old, of_new = node_hash(sibling, of_old), node_hash(sibling, of_new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            of_new = node_hash(of_new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and of_old == old_root and of_new == new_root


def _split(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)
