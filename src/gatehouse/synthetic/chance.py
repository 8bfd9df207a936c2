"""Chance as a function of a seed and a row, so that columns are drawn in any order and always come out the same.

Every draw is `hash(row + purpose)` in DuckDB, where the purpose is a 62-bit number made from the seed and a word. (The
two-argument `hash(row, purpose)` will not do: it joins its parts by exclusive or, and draws of one row then determine
each other.) The same seed gives the same data on the same version of DuckDB, whose hash is no public contract.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Chance:
    """Draws of one data set; two purposes never share their chance. Keys are BIGINT and far below 2^62."""

    seed: int

    def number(self, purpose: str) -> int:
        """A 62-bit number of its own for this seed and purpose."""
        text = f"gatehouse-synthetic/{self.seed}/{purpose}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:8]) >> 2

    def pick(self, purpose: str, key: str, sides: int) -> str:
        """SQL for an integer from 0 to `sides` - 1, drawn for the row whose key is the SQL expression `key`."""
        return f"(hash(({key})::BIGINT + {self.number(purpose)}) % {sides})::BIGINT"

    def under(self, purpose: str, key: str, share: float) -> str:
        """SQL for a boolean that is true for about `share` of all rows, in steps of a millionth."""
        return f"(hash(({key})::BIGINT + {self.number(purpose)}) % 1000000 < {round(share * 1_000_000)})"


@dataclass(frozen=True)
class Scatter:
    """A one-to-one reordering of 0 to `size` - 1: row i holds slot (i x step + shift) mod size.

    It keeps neighbours in a household from being neighbours in a file, and is undone without a table.
    """

    size: int
    step: int
    shift: int

    @classmethod
    def of(cls, size: int, chance: Chance, purpose: str) -> Scatter:
        """A reordering drawn for a purpose; `size` is at most 2^31, so that products fit 64 bits."""
        step = int(size * 0.6180339887) + chance.number(purpose) % max(1, size // 8)
        step = max(1, step % size)
        while math.gcd(step, size) != 1:
            step += 1
        return cls(size, step, chance.number(f"{purpose} shift") % size)

    def slot(self, row: str) -> str:
        """SQL for the slot that a row holds."""
        return f"(({row}) * {self.step}::BIGINT + {self.shift}) % {self.size}"

    def row(self, slot: str) -> str:
        """SQL for the row that holds a slot."""
        inverse = pow(self.step, -1, self.size) if self.size > 1 else 0
        return f"((({slot}) + {self.size - self.shift}) % {self.size}) * {inverse}::BIGINT % {self.size}"
