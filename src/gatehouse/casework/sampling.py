"""How many cases to look at before deciding many, and what the look allows one to say.

A bulk approval is preceded by a simple random sample without replacement. The number of wrong cases seen then follows
the hypergeometric distribution; the bound here is the exact one-sided Clopper-Pearson analogue for it, computed in
whole numbers. Which cases are drawn is fixed by a recorded seed, so anyone can draw the same sample again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from fractions import Fraction
from math import comb, exp, fsum, lgamma, log, log1p
from typing import Any

from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action
from gatehouse.kernel.errors import WrongInput

SINGLE_LIMIT = 5
"""Up to this many cases are decided as single cases, each looked at; above it a sample must come first."""


@dataclass(frozen=True)
class Plan:
    """What a sample must be able to rule out: more than `tolerated` wrong cases in a population, at `confidence`."""

    population: int
    tolerated: Fraction = Fraction(1, 20)
    confidence: Fraction = Fraction(95, 100)

    def size(self) -> int:
        """The smallest sample which, when no wrong case is in it, rules out more than the tolerated share.

        With D = floor(tolerated × N) + 1 wrong cases among N, a sample of n misses them all with probability
        C(N−D, n) / C(N, n); the size is the least n that makes this at most 1 − confidence.
        """
        _check(self)
        wrong = int(self.tolerated * self.population) + 1
        if wrong > self.population:
            return 0
        miss, size, allowed = Fraction(1), 0, 1 - self.confidence
        while miss > allowed:
            miss *= Fraction(self.population - wrong - size, self.population - size)
            size += 1
            if size % 16 == 0:  # keep the fraction short; rounding up errs towards a larger sample
                miss = _round_up(miss)
        return size


@dataclass(frozen=True)
class Sample:
    """A sample drawn before a bulk decision; what was found in it is recorded once."""

    id: str
    docket: str
    officer: str
    action: Action
    selection: Selection
    seed: str
    """Hexadecimal; fixes the draw for ever."""
    drawn: Selection
    confidence_percent: int
    drawn_at: dt.datetime
    found: int | None = None
    """Wrong cases found; None until examined."""

    def document(self) -> dict[str, Any]:
        """The sample as the decision that rests on it cites it; examined samples only."""
        assert self.found is not None  # noqa: S101 - `approval` asks for an examined sample first
        return {
            "id": self.id,
            "seed": self.seed,
            "population": len(self.selection),
            "size": len(self.drawn),
            "digest": self.drawn.digest(),
            "confidence_percent": self.confidence_percent,
            "found": self.found,
            "wrong_at_most": bound(
                len(self.selection), len(self.drawn), self.found, Fraction(self.confidence_percent, 100)
            ),
        }


def _check(plan: Plan) -> None:
    if plan.population < 1 or not 0 <= plan.tolerated < 1 or not 0 < plan.confidence < 1:
        raise WrongInput(
            "a sample needs a population, a tolerated share of at least 0 and below 1, and a confidence between "
            "0 and 1",
            remedy="The default rules out more than 5 wrong in 100 at 95 % confidence",
        )


def _round_up(value: Fraction) -> Fraction:
    scale = 1 << 200
    return Fraction(-(-value.numerator * scale // value.denominator), scale)


def bound(population: int, sample: int, found: int, confidence: Fraction = Fraction(95, 100)) -> int:
    """The most wrong cases the population can hold, at a confidence, after `found` wrong ones in a sample.

    The largest D for which seeing at most `found` still has probability above 1 − confidence:
    sum over k ≤ found of C(D, k)·C(N−D, n−k) / C(N, n).
    """
    if not 0 <= found <= sample <= population:
        raise WrongInput("found, sample and population must not decrease", remedy="Count the sample again")
    low, high = found, population - (sample - found)
    while low < high:
        middle = (low + high + 1) // 2
        if _at_most(population, middle, sample, found) > 1 - confidence:
            low = middle
        else:
            high = middle - 1
    return low


def interval(hits: int, of: int, confidence: Fraction = Fraction(95, 100)) -> tuple[float, float]:
    """The exact (Clopper-Pearson) two-sided interval of a share, after `hits` among `of`; (0, 1) after none at all.

    Its lower end is the p at which so many hits or more have probability (1 - confidence) / 2, its upper end the p at
    which so many or fewer have it; each is found to seven decimals.
    """
    if not 0 <= hits <= of:
        raise WrongInput("hits and trials must not decrease", remedy="Count again")
    tail = float(1 - confidence) / 2

    def crossing(most: int) -> float:
        """Where the probability of at most `most` hits falls to what is sought."""
        low, high = 0.0, 1.0
        sought = 1 - tail if most < hits else tail
        for _ in range(30):
            middle = (low + high) / 2
            low, high = (middle, high) if _binomial(most, of, middle) > sought else (low, middle)
        return (low + high) / 2

    return (0.0 if hits == 0 else crossing(hits - 1), 1.0 if hits == of else crossing(hits))


def _binomial(most: int, of: int, share: float) -> float:
    """The probability of at most so many hits; in logarithms, so that large numbers stay numbers."""
    if not 0 < share < 1:
        return 1.0 if share <= 0 or most >= of else 0.0
    terms = (
        lgamma(of + 1) - lgamma(k + 1) - lgamma(of - k + 1) + k * log(share) + (of - k) * log1p(-share)
        for k in range(most + 1)
    )
    return min(1.0, fsum(map(exp, terms)))


def _at_most(population: int, wrong: int, sample: int, found: int) -> Fraction:
    ways = sum(comb(wrong, k) * comb(population - wrong, sample - k) for k in range(found + 1))
    return Fraction(ways, comb(population, sample))


def draw(selection: Selection, size: int, seed: bytes) -> Selection:
    """Draw `size` cases without replacement: the first distinct positions that SHA-256(seed, counter) names.

    Every position is equally likely (values that would favour some are skipped), and the same seed draws the same
    cases on every machine.
    """
    cases = list(selection)
    return Selection.of(cases[at] for at in positions(len(cases), size, seed))


def positions(population: int, size: int, seed: bytes) -> set[int]:
    """The positions that a draw of `size` takes among so many cases in row order."""
    if size > population:
        raise WrongInput("the sample is larger than the selection")
    if size == population:
        return set(range(population))
    fair = (1 << 64) // population * population
    chosen: set[int] = set()
    counter = 0
    while len(chosen) < size:
        word = int.from_bytes(hashlib.sha256(seed + counter.to_bytes(8, "big")).digest()[:8], "big")
        counter += 1
        if word < fair:
            chosen.add(word % population)
    return chosen
