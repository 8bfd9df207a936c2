"""Addresses: their parts, and whether they are real, judged in columns before and apart from any matching.

`standardise` writes an address as parts that are equal for two spellings of one place. `judge` adds whether the place
is one that mail can reach: a street needs a number and a name, a box a number, and city, state and ZIP must not
contradict each other. No record of anybody is consulted. See docs/addresses.md.
"""

from __future__ import annotations

from gatehouse.intake.addresses.parts import PARTS, standardise
from gatehouse.intake.addresses.places import keep_places, load_places
from gatehouse.intake.addresses.reasons import REASONS, explain
from gatehouse.intake.addresses.verdict import judge

__all__ = ["PARTS", "REASONS", "explain", "judge", "keep_places", "load_places", "standardise"]
