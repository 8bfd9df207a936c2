"""Abroad: city, state and postal code at the end of an address outside the United States, in the orders of its country.

`75002 Paris` and `Toronto ON M5X 1A9` stand on the last line where they do not stand in their own columns. There is no
table of places abroad: only the form of a postal code, the names of countries and of some states tell the parts apart.
"""

from __future__ import annotations

import duckdb

from gatehouse.intake.addresses.folding import folded

_CODE = (
    "(?:[A-Z]{1,2}[- ])?[0-9]{4,6}(?:-[0-9]{3,4})?|[0-9]{3} [0-9]{2,3}"
    "|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}"
)
_CITY = "[A-Z][A-Z ]*?"


def move_abroad(connection: duckdb.DuckDBPyConnection, key: str) -> None:
    """Find what stands at the end of the lines of an address abroad that names no city in its own column.

    Changes `address_words` (key, city, state, postal_code, country, words). The country may be given, or end the line
    after a comma.
    """
    country = f"trim(regexp_replace({folded('country')}, '[^A-Z0-9]+', ' ', 'g'))"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_ends AS WITH few AS ("
        f"SELECT {key}, {country} AS given, array_to_string(words, ' ') AS line FROM address_words "
        "WHERE CASE WHEN coalesce(city, '') = '' THEN list_contains(words, ',') ELSE FALSE END), "
        "said AS (SELECT few.*, named.code AS named, coalesce(own.code, named.code) AS code FROM few "
        "LEFT JOIN address_countries own ON own.name = given "
        "LEFT JOIN address_countries named ON named.name = trim(regexp_extract(line, ', ([A-Z ]+)$', 1)) "
        "AND named.name NOT IN (SELECT name FROM address_states)) "  # Georgia is a state first, CA California
        f"SELECT {key}, code, "
        "CASE WHEN named = code THEN regexp_replace(line, ' ?, [A-Z ]+$', '') ELSE line END AS line "
        "FROM said WHERE code <> 'US' AND (coalesce(given, '') <> '' OR named IS NOT NULL)"
    )
    if connection.execute("SELECT count(*) FROM address_ends").fetchone() == (0,):
        return
    patterns = _patterns(connection)
    read = (
        "CASE "
        + " ".join(f"WHEN regexp_matches(line, '{p}') THEN {_parts(p, names)}" for p, names in patterns)
        + " END"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE address_ends AS SELECT {key}, code, {read} AS part FROM address_ends"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE address_words AS SELECT a.{key}, coalesce(part.city, a.city) AS city, "
        "coalesce(nullif(part.state, ''), a.state) AS state, "
        "coalesce(nullif(part.postal, ''), a.postal_code) AS postal_code, coalesce(e.code, a.country) AS country, "
        "coalesce(string_split(part.street, ' '), a.words) AS words "
        f"FROM address_words a LEFT JOIN address_ends e ON e.{key} = a.{key} AND part IS NOT NULL"
    )


def _patterns(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, tuple[str, ...]]]:
    """The orders of the parts, each with the names of its groups."""
    rows = connection.execute("SELECT DISTINCT name FROM address_abroad WHERE kind = 'state' ORDER BY ALL").fetchall()
    names = [name for (name,) in rows]
    short = "|".join(name for name in names if len(name) <= 3)
    state = f"(?: , ({'|'.join(names)})| ({short}))?"
    return [
        (f"^(.+?) ?, ({_CODE}) ({_CITY})(?: , ([A-Z][A-Z ]*))?$", ("street", "postal", "city", "state")),
        (f"^(.+?) ?, ({_CITY}){state}(?: ,)? ({_CODE})$", ("street", "city", "state", "brief", "postal")),
        (f"^(.+?) ?, ({_CITY}){state}$", ("street", "city", "state", "brief")),
    ]


def _parts(pattern: str, names: tuple[str, ...]) -> str:
    """SQL for the struct (street, city, state, postal) that a pattern finds in `line`."""
    found = {name: f"regexp_extract(line, '{pattern}', {number})" for number, name in enumerate(names, 1)}
    state = f"concat({found['state']}, {found['brief']})" if "brief" in found else found["state"]
    postal = found.get("postal", "''")
    return f"{{street: {found['street']}, city: {found['city']}, state: {state}, postal: {postal}}}"
