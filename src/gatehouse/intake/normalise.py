"""Normalising once: every text that later rooms compare, date, list or citation is derived here and nowhere else.

Numbers are read leniently where that is unambiguous, dates strictly. What cannot be read is a state (`invalid`,
`unreadable`), never a guess. The columns are those of the table `requests` in docs/architecture.md.
"""

from __future__ import annotations

import datetime as dt

import duckdb

from gatehouse.intake import addresses, citations, names
from gatehouse.intake.wire import COLUMNS

OLDEST_BIRTH_YEARS = 130
"""A birth date further back than this is a typing error, not a person."""

_PROCEEDINGS = ("investigation", "preparation", "grand_jury", "civil_removal")
_DATES = ("birth_date", "period_from", "period_to", "matter_opened_on", "final_order_date", "review_order_date")

# What stands in the field of a reason instead of one. A pointer to a letter is none: each row speaks for itself.
_NO_REASON = (
    "NA", "N A", "NONE", "NO REASON", "UNKNOWN", "TBD", "TBA", "PENDING", "TEST", "XXX", "X", "NULL", "SAME",
    "SAME AS ABOVE", "AS ABOVE", "DITTO", "ABOVE", "ATTACHED", "SEE ATTACHED", "SEE ATTACHMENT", "SEE LETTER",
    "SEE ATTACHED LETTER", "SEE COVER LETTER", "SEE COVERING LETTER", "PER LETTER", "PER REQUEST", "SEE FILE",
    "ON FILE", "OFFICIAL USE", "OFFICIAL BUSINESS", "LAW ENFORCEMENT", "LAW ENFORCEMENT PURPOSES", "NOT PROVIDED",
    "NOT APPLICABLE", "FAILED TO PROVIDE", "REASON", "MOU", "SEE MOU", "PER MOU",
)  # fmt: skip


def normalise(connection: duckdb.DuckDBPyConnection, wire: str, target: str, signed_on: dt.date) -> None:
    """Make the table `target` from the table `wire` of the wire's columns; `wire` is dropped.

    `seq` is the row's place in the submission, from 0; the table itself is in no order. `signed_on` is the day after
    which nothing in a request can have happened.
    """
    _read_citations(connection, wire)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE normal_officers AS {_lists(wire, 'officer_ids', 'officer_list')}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE normal_items AS {_lists(wire, 'items', 'item_list')}")
    addresses.judge(connection, _addressed(connection, wire), "normal_addresses", "seq")
    connection.execute(f"CREATE OR REPLACE TABLE {target} AS {_query(wire)}", [signed_on])
    for table in (wire, "normal_officers", "normal_items", "normal_citations", "normal_addresses"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DROP VIEW normal_addressed")


def _addressed(connection: duckdb.DuckDBPyConnection, wire: str) -> str:
    # An absent field reads as an empty one: the judge's joins must not lose a row that has no address at all.
    fields = ("address_line1", "address_line2", "city", "state", "postal_code", "country")
    columns = ", ".join(f"coalesce({field}, '') AS {field}" for field in fields)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW normal_addressed AS SELECT rowid AS seq, {columns} FROM {wire}")
    return "normal_addressed"


def _lists(wire: str, column: str, name: str) -> str:
    """Each distinct text of a column as its distinct, sorted, trimmed parts between semicolons."""
    parts = f"list_transform(string_split({column}, ';'), lambda part: trim(part))"
    return (
        f"SELECT {column}, list_sort(list_distinct(list_filter({parts}, lambda part: part <> ''))) AS {name} "
        f"FROM (SELECT DISTINCT {column} FROM {wire} WHERE {column} IS NOT NULL)"
    )


def _read_citations(connection: duckdb.DuckDBPyConnection, wire: str) -> None:
    """Each distinct citation, read once: a batch cites few statutes many times."""
    texts = [
        row[0]
        for row in connection.execute(
            f"SELECT authority AS cited FROM {wire} WHERE authority IS NOT NULL "
            f"UNION SELECT removal_ground FROM {wire} WHERE removal_ground IS NOT NULL"
        ).fetchall()
    ]
    read = [citations.read(text) for text in texts]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE normal_citations AS SELECT unnest(?::VARCHAR[]) AS cited, "
        "unnest(?::VARCHAR[]) AS citation, unnest(?::VARCHAR[]) AS state",
        [texts, [each and each.text for each in read], [each.state if each else "unreadable" for each in read]],
    )


def _date(column: str) -> str:
    """A strict ISO date as a DATE, else NULL (as `kernel.clock.read_date`)."""
    strict = f"regexp_full_match({column}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') AND {column} >= '0001'"
    return f"CASE WHEN {strict} THEN try_cast({column} AS DATE) END"


def _past(column: str, earliest: str = "") -> tuple[str, str]:
    """A date that lies in the past of the signature, and its state."""
    possible = f"{column}_read <= signed_on" + (f" AND {column}_read > {earliest}" if earliest else "")
    value = f"CASE WHEN {possible} THEN {column}_read END"
    state = f"CASE WHEN {column} IS NULL THEN 'absent' WHEN {possible} THEN 'valid' ELSE 'invalid' END"
    return value, state


_TIN = "regexp_replace(tin, '[ -]', '', 'g')"
# Nine digits, and not one that is only a placeholder: all alike, or the run that keyboards suggest.
_TIN_VALID = (
    f"regexp_full_match({_TIN}, '[0-9]{{9}}') AND {_TIN} <> repeat(left({_TIN}, 1), 9) "
    f"AND {_TIN} NOT IN ('123456789', '987654321') AND left({_TIN}, 3) <> '000'"
)
_PERIOD = """CASE
    WHEN (period_from IS NOT NULL AND period_from_read IS NULL) OR (period_to IS NOT NULL AND period_to_read IS NULL)
        THEN 'invalid'
    WHEN period_from IS NULL OR period_to IS NULL THEN 'missing'
    WHEN period_to_read < period_from_read THEN 'reversed'
    WHEN period_from_read > signed_on THEN 'future'
    ELSE 'valid' END"""
_SPOKEN = "regexp_replace(lower(proceeding), '[^a-z]+', '_', 'g')"
_PROCEEDING = f"""CASE
    WHEN proceeding IS NULL THEN NULL
    WHEN {_SPOKEN} IN ({", ".join(f"'{kind}'" for kind in _PROCEEDINGS)}) THEN {_SPOKEN}
    WHEN regexp_matches({_SPOKEN}, 'removal|deport') THEN 'civil_removal'
    ELSE 'other' END"""
# Marks that part the words of most reasons; whatever else is no letter is taken out by the slower second step.
_MARKS = "0123456789.,;:-/()'\"&"


def _reason_words() -> str:
    """A reason's letters as upper-case words between single or several spaces, other marks still among them."""
    text = "upper(strip_accents(reason))"
    for mark in _MARKS:
        text = f"replace({text}, chr({ord(mark)}), ' ')"
    return f"' ' || {text} || ' '"


def _reason_letters() -> str:
    """The letters of `reason_words` without the row's own names, so that a template filled in is one template.

    Names of one or two letters stay: an initial `A` is also a word of the reason.
    """
    text = "reason_words"
    for name in ("last_key", "first_key", "middle_key"):
        text = f"replace({text}, CASE WHEN length({name}) > 2 THEN ' ' || {name} || ' ' ELSE '|' END, ' ')"
    return f"replace({text}, ' ', '')"


_LETTERS = (
    "CASE WHEN regexp_full_match(letters, '[A-Z]*') THEN letters ELSE regexp_replace(letters, '[^A-Z]', '', 'g') END"
)


def _state(text: str, citation: str) -> str:
    return f"CASE WHEN {text} IS NULL THEN 'absent' ELSE {citation}.state END"


def _query(wire: str) -> str:
    birth, birth_state = _past("birth_date", f"signed_on - INTERVAL {OLDEST_BIRTH_YEARS} YEAR")
    opened, opened_state = _past("matter_opened_on")
    ordered, ordered_state = _past("final_order_date")
    reviewed, reviewed_state = _past("review_order_date")
    reads = ", ".join(f"{_date(column)} AS {column}_read" for column in _DATES)
    no_reason = ", ".join(f"'{text.replace(' ', '')}'" for text in _NO_REASON)
    place = ", ".join(f"place.{part}" for part in (*addresses.PARTS, "zip_state", "address_verdict", "address_reason"))
    return f"""
        WITH read AS (
            SELECT rowid AS seq, *, ?::DATE AS signed_on, {reads}, {_reason_words()} AS reason_words,
                   {names.name_keys("last_name", "first_name", "middle_name", "suffix")}
            FROM {wire}
        ), worded AS (SELECT *, {_reason_letters()} AS letters FROM read
        ), keyed AS (SELECT *, {_LETTERS} AS only_letters FROM worded)
        SELECT read.seq, {", ".join(f"read.{column}" for column in COLUMNS)},
               last_key, first_key, middle_key, suffix_key,
               {names.name_state("last_key", "first_key")} AS name_state,
               {birth} AS birth_on, {birth_state} AS birth_state,
               CASE WHEN {_TIN_VALID} THEN {_TIN} END AS tin_digits,
               CASE WHEN tin IS NULL THEN 'absent' WHEN {_TIN_VALID} THEN 'valid' ELSE 'invalid' END AS tin_state,
               period_from_read AS period_from_on, period_to_read AS period_to_on, {_PERIOD} AS period_state,
               {opened} AS matter_opened, {opened_state} AS matter_opened_state,
               {ordered} AS final_order, {ordered_state} AS final_order_state,
               {reviewed} AS review_order, {reviewed_state} AS review_order_state,
               cited.citation AS authority_citation, {_state("read.authority", "cited")} AS authority_state,
               ground.citation AS ground_citation, {_state("read.removal_ground", "ground")} AS ground_state,
               {_PROCEEDING} AS proceeding_kind,
               CASE WHEN reason IS NULL THEN 'absent'
                    WHEN only_letters IN ('', {no_reason}) THEN 'placeholder'
                    ELSE 'given' END AS reason_state,
               length(reason)::INTEGER AS reason_length, md5(nullif(only_letters, '')) AS reason_key,
               coalesce(officer_list, []) AS officer_list, coalesce(item_list, []) AS item_list,
               {place}
        FROM keyed read
        LEFT JOIN normal_citations cited ON read.authority = cited.cited
        LEFT JOIN normal_citations ground ON read.removal_ground = ground.cited
        LEFT JOIN normal_officers USING (officer_ids)
        LEFT JOIN normal_items USING (items)
        LEFT JOIN normal_addresses place ON read.seq = place.seq
    """
