"""Places: which cities, states and ZIP codes belong together, from the table in the `zipcodes` package.

A city answers to every name the postal service accepts for it. The names it discourages (`unacceptable_cities`) are
understood too: they are wrong on an envelope, but they name the place.
"""

from __future__ import annotations

import functools

import duckdb

from gatehouse.intake.addresses.folding import folded

STATES = {
    "ALABAMA": "AL", "ALASKA": "AK", "ARIZONA": "AZ", "ARKANSAS": "AR", "CALIFORNIA": "CA", "COLORADO": "CO",
    "CONNECTICUT": "CT", "DELAWARE": "DE", "DISTRICT OF COLUMBIA": "DC", "FLORIDA": "FL", "GEORGIA": "GA",
    "HAWAII": "HI", "IDAHO": "ID", "ILLINOIS": "IL", "INDIANA": "IN", "IOWA": "IA", "KANSAS": "KS", "KENTUCKY": "KY",
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
    "ALA": "AL", "ARIZ": "AZ", "ARK": "AR", "CALIF": "CA", "CAL": "CA", "COLO": "CO", "CONN": "CT", "DEL": "DE", "FLA": "FL",
    "ILL": "IL", "IND": "IN", "KANS": "KS", "KAN": "KS", "MASS": "MA", "MICH": "MI", "MINN": "MN", "MISS": "MS", "MONT": "MT",
    "NEBR": "NE", "NEB": "NE", "NEV": "NV", "OKLA": "OK", "ORE": "OR", "OREG": "OR", "PENN": "PA", "PENNA": "PA", "TENN": "TN",
    "TEX": "TX", "WASH": "WA", "WIS": "WI", "WISC": "WI", "WYO": "WY", "D C": "DC", "N Y": "NY", "N J": "NJ", "N H": "NH",
    "N M": "NM", "N MEX": "NM", "N C": "NC", "N D": "ND", "N DAK": "ND", "R I": "RI", "S C": "SC", "S D": "SD", "S DAK": "SD",
    "W VA": "WV", "P R": "PR", "V I": "VI", "USVI": "VI", "CNMI": "MP", "N CAROLINA": "NC", "S CAROLINA": "SC",
    "N DAKOTA": "ND", "S DAKOTA": "SD", "W VIRGINIA": "WV", "WASHINGTON DC": "DC", "NUEVA YORK": "NY", "NUEVA JERSEY": "NJ",
    "NUEVO MEXICO": "NM", "CAROLINA DEL NORTE": "NC", "CAROLINA DEL SUR": "SC", "PENSILVANIA": "PA", "LUISIANA": "LA",
}  # fmt: skip
_DOMESTIC = (
    "", "US", "USA", "U S", "U S A", "UNITED STATES", "UNITED STATES OF AMERICA", "AMERICA", "EEUU", "EE UU", "E U A",
    "EUA", "ESTADOS UNIDOS", "ESTADOS UNIDOS DE AMERICA", "ETATS UNIS", "840", "PUERTO RICO", "PR", "GUAM", "GU", "VI",
    "AS", "MP", "UNITED STATES OF AMERICA USA",
)  # fmt: skip
# Words of a city's name that are written in two ways.
_CITY_WORDS = {
    "SAINT": "ST", "SAINTE": "STE", "MOUNT": "MT", "FORT": "FT", "NORTH": "N", "SOUTH": "S", "EAST": "E", "WEST": "W",
    "MOUNTAIN": "MTN", "HEIGHTS": "HTS", "HGTS": "HTS", "BEACH": "BCH", "SPRINGS": "SPGS", "SPRING": "SPG", "CITY": "CY",
    "VILLAGE": "VLG", "TOWNSHIP": "TWP", "JUNCTION": "JCT", "ISLAND": "IS", "LAKE": "LK", "LAKES": "LKS", "PARK": "PK",
    "POINT": "PT", "PORT": "PRT", "CENTER": "CTR", "CENTRE": "CTR", "VALLEY": "VLY", "HARBOR": "HBR", "GROVE": "GRV",
    "CREEK": "CRK", "FALLS": "FLS", "HILLS": "HLS", "HILL": "HL", "POINTE": "PT", "STATION": "STA", "TERRACE": "TER",
}  # fmt: skip
_CITY_NAMES = {"NYC": "NEW YORK", "NEW YORK CITY": "NEW YORK", "NEW YORK CY": "NEW YORK", "PHILA": "PHILADELPHIA", "SLC": "SALT LK CY",
               "WASH": "WASHINGTON", "WASHINGTON DC": "WASHINGTON", "WASHINGTON D C": "WASHINGTON", "LA": "LOS ANGELES", "NUEVA YORK": "NEW YORK",
               "MANHATTAN": "NEW YORK"}  # fmt: skip


@functools.lru_cache(maxsize=1)
def _rows() -> tuple[list[str], list[str], list[str], list[bool]]:
    import zipcodes

    zips, states, cities, primary = [], [], [], []
    for place in zipcodes.list_all():
        state = "MP" if place["zip_code"].startswith(("96950", "96951", "96952")) else place["state"]
        names = [place["city"], *place["acceptable_cities"], *place["unacceptable_cities"]]
        for number, name in enumerate(names):
            zips.append(place["zip_code"])
            states.append(state)
            cities.append(name)
            primary.append(number == 0)
    return zips, states, cities, primary


def load_places(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary tables of places unless the connection has them.

    `address_zips` (zip5, state, city), `address_zip_cities` (zip5, city_key), `address_cities` (city_key, state_key,
    home: the one postal city this name belongs to, or NULL), `address_states` (name, state_key).
    """
    if connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'address_cities'").fetchone() != (
        0,
    ):
        return
    zips, states, cities, primary = _rows()
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_zip_cities AS "
        f"SELECT DISTINCT zip5, state_key, {city_key(_plain('upper(strip_accents(city))'))} AS city_key, main FROM "
        "(SELECT unnest($zips) AS zip5, unnest($states) AS state_key, unnest($cities) AS city, unnest($main) AS main)",
        {"zips": zips, "states": states, "cities": cities, "main": primary},
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_zips AS "
        "SELECT zip5, any_value(state_key) AS state_key, any_value(city_key) FILTER (main) AS home "
        "FROM address_zip_cities GROUP BY zip5"
    )
    names = {**STATES, **_SHORT_STATES, **{code: code for code in STATES.values()}}
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_states AS SELECT unnest($names) AS name, unnest($codes) AS state_key",
        {"names": list(names), "codes": list(names.values())},
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_cities AS SELECT c.city_key, c.state_key, "
        "CASE WHEN count(DISTINCT z.home) = 1 THEN min(z.home) END AS home "
        "FROM address_zip_cities c JOIN address_zips z USING (zip5) GROUP BY ALL"
    )


def _plain(text: str) -> str:
    """SQL for letters and digits with single spaces; apostrophes join."""
    return f"trim(regexp_replace(replace({text}, '''', ''), '[^A-Z0-9]+', ' ', 'g'))"


def city_key(plain: str) -> str:
    """SQL for a city's name in its standard words (`SAINT LOUIS` and `ST LOUIS` are one)."""
    words = " ".join(f"WHEN '{word}' THEN '{short}'" for word, short in _CITY_WORDS.items())
    names = " ".join(f"WHEN '{name}' THEN '{meant}'" for name, meant in _CITY_NAMES.items())
    joined = f"array_to_string(list_transform(string_split({plain}, ' '), lambda w: CASE w {words} ELSE w END), ' ')"
    return f"(SELECT CASE k {names} ELSE k END FROM (SELECT {joined} AS k))"


def read_places(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table `address_place`: one row per distinct city, state, ZIP and country as written."""
    given = ("city", "state", "postal_code", "country")
    plain = ", ".join(f"coalesce({_plain(folded(column))}, '') AS {column}_plain" for column in given)
    digits = "regexp_replace(postal_code_plain, '[^0-9]', '', 'g')"
    whole = "regexp_full_match(postal_code_plain, '([A-Z]{2} )?[0-9]{5}( ?[0-9]{4})?')"
    short = "regexp_full_match(postal_code_plain, '[0-9]{3,4}')"
    domestic = "(" + ", ".join(f"'{name}'" for name in _DOMESTIC) + ")"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_place AS "
        "WITH written AS (SELECT DISTINCT city, state, postal_code, country FROM address_shaped), "
        f"plain AS (SELECT *, {plain} FROM written), "
        "keyed AS (SELECT plain.*, "
        f"CASE WHEN country_plain IN {domestic} THEN 'US' ELSE country_plain END AS country_key, "
        f"nullif({city_key('city_plain')}, '') AS city_given, s.state_key, "
        f"CASE WHEN {whole} THEN left({digits}, 5) WHEN {short} THEN lpad({digits}, 5, '0') END AS zip5, "
        f"CASE WHEN {whole} AND length({digits}) = 9 THEN right({digits}, 4) END AS zip4 "
        "FROM plain LEFT JOIN address_states s ON s.name = state_plain) "
        "SELECT k.city, k.state, k.postal_code, k.country, k.country_key, k.city_plain, k.state_plain, "
        "k.postal_code_plain, k.city_given, "
        "z.zip5 IS NOT NULL AS zip_known, z.state_key AS zip_state_key, c.city_key IS NOT NULL AS city_known, "
        "zc.city_key IS NOT NULL AS zip_has_city, k.zip5, k.zip4, "
        "coalesce(k.state_key, CASE WHEN k.state_plain = '' AND zc.city_key IS NOT NULL THEN z.state_key END, "
        "nullif(k.state_plain, '')) AS state_key, "
        "CASE WHEN k.country_key = 'US' AND zc.city_key IS NOT NULL THEN z.home "
        "ELSE coalesce(c.home, k.city_given) END AS city_key "
        "FROM keyed k LEFT JOIN address_zips z ON z.zip5 = k.zip5 AND k.country_key = 'US' "
        "LEFT JOIN (SELECT DISTINCT zip5, city_key FROM address_zip_cities) zc ON zc.zip5 = k.zip5 "
        "AND zc.city_key = k.city_given AND k.country_key = 'US' "
        "LEFT JOIN address_cities c ON c.city_key = k.city_given AND c.state_key = k.state_key"
    )
