"""The distinct texts of a batch of reasons: each row's own names and places are taken out, so that a template is one.

What is judged keeps every word that decides; a name of the row's own is replaced only where the vocabulary does not
know it. What is counted as a template has none of the row's names at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from gatehouse.intake.reasons import strangers
from gatehouse.intake.reasons.templates import MOST, READ

# A name is replaced only where it is a word by itself. `Remov` is a part of `remove`, also with an apostrophe or a mark
# that nobody sees in between; a text that holds one so is judged as it stands.
_CUT = f"{strangers.STRANGER}[^ ,.;:-]"


def gather(connection: duckdb.DuckDBPyConnection, source: str, key: str, own: Sequence[str]) -> None:
    """Make `reason_rows` (key, text) and `reason_texts` from `source` (key, reason, the columns `own`).

    `reason_texts` has one row for each distinct text: its number `text`; `stated`, in capitals; `counted`, the same
    without the row's own names and places, NULL where it names none; `long` where more than `MOST` characters stand.
    """
    met = "".join(f", {_met(column, number)}" for number, column in enumerate(own))
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE reason_met AS
        SELECT {key} AS key, written AS stated, strlen(reason) > {MOST} AND length(reason) > {MOST} AS long{met}
        FROM (SELECT *, {READ} AS written FROM {source} WHERE reason IS NOT NULL)
    """)
    _learn_names(connection, len(own))
    met_any = " OR ".join(f"own{number} IS NOT NULL" for number in range(len(own))) or "FALSE"
    joins = " ".join(
        f"LEFT JOIN reason_names name{number} ON own{number} = name{number}.name" for number in range(len(own))
    )
    plain_names = "".join(f", name{number}.plain AS plain{number}" for number in range(len(own)))
    steps = (
        f"SELECT reason_met.*, stated AS written, CASE WHEN {met_any} THEN ' ' || stated || ' ' END AS counted"
        f"{plain_names} FROM reason_met {joins}"
    )
    for number in range(len(own)):  # each touches only the rows that hold the name
        name, plain = f"own{number}", f"plain{number}"
        whole = f"CASE WHEN length({name}) > 3 THEN {name} ELSE ' ' || {name} || ' ' END"
        steps = (
            f"SELECT * REPLACE (CASE WHEN {plain} IS NULL THEN stated "
            f"ELSE replace(stated, ' ' || {name}, ' ' || {plain}) END AS stated, "
            f"CASE WHEN {name} IS NULL THEN counted ELSE replace(counted, {whole}, ' ') END AS counted) FROM ({steps})"
        )
    stated = f"CASE WHEN regexp_matches(stated, '{_CUT}') THEN written ELSE stated END"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE reason_told AS SELECT key, {stated} AS stated, counted, long FROM ({steps})"
    )
    connection.execute("DROP TABLE reason_met; DROP TABLE reason_names")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reason_texts AS SELECT row_number() OVER () AS text, * "
        "FROM (SELECT DISTINCT stated, counted, long FROM reason_told)"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE reason_rows AS SELECT key AS {key}, text FROM reason_told told "
        "JOIN reason_texts texts ON told.stated = texts.stated AND told.long = texts.long "
        "AND told.counted IS NOT DISTINCT FROM texts.counted"
    )
    connection.execute("DROP TABLE reason_told")


def _met(column: str, number: int) -> str:
    """SQL: the upper-case value of one of the row's own columns where the reason holds it."""
    name = f"upper({column})"
    return f"CASE WHEN length({column}) > 1 AND contains(written, {name}) THEN {name} END AS own{number}"


def _learn_names(connection: duckdb.DuckDBPyConnection, columns: int) -> None:
    """Make `reason_names` (name, plain): names that reasons hold, and what may stand for them when they are judged."""
    names = " UNION ALL ".join(f"SELECT own{number} AS name FROM reason_met" for number in range(columns))
    given = f"SELECT DISTINCT name FROM ({names})" if names else "SELECT NULL::VARCHAR AS name"
    strangers.learn(connection)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE reason_names AS
        WITH given AS MATERIALIZED ({given}), told AS MATERIALIZED (
            SELECT name, {strangers.plain("name")} AS plain FROM given
            WHERE regexp_full_match(name, '[A-Z]+( [A-Z]+)*') AND NOT contains(name, 'XX')
        )
        SELECT * FROM told WHERE plain <> name
    """)
