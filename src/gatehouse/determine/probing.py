"""Facts that show trial and error: one subject asked about in changing words, near misses, many questions, few answers.

Whoever may ask again and again, and sees which question is answered, can learn what is on file. So the agency's earlier
dockets count as well as this one, and what is found can only hold requests for a person: the requester is told nothing
that depends on a record, neither here nor by the rules that read these facts (code HOLD).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.determine import engaged
from gatehouse.determine.docket import Docket

WINDOW = dt.timedelta(days=90)
"""How far back near misses, questions and answers are counted; changed particulars of a subject count for as long as
their docket is kept, and no docket is destroyed within this time."""

_PLACE = (
    "address_kind, house_number, pre_direction, street_name, street_type, post_direction, unit_kind, unit_number, "
    "box_number, city_key, state_key, zip5"
)
_ASKED = (
    f"last_key, first_key, birth_on, tin_digits, hash({_PLACE}) AS place, "
    "coalesce(street_name, box_number) IS NOT NULL AS placed"
)
_NEAR = (
    "'middle_name_differs', 'suffix_differs', 'unit_differs', 'address_differs', 'tin_differs', 'tin_not_on_file', "
    "'birth_date_differs', 'birth_date_not_on_file'"
)
NEAR_MISS = (
    f"bool_or(verdict IN ({_NEAR}) OR (verdict = 'name_differs' AND tin_comparison = 'equal')) AND NOT bool_or(agrees)"
)
"""SQL over the evidence of one request: somebody came near and failed on one particular alone, and nobody agreed."""
_FOLDER = "parse_dirpath(filename) AS docket"


@dataclass(frozen=True)
class Earlier:
    """An earlier docket of the same agency and the day it was decided."""

    docket: Docket
    as_of: dt.date


def count(
    connection: duckdb.DuckDBPyConnection, target: str, earlier: Sequence[Earlier], as_of: dt.date, *, officers: str
) -> None:
    """Make the table `target`: seq and the facts on probing of docs/architecture.md, one row a request.

    Reads `requests`, `evidence` and `matches` of this submission, and `requests.parquet`, `evidence.parquet` and
    `answers.csv` of the earlier dockets; of those only the ones within `WINDOW` where the fact says so.
    `officers` is the table of `engaged.join`.
    """
    recent = [one.docket for one in earlier if as_of - one.as_of <= WINDOW]
    _count_variants(connection, [one.docket for one in earlier])
    _mark_near_misses(connection, recent)
    [(asked, missed)] = connection.sql("SELECT count(*), count(*) FILTER (near) FROM probing_near").fetchall()
    closed, answered = _answers(connection, recent)
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE {target} AS
        WITH per_officer AS (
            SELECT coalesce(one, officer) AS one, count(*) FILTER (near)::INTEGER AS misses
            FROM (SELECT docket, unnest(officer_list) AS officer, near FROM probing_near)
            LEFT JOIN {officers} USING (docket, officer) GROUP BY ALL
        ), named AS (
            SELECT officer_list, unnest(officer_list) AS officer FROM (SELECT DISTINCT officer_list FROM requests)
        ), lists AS (
            SELECT officer_list, max(misses)::INTEGER AS officer_near_misses
            FROM named
            LEFT JOIN {officers} listed ON listed.docket = '{engaged.HERE}' AND listed.officer = named.officer
            JOIN per_officer ON per_officer.one = coalesce(listed.one, named.officer) GROUP BY officer_list
        )
        SELECT seq, coalesce(subject_variants, 0)::INTEGER AS subject_variants,
               coalesce(officer_near_misses, 0)::INTEGER AS officer_near_misses,
               $missed::INTEGER AS agency_near_misses,
               ceil(100.0 * $missed / $asked)::INTEGER AS agency_near_miss_percent,
               $asked::INTEGER AS agency_requests, $closed::INTEGER AS agency_closed,
               CASE WHEN $closed > 0 THEN floor(100.0 * $answered / $closed)::INTEGER END AS agency_answered_percent
        FROM requests LEFT JOIN probing_variants USING (seq) LEFT JOIN lists USING (officer_list)
        """,
        {"missed": missed, "asked": asked, "closed": closed, "answered": answered},
    )
    for table in ("probing_variants", "probing_near"):
        connection.execute(f"DROP TABLE {table}")


def _files(dockets: Sequence[Docket], table: str) -> list[str]:
    return [str(docket.table(table)) for docket in dockets]


def _count_variants(connection: duckdb.DuckDBPyConnection, earlier: Sequence[Docket]) -> None:
    """Per request: how many other versions of its subject's particulars were ever sent.

    The subject is the same by TIN, by name and birth date, or by name and address; a version is what else was said.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE probing_asked AS SELECT seq, {_ASKED} FROM requests")
    if earlier:
        connection.execute(
            f"INSERT INTO probing_asked SELECT NULL, {_ASKED} FROM read_parquet($files)",
            {"files": _files(earlier, "requests")},
        )
    named = "last_key IS NOT NULL AND first_key IS NOT NULL"
    ways = (
        ("tin_digits", "hash(last_key, first_key, birth_on, place)", "tin_digits IS NOT NULL"),
        ("last_key, first_key, birth_on", "hash(tin_digits, place)", f"{named} AND birth_on IS NOT NULL"),
        ("last_key, first_key, place", "hash(tin_digits, birth_on)", f"{named} AND placed"),
    )
    # Only groups with several versions are kept: nearly every subject is asked about once.
    counted = " UNION ALL ".join(
        f"SELECT seq, others FROM probing_asked JOIN (SELECT {key}, count(DISTINCT {said}) - 1 AS others "
        f"FROM probing_asked WHERE {known} GROUP BY ALL HAVING count(DISTINCT {said}) > 1) USING ({key}) "
        f"WHERE seq IS NOT NULL AND {known}"
        for key, said, known in ways
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE probing_variants AS "
        f"SELECT seq, max(others) AS subject_variants FROM ({counted}) GROUP BY seq"
    )
    connection.execute("DROP TABLE probing_asked")


def _mark_near_misses(connection: duckdb.DuckDBPyConnection, recent: Sequence[Docket]) -> None:
    """Every request of this docket and the recent ones: its officers, and whether it failed on one particular alone."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE probing_near AS SELECT '{engaged.HERE}' AS docket, officer_list, "
        "coalesce(near, false) AS near FROM requests "
        f"LEFT JOIN (SELECT seq, {NEAR_MISS} AS near FROM evidence GROUP BY seq) USING (seq)"
    )
    if recent:
        connection.execute(
            "INSERT INTO probing_near SELECT docket, officer_list, coalesce(near, false) "
            f"FROM (SELECT seq, officer_list, {_FOLDER} FROM read_parquet($requests, filename = true)) "
            f"LEFT JOIN (SELECT seq, {_FOLDER}, {NEAR_MISS} AS near FROM read_parquet($evidence, filename = true) "
            "GROUP BY ALL) USING (docket, seq)",
            {"requests": _files(recent, "requests"), "evidence": _files(recent, "evidence")},
        )


def _answers(connection: duckdb.DuckDBPyConnection, recent: Sequence[Docket]) -> tuple[int, int]:
    """How many requests of the recent dockets that are closed hung on the register, and how many were answered.

    What was refused for its form, or for the agency's safeguards, asked nothing of the register and counts for neither.
    """
    files: list[Path] = [docket.answers for docket in recent if docket.answers.is_file()]
    if not files:
        return 0, 0
    [(closed, answered)] = connection.execute(
        "SELECT coalesce(sum(asked), 0), coalesce(sum(answered), 0) FROM (SELECT "
        "count(*) FILTER (outcome = 'answered' OR codes = 'SUBJECT') AS asked, "
        "count(*) FILTER (outcome = 'answered') AS answered, bool_or(outcome = 'pending') AS open "
        "FROM read_csv($files, header = true, delim = ',', quote = '\"', all_varchar = true, filename = true) "
        "GROUP BY filename) WHERE NOT open",
        {"files": [str(path) for path in files]},
    ).fetchall()
    return int(closed), int(answered)
