"""Spot checks of a docket: how many cases to look at, which ones, and all of them derived again.

The draw is fixed by the root of the newest checkpoint, the docket and the number of the draw, so nobody at the
custodian's can choose which cases are looked at, and anyone can draw the same ones again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from gatehouse.casework.sampling import Plan, bound, positions
from gatehouse.console.reading import Case, Reader, Row
from gatehouse.intake.workspace import open_workspace, quoted
from gatehouse.kernel.errors import WrongInput
from gatehouse.law.evaluate import evaluate
from gatehouse.law.pack import Pack
from gatehouse.law.single import decide_one

OUTCOMES = ("cleared", "held", "incomplete", "refused")
PARTS = ("outcome", "fired", "codes", "items")
"""What is compared when a case is derived again."""
MOST = 3000
"""The largest sample that a page derives again."""
_PER_CENT = re.compile(r"\d{1,2}(\.\d{1,4})?", re.ASCII)
"""No exponent: a few signs such as 1e999999999 would write out a number of that many digits."""


@dataclass(frozen=True)
class Derived:
    """What deriving a sample again came to."""

    cases: int
    different: tuple[str, ...]
    """Requests that came out otherwise."""


@dataclass(frozen=True)
class SpotCheck:
    """A plan and the cases it draws, in row order."""

    reader: Reader
    outcome: str
    tolerated: str
    confidence: int
    number: int
    population: int
    seed: str
    drawn: tuple[int, ...]

    @property
    def bounds(self) -> list[tuple[int, int]]:
        """For so many wrong ones found: the most there can be among all, at the plan's confidence."""
        sure = Fraction(self.confidence, 100)
        return [
            (found, bound(self.population, len(self.drawn), found, sure))
            for found in range(min(4, len(self.drawn) + 1))
        ]

    def derive_all(self, law: Pack) -> Derived:
        """Derive every case drawn again under the pack that decided it, and compare it part by part."""
        kept = {int(row["seq"]): row for row in _kept(self.reader, self.drawn)}
        different: list[str] = []
        for day in sorted({row["as_of"] for row in kept.values()}):
            seqs = [seq for seq, row in kept.items() if row["as_of"] == day]
            again = derive(self.reader.folder, seqs, law, day)
            different += [
                str(kept[seq]["request_id"])
                for seq in seqs
                if any(kept[seq][part] != again.get(seq, {}).get(part) for part in PARTS)
            ]
        return Derived(len(kept), tuple(different))


def plan(reader: Reader, given: Mapping[str, str], root: str) -> SpotCheck:
    """The plan that a query asks for. Raises WrongInput for numbers out of range."""
    outcome = given.get("outcome", "")
    population = reader.members(outcome if outcome in OUTCOMES else None)
    tolerated, confidence = given.get("tolerated", "5") or "5", given.get("confidence", "95") or "95"
    number = given.get("draw", "1") or "1"
    try:
        share = Fraction(tolerated if _PER_CENT.fullmatch(tolerated) else 0) / 100
        sure, drawing = int(confidence), int(number)
        in_range = Fraction(1, 10_000) <= share < 1 and 50 <= sure <= 99 and 1 <= drawing <= 10_000
    except ValueError:
        in_range = False
    if not in_range:
        raise WrongInput(
            "the plan contains numbers that are out of range",
            remedy="Tolerate 0.01 to 99 per cent at a confidence of 50 to 99 per cent, draw number 1 to 10,000",
        )
    size = min(Plan(len(population), share, Fraction(sure, 100)).size(), MOST) if population else 0
    seed = hashlib.sha256(f"{root} {reader.folder.name} {outcome} {drawing}".encode()).hexdigest()
    chosen = positions(len(population), size, bytes.fromhex(seed)) if size else set[int]()
    drawn = tuple(population[at] for at in sorted(chosen))
    return SpotCheck(reader, outcome, tolerated, sure, drawing, len(population), seed, drawn)


def _kept(reader: Reader, seqs: Sequence[int]) -> tuple[Row, ...]:
    return reader.rows(
        f"SELECT seq, request_id, as_of, {', '.join(PARTS)} FROM determinations "
        "WHERE seq IN (SELECT unnest($seqs)) ORDER BY seq",
        {"seqs": list(seqs)},
    )


def derive(docket: Path, seqs: Sequence[int], law: Pack, as_of: dt.date) -> dict[int, dict[str, object]]:
    """Determine some cases again from the facts the docket keeps; each part of the determination by case."""
    with open_workspace("512MB", threads=1) as connection:
        connection.execute(
            f"CREATE TABLE drawn AS SELECT * FROM read_parquet({quoted(docket / 'facts.parquet')}) "
            "WHERE seq IN (SELECT unnest($seqs))",
            {"seqs": list(seqs)},
        )
        evaluate(connection, law, "drawn", "derived", as_of)
        rows = connection.execute(f"SELECT seq, {', '.join(PARTS)} FROM derived").fetchall()
    return {int(seq): dict(zip(PARTS, parts, strict=True)) for seq, *parts in rows}


def derive_one(found: Case, law: Pack) -> dict[str, object]:
    """One case determined again by the law's plain reading, which shares no code with the columns that decided it."""
    again = decide_one(law, found.facts, found.determination["as_of"])
    return {part: value if isinstance(value := getattr(again, part), str) else list(value) for part in PARTS}
