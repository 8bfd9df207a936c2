"""Shards: one ledger a year, each beginning with what the one before it came to.

The first entry of a shard commits to a checkpoint of the earlier one, without salts, since that checkpoint is public:
whoever has both folders can see that the years belong together and that nothing between them was exchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.ledger import checkpoint, tiles
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.log import Log
from gatehouse.ledger.opening import BATCH_BYTES, VERSION
from gatehouse.ledger.policy import Policy
from gatehouse.ledger.verify import Verified, verify_log

BATCH = "shard"
_HEAD = "gatehouse-shard/1\n"


@dataclass(frozen=True)
class Shard:
    """One verified shard, and how many entries the shard before it got after this one had begun."""

    verified: Verified
    late: int = 0


def link(earlier: Checkpoint) -> bytes:
    """The first entry of the shard that follows a checkpoint.

    Version, sixteen zero bytes, four zero bytes, SHA-256 of `gatehouse-shard/1`, newline and the three lines of origin,
    size and root.
    """
    text = _HEAD + checkpoint.body(earlier.origin, earlier.size, earlier.root)
    return bytes([VERSION]) + bytes(BATCH_BYTES + 4) + hashlib.sha256(text.encode()).digest()


def is_link(entry: bytes) -> bool:
    """Whether an entry has the form of a link; that of a commitment has a batch of chance instead of zeros."""
    return entry[:1] == bytes([VERSION]) and entry[1 : 1 + BATCH_BYTES + 4] == bytes(BATCH_BYTES + 4)


def begin(log: Log, earlier: Checkpoint) -> int:
    """Make the link the first entry of a new log; gives its index, 0. Doing it again changes nothing.

    Raises WrongInput when the log has other entries already.
    """
    if log.size and log.batch(BATCH) is None:
        raise WrongInput("a shard must begin with the link to the previous one, but this shard already has entries")
    return log.append(BATCH, [link(earlier)])


def verify_shards(roots: Sequence[Path], policy: Policy, *, progress: Progress = silent) -> list[Shard]:
    """Verify ledgers of successive years in full, the earliest first, and that each begins with the one before it.

    Raises as `verify_log` does, and AnswerIsNo when a shard's first entry is no published checkpoint of the earlier.
    """
    found: list[Shard] = []
    for number, root in enumerate(roots):
        verified = verify_log(root, policy, progress=progress)
        late = _late(roots[number - 1], found[-1].verified, root, verified) if number else 0
        found.append(Shard(verified, late))
    return found


def _late(before: Path, earlier: Verified, root: Path, later: Verified) -> int:
    first = tiles.TileReader(root, later.checkpoint.size).entry(0) if later.checkpoint.size else b""
    # `verify_log` has compared the root of each of these with the earlier ledger's tree
    for path in (before / "checkpoints").iterdir():
        if path.name.isdecimal():
            published = checkpoint.parse(path.read_bytes(), where=f"checkpoints/{path.name}")
            if link(published) == first:
                return earlier.checkpoint.size - published.size
    raise AnswerIsNo(
        "the ledger does not begin with a checkpoint of the previous ledger", where=later.checkpoint.origin,
        remedy="Name the ledgers of successive years, the earliest first",
    )  # fmt: skip
