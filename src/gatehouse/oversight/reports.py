"""The reports that statute asks for, counted from dockets and releases; nothing is kept beside them to go stale.

Every number says the query it came from, and the same query over the same dockets gives it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.intake.workspace import quoted
from gatehouse.kernel import files
from gatehouse.release.returns import ReleaseRecord


@dataclass(frozen=True)
class Report:
    """A table with its title, the law that asks for it, and the query that made it."""

    title: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    query: str

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        lines = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"title": self.title, "source": self.source, "query": self.query, "rows": lines}


def gather(
    connection: duckdb.DuckDBPyConnection, dockets: Sequence[Docket], releases: Iterable[ReleaseRecord], year: int
) -> None:
    """Make the views `asked` (one row a request received in the year) and `disclosed` (one row a request and officer).

    A recalled release was a disclosure and stays one.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE report_released (docket VARCHAR, seq BIGINT, officer VARCHAR, "
                       "release VARCHAR, sealed_at TIMESTAMP)")  # fmt: skip
    for release in releases:
        connection.execute(
            "INSERT INTO report_released SELECT ?, unnest(?::BIGINT[]), ?, ?, ?",
            [release.docket, list(release.cases), release.officer, release.id, release.sealed_at.replace(tzinfo=None)],
        )
    parts = [
        f"SELECT {quoted(Path(docket.id))} AS docket, {quoted(Path(agency))} AS agency, "
        f"TIMESTAMP '{received:%Y-%m-%d %H:%M:%S}' AS received_at, seq, request_id, proceeding_kind, "
        "authority_citation, reason, outcome, codes, items, ledger_index, evidence.person_id "
        f"FROM read_parquet({quoted(docket.table('determinations'))}) "
        f"JOIN (SELECT seq, proceeding_kind, authority_citation, reason "
        f"FROM read_parquet({quoted(docket.table('requests'))})) USING (seq) "
        f"LEFT JOIN (SELECT seq, min(person_id) AS person_id FROM read_parquet({quoted(docket.table('evidence'))}) "
        "WHERE agrees GROUP BY seq) evidence USING (seq)"
        for docket, agency, received in _received(dockets)
        if received.year == year
    ]
    union = " UNION ALL ".join(parts) if parts else _NOTHING
    connection.execute(f"CREATE OR REPLACE TEMP VIEW asked AS {union}")
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW disclosed AS SELECT * FROM report_released JOIN asked USING (docket, seq)"
    )


_NOTHING = (
    "SELECT NULL::VARCHAR docket, NULL::VARCHAR agency, NULL::TIMESTAMP received_at, NULL::BIGINT seq, "
    "NULL::VARCHAR request_id, NULL::VARCHAR proceeding_kind, NULL::VARCHAR authority_citation, NULL::VARCHAR reason, "
    "NULL::VARCHAR outcome, NULL::VARCHAR[] codes, NULL::VARCHAR[] items, NULL::BIGINT ledger_index, "
    "NULL::BIGINT person_id WHERE false"
)


def _received(dockets: Sequence[Docket]) -> Iterable[tuple[Docket, str, dt.datetime]]:
    for docket in dockets:
        summary = docket.read_summary()
        yield docket, str(summary["agency"]), docket.received_at


def disclosures(connection: duckdb.DuckDBPyConnection) -> Report:
    """The public report: per agency requests, instances of disclosure, taxpayers, purposes (26 USC 6103(p)(3)(C))."""
    query = (
        "SELECT agency, count(*) AS requests, "
        "(SELECT count(*) FROM disclosed d WHERE d.agency = asked.agency) AS instances_of_disclosure, "
        "(SELECT count(DISTINCT person_id) FROM disclosed d WHERE d.agency = asked.agency) AS taxpayers, "
        "(SELECT string_agg(DISTINCT proceeding_kind, ', ' ORDER BY proceeding_kind) FROM disclosed d "
        "WHERE d.agency = asked.agency) AS general_purposes FROM asked GROUP BY agency ORDER BY agency"
    )
    return _made(connection, "Disclosures by agency", "26 U.S.C. § 6103(p)(3)(C)", query)


def errors(connection: duckdb.DuckDBPyConnection) -> Report:
    """Requests that were not answered, by agency and cause, so that whoever causes them can mend them."""
    query = (
        "SELECT agency, outcome, code, count(*) AS requests "
        "FROM (SELECT agency, outcome, unnest(codes) AS code FROM asked WHERE outcome <> 'cleared') "
        "GROUP BY ALL ORDER BY ALL"
    )
    return _made(connection, "Requests not cleared, by agency and cause", "errors by party and cause", query)


def write_accounting(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Write the permanent accounting of all requests, released or not, as CSV; returns its rows (6103(p)(3)(A)).

    It names requests by their ids and ledger indexes and holds the reasons as given; it belongs to the custodian.
    Cells that a spreadsheet would read as formulas are made text.
    """
    guarded = "CASE WHEN regexp_matches({0}, '^[=+@\\t\\r-]') THEN '''' || {0} ELSE {0} END AS {0}"
    query = (
        f"SELECT asked.docket, agency, received_at, {guarded.format('request_id')}, authority_citation, "
        f"proceeding_kind, {guarded.format('reason')}, outcome, array_to_string(codes, ';') AS codes, "
        "array_to_string(items, ';') AS items, ledger_index, count(release) AS releases, min(sealed_at) AS released_at "
        "FROM asked LEFT JOIN report_released released USING (docket, seq) GROUP BY ALL ORDER BY docket, request_id"
    )
    with files.replacing(path) as temporary:
        connection.execute(f"COPY ({query}) TO {quoted(temporary)} (FORMAT csv, HEADER)")
    [(rows,)] = connection.execute("SELECT count(*) FROM asked").fetchall()
    return int(rows)


def _made(connection: duckdb.DuckDBPyConnection, title: str, source: str, query: str) -> Report:
    found = connection.execute(query)
    columns = tuple(column[0] for column in found.description or ())
    return Report(title, source, columns, tuple(found.fetchall()), query)
