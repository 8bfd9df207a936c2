"""Facts that only the whole batch shows: one officer in too many matters, one reason for everybody, one address.

Counted over this submission and, where the custodian keeps them, the agency's earlier ones, so that cutting a batch
into pieces changes nothing.
"""

from __future__ import annotations

import duckdb

from gatehouse.determine import engaged

_ADDRESS = (
    "address_kind, house_number, pre_direction, street_name, street_type, post_direction, unit_kind, unit_number, "
    "box_number, city_key, state_key, zip5"
)
_HISTORY = "officer_list, matter_number, reason_template, last_key, first_key, birth_on, tin_digits"


def count(
    connection: duckdb.DuckDBPyConnection, requests: str, target: str, history: str | None = None, *, officers: str
) -> None:
    """Make the table `target` with one row per request: seq and the batch facts of docs/architecture.md.

    `history` names a table of earlier requests of the same agency with the same columns and the folder of their
    `docket`; they are counted in, and get no rows of their own. `officers` is the table of `engaged.join`.
    """
    earlier = f"UNION ALL SELECT NULL, docket, {_HISTORY} FROM {history}" if history else ""
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW batch_all AS "
        f"SELECT seq, '{engaged.HERE}' AS docket, {_HISTORY} FROM {requests} {earlier}"
    )
    _count_officers(connection, officers)
    _count_reasons(connection)
    _count_addresses(connection, requests)
    _count_subjects(connection)
    connection.execute(f"""
        CREATE OR REPLACE TABLE {target} AS
        SELECT seq, officer_matters, reason_identical, reason_identical_percent, address_shared, subject_repeats
        FROM {requests}
        LEFT JOIN batch_officers USING (officer_list)
        LEFT JOIN batch_reasons USING (reason_template)
        LEFT JOIN batch_addresses USING (seq)
        LEFT JOIN batch_subjects USING (seq)
    """)
    for table in ("batch_officers", "batch_reasons", "batch_addresses", "batch_subjects"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DROP VIEW batch_all")


def _count_officers(connection: duckdb.DuckDBPyConnection, officers: str) -> None:
    """Per list of officers: the most distinct matters that any of them holds. A row without a number is a matter."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE batch_officers AS
        WITH each AS (SELECT docket, unnest(officer_list) AS officer, matter_number FROM batch_all),
        per_officer AS (
            SELECT coalesce(one, officer) AS one,
                   count(DISTINCT matter_number)::INTEGER + count(*) FILTER (matter_number IS NULL) AS matters
            FROM each LEFT JOIN {officers} USING (docket, officer)
            GROUP BY ALL
        ), lists AS (SELECT DISTINCT officer_list FROM batch_all WHERE len(officer_list) > 0 AND seq IS NOT NULL),
        named AS (SELECT officer_list, unnest(officer_list) AS officer FROM lists)
        SELECT officer_list, max(matters)::INTEGER AS officer_matters
        FROM named LEFT JOIN {officers} listed ON listed.docket = '{engaged.HERE}' AND listed.officer = named.officer
        JOIN per_officer ON per_officer.one = coalesce(listed.one, named.officer)
        GROUP BY officer_list
    """)


def _count_reasons(connection: duckdb.DuckDBPyConnection) -> None:
    """Per reason: how many rows give it or one near-identical, and their share, rounded up.

    Near-identical are texts that share one of the prints of `intake.reasons.templates`; of a text's prints the one
    that most rows share counts.
    """
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE batch_reasons AS
        WITH templates AS (
            SELECT reason_template, count(*) AS rows FROM batch_all WHERE reason_template IS NOT NULL GROUP BY ALL
        ), prints AS (
            SELECT reason_template, rows, unnest(reason_template) AS print,
                   unnest(range(len(reason_template))) AS place
            FROM templates
        ), shared AS (SELECT place, print, sum(rows)::BIGINT AS alike FROM prints GROUP BY ALL)
        SELECT reason_template, max(alike)::INTEGER AS reason_identical,
               ceil(100.0 * max(alike) / (SELECT count(*) FROM batch_all))::INTEGER AS reason_identical_percent
        FROM prints JOIN shared USING (place, print) GROUP BY reason_template
    """)


def _count_addresses(connection: duckdb.DuckDBPyConnection, requests: str) -> None:
    """Per address as standardised: how many differently named people are said to live there."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE batch_addresses AS
        WITH keyed AS (
            SELECT seq, hash(coalesce(last_key, '') || '|' || coalesce(first_key, '')) AS named,
                   hash({_ADDRESS}) AS place
            FROM {requests} WHERE coalesce(street_name, box_number) IS NOT NULL
        ), shared AS (SELECT place, count(DISTINCT named)::INTEGER AS address_shared FROM keyed GROUP BY place)
        SELECT seq, address_shared FROM keyed JOIN shared USING (place)
    """)


def _count_subjects(connection: duckdb.DuckDBPyConnection) -> None:
    """Per request: how many other requests name the same person, by TIN or by name and birth date."""
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE batch_subjects AS
        WITH tins AS (
            SELECT tin_digits, count(*) - 1 AS others FROM batch_all WHERE tin_digits IS NOT NULL GROUP BY ALL
        ), named AS (
            SELECT last_key, first_key, birth_on, count(*) - 1 AS others FROM batch_all
            WHERE last_key IS NOT NULL AND first_key IS NOT NULL AND birth_on IS NOT NULL GROUP BY ALL
        )
        SELECT seq, greatest(coalesce(tins.others, 0), coalesce(named.others, 0))::INTEGER AS subject_repeats
        FROM batch_all LEFT JOIN tins USING (tin_digits) LEFT JOIN named USING (last_key, first_key, birth_on)
        WHERE seq IS NOT NULL
    """)
