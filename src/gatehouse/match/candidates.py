"""Whom a request might mean: persons who have its address on file, and share its name, TIN or birth date.

Nobody's file is opened on a name or a TIN alone. The entries of the register stream once past the places that the
batch names, as fixed-width keys; texts are read afterwards, for the few rows that met.
"""

from __future__ import annotations

import duckdb

from gatehouse.match import keys
from gatehouse.match.index import Index

_WORKING = ("match_subjects", "match_probes", "match_near", "match_pairs", "match_people", "match_places")


def find_candidates(connection: duckdb.DuckDBPyConnection, requests: str, index: Index) -> None:
    """Make `match_subjects` (the requests that may match at all) and `match_pairs`, `match_people`, `match_places`.

    `match_pairs` has a row per request, person and address on file in the building, box or route given (`seq`,
    `person_id`, `written`, `last_known`); the other two hold the folded names and address parts of those rows.
    A request without a complete address or without a name has no candidate.
    """
    _subjects(connection, requests)
    _probes(connection, index)
    _near(connection, index)
    _pairs(connection)
    _texts(connection, index)


def drop_candidates(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the tables of `find_candidates`."""
    for table in _WORKING:
        connection.execute(f"DROP TABLE IF EXISTS {table}")


def _subjects(connection: duckdb.DuckDBPyConnection, requests: str) -> None:
    parts = ", ".join(keys.PLACE_PARTS)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE match_subjects AS SELECT seq, last_key, first_key, middle_key, suffix_key, "
        "birth_state, CASE WHEN birth_state = 'valid' THEN birth_on END AS birth_date, "
        "tin_state, CASE WHEN tin_state = 'valid' THEN try_cast(tin_digits AS UINTEGER) END AS tin, "
        f"{keys.block_key('last_key', 'first_key')} AS block, {parts} "
        f"FROM {requests} WHERE address_verdict = 'complete' AND name_state = 'given' "
        "AND last_key IS NOT NULL AND first_key IS NOT NULL"
    )


def _probes(connection: duckdb.DuckDBPyConnection, index: Index) -> None:
    """The keys of the places where each subject may live: one, or one per ZIP code of the city if none was given."""
    own = keys.locality("zip5", "city_key", "state_key", "country_key")
    inside = (
        "SELECT s.*, t.town FROM match_subjects s JOIN "
        f"{index.relation('towns')} t ON t.country_key = s.country_key AND t.state_key = s.state_key "
        "AND t.city_key = s.city_key"
    )
    # A register's own address may lack the ZIP code that the request has; it is filed under city and state.
    towns = (
        f"SELECT *, {own} AS town FROM match_subjects WHERE zip5 IS NOT NULL OR country_key <> 'US' "
        f"UNION ALL {inside} WHERE s.zip5 IS NULL AND s.country_key = 'US' "
        f"UNION ALL {inside} WHERE s.zip5 IS NOT NULL AND s.country_key = 'US' AND contains(t.town, '|')"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE match_probes AS SELECT DISTINCT seq, place, block, birth_date, tin FROM "
        f"(SELECT seq, {keys.place_key('town')} AS place, block, birth_date, tin FROM ({towns})) "
        "WHERE place IS NOT NULL"
    )


def _near(connection: duckdb.DuckDBPyConnection, index: Index) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE match_near AS SELECT place, written, person_id, last_known, block, birth_date, "
        f"tin FROM {index.relation('entries')} WHERE place IN (SELECT place FROM match_probes)"
    )


def _pairs(connection: duckdb.DuckDBPyConnection) -> None:
    """Joined on equality alone, three times: a building with thousands of requests and residents stays linear."""
    joined = [
        "SELECT q.seq, n.person_id, n.written, n.last_known FROM match_probes q "
        f"JOIN match_near n ON n.place = q.place AND n.{shared} = q.{shared}"
        for shared in ("block", "tin", "birth_date")
    ]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE match_pairs AS {' UNION '.join(joined)}")
    connection.execute("DROP TABLE match_near")
    connection.execute("DROP TABLE match_probes")


def _texts(connection: duckdb.DuckDBPyConnection, index: Index) -> None:
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE match_people AS SELECT * FROM {index.relation('people')} "
        "WHERE person_id IN (SELECT person_id FROM match_pairs)"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE match_places AS SELECT written, {', '.join(keys.PLACE_PARTS)} "
        f"FROM {index.relation('places')} "
        "WHERE written IN (SELECT written FROM match_pairs)"
    )
