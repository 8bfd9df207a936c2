"""The verdict: is this the address of a place, on what the requester wrote and public postal facts alone.

Reasons are tried from the grossest fault to the finest; the first that holds is given. What is unknown is never taken
for agreement.
"""

from __future__ import annotations

import duckdb

from gatehouse.intake.addresses.parts import PARTS, drop_working_tables, read_parts
from gatehouse.intake.addresses.reality import institutions

_VERDICTS = {
    "complete": "complete",
    "institution": "institution",
    "empty": "not_an_address",
    "placeholder": "not_an_address",
    "digits_only": "not_an_address",
    "keyboard_mash": "not_an_address",
    "repeated": "not_an_address",
}

# Phrases that say nothing alone, and are a street's name before a street type.
_NAMES_ALSO = "TEST|BAR|SAMPLE|CALLE|ST|AVE|RD|DR|LN|BLVD|CT|PL|WAY|CIR|HWY"


def judge(connection: duckdb.DuckDBPyConnection, source: str, target: str, key: str) -> None:
    """Make `target`: key, `PARTS`, `zip_state`, `address_verdict`, `address_reason`.

    `source` as for `standardise`. Verdicts: `complete`, `incomplete`, `not_an_address`, `institution`; reasons are the
    codes of `reasons.REASONS`. `zip_state`: `agrees`, `contradicts`, `unknown`, `absent`.
    """
    parts = read_parts(connection, source, key, judging=True)
    verdicts = " ".join(f"WHEN '{reason}' THEN '{verdict}'" for reason, verdict in _VERDICTS.items())
    columns = ", ".join(PARTS)
    connection.execute(
        f"CREATE OR REPLACE TABLE {target} AS "
        f"WITH stated AS (SELECT *, {_zip_state()} AS zip_state FROM ({parts})), "
        f"reasoned AS (SELECT *, {_reason()} AS address_reason FROM stated) "
        f"SELECT {key}, {columns}, zip_state, CASE address_reason {verdicts} ELSE 'incomplete' END AS address_verdict, "
        "address_reason FROM reasoned"
    )
    drop_working_tables(connection)


def _zip_state() -> str:
    return """CASE
        WHEN country_key <> 'US' THEN CASE WHEN postal_code_plain = '' THEN 'absent' ELSE 'unknown' END
        WHEN postal_code_plain = '' THEN 'absent'
        WHEN NOT zip_known OR (state_plain <> '' AND state_key IS NULL) THEN 'unknown'
        WHEN zip_state_key <> state_key THEN 'contradicts'
        WHEN zip_has_city THEN 'agrees'
        WHEN city_known THEN 'contradicts'
        ELSE 'unknown' END"""


def _reason() -> str:
    hollow = "(SELECT phrase FROM address_hollow_phrases)"
    # Asked only where no address was found: what is looked up in a table is worked out for every row.
    letters = "regexp_replace(array_to_string(words, ''), '[^A-Z]', '', 'g')"
    said = f"(CASE WHEN address_kind IS NULL THEN {letters} END)"
    place = (
        "house_number = zip5 OR street_name IN (city_plain, city_given, concat(city_plain, ' ', state_plain), 'USA') "
        "OR (pre_direction IS NULL AND street_name IN (SELECT name FROM address_states))"
    )
    named = "string_split(street_name, ' ')"
    return f"""CASE
        WHEN shape IS NULL THEN CASE WHEN len(words) > 0 THEN 'too_long' ELSE 'empty' END
        WHEN finding IN ('empty', 'digits_only') THEN finding
        WHEN {_institution()} THEN 'institution'
        WHEN finding IS NOT NULL THEN finding
        WHEN address_kind IS NULL AND {said} IN {hollow} THEN 'placeholder'
        WHEN replace(street_name, ' ', '') IN {hollow}
            AND street_name NOT IN ('BLVD', 'ESPL', 'PROM')
            AND (street_type IS NULL OR NOT regexp_matches(street_name, '^([A-Z]|{_NAMES_ALSO})$'))
            THEN 'placeholder'
        WHEN street_name = 'THE' AND street_type IN ('ST', 'AVE', 'RD', 'DR', 'LN', 'PL', 'CT', 'WAY')
            THEN 'placeholder'
        WHEN contains(street_name, ' ') AND len(list_distinct({named})) = 1
            AND NOT list_contains({_reduplicated()}, {named}[1])
            THEN 'repeated'
        WHEN address_kind IS NULL AND len(list_distinct(list_filter(words, lambda w: w <> ','))) = 1
            AND len(list_filter(words, lambda w: w <> ',')) > 1 THEN 'repeated'
        WHEN street_type IS NULL AND address_kind = 'street' AND ({place}) THEN 'no_street'
        WHEN other_number <> house_number THEN 'two_addresses'
        WHEN starts_with(street_name, 'BLOCK ') AND street_type IS NOT NULL AND house_number LIKE '%00'
            AND street_name NOT IN ('BLOCK IS', 'BLOCK HSE') THEN 'described'
        WHEN country_key IS NULL THEN 'country_unknown'
        WHEN address_kind IS NULL THEN 'no_street'
        WHEN address_kind IN ('street', 'foreign') AND (house_number IS NULL OR house_number = '0'
            OR (length(house_number) > 6 AND regexp_full_match(house_number, '[0-9]+')))
            AND box_number IS NULL THEN 'no_number'
        WHEN address_kind IN ('po_box', 'rural_route', 'military')
            AND (box_number IS NULL OR box_number = '0' OR length(box_number) > 7) THEN 'no_box'
        WHEN city_given IS NULL THEN 'no_city'
        WHEN country_key <> 'US' THEN 'complete'
        WHEN state_plain <> '' AND state_key IS NULL THEN 'state_unknown'
        WHEN state_key IS NULL THEN 'no_state'
        WHEN zip_state = 'contradicts' THEN 'zip_contradicts'
        WHEN postal_code_plain <> '' AND zip5 IS NULL THEN 'zip_unreadable'
        WHEN zip_state = 'unknown' AND NOT zip_known THEN 'zip_unknown'
        WHEN zip_state = 'unknown' OR NOT (city_known OR zip_has_city) THEN 'city_unknown'
        WHEN (address_kind = 'military') <> (state_key IN ('AA', 'AE', 'AP')) THEN 'not_military'
        ELSE 'complete' END"""


def _institution() -> str:
    """SQL for whether an institution is named. Only the few addresses that hold a key word are looked through."""
    houses = institutions()
    everything = "array_to_string(words, ' ')"
    beside = (
        "CASE WHEN core_first IS NULL OR (street_type IS NULL AND len(string_split(street_name, ' ')) > 2) "
        f"THEN {everything} ELSE concat_ws(' , ', "
        "array_to_string(words[1 : core_first - 1], ' '), array_to_string(words[core_last + 1 :], ' ')) END"
    )
    around = (
        "CASE WHEN address_kind IS NULL OR house_number IS NULL OR street_type IS NULL "
        f"THEN {everything} ELSE {beside} END"
    )
    named = " OR ".join(
        f"regexp_matches(regexp_replace({text}, '{houses.homes}', ',', 'g'), '{pattern}')"
        for text, pattern in ((around, houses.outside), (beside, houses.beside))
    )
    tried = f"regexp_matches({everything}, '{houses.everywhere}') OR {named}"
    # CASE keeps the order of its tests; a conjunction may try the dear one first.
    return f"CASE WHEN contains(flags, 'I') OR contains(flags, 'i') THEN {tried} ELSE FALSE END"


def _reduplicated() -> str:
    """Names that say one word twice."""
    return "['WALLA', 'BORA', 'PAGO', 'BADEN', 'SING', 'KAI', 'LANI', 'WAGGA', 'PUKA', 'CHA', 'TUM', 'MAKI', 'LOMA']"
