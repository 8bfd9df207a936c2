"""Normalising once: every text that later rooms compare, date, list or citation is derived here and nowhere else.

Numbers are read leniently where that is unambiguous, dates strictly. What cannot be read is a state (`invalid`,
`unreadable`), never a guess. The columns are those of the table `requests` in docs/architecture.md.
"""

from __future__ import annotations

import datetime as dt

import duckdb

from gatehouse.intake import addresses, citations, dates, names, numbers, reasons
from gatehouse.intake.wire import COLUMNS

_PROCEEDINGS = ("investigation", "preparation", "grand_jury", "civil_removal")
_DATES = ("birth_date", "period_from", "period_to", "matter_opened_on", "final_order_date", "review_order_date")


WITHIN = ("authority_section", "authority_subsection", "authority_paragraph", "authority_subparagraph")
"""What the statute cited lies within, level by level; a citation that ends above a level is there as it stands."""


def normalise(connection: duckdb.DuckDBPyConnection, wire: str, target: str, signed_on: dt.date) -> None:
    """Make the table `target` from the table `wire` of the wire's columns; `wire` is dropped.

    `seq` is the row's place in the submission, from 0; the table itself is in no order. `signed_on` is the day after
    which nothing in a request can have happened.
    """
    connection.execute(f"CREATE OR REPLACE TABLE {target} AS {prepare(connection, wire, signed_on)}")
    for table in (wire, *(f"normal_{name}" for name in _WORKING)):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DROP VIEW normal_addressed; DROP VIEW normal_reasoned")


_WORKING = ("officers", "items", "citations", "addresses", "fillers", "numbers", "names", "reasons")


def prepare(connection: duckdb.DuckDBPyConnection, wire: str, signed_on: dt.date) -> str:
    """The query over `wire` that gives the rows of `normalise`, for one reading; its working tables stay."""
    _read_citations(connection, wire)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE normal_officers AS {_lists(wire, 'officer_ids', 'officer_list')}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE normal_items AS {_lists(wire, 'items', 'item_list')}")
    dates.fillers(connection, wire, dates.FIELDS, "normal_fillers")
    numbers.tell(connection, f"(SELECT rowid AS seq, * FROM {wire})", "seq", _NUMBERS, "normal_numbers")
    names.tell(connection, wire, _NAMES, "normal_names")
    addresses.judge(connection, _addressed(connection, wire), "normal_addresses", "seq")
    own = ("last_name", "first_name", "middle_name", "city")
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW normal_reasoned AS SELECT rowid AS seq, reason, {', '.join(own)} FROM {wire}"
    )
    reasons.judge(connection, "normal_reasoned", "normal_reasons", "seq", own)
    return _query(wire, signed_on)


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
    within = ", ".join(f"unnest(?::VARCHAR[]) AS {name}" for name in WITHIN)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE normal_citations AS SELECT unnest(?::VARCHAR[]) AS cited, "
        f"unnest(?::VARCHAR[]) AS citation, unnest(?::VARCHAR[]) AS state, {within}",
        [
            texts,
            [each and each.text for each in read],
            [each.state if each else "unreadable" for each in read],
            *([each and each.down_to(depth) for each in read] for depth in range(len(WITHIN))),
        ],
    )


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


def _state(text: str, citation: str) -> str:
    return f"CASE WHEN {text} IS NULL THEN 'absent' ELSE {citation}.state END"


_NAMES = ("last_name", "first_name", "middle_name")
_NUMBERS = ("matter_number", "final_order_number")
_JUDGED_DATES = {
    "birth_date": ("birth", "birth_on"),
    "final_order_date": ("final_order", "final_order"),
    "review_order_date": ("review_order", "review_order"),
    "matter_opened_on": ("matter_opened", "matter_opened"),
}
"""Each date: the name of its state, and its value. The order is that in which one may contradict another."""


def _dated() -> str:
    """A step of the query for each date: what is wrong with it, and its value where nothing is."""
    steps, before, days = [], "read", {"signed_on": "signed_on"}
    for column, (name, value) in _JUDGED_DATES.items():
        why = dates.why(column, column, "filler", days | {column: f"{column}_read"})
        steps.append(
            f", why_{name} AS (SELECT b.*, {why} AS {name}_why FROM {before} b "
            f"LEFT JOIN normal_fillers ON b.{column} = written)"
            f", {name}_done AS (SELECT *, CASE WHEN {name}_why IS NULL THEN {column}_read END "
            f"AS {value} FROM why_{name})"
        )
        before, days = f"{name}_done", days | {column: value}
    return f"{''.join(steps)}, dated AS (SELECT * FROM {before})"


def _query(wire: str, signed_on: dt.date) -> str:
    reads = ", ".join(f"{dates.read(column)} AS {column}_read" for column in _DATES)
    place = ", ".join(f"place.{part}" for part in (*addresses.PARTS, "zip_state", "address_verdict", "address_reason"))
    return f"""
        WITH read AS (
            SELECT rowid AS seq, *, DATE '{signed_on}' AS signed_on, {reads} FROM {wire}
        )
        {_dated()}
        SELECT read.seq, {", ".join(f"read.{column}" for column in COLUMNS)},
               {names.name_keys("read.suffix", *_NAMES)}, {names.name_state(*_NAMES[:2])} AS name_state,
               birth_on, {dates.state("birth_why")} AS birth_state, birth_why,
               CASE WHEN {_TIN_VALID} THEN {_TIN} END AS tin_digits,
               CASE WHEN tin IS NULL THEN 'absent' WHEN {_TIN_VALID} THEN 'valid' ELSE 'invalid' END AS tin_state,
               period_from_read AS period_from_on, period_to_read AS period_to_on, {_PERIOD} AS period_state,
               matter_opened, {dates.state("matter_opened_why")} AS matter_opened_state, matter_opened_why,
               final_order, {dates.state("final_order_why")} AS final_order_state, final_order_why,
               review_order, {dates.state("review_order_why")} AS review_order_state, review_order_why,
               {", ".join(f"number.{column}_state, number.{column}_why" for column in _NUMBERS)},
               cited.citation AS authority_citation, {_state("read.authority", "cited")} AS authority_state,
               {", ".join(f"cited.{name}" for name in WITHIN)},
               ground.citation AS ground_citation, {_state("read.removal_ground", "ground")} AS ground_state,
               {_PROCEEDING} AS proceeding_kind,
               why.reason_state, why.reason_purpose, why.reason_why, length(read.reason)::INTEGER AS reason_length,
               why.reason_template,
               coalesce(officer_list, []) AS officer_list, coalesce(item_list, []) AS item_list,
               {place}
        FROM dated read
        LEFT JOIN normal_numbers number ON read.seq = number.seq
        {" ".join(f"LEFT JOIN normal_names {name} ON read.{name} = {name}.written" for name in _NAMES)}
        LEFT JOIN normal_citations cited ON read.authority = cited.cited
        LEFT JOIN normal_citations ground ON read.removal_ground = ground.cited
        LEFT JOIN normal_officers USING (officer_ids)
        LEFT JOIN normal_items USING (items)
        LEFT JOIN normal_reasons why ON read.seq = why.seq
        LEFT JOIN normal_addresses place ON read.seq = place.seq
    """
