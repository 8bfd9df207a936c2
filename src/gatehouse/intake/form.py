"""The form of a submission, checked by the requesting side before it is sent: every fault by row and column.

Looks at what was written and at nothing else; no record of anybody is searched. What passes here may still be refused
by law or answered with silence.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from gatehouse.intake import addresses, dates, numbers, officers, reasons
from gatehouse.intake import manifest as manifests
from gatehouse.intake.manifest import Manifest
from gatehouse.kernel import files

_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")

# condition over the `requests` table, the column to mend, what to do: whatever the law
_FAULTS = (
    ("name_state = 'missing'", "last_name", "give the person's first and last name"),
    ("name_state = 'placeholder'", "last_name", "this is a filler, not a name"),
    ("tin_state = 'invalid'", "tin", "a TIN has nine digits"),
    ("period_state = 'invalid'", "period_from", "write both dates as 2023-01-31"),
    ("period_state = 'reversed'", "period_to", "the period ends before it begins"),
    ("period_state = 'future'", "period_from", "the period begins after the submission was signed"),
    ("authority_state = 'unreadable'", "authority", "cite it as 8 USC 1253(a)(1)"),
    ("authority_state = 'section_only'", "authority", "cite the subsection, not the section alone"),
    ("ground_state = 'unreadable'", "removal_ground", "cite it as 8 USC 1227(a)(1)(B)"),
    ("len(coalesce(item_list, [])) = 0", "items", "name the items asked for, such as last_known_address"),
)

# Judged elements: the column to mend, the column with the code of what is wrong, and the words of the codes.
_JUDGED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "address_line1": ("address_reason", addresses.REASONS),
    "birth_date": ("birth_why", dates.WHY),
    "matter_number": ("matter_number_why", numbers.WHY),
    "matter_opened_on": ("matter_opened_why", dates.WHY),
    "final_order_date": ("final_order_why", dates.WHY),
    "final_order_number": ("final_order_number_why", numbers.WHY),
    "review_order_date": ("review_order_why", dates.WHY),
}

# column of the request → when a request lacks what the law of its basis may ask for there
_LACKS = {
    "period_from": "period_state = 'missing'",
    "authority": "authority_state = 'absent'",
    "proceeding": "proceeding_kind IS NULL",
    "reason": "reason_state = 'absent'",
    "officer_ids": "len(coalesce(officer_list, [])) = 0",
}
_OFFICERS = (
    ("an officer here is not among the officers of submission.json", "NOT list_contains($listed, id)"),
    ("an officer here has no name of a person in submission.json", "list_contains($nameless, id)"),
)

_NO_REASON = "NULL::VARCHAR AS state, NULL::VARCHAR AS purpose, NULL::VARCHAR AS why"


@dataclass(frozen=True)
class Fault:
    """One fault of one row; rows count from 1 over the tables in the manifest's order. Row 0 is the manifest."""

    row: int
    request_id: str
    column: str
    problem: str


@dataclass(frozen=True)
class Asked:
    """What one law asks every request to say: column → what to do where it is empty, and the proceedings it is for."""

    columns: Mapping[str, str] = field(default_factory=dict)
    proceedings: tuple[str, ...] = ()


NOTHING = Asked()


def find(
    connection: duckdb.DuckDBPyConnection, requests: str, manifest: Manifest, asked: Asked = NOTHING
) -> Iterator[Fault]:
    """Every fault of form: of the signatory (row 0), then in the table `requests`, in the order of its rows.

    `asked` is what the law of the submission's basis wants to be told; without it only what every law wants is.
    """
    if manifest.signatory.why:
        yield Fault(0, manifests.NAME, "signatory.name", officers.WHY[manifest.signatory.why])
    bound = {
        "listed": [officer.id for officer in manifest.officers],
        "nameless": [officer.id for officer in manifest.officers if not officer.named],
        "proceedings": list(asked.proceedings),
    }
    found = connection.execute(f"{_query(requests, asked)} ORDER BY row, position, mend", bound)
    while rows := found.fetchmany(10_000):
        for row, request_id, column, problem, code, _, *reason in rows:
            said = _JUDGED[column][1][code] if code else problem or reasons.explain(*reason)
            yield Fault(row, request_id, column, said or "")


def write(faults: Iterator[Fault], path: Path) -> int:
    """Write faults as CSV (row, request_id, column, problem), whole or not at all; gives how many there were.

    An id that a spreadsheet would read as a formula is made text by an apostrophe in front.
    """
    count = 0
    with files.replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(("row", "request_id", "column", "problem"))
        for fault in faults:
            shown = f"'{fault.request_id}" if _FORMULA.match(fault.request_id) else fault.request_id
            lines.writerow((fault.row, shown, fault.column, fault.problem))
            count += 1
    return count


def _query(requests: str, asked: Asked) -> str:
    faults = [*_FAULTS, *((_LACKS[column], column, says) for column, says in asked.columns.items() if column in _LACKS)]
    if asked.proceedings:
        says = asked.columns.get("proceeding", f"this law is for {', '.join(asked.proceedings)}")
        faults.append(("NOT list_contains($proceedings, proceeding_kind)", "proceeding", says))
    parts: Sequence[str] = [
        f"SELECT seq + 1 AS row, request_id, '{column}' AS mend, '{problem.replace(chr(39), chr(39) * 2)}' AS problem, "
        f"NULL::VARCHAR AS code, {position} AS position, {_NO_REASON} FROM {requests} WHERE {condition}"
        for position, (condition, column, problem) in enumerate(faults)
    ]
    judged = [
        f"SELECT seq + 1, request_id, '{column}', NULL, {code}, -1, {_NO_REASON} FROM {requests} "
        f"WHERE {code} IS NOT NULL "
        + ("AND address_verdict <> 'complete'" if column == "address_line1" else "")
        + ("" if column == "address_line1" or column in asked.columns else f"AND {code} <> 'absent'")
        for column, (code, _) in _JUDGED.items()
    ]
    reason = (
        "SELECT seq + 1, request_id, 'reason', NULL, NULL, -1, reason_state, reason_purpose, reason_why "
        f"FROM {requests} WHERE reason_state NOT IN ('absent', 'specific')"
    )
    named = [
        f"SELECT seq + 1, request_id, 'officer_ids', '{problem}', NULL, {len(faults)}, {_NO_REASON} FROM {requests} "
        f"WHERE len(list_filter(coalesce(officer_list, []), lambda id: {test})) > 0 "
        "AND len($proceedings) >= 0 AND len($listed) >= 0 AND len($nameless) >= 0"
        for problem, test in _OFFICERS
    ]
    return " UNION ALL ".join([*parts, *judged, reason, *named])
