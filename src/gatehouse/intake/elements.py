"""The elements of a request that are judged from text alone, by kind: what a judge reads, and what it may answer.

`element check` and the tests reach every judge through this table, so that a file of examples is judged exactly as a
submission is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from gatehouse.intake import dates, numbers, officers, placeholders, reasons
from gatehouse.kernel import clock


@dataclass(frozen=True)
class Kind:
    """One kind of element."""

    judge: Callable[[duckdb.DuckDBPyConnection, str, str], None]
    """Makes the table `target` (row_number, verdict, why) from the relation `source`, whose columns are row_number,
    text, field, context and title; the last four are VARCHAR and NULL where the file has none."""
    verdicts: tuple[str, ...]
    """Every verdict that may come."""


def _judge_reasons(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW element_reasons AS SELECT row_number, text AS reason FROM {source}"
    )
    reasons.judge(connection, "element_reasons", "element_judged", "row_number")
    connection.execute(
        f"CREATE OR REPLACE TABLE {target} AS "
        "SELECT row_number, reason_state AS verdict, reason_why AS why FROM element_judged"
    )
    connection.execute("DROP TABLE element_judged; DROP VIEW element_reasons")


def _judge_numbers(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW element_numbers AS "
        f"SELECT row_number, {placeholders.visible('text')} AS number FROM {source}"
    )
    numbers.tell(connection, "element_numbers", "row_number", ("number",), "element_told")
    connection.execute(
        f"CREATE OR REPLACE TABLE {target} AS "
        "SELECT row_number, number_state AS verdict, number_why AS why FROM element_told"
    )
    connection.execute("DROP TABLE element_told; DROP VIEW element_numbers")


# How files name the dates of a request; whatever else they say is a date of no field in particular.
_DATE_FIELDS = {
    "birth_date": ("birth_date", "dob", "date_of_birth", "birth", "born"),
    "matter_opened_on": ("matter_opened_on", "matter_opened", "opened_on", "matter_date", "matter"),
    "final_order_date": ("final_order_date", "final_order", "order_date"),
    "review_order_date": ("review_order_date", "review_order", "review_date"),
    "signed_on": ("signed_on", "signed", "as_of"),
    "agency_since": ("agency_since", "agency_existed_from", "agency_founded", "agency_established", "agency_from"),
    "period_from": ("period_from",),
    "period_to": ("period_to",),
}


def _judge_dates(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    names = "MAP {" + ", ".join(f"'{one}': '{field}'" for field, all_ in _DATE_FIELDS.items() for one in all_) + "}"
    known = ", ".join(f"{_in_context(field)} AS {field}" for field in _DATE_FIELDS)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE element_dates AS "
        f"SELECT row_number, {placeholders.visible('text')} AS written_date, "
        rf"{names}[regexp_replace(lower(trim(field)), '[^a-z]+', '_', 'g')] AS which, {known} FROM {source}"
    )
    dates.fillers(connection, "element_dates", ("written_date",), "element_fillers")
    others = {field: field for field in _DATE_FIELDS} | {"signed_on": f"coalesce(signed_on, DATE '{clock.today()}')"}
    own = dates.read("written_date")
    cases = " ".join(
        f"WHEN '{field}' THEN {dates.why(field, 'written_date', 'filler', others | {field: own})}"
        for field in (*dates.FIELDS, "period_from", "period_to")
    )
    other = dates.why("other", "written_date", "filler", others | {"other": own})
    connection.execute(
        f"CREATE OR REPLACE TABLE {target} AS SELECT row_number, {dates.state('why')} AS verdict, why "
        f"FROM (SELECT row_number, CASE which {cases} ELSE {other} END AS why "
        "FROM element_dates LEFT JOIN element_fillers ON written_date = written)"
    )
    connection.execute("DROP TABLE element_dates; DROP TABLE element_fillers")


def _in_context(field: str) -> str:
    """SQL: the DATE that a row's `context` states for a field, as in `signed_on=2025-06-27; birth_date=1970-01-01`."""
    spoken = "|".join(_DATE_FIELDS[field])
    said = rf"regexp_extract(context, '(?i)(?:^|[;,|\s])(?:{spoken})\s*[=:]\s*([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})', 1)"
    return f"try_cast(nullif({said}, '') AS DATE)"


def _judge_officers(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    pairs = connection.execute(f"SELECT DISTINCT text, title FROM {source}").fetchall()
    told = [officers.judge(name, title) for name, title in pairs]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE element_told AS SELECT unnest($names::VARCHAR[]) AS text, "
        "unnest($titles::VARCHAR[]) AS title, unnest($verdicts::VARCHAR[]) AS verdict, unnest($whys::VARCHAR[]) AS why",
        {
            "names": [name for name, _ in pairs],
            "titles": [title for _, title in pairs],
            "verdicts": [one.verdict for one in told],
            "whys": [one.why for one in told],
        },
    )
    connection.execute(
        f"CREATE OR REPLACE TABLE {target} AS SELECT row_number, verdict, why FROM {source} s JOIN element_told t "
        "ON s.text IS NOT DISTINCT FROM t.text AND s.title IS NOT DISTINCT FROM t.title"
    )
    connection.execute("DROP TABLE element_told")


KINDS = {
    "reason": Kind(_judge_reasons, reasons.VERDICTS),
    "number": Kind(_judge_numbers, ("given", "placeholder", "absent")),
    "date": Kind(_judge_dates, ("valid", "placeholder", "invalid", "absent")),
    "officer_name": Kind(_judge_officers, ("person", "placeholder", "role_only")),
}
