"""The only place that asks what time it is, so that every other room is a pure function of a date.

Dates on the wire are strict ISO 8601 calendar dates; instants are UTC with a trailing Z.
"""

from __future__ import annotations

import datetime as dt
import os
import re

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def now() -> dt.datetime:
    """The present instant in UTC, without fractions of a second.

    `GATEHOUSE_NOW` (an ISO instant) sets another, for demonstrations and drills; releases say so by their dates.
    """
    given = os.environ.get("GATEHOUSE_NOW")
    if given:
        return dt.datetime.fromisoformat(given.replace("Z", "+00:00")).astimezone(dt.UTC)
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def today() -> dt.date:
    """The present calendar date in UTC."""
    return now().date()


def stamp(instant: dt.datetime) -> str:
    """Write an instant as `2025-08-07T12:00:00Z`."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_date(text: str) -> dt.date | None:
    """Read a strict ISO date; None when it is not one (wrong form or no such day)."""
    if not _ISO_DATE.fullmatch(text):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
