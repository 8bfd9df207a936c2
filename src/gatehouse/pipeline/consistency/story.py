"""What a comparison of a site's ledger, files and database comes to."""

from __future__ import annotations

from dataclasses import dataclass

from gatehouse.pipeline.history import Fault

AGAIN = "Run the submission again: `gatehouse run` finishes what was begun"
LOST = "Restore it from a later backup, and report the change as a finding"


@dataclass(frozen=True)
class Difference:
    """One place where the stories differ, and what to do about it."""

    where: str
    what: str
    remedy: str


@dataclass(frozen=True)
class Story:
    """What was compared: entries of the ledger, dockets, events with their openings, and what differs."""

    size: int
    dockets: int
    events: int
    differences: tuple[Difference, ...]
    lost: tuple[Fault, ...] = ()
    """Losses that two officers have acknowledged, on record."""
