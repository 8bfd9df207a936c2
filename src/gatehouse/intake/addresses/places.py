"""Places: which cities, states and ZIP codes belong together, from the table in the `zipcodes` package.

A city answers to every name the postal service accepts for it. The names it discourages (`unacceptable_cities`) are
understood too: they are wrong on an envelope, but they name the place.
"""

from __future__ import annotations

import csv
import functools
from importlib.resources import files
from pathlib import Path

import duckdb

from gatehouse.intake.addresses.folding import folded
from gatehouse.intake.workspace import quoted

STATES = {
    "ALABAMA": "AL", "ALASKA": "AK", "ARIZONA": "AZ", "ARKANSAS": "AR", "CALIFORNIA": "CA", "COLORADO": "CO",
    "CONNECTICUT": "CT", "DELAWARE": "DE", "DISTRICT OF COLUMBIA": "DC", "FLORIDA": "FL", "GEORGIA": "GA",
    "HAWAII": "HI", "IDAHO": "ID", "ILLINOIS": "IL", "INDIANA": "IN", "IOWA": "IA", "KANSAS": "KS",
    "KENTUCKY": "KY",
    "LOUISIANA": "LA", "MAINE": "ME", "MARYLAND": "MD", "MASSACHUSETTS": "MA", "MICHIGAN": "MI", "MINNESOTA": "MN",
    "MISSISSIPPI": "MS", "MISSOURI": "MO", "MONTANA": "MT", "NEBRASKA": "NE", "NEVADA": "NV", "NEW HAMPSHIRE": "NH",
    "NEW JERSEY": "NJ", "NEW MEXICO": "NM", "NEW YORK": "NY", "NORTH CAROLINA": "NC", "NORTH DAKOTA": "ND",
    "OHIO": "OH", "OKLAHOMA": "OK", "OREGON": "OR", "PENNSYLVANIA": "PA", "RHODE ISLAND": "RI",
    "SOUTH CAROLINA": "SC", "SOUTH DAKOTA": "SD", "TENNESSEE": "TN", "TEXAS": "TX", "UTAH": "UT", "VERMONT": "VT",
    "VIRGINIA": "VA", "WASHINGTON": "WA", "WEST VIRGINIA": "WV", "WISCONSIN": "WI", "WYOMING": "WY",
    "PUERTO RICO": "PR", "VIRGIN ISLANDS": "VI", "US VIRGIN ISLANDS": "VI", "GUAM": "GU", "AMERICAN SAMOA": "AS",
    "NORTHERN MARIANA ISLANDS": "MP", "PALAU": "PW", "MARSHALL ISLANDS": "MH",
    "FEDERATED STATES OF MICRONESIA": "FM", "ARMED FORCES AMERICAS": "AA", "ARMED FORCES EUROPE": "AE",
    "ARMED FORCES PACIFIC": "AP",
}  # fmt: skip
_SHORT_STATES = {
    "ALA": "AL", "ARIZ": "AZ", "ARK": "AR", "CALIF": "CA", "CAL": "CA", "COLO": "CO", "CONN": "CT", "DEL": "DE",
    "FLA": "FL",
    "ILL": "IL", "IND": "IN", "KANS": "KS", "KAN": "KS", "MASS": "MA", "MICH": "MI", "MINN": "MN", "MISS": "MS",
    "MONT": "MT",
    "NEBR": "NE", "NEB": "NE", "NEV": "NV", "OKLA": "OK", "ORE": "OR", "OREG": "OR", "PENN": "PA",
    "PENNA": "PA", "TENN": "TN",
    "TEX": "TX", "WASH": "WA", "WIS": "WI", "WISC": "WI", "WYO": "WY", "D C": "DC", "N Y": "NY", "N J": "NJ",
    "N H": "NH",
    "N M": "NM", "N MEX": "NM", "N C": "NC", "N D": "ND", "N DAK": "ND", "R I": "RI", "S C": "SC", "S D": "SD",
    "S DAK": "SD",
    "W VA": "WV", "P R": "PR", "V I": "VI", "USVI": "VI", "CNMI": "MP", "N CAROLINA": "NC", "S CAROLINA": "SC",
    "N DAKOTA": "ND", "S DAKOTA": "SD", "W VIRGINIA": "WV", "NUEVA YORK": "NY", "NUEVA JERSEY": "NJ",
    "NUEVO MEXICO": "NM", "CAROLINA DEL NORTE": "NC", "CAROLINA DEL SUR": "SC", "PENSILVANIA": "PA",
    "LUISIANA": "LA",
}  # fmt: skip
_DOMESTIC = (
    "US", "USA", "U S", "U S A", "UNITED STATES", "UNITED STATES OF AMERICA", "AMERICA", "EEUU", "EE UU", "E U A",
    "EUA", "ESTADOS UNIDOS", "ESTADOS UNIDOS DE AMERICA", "ETATS UNIS", "PUERTO RICO", "PR", "GUAM", "GU", "VI",
    "AS", "MP", "AMERICAN SAMOA", "US VIRGIN ISLANDS", "NORTHERN MARIANA ISLANDS",
)  # fmt: skip
# Words of a city's name that are written in two ways.
_CITY_WORDS = {
    "SAINT": "ST", "SAINTE": "STE", "MOUNT": "MT", "FORT": "FT", "NORTH": "N", "SOUTH": "S", "EAST": "E",
    "WEST": "W",
    "MOUNTAIN": "MTN", "HEIGHTS": "HTS", "HGTS": "HTS", "BEACH": "BCH", "SPRINGS": "SPGS", "SPRING": "SPG",
    "CITY": "CY",
    "VILLAGE": "VLG", "TOWNSHIP": "TWP", "JUNCTION": "JCT", "ISLAND": "IS", "LAKE": "LK", "LAKES": "LKS",
    "PARK": "PK",
    "POINT": "PT", "PORT": "PRT", "CENTER": "CTR", "CENTRE": "CTR", "VALLEY": "VLY", "HARBOR": "HBR",
    "GROVE": "GRV",
    "CREEK": "CRK", "FALLS": "FLS", "HILLS": "HLS", "HILL": "HL", "POINTE": "PT", "STATION": "STA",
    "TERRACE": "TER",
}  # fmt: skip
_CITY_NAMES = {
    "NYC": "NEW YORK", "NEW YORK CITY": "NEW YORK", "NEW YORK CY": "NEW YORK", "NUEVA YORK": "NEW YORK",
    "MANHATTAN": "NEW YORK", "PHILA": "PHILADELPHIA", "SLC": "SALT LK CY", "LA": "LOS ANGELES",
    "WASH": "WASHINGTON", "WASHINGTON DC": "WASHINGTON", "WASHINGTON D C": "WASHINGTON",
}  # fmt: skip


@functools.lru_cache(maxsize=1)
def _table() -> str:
    """The table of the `zipcodes` package as lines of ZIP code, state, city and whether that is its main name."""
    import zipcodes

    lines = []
    for place in zipcodes.list_all():
        state = "MP" if place["zip_code"].startswith(("96950", "96951", "96952")) else place["state"]
        names = [place["city"], *place["acceptable_cities"], *place["unacceptable_cities"]]
        lines += [f"{place['zip_code']}\t{state}\t{name}\t{number == 0}" for number, name in enumerate(names)]
    return "\n".join(lines)


@functools.lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    text = files("gatehouse.intake.addresses").joinpath("data/countries.tsv").read_text("utf-8")
    rows = {row["name"]: row["code"] for row in csv.DictReader(text.splitlines(), delimiter="\t")}
    return rows | dict.fromkeys(_DOMESTIC, "US")


def load_places(connection: duckdb.DuckDBPyConnection, kept: Path | None = None) -> None:
    """Make the temporary tables of places unless the connection has them.

    `address_zip_cities` (zip5, state_key, city_key, squeezed), `address_zips` (zip5, state_key, home),
    `address_cities` (squeezed, state_key, home: the one postal city this name belongs to, or NULL), `address_states`
    (name, state_key), `address_countries` (name, code). `squeezed` is a city's key without its spaces. The first takes
    most of a second to make, so it may be read from where `keep_places` wrote it.
    """
    if connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'address_cities'").fetchone() != (
        0,
    ):
        return
    made = f"SELECT * FROM read_parquet({quoted(kept)})" if kept else _zip_cities()
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE address_zip_cities AS {made}", {} if kept else {"table": _table()}
    )
    _load_names(connection, "address_states", "state_key", STATES | _SHORT_STATES | {s: s for s in STATES.values()})
    _load_names(connection, "address_countries", "code", _countries())
    _load_abroad(connection)
    if not kept:
        _load_names(connection, "address_city_names", "city_key", _CITY_NAMES)
        connection.execute(
            "INSERT INTO address_zip_cities SELECT zip5, state_key, n.name, FALSE, replace(n.name, ' ', '') "
            "FROM address_zip_cities JOIN address_city_names n USING (city_key)"
        )
        connection.execute(  # mail of one kind of military post office is written with the name of another
            "INSERT INTO address_zip_cities SELECT zip5, state_key, name, FALSE, name FROM (SELECT DISTINCT zip5, "
            "state_key FROM address_zip_cities WHERE state_key IN ('AA', 'AE', 'AP')), unnest(['APO', 'FPO', 'DPO']) "
            "offices(name) EXCEPT SELECT zip5, state_key, city_key, FALSE, squeezed FROM address_zip_cities"
        )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_zips AS "
        "SELECT zip5, any_value(state_key) AS state_key, any_value(city_key) FILTER (main) AS home "
        "FROM address_zip_cities GROUP BY zip5"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_cities AS SELECT c.squeezed, c.state_key, "
        "CASE WHEN count(DISTINCT z.home) = 1 THEN min(z.home) END AS home "
        "FROM address_zip_cities c JOIN address_zips z USING (zip5) GROUP BY ALL"
    )


def keep_places(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write to a Parquet file what `load_places` takes longest to make."""
    load_places(connection)
    connection.execute(f"COPY address_zip_cities TO {quoted(path)} (FORMAT parquet)")


def _zip_cities() -> str:
    return (
        "WITH lines AS MATERIALIZED (SELECT string_split(unnest(string_split($table, chr(10))), chr(9)) AS part), "
        f"names AS (SELECT city, {city_key(_plain('upper(strip_accents(city))'))} AS city_key "
        "FROM (SELECT DISTINCT part[3] AS city FROM lines)) "
        "SELECT DISTINCT part[1] AS zip5, part[2] AS state_key, city_key, part[4]::BOOLEAN AS main, "
        "replace(city_key, ' ', '') AS squeezed FROM lines JOIN names ON city = part[3]"
    )


def _load_names(connection: duckdb.DuckDBPyConnection, table: str, column: str, names: dict[str, str]) -> None:
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT unnest($names) AS name, unnest($meant) AS {column}",
        {"names": list(names), "meant": list(names.values())},
    )


def _load_abroad(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `address_abroad` (country, kind, name, standard): states and cities abroad that are written in two ways."""
    text = files("gatehouse.intake.addresses").joinpath("data/abroad.tsv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    unnested = ", ".join(f"unnest(${name}) AS {name}" for name in rows[0])
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE address_abroad AS SELECT {unnested}",
        {name: [row[name] for row in rows] for name in rows[0]},
    )


def _plain(text: str) -> str:
    """SQL for letters and digits with single spaces; apostrophes join."""
    return f"trim(regexp_replace(replace({text}, '''', ''), '[^A-Z0-9]+', ' ', 'g'))"


def city_key(plain: str) -> str:
    """SQL for a city's name in its standard words (`SAINT LOUIS` and `ST LOUIS` are one)."""
    words = " ".join(f"WHEN '{word}' THEN '{short}'" for word, short in _CITY_WORDS.items())
    return f"array_to_string(list_transform(string_split({plain}, ' '), lambda w: CASE w {words} ELSE w END), ' ')"


def read_places(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table `address_place`: one row per distinct city, state, ZIP and country as written."""
    given = ("city", "state", "postal_code", "country")
    exported = "regexp_replace(postal_code, '^([0-9]{3,5})[.]0+$', '\\1')"  # a spreadsheet has made it a decimal
    read = {column: exported if column == "postal_code" else column for column in given}
    plain = ", ".join(f"coalesce({_plain(folded(read[column]))}, '') AS {column}_plain" for column in given)
    digits = "regexp_replace(postal_code_plain, '[^0-9]', '', 'g')"
    whole = "regexp_full_match(postal_code_plain, '([A-Z]{2} )?[0-9]{5}( ?[0-9]{4})?')"
    short = "regexp_full_match(postal_code_plain, '[0-9]{3,4}')"  # a spreadsheet has eaten the zeros in front
    abroad = "country_plain <> '' AND n.code IS DISTINCT FROM 'US'"  # no table there, but two codes can be compared
    code = "nullif(regexp_replace(postal_code_plain, '[^A-Z0-9]', '', 'g'), '')"
    code = f"regexp_replace({code}, '^(CP|[A-Z]{{1,2}})([0-9]{{4,6}})$', '\\2')"  # `D-10115`: the country's letters
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_place AS "
        "WITH written AS (SELECT DISTINCT city, state, postal_code, country FROM address_shaped), "
        f"plain AS (SELECT *, {plain} FROM written), "
        "keyed AS (SELECT plain.*, CASE WHEN country_plain = '' THEN 'US' ELSE n.code END AS country_key, "
        f"nullif({city_key('city_plain')}, '') AS city_given, s.state_key, "
        f"CASE WHEN {abroad} THEN {code} "
        f"WHEN {whole} THEN left({digits}, 5) WHEN {short} THEN lpad({digits}, 5, '0') END AS zip5, "
        f"CASE WHEN NOT ({abroad}) AND {whole} AND length({digits}) = 9 THEN right({digits}, 4) END AS zip4 "
        "FROM plain LEFT JOIN address_states s ON s.name = state_plain "
        "LEFT JOIN address_countries n ON n.name = country_plain) "
        "SELECT k.* EXCLUDE (state_key), z.zip5 IS NOT NULL AS zip_known, z.state_key AS zip_state_key, "
        "c.squeezed IS NOT NULL AS city_known, zc.squeezed IS NOT NULL AS zip_has_city, "
        "CASE WHEN k.country_key <> 'US' THEN nullif(coalesce(province.standard, k.state_plain), '') "
        "ELSE coalesce(k.state_key, CASE WHEN k.state_plain = '' AND zc.squeezed IS NOT NULL THEN z.state_key END) END "
        "AS state_key, "
        "CASE WHEN k.country_key = 'US' AND zc.squeezed IS NOT NULL THEN z.home "
        "ELSE coalesce(c.home, town.standard, k.city_given) END AS city_key "
        "FROM keyed k LEFT JOIN address_zips z ON z.zip5 = k.zip5 AND k.country_key = 'US' "
        "LEFT JOIN (SELECT DISTINCT zip5, squeezed FROM address_zip_cities) zc ON zc.zip5 = k.zip5 "
        "AND zc.squeezed = replace(k.city_given, ' ', '') AND k.country_key = 'US' "
        "LEFT JOIN address_cities c ON c.squeezed = replace(k.city_given, ' ', '') AND c.state_key = k.state_key "
        "AND k.country_key = 'US' "
        "LEFT JOIN address_abroad province ON province.country = k.country_key AND province.kind = 'state' "
        "AND province.name = k.state_plain "
        "LEFT JOIN address_abroad town ON town.country = k.country_key AND town.kind = 'city' "
        "AND town.name = k.city_given"
    )


def move_places(connection: duckdb.DuckDBPyConnection, key: str) -> None:
    """Find city, state and ZIP at the end of the lines where they do not stand in their own columns.

    Changes `address_words` (key, city, state, postal_code, country, words). An address is looked at when a place
    column is empty or holds more than its own part, or when the lines end in the ZIP or the state given.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_ends AS "
        f"WITH ends AS (SELECT {key}, city, state, postal_code, words, {_runs_on()} AS runs_on FROM address_words "
        "WHERE coalesce(upper(country), '') IN ('', 'US', 'USA', 'UNITED STATES') "
        f"AND ({_lacks_place()} OR {_runs_on()})), "
        "whole AS (SELECT * EXCLUDE (words), list_filter(CASE WHEN runs_on THEN words ELSE list_concat(words, [','], "
        f"{_words_of('city')}, [','], {_words_of('state')}, {_words_of('postal_code')}) END, "
        "lambda w: w <> '') AS w FROM ends), "
        f"{_peel()} "
        f"SELECT {key}, w[1:stop] AS words, runs_on, city_found, state_found, zip_found FROM peeled"
    )
    if connection.execute("SELECT count(*) FROM address_ends").fetchone() == (0,):
        return
    moved = "e.runs_on IS FALSE AND e.city_found IS NOT NULL"  # else the columns keep what was given
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE address_words AS SELECT a.{key}, "
        f"CASE WHEN {moved} THEN e.city_found ELSE a.city END AS city, "
        f"CASE WHEN {moved} THEN e.state_found ELSE a.state END AS state, "
        f"CASE WHEN {moved} THEN e.zip_found ELSE a.postal_code END AS postal_code, a.country, "
        "CASE WHEN e.city_found IS NOT NULL THEN e.words ELSE a.words END AS words "
        f"FROM address_words a LEFT JOIN address_ends e ON e.{key} = a.{key}"
    )


def _words_of(column: str) -> str:
    spaced = f"regexp_replace(replace(replace({folded(column)}, chr(39), ''), '.', ''), '[^A-Z0-9,]+', ' ', 'g')"
    return f"string_split(replace(coalesce({spaced}, ''), ',', ' , '), ' ')"


def _lacks_place() -> str:
    return "coalesce(city, '') = '' OR length(coalesce(state, '')) <> 2 OR regexp_matches(city, '[,0-9]')"


def _runs_on() -> str:
    return (
        "coalesce(len(words) > 4 AND coalesce(city, '') <> '' AND length(state) = 2 AND (words[-1] = upper(state) OR "
        "(postal_code <> '' AND left(words[-1], 5) = left(postal_code, 5))), FALSE)"
    )


def _peel() -> str:
    """SQL steps that take country, ZIP, state and city off the end of the word list `w`, from right to left."""
    city_tests = [(size, f"replace({city_key(_slice('stop2', size))}, ' ', '')") for size in (5, 4, 3, 2, 1)]
    joins = " ".join(
        f"LEFT JOIN address_cities c{size} ON c{size}.squeezed = {name} AND c{size}.state_key = state_code "
        f"AND stop2 > {size} AND NOT list_contains(w[stop2 - {size - 1} : stop2], ',')"
        for size, name in city_tests
    )
    # `80 Fjord Lane` ends in a street type, not in the village of Lane, unless a comma says so.
    joins += " LEFT JOIN address_vocabulary type ON type.word = w[stop2] AND type.class = 'T' AND w[stop2 - 1] <> ','"
    size = " ".join(f"WHEN c{n}.squeezed IS NOT NULL THEN {n}" for n, _ in city_tests if n > 1)
    size = f"CASE {size} WHEN c1.squeezed IS NOT NULL AND type.word IS NULL THEN 1 ELSE 0 END"
    states = " ".join(
        f"LEFT JOIN address_states s{n} ON s{n}.name = {_slice('stop1', n)} AND stop1 > {n}" for n in (4, 3, 2, 1)
    )
    state = "coalesce(s4.state_key, s3.state_key, s2.state_key, s1.state_key)"
    taken = f"CASE {' '.join(f'WHEN s{n}.name IS NOT NULL THEN {n}' for n in (4, 3, 2, 1))} ELSE 0 END"
    zipped = "regexp_full_match(w[{0}], '[0-9]{{5}}(-?[0-9]{{4}})?')"
    return (
        f"ended AS (SELECT *, {_before('len(w)')} AS stop_any FROM whole), "
        "home AS (SELECT * EXCLUDE (stop_any), CASE WHEN w[stop_any] IN ('USA', 'US', 'EEUU') "
        f"THEN {_before('stop_any - 1')} ELSE stop_any END AS stop0 FROM ended), "
        f"zipped AS (SELECT *, CASE WHEN {zipped.format('stop0')} THEN w[stop0] END AS zip_found, "
        f"CASE WHEN {zipped.format('stop0')} THEN {_before('stop0 - 1')} ELSE stop0 END AS stop1 FROM home), "
        f"stated AS (SELECT z.*, coalesce({state}, p.state_key) AS state_code, {state} AS state_found, "
        f"stop1 - ({taken}) AS stop_state FROM zipped z {states} "
        "LEFT JOIN address_zips p ON p.zip5 = left(zip_found, 5)), "
        f"before AS (SELECT *, {_before('stop_state')} AS stop2 FROM stated), "
        f"cities AS (SELECT before.*, {size} AS size FROM before {joins}), "
        "peeled AS (SELECT *, CASE WHEN size = 0 THEN NULL ELSE array_to_string(w[stop2 - size + 1 : stop2], ' ') END "
        f"AS city_found, CASE WHEN size > 0 THEN {_before('stop2 - size')} ELSE stop2 END AS stop FROM cities)"
    )


def _slice(stop: str, size: int) -> str:
    return f"array_to_string(w[{stop} - {size - 1} : {stop}], ' ')"


def _before(position: str) -> str:
    """SQL for the last position up to `position` that is no comma; at most two commas stand together."""
    return (
        f"CASE WHEN w[{position}] <> ',' THEN {position} WHEN w[{position} - 1] <> ',' THEN {position} - 1 "
        f"ELSE greatest({position} - 2, 0) END"
    )
