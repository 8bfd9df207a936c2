"""The documented exchange of August 2025: what the public record says, and what the re-enactment found.

The numbers of the re-enactment are those of docs/august-2025.md, kept as `data/august-2025.json`; a test holds the two
together. What is on record was read in accounts of the documents, not in the documents, and the page says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data" / "august-2025.json"
BATCH_RULES = (
    "ceiling-officer-refuse", "ceiling-officer-hold", "i2-reason", "ceiling-identical-reason", "ceiling-size",
    "ceiling-agency-requests", "ceiling-agency-near-misses", "ceiling-officer-near-misses", "p4-findings",
)  # fmt: skip
"""Rules about the batch as a whole; where one of them speaks of this one, it stops every request."""


@dataclass(frozen=True)
class Event:
    """One day on record: what happened, and an account of it."""

    day: str
    what: str
    source: str
    address: str


@dataclass(frozen=True)
class Rule:
    """How many requests one rule stops, how many no other rule would have stopped, and the same without batch rules."""

    id: str
    stops: int
    alone: int
    alone_batch_aside: int | None
    """None for a rule about the batch itself."""


@dataclass(frozen=True)
class Ground:
    """Where requests end, taken in the order a reader of the statute asks, with rules about the batch set aside."""

    ground: str
    requests: int
    answered: int
    """Of those that were answered in August 2025."""


@dataclass(frozen=True)
class Replay:
    """The re-enactment in numbers."""

    timeline: tuple[Event, ...]
    requests: int
    persons: int
    historical: Mapping[str, int]
    scenarios: tuple[tuple[str, Mapping[str, int]], ...]
    rules: tuple[Rule, ...]
    unknown: Mapping[str, int]
    """What could not be known, and how many requests stopped for want of it too."""
    grounds: tuple[Ground, ...]
    assumed: tuple[str, ...]

    @property
    def given(self) -> int:
        """Addresses that the historical procedure gives on the same batch."""
        return sum(self.historical.values())


def stops_the_batch(rule: Rule, replay: Replay) -> bool:
    """Whether a rule about the batch as a whole stops all of this one."""
    return rule.id in BATCH_RULES and rule.stops == replay.requests


@lru_cache(maxsize=1)
def read() -> Replay:
    """The numbers that were kept."""
    found = json.loads(DATA.read_text(encoding="utf-8"))
    return Replay(
        tuple(Event(**each) for each in found["timeline"]),
        found["requests"],
        found["persons"],
        found["historical"],
        tuple(found["scenarios"].items()),
        tuple(Rule(rule, **counts) for rule, counts in found["rules"].items()),
        found["unknown"],
        tuple(Ground(**each) for each in found["grounds"]),
        tuple(found["assumed"]),
    )
