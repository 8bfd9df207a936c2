"""Dates of a request: read strictly, never a system's epoch, and coherent with the signing, the subject and each other.

`why` gives one SQL expression for a date of any field, so that a submission and a file of examples are judged by the
same words: NULL for a sound date, else a code of `WHY`. `state` turns the code into `valid`, `placeholder`, `invalid`
or `absent`. A birth date of 1 January is ordinary, for many people's is recorded so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import duckdb

from gatehouse.intake import placeholders

OLDEST_BIRTH_YEARS = 130
"""A birth date further back than this is a typing error, not a person."""
_OLDEST_YEARS = 90
"""No matter and no order still open began longer ago than this."""
_LEAST_AGE = 7
"""Nobody younger is the subject of a criminal matter."""

_PLACEHOLDERS = ("epoch", "filler", "mask", "zeros", "nines", "counting", "repeated", "keyboard", "template",
                 "punctuation")  # fmt: skip
WHY = placeholders.WHY | {
    "epoch": "this is the day with which a system counts or ends its time, not a day on which anything happened",
    "not_a_date": "write the date as 2025-01-31",
    "too_early": "this is longer ago than a subject or a matter can be",
    "after_signing": "this is after the submission was signed",
    "before_birth": "this is before the subject was born, or while the subject was an infant",
    "before_order": "this is before the order that it reviewed",
    "before_agency": "this is before the agency existed",
    "after_order": "the subject was born after the order or the matter",
    "after_review": "this is after the order that reviewed it",
    "reversed": "the period ends before it begins",
}
"""Why a date is none, or cannot be: a stable code and its words for the requester."""

# Days from which, or to which, systems count: nobody was born, ordered removed or investigated on them.
_ALWAYS = (
    "0001-01-01", "0001-01-03", "1000-01-01", "1111-11-11", "1212-12-12", "1234-12-31", "1582-10-15", "1600-01-01",
    "1601-01-01", "1700-01-01", "1752-09-14", "1753-01-01", "1800-01-01", "1800-12-28", "1858-11-17", "1899-12-30",
    "1899-12-31", "1900-01-01", "1900-01-31", "1900-12-31", "1901-01-01", "1901-12-13", "1903-12-31", "1904-01-01",
    "2038-01-19", "2049-12-31", "2050-01-01", "2050-12-31", "2078-12-31", "2079-06-06", "2099-01-01", "2099-12-31",
    "2100-01-01", "2222-02-02", "2222-02-22", "2999-12-31", "3000-01-01", "4444-04-04", "9999-01-01", "9999-09-09",
    "9999-12-30", "9999-12-31",
)  # fmt: skip
_UNLESS_BORN = ("1950-01-01", "1960-01-01", "1969-12-31", "1970-01-01", "1970-01-02", "1980-01-01", "1980-01-06",
                "1990-01-01", "2000-01-01", "2001-01-01")  # fmt: skip
_PATTERN = re.compile(r"(?<![A-Z])([XYDMAN?])\1*(?![A-Z])|_{2,}")
FIELDS = ("birth_date", "matter_opened_on", "final_order_date", "review_order_date")
"""The dates of a request that this module judges; the periods have a state of their own."""


def read(column: str) -> str:
    """SQL: a strict ISO date as a DATE, else NULL (as `kernel.clock.read_date`)."""
    strict = f"regexp_full_match({column}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') AND {column} >= '0001'"
    return f"CASE WHEN {strict} THEN try_cast({column} AS DATE) END"


def epoch(column: str, *, born: bool) -> str:
    """SQL: whether an ISO text is a system's epoch or its like."""
    days = _ALWAYS if born else _ALWAYS + _UNLESS_BORN
    listed = ", ".join(f"'{day}'" for day in days)
    return f"{column} IN ({listed})"


def fillers(connection: duckdb.DuckDBPyConnection, source: str, columns: tuple[str, ...], target: str) -> None:
    """Make `target` (written, filler): each distinct text of the columns that is no ISO date, and what it is instead.

    `filler` is NULL for a text that means a day and is not written as one.
    """
    texts = " UNION ALL ".join(
        f"SELECT {column} AS written FROM {source} WHERE {column} IS NOT NULL "
        f"AND NOT regexp_full_match({column}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"
        for column in columns
    )
    written = [row[0] for row in connection.execute(f"SELECT DISTINCT written FROM ({texts})").fetchall()]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {target} AS "
        "SELECT unnest($written::VARCHAR[]) AS written, unnest($fillers::VARCHAR[]) AS filler",
        {"written": written, "fillers": [_filler(text) for text in written]},
    )


def _filler(text: str) -> str | None:
    found = placeholders.finding(text, "date")
    folded = placeholders.fold(text)
    masked = placeholders.masked(folded) or _PATTERN.search(folded)
    return "mask" if masked and any(char.isdigit() for char in folded) else found or ("mask" if masked else None)


def why(field: str, text: str, filler: str, days: Mapping[str, str]) -> str:
    """SQL: what is wrong with a date, a code of `WHY`, or NULL.

    `field` is one of `FIELDS`, a period or any other name; `text` the SQL of the text and `filler` that of `fillers`.
    `days` gives the SQL of the DATEs to compare with, NULL where unknown: the date itself under `field`, and those of
    `signed_on`, `birth_date`, `final_order_date`, `review_order_date`, `matter_opened_on`, `agency_since`,
    `period_from`.
    """
    day = days[field]
    born = field == "birth_date"
    tests = [f"WHEN {text} IS NULL THEN 'absent'", f"WHEN {filler} IS NOT NULL THEN {filler}"]
    everywhere = born or field.startswith("period")
    blank = rf"regexp_matches({text}, '^(0000|9999)|^[0-9]{{4}}-(00|99)(-|$)|^[0-9]{{4}}-[0-9]{{2}}-(00|99)$')"
    tests.append(f"WHEN {blank} OR {epoch(text, born=everywhere)} THEN 'epoch'")
    tests.append(f"WHEN {day} IS NULL THEN 'not_a_date'")
    tests += [f"WHEN {test} THEN '{code}'" for test, code in _coherence(field, day, days)]
    return f"CASE {' '.join(tests)} END"


def _coherence(field: str, day: str, days: Mapping[str, str]) -> list[tuple[str, str]]:
    def of(name: str) -> str:
        return days.get(name, "NULL::DATE")

    signed = of("signed_on")
    tests = [(f"{day} > {signed}", "after_signing")] if field != "period_to" else []
    if field == "birth_date":
        others = [name for name in FIELDS[1:] if name in days]
        tests.append((f"{day} <= {signed} - INTERVAL {OLDEST_BIRTH_YEARS} YEAR", "too_early"))
        return tests + [(f"{day} > {of(name)}", "after_order") for name in others]
    if field == "period_to":
        return [(f"{day} < {of('period_from')}", "reversed")]
    if not field.startswith("period"):
        tests.append((f"{day} <= {signed} - INTERVAL {_OLDEST_YEARS} YEAR", "too_early"))
        tests.append((f"{day} < {of('birth_date')}", "before_birth"))
    if field == "matter_opened_on":
        tests.append((f"{day} < {of('birth_date')} + INTERVAL {_LEAST_AGE} YEAR", "before_birth"))
        tests.append((f"{day} < {of('agency_since')}", "before_agency"))
    if field == "review_order_date":
        tests.append((f"{day} < {of('final_order_date')}", "before_order"))
    if field == "final_order_date" and "review_order_date" in days:
        tests.append((f"{day} > {of('review_order_date')}", "after_review"))
    return tests


def state(code: str) -> str:
    """SQL: the state of a date from its code: `valid`, `placeholder`, `invalid` or `absent`."""
    hollow = ", ".join(f"'{one}'" for one in _PLACEHOLDERS)
    return (
        f"CASE WHEN {code} IS NULL THEN 'valid' WHEN {code} = 'absent' THEN 'absent' "
        f"WHEN {code} IN ({hollow}) THEN 'placeholder' ELSE 'invalid' END"
    )
