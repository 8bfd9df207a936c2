"""Putting a certificate together: every entry with its path to one checkpoint, and the checkpoints around each.

Nothing is checked here: `binding.verify` is asked before anything is sealed, and again before anything is opened.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger import tree
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.policy import Policy
from gatehouse.ledger.tiles import TileReader
from gatehouse.release import proofs
from gatehouse.release.certificate import Earlier, Placed, Pool


@dataclass(frozen=True)
class Grove:
    """The tree under one checkpoint, and what was published before it."""

    checkpoint: Checkpoint
    published: Mapping[int, Path]
    """The checkpoints published, by size."""
    policy: Policy
    read: tree.ReadNode

    @classmethod
    def of(cls, ledger: Path, policy: Policy) -> Grove:
        """The tree as it was last published. Raises as the policy does."""
        newest = policy.accept((ledger / "checkpoint").read_bytes())
        kept = {int(path.name): path for path in (ledger / "checkpoints").iterdir() if path.name.isdecimal()}
        return cls(newest, kept, policy, proofs.shared(TileReader(ledger, newest.size)))

    def placed(self, index: int, opening: Opening, pool: Pool) -> Placed:
        """An entry with its path."""
        return Placed(index, opening, pool.numbers(proofs.audit_path(index, self.checkpoint.size, self.read)))

    def earlier(self, indexes: Iterable[int], pool: Pool) -> tuple[Earlier, ...]:
        """For each entry the last checkpoint without it and the first one with it, smallest first.

        One that the policy does not accept, from before it had its witnesses, is left out: then the one next to it
        frames the entry, less tightly.
        """
        sizes = sorted(size for size in self.published if 0 < size < self.checkpoint.size)
        wanted: set[int] = set()
        for index in indexes:
            at = bisect_right(sizes, index)
            wanted.update(filter(None, (self._next(sizes[:at][::-1]), self._next(sizes[at:]))))
        return tuple(self._earlier(size, pool) for size in sorted(wanted))

    def _next(self, sizes: list[int]) -> int | None:
        return next((size for size in sizes if self._accepts(size)), None)

    def _accepts(self, size: int) -> bool:
        try:
            self.policy.accept(self.published[size].read_bytes())
        except GatehouseError:
            return False
        return True

    def _earlier(self, size: int, pool: Pool) -> Earlier:
        path = tree.consistency_proof(size, self.checkpoint.size, self.read)
        return Earlier(self.published[size].read_bytes(), pool.numbers(path))
