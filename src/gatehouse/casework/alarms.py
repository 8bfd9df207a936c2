"""What looks like trial and error in one docket, for the custodian's eyes: the facts that the law held requests by.

Counts of requests, never of persons' worth: an officer or a subject stands here because of what was sent. Nothing of it
is told to the requester.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.determine.probing import NEAR_MISS

MOST_SHOWN = 20
_AGENCY = (
    ("requests over 90 days", "agency_requests", "agency_requests_hold"),
    ("near misses over 90 days, percent", "agency_near_miss_percent", "agency_near_miss_percent_hold"),
    ("answered of those closed over 90 days, percent", "agency_answered_percent", "agency_answered_percent_hold"),
)


@dataclass(frozen=True)
class Alarms:
    """The agency's counts beside its ceilings, and who and what stands out most."""

    agency: Mapping[str, tuple[int | None, int | None]]
    """What is counted → (count, ceiling); None where there is nothing to count, or nobody set a ceiling."""
    officers: tuple[tuple[str, int], ...]
    """Officers by their near misses in this docket, most first."""
    subjects: tuple[tuple[str, int], ...]
    """Requests by how many other versions of their subject's particulars were ever sent, most first."""


def raised(connection: duckdb.DuckDBPyConnection, folder: Path) -> Alarms:
    """Read a docket's alarms from its requests, facts and evidence."""
    files = {name: str(folder / f"{name}.parquet") for name in ("requests", "facts", "evidence")}
    columns = ", ".join(f"any_value({count}), any_value({ceiling})" for _, count, ceiling in _AGENCY)
    [values] = connection.execute(f"SELECT {columns} FROM read_parquet($facts)", {"facts": files["facts"]}).fetchall()
    officers = connection.execute(
        "SELECT officer, count(*) AS misses FROM (SELECT unnest(officer_list) AS officer, seq FROM "
        f"read_parquet($requests)) JOIN (SELECT seq FROM read_parquet($evidence) GROUP BY seq HAVING {NEAR_MISS}) "
        "USING (seq) GROUP BY officer ORDER BY misses DESC, officer LIMIT $most",
        {"requests": files["requests"], "evidence": files["evidence"], "most": MOST_SHOWN},
    ).fetchall()
    subjects = connection.execute(
        "SELECT request_id, subject_variants FROM read_parquet($requests) asked JOIN read_parquet($facts) USING (seq) "
        "WHERE subject_variants > 0 ORDER BY subject_variants DESC, seq LIMIT $most",
        {"requests": files["requests"], "facts": files["facts"], "most": MOST_SHOWN},
    ).fetchall()
    agency = {name: (values[2 * at], values[2 * at + 1]) for at, (name, _, _) in enumerate(_AGENCY)}
    return Alarms(agency, tuple(officers), tuple(subjects))
