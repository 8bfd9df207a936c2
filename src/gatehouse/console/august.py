"""The documented exchange of August 2025: what the public record says, and what the re-enactment found.

The numbers of the re-enactment are those that `gatehouse reenact august-2025 --json` printed; they are kept as
`data/august-2025.json` and read here without change. The page says how many requests the batch had.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data" / "august-2025.json"
OUTCOMES = ("cleared", "held", "incomplete", "refused")

RECORD = (
    ("1,280,000", "requests were sent in June 2025", "the custodian's own statement to the court, as reported"),
    ("47,289", "addresses were given on 7 August 2025", "the same; one report says 47,489"),
    ("about 42,695", "of those broke the statute, a court found", "D.D.C., opinion of 26 February 2026, as reported"),
    ("1", "official was named as personally engaged in all the matters", "D.D.C., 21 November 2025, as reported"),
)
"""Number, what it is, where it is known from. None of the documents themselves was read; see docs/august-2025.md."""


@dataclass(frozen=True)
class Rule:
    """How many requests one rule stops, and how many no other rule would have stopped."""

    id: str
    stops: int
    alone: int


@dataclass(frozen=True)
class Replay:
    """The re-enactment in numbers."""

    requests: int
    persons: int
    historical: Mapping[str, int]
    scenarios: tuple[tuple[str, Mapping[str, int]], ...]
    rules: tuple[Rule, ...]

    @property
    def given(self) -> int:
        """Addresses that the historical procedure gives on the same batch."""
        return sum(self.historical.values())


@lru_cache(maxsize=1)
def read() -> Replay | None:
    """The numbers that were kept; None when this installation has none."""
    if not DATA.is_file():
        return None
    found = json.loads(DATA.read_text(encoding="utf-8"))
    rules = [Rule(rule, counts["stops"], counts["alone"]) for rule, counts in found["rules"].items()]
    return Replay(
        found["requests"],
        found["persons"],
        found["historical"],
        tuple(found["scenarios"].items()),
        tuple(sorted(rules, key=lambda rule: (-rule.stops, rule.id))),
    )
