"""Numbers over all dockets, for overseers in full and for the public rounded, delayed and without small counts.

Overseers' numbers are counted from the dockets' determinations, which the ledger commits to one by one. The public's
are counted from what the requester was told: a finer number would tell, of a docket made for it, whether somebody is
on file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gatehouse.console.reading import TOLD as SIGNED
from gatehouse.console.reading import Reader
from gatehouse.kernel import clock

DELAY = dt.timedelta(days=10)
"""How long after receipt a docket enters the public figures."""
SMALLEST = 10
"""Counts below this are not published, and everything is rounded to it."""
OUTCOMES = ("cleared", "held", "incomplete", "refused")
TOLD = ("answered", "not_answered")
"""How a request comes out for the requester, and for the public."""


@dataclass(frozen=True)
class Line:
    """One docket in numbers."""

    name: str
    agency: str
    received: dt.datetime | None
    requests: int
    outcomes: Mapping[str, int]
    codes: Mapping[str, int]


def line(name: str, reader: Reader) -> Line:
    """The numbers of one docket."""
    counts, receipt = reader.counts, reader.receipt
    total = counts.total or int(receipt.get("requests") or 0)
    return Line(name, agency_of(reader), received_at(reader), total, counts.outcomes, counts.codes)


def told(name: str, reader: Reader) -> Line | None:
    """One docket as its requester was told of it, signed at its close; None while its answers are not told."""
    if not (reader.folder / SIGNED).is_file():
        return None
    answers = reader.answered()
    requests = sum(answers.values())
    return Line(name, agency_of(reader), received_at(reader), requests, answers, dict(reader.answer_codes()))


def agency_of(reader: Reader) -> str:
    """Which agency a docket came from; empty when its receipt does not say."""
    found = reader.receipt.get("agency") or reader.summary.get("agency")
    return found if isinstance(found, str) else ""


def received_at(reader: Reader) -> dt.datetime | None:
    """When a docket was received, as its receipt says."""
    text = reader.receipt.get("received_at") or reader.receipt.get("received")
    try:
        return clock.read_instant(str(text))
    except ValueError:
        return None


def total(lines: Iterable[Line]) -> Line:
    """All dockets as one line."""
    requests, outcomes, codes = 0, dict.fromkeys(OUTCOMES, 0), dict[str, int]()
    for entry in lines:
        requests += entry.requests
        for outcome, count in entry.outcomes.items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
        for code, count in entry.codes.items():
            codes[code] = codes.get(code, 0) + count
    return Line("", "", None, requests, outcomes, codes)


def published(lines: Iterable[Line], now: dt.datetime, delay: dt.timedelta = DELAY) -> list[Line]:
    """The dockets that are old enough to be counted in public."""
    return [entry for entry in lines if entry.received is not None and entry.received + delay <= now]


def rounded(count: int) -> str:
    """A count for the public: to the nearest ten, and never a small one.

    Every published count is rounded on its own, so none can be worked out from the others to better than ten.
    """
    if count == 0:
        return "0"
    if count < SMALLEST:
        return f"fewer than {SMALLEST}"
    return f"{(count + SMALLEST // 2) // SMALLEST * SMALLEST:,}"


def hour(instant: dt.datetime) -> dt.datetime:
    """An instant rounded down to the hour."""
    return instant.replace(minute=0, second=0, microsecond=0)
