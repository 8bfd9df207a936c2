"""Proofs in one file: an entry stands in a ledger that a quorum has seen (c2sp.org/tlog-proof@v1).

The file carries an opening as its extra data, so that whoever holds it can make the entry again, see the fields that
are shown, and check both against a policy of their own, offline and years later.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import checkpoint, tiles, tree
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.policy import Policy
from gatehouse.ledger.signers import decode_base64

_HEAD = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_MAX_PROOF = 1 << 22
_MAX_HASHES = 63


@dataclass(frozen=True)
class Proof:
    """Where an entry stands, the path from it to the root, and the checkpoint whose root that is. Unverified."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: Checkpoint
    extra: bytes | None

    def encode(self) -> bytes:
        """The proof's file."""
        lines = [_HEAD]
        if self.extra is not None:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines += [f"index {self.index}", *(base64.b64encode(step).decode() for step in self.path)]
        return "\n".join(lines).encode() + b"\n\n" + self.checkpoint.encoded

    @classmethod
    def parse(cls, data: bytes, *, where: str = "proof") -> Proof:
        """Read a proof's form; raises WrongInput when it is none."""
        wrong = WrongInput(f"this is not a proof of the format {_HEAD}", where=where)
        head, gap, rest = data.partition(b"\n\n") if len(data) <= _MAX_PROOF else (b"", b"", b"")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise wrong from None
        if not gap or lines.pop(0) != _HEAD or not lines:
            raise wrong
        extra = decode_base64(lines.pop(0).removeprefix("extra ")) if lines[0].startswith("extra ") else b""
        index = _INDEX.fullmatch(lines.pop(0)) if lines else None
        path = [decode_base64(line) for line in lines]
        if extra is None or index is None or len(path) > _MAX_HASHES:
            raise wrong
        hashes = tuple(step for step in path if step is not None and len(step) == tree.HASH)
        if len(hashes) != len(path):
            raise wrong
        carried = extra if head.split(b"\n")[1].startswith(b"extra ") else None
        return cls(int(index[1]), hashes, checkpoint.parse(rest, where=where), carried)


@dataclass(frozen=True)
class Proven:
    """What a verified proof shows: the entry's place, the checkpoint, and the fields that were opened."""

    index: int
    checkpoint: Checkpoint
    entry: bytes
    fields: dict[str, Any]


def prove_inclusion(
    reader: tiles.TileReader, index: int, published: Checkpoint, opening: Opening | None = None
) -> bytes:
    """The proof file for one entry under a published checkpoint; `opening`, when given, travels with it.

    `reader` must reach the checkpoint's size. Raises WrongInput when the checkpoint does not yet cover the entry.
    """
    if not 0 <= index < published.size:
        raise WrongInput("the checkpoint does not cover this entry", remedy="Publish a newer checkpoint")
    path = tree.inclusion_proof(index, published.size, reader.node)
    return Proof(index, tuple(path), published, None if opening is None else opening.encode()).encode()


def verify_entry(data: bytes, entry: bytes, policy: Policy, *, where: str = "proof") -> Proven:
    """Check a proof for an entry that the caller already has."""
    return _verified(Proof.parse(data, where=where), entry, policy, {}, where)


def verify_proof(data: bytes, policy: Policy, *, where: str = "proof") -> Proven:
    """Check a proof that carries its opening: checkpoint under the policy, entry in the tree, fields in the entry.

    Raises WrongInput when the file is no such proof, AnswerIsNo when anything does not hold; then nothing of its
    content is returned.
    """
    parsed = Proof.parse(data, where=where)
    if parsed.extra is None:
        raise WrongInput("the proof contains no opening", where=where, remedy="Supply the entry itself")
    opening = Opening.parse(parsed.extra, where=where)
    return _verified(parsed, opening.entry, policy, opening.fields(), where)


def _verified(parsed: Proof, entry: bytes, policy: Policy, fields: dict[str, Any], where: str) -> Proven:
    accepted = policy.accept(parsed.checkpoint.encoded, where=where)
    leaf = tree.leaf_hash(entry)
    if not tree.verify_inclusion(leaf, parsed.index, accepted.size, parsed.path, accepted.root):
        raise AnswerIsNo("the entry is not at the stated place in the ledger", where=where)
    return Proven(parsed.index, accepted, entry, fields)
