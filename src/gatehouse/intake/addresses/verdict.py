"""The verdict: is this the address of a place, on what the requester wrote and public postal facts alone.

Reasons are tried from the grossest fault to the finest; the first that holds is given. What is unknown is never taken
for agreement.
"""

from __future__ import annotations

import duckdb

from gatehouse.intake.addresses.parts import PARTS, drop_working_tables, read_parts

_VERDICTS = {
    "complete": "complete",
    "institution": "institution",
    "empty": "not_an_address",
    "placeholder": "not_an_address",
    "digits_only": "not_an_address",
    "keyboard_mash": "not_an_address",
    "repeated": "not_an_address",
}


def judge(connection: duckdb.DuckDBPyConnection, source: str, target: str, key: str) -> None:
    """Make `target`: key, `PARTS`, `zip_state`, `address_verdict`, `address_reason`.

    `source` as for `standardise`. Verdicts: `complete`, `incomplete`, `not_an_address`, `institution`; reasons are the
    codes of `reasons.REASONS`. `zip_state`: `agrees`, `contradicts`, `unknown`, `absent`.
    """
    read_parts(connection, source, key)
    verdicts = " ".join(f"WHEN '{reason}' THEN '{verdict}'" for reason, verdict in _VERDICTS.items())
    columns = ", ".join(PARTS)
    connection.execute(
        f"CREATE OR REPLACE TABLE {target} AS "
        f"WITH stated AS (SELECT *, {_zip_state()} AS zip_state FROM address_parts), "
        f"reasoned AS (SELECT *, {_reason()} AS address_reason FROM stated) "
        f"SELECT {key}, {columns}, zip_state, CASE address_reason {verdicts} ELSE 'incomplete' END AS address_verdict, "
        "address_reason FROM reasoned"
    )
    drop_working_tables(connection)


def _zip_state() -> str:
    return """CASE
        WHEN country_key <> 'US' THEN CASE WHEN postal_code_plain = '' THEN 'absent' ELSE 'unknown' END
        WHEN postal_code_plain = '' THEN 'absent'
        WHEN NOT zip_known THEN 'unknown'
        WHEN zip_state_key <> state_key THEN 'contradicts'
        WHEN zip_has_city THEN 'agrees'
        WHEN city_known THEN 'contradicts'
        ELSE 'unknown' END"""


def _reason() -> str:
    return """CASE
        WHEN len(words) = 0 OR words[1] IS NULL THEN 'empty'
        WHEN shape IS NULL THEN 'too_long'
        WHEN regexp_full_match(shape, '[#HFd,NA]+') AND address_kind IS NULL THEN 'digits_only'
        WHEN address_kind IS NULL THEN 'no_street'
        WHEN address_kind = 'street' AND house_number IS NULL THEN 'no_number'
        WHEN address_kind IN ('po_box', 'rural_route') AND box_number IS NULL THEN 'no_box'
        WHEN city_given IS NULL THEN 'no_city'
        WHEN country_key <> 'US' THEN 'complete'
        WHEN state_key IS NULL THEN 'no_state'
        WHEN length(state_key) <> 2 THEN 'state_unknown'
        WHEN zip_state = 'contradicts' THEN 'zip_contradicts'
        WHEN postal_code_plain <> '' AND zip5 IS NULL THEN 'zip_unreadable'
        WHEN zip_state = 'unknown' AND NOT zip_known THEN 'zip_unknown'
        WHEN zip_state = 'unknown' OR NOT (city_known OR zip_has_city) THEN 'city_unknown'
        WHEN address_kind = 'general_delivery' THEN 'general_delivery'
        ELSE 'complete' END"""
