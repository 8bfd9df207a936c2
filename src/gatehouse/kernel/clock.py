"""The only place that asks what time it is, so that every other room is a pure function of a date.

Dates on the wire are strict ISO 8601 calendar dates; instants are UTC with a trailing Z.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import time

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


PRETENDED, SINCE = "GATEHOUSE_NOW", "GATEHOUSE_NOW_SINCE"
"""Names in the environment: the instant that is pretended, and the real one (Unix seconds) from which it goes by."""


def now() -> dt.datetime:
    """The present instant in UTC, without fractions of a second.

    `GATEHOUSE_NOW` (an ISO instant) sets another, for demonstrations and drills; releases say so by their dates. It
    stands still, or goes by since the real instant that `GATEHOUSE_NOW_SINCE` names.
    """
    given, since = os.environ.get(PRETENDED), os.environ.get(SINCE)
    if not given:
        return dt.datetime.now(dt.UTC).replace(microsecond=0)
    pretended = dt.datetime.fromisoformat(given).astimezone(dt.UTC)
    return pretended + dt.timedelta(seconds=int(time.time() - float(since))) if since else pretended


def machine() -> dt.datetime:
    """The machine's own instant in UTC, never a pretended one.

    For what lasts: leases of work, sessions, sign-in codes and limits. A pretended date neither ends nor prolongs them.
    """
    return dt.datetime.now(dt.UTC)


def today() -> dt.date:
    """The present calendar date in UTC."""
    return now().date()


def stamp(instant: dt.datetime) -> str:
    """Write an instant as `2025-08-07T12:00:00Z`."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_instant(text: str) -> dt.datetime:
    """Read an instant that this program wrote with `stamp`. Raises ValueError when it is none."""
    return dt.datetime.fromisoformat(text)


def read_date(text: str) -> dt.date | None:
    """Read a strict ISO date; None when it is not one (wrong form or no such day)."""
    if not _ISO_DATE.fullmatch(text):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
