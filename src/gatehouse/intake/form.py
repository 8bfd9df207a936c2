"""The form of a submission, checked by the requesting side before it is sent: every fault by row and column.

Looks at what was written and at nothing else; no record of anybody is searched. What passes here may still be refused
by law or answered with silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from gatehouse.intake import addresses
from gatehouse.intake.manifest import Manifest

# condition over the `requests` table, the column to mend, what to do
_FAULTS = (
    ("name_state = 'missing'", "last_name", "give the person's first and last name"),
    ("name_state = 'placeholder'", "last_name", "this is a filler, not a name"),
    ("birth_state = 'invalid'", "birth_date", "write the date as 1980-01-31"),
    ("tin_state = 'invalid'", "tin", "a TIN has nine digits"),
    ("period_state = 'missing'", "period_from", "give the first and last day of the taxable periods"),
    ("period_state = 'invalid'", "period_from", "write both dates as 2023-01-31"),
    ("period_state = 'reversed'", "period_to", "the period ends before it begins"),
    ("period_state = 'future'", "period_from", "the period begins after the submission was signed"),
    ("authority_state = 'absent'", "authority", "cite the criminal statute"),
    ("authority_state = 'unreadable'", "authority", "cite it as 8 USC 1253(a)(1)"),
    ("authority_state = 'section_only'", "authority", "cite the subsection that makes the crime"),
    ("proceeding_kind IS NULL", "proceeding", "say investigation, preparation or grand_jury"),
    ("proceeding_kind IN ('civil_removal', 'other')", "proceeding", "the law asked for names criminal matters only"),
    ("matter_number IS NULL", "matter_number", "give the number of the investigation or case"),
    ("matter_opened_state = 'invalid'", "matter_opened_on", "write the date as 2025-01-31"),
    ("final_order_state = 'invalid'", "final_order_date", "write the date as 2025-01-31"),
    ("review_order_state = 'invalid'", "review_order_date", "write the date as 2025-01-31"),
    ("ground_state = 'unreadable'", "removal_ground", "cite it as 8 USC 1227(a)(1)(B)"),
    ("reason_state = 'absent'", "reason", "say why this is relevant to this matter"),
    ("reason_state = 'placeholder'", "reason", "this is a filler, not a reason"),
    ("len(coalesce(officer_list, [])) = 0", "officer_ids", "name the officers personally and directly engaged"),
    ("len(coalesce(item_list, [])) = 0", "items", "name the items asked for, such as last_known_address"),
)


@dataclass(frozen=True)
class Fault:
    """One fault of one row; rows count from 1 over the tables in the manifest's order."""

    row: int
    request_id: str
    column: str
    problem: str


def find(connection: duckdb.DuckDBPyConnection, requests: str, manifest: Manifest) -> Iterator[Fault]:
    """Every fault of form in the table `requests`, in the order of its rows."""
    listed = [officer.id for officer in manifest.officers]
    found = connection.execute(f"{_query(requests)} ORDER BY row, position", {"listed": listed})
    while rows := found.fetchmany(10_000):
        for row, request_id, column, problem, reason, _ in rows:
            yield Fault(row, request_id, column, addresses.explain(reason) if reason else problem)


def _query(requests: str) -> str:
    parts: Sequence[str] = [
        f"SELECT seq + 1 AS row, request_id, '{column}' AS mend, '{problem.replace(chr(39), chr(39) * 2)}' AS problem, "
        f"NULL::VARCHAR AS reason, {position} AS position FROM {requests} WHERE {condition}"
        for position, (condition, column, problem) in enumerate(_FAULTS)
    ]
    address = (
        "SELECT seq + 1, request_id, 'address_line1', NULL, address_reason, -1 "
        f"FROM {requests} WHERE address_verdict IS DISTINCT FROM 'complete'"
    )
    unlisted = (
        "SELECT seq + 1, request_id, 'officer_ids', 'an officer here is not among the officers of submission.json', "
        f"NULL, {len(_FAULTS)} FROM {requests} WHERE len(list_filter(coalesce(officer_list, []), "
        "lambda id: NOT list_contains($listed, id))) > 0"
    )
    return " UNION ALL ".join([*parts, address, unlisted])
