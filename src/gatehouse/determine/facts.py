"""The facts that law may use: one row a request, typed, named as in docs/architecture.md, null where unknown.

Three sources meet here: the row itself, the whole submission with what the custodian knows of its parties, and the
match. No source fills a gap of another: a covering letter never completes a row, and a TIN never an address.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from gatehouse.intake import shapes
from gatehouse.intake.manifest import Manifest, Officer
from gatehouse.intake.parties import CEILINGS, USUAL_TIMES, Parties
from gatehouse.law.supply import releasable

_ROW = """
    name_state, birth_state, tin_state, period_state, matter_opened_state, final_order_state, review_order_state,
    authority_state, ground_state, reason_state, reason_purpose,
    proceeding_kind AS proceeding, address_verdict, address_kind,
    zip_state, authority_citation AS authority, authority_section, authority_subsection,
    authority_paragraph, authority_subparagraph, ground_citation AS removal_ground, period_from_on AS period_from,
    period_to_on AS period_to, matter_opened AS matter_opened_on, final_order AS final_order_date,
    review_order AS review_order_date, birth_on AS birth_date, matter_number_state, final_order_number_state,
    matter_number_state = 'given' AS matter_number_given,
    final_order_number_state = 'given' AS final_order_number_given, reason_length, item_list AS items_requested
"""
_STATED = f"""
    {shapes.follows("matter_number", "$matter_number_shapes::VARCHAR")} AS matter_number_shape,
    {shapes.follows("final_order_number", "$final_order_number_shapes::VARCHAR")} AS final_order_number_shape,
    CASE WHEN $agency_since::DATE IS NOT NULL THEN coalesce(matter_opened < $agency_since::DATE, false) END
        AS matter_before_agency
"""
_BATCH = "officer_matters, reason_identical, reason_identical_percent, address_shared, subject_repeats"
_PROBING = (
    "subject_variants, officer_near_misses, agency_near_misses, agency_near_miss_percent, agency_requests, "
    "agency_closed, agency_answered_percent"
)
_MATCH = (
    "persons_name, persons_agreeing, corroboration, name_agreement, address_agreement, tin_agrees, "
    "birth_date_agrees, period_filed, restricted"
)
_OFFICERS = (
    "officers_named, officers_listed, officers_persons, officers_employed, officers_attesting, officers_reachable"
)


@dataclass(frozen=True)
class Standing:
    """What others know of this submission on the day of decision and no table holds."""

    signature_valid: bool | None
    """None where the submission is unsigned or its agency unknown."""
    halted: bool | None = False
    """Whether an overseer's halt covers it."""
    reports_overdue: int | None = None
    """Use and disposal reports that the agency owes according to the custodian's own releases."""


def gather(
    connection: duckdb.DuckDBPyConnection,
    *,
    requests: str,
    batch: str,
    probing: str,
    matches: str,
    target: str,
    manifest: Manifest,
    parties: Parties | None,
    standing: Standing,
    as_of: dt.date,
) -> None:
    """Make the table `target` of facts from the tables named, the manifest and the parties."""
    whole = submission_facts(manifest, parties, standing, as_of)
    _count_officers(connection, requests, manifest.officers)
    columns = ", ".join(f"${name}::{kind} AS {name}" for name, (kind, _) in whole.items())
    values = {**{name: value for name, (_, value) in whole.items()}, **_stated(manifest, parties)}
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE {target} AS
        SELECT seq, {columns}, (SELECT count(*)::INTEGER FROM {requests}) AS submission_requests,
               {_ROW}, {_STATED}, {_BATCH}, {_PROBING}, {_OFFICERS}, {_MATCH}
        FROM {requests}
        LEFT JOIN {batch} USING (seq) LEFT JOIN {probing} USING (seq) LEFT JOIN {matches} USING (seq)
        LEFT JOIN facts_officers USING (officer_list)
        """,
        values,
    )
    connection.execute("DROP TABLE facts_officers")


def _stated(manifest: Manifest, parties: Parties | None) -> Mapping[str, object]:
    """What the custodian states of the agency's numbers and age, as parameters of `_STATED`."""
    agency = parties.agencies.get(manifest.agency) if parties else None
    stated = agency.shapes if agency else {}
    patterns = {f"{column}_shapes": shapes.pattern(stated[column]) for column in stated}
    return (
        {f"{column}_shapes": None for column in shapes.COLUMNS}
        | patterns
        | {"agency_since": agency.since if agency else None}
    )


def submission_facts(
    manifest: Manifest, parties: Parties | None, standing: Standing, as_of: dt.date
) -> Mapping[str, tuple[str, object]]:
    """The facts of the whole submission: name → (SQL type, value). Unknown agencies and agreements leave nulls."""
    agency = parties.agencies.get(manifest.agency) if parties else None
    agreement = parties.agreements.get(manifest.agreement) if parties else None
    party = agreement is not None and manifest.agency in agreement.parties
    capacity = manifest.signatory.capacity
    stated_overdue = [agency.reports_overdue if agency else None, standing.reports_overdue]
    overdue = [count for count in stated_overdue if count is not None]
    ceilings = {name: parties.ceiling(name) if parties else None for name in CEILINGS}
    usual = agency.usual_requests if agency else None
    if ceilings["agency_requests_hold"] is None and usual is not None:
        ceilings["agency_requests_hold"] = USUAL_TIMES * usual
    return {
        "signature_valid": ("BOOLEAN", standing.signature_valid),
        "agency": ("VARCHAR", manifest.agency),
        "agreement": ("VARCHAR", manifest.agreement),
        "basis": ("VARCHAR", manifest.basis),
        "signed_on": ("DATE", manifest.signed_on),
        "signatory_capacity": ("VARCHAR", capacity),
        "signatory_state": ("VARCHAR", manifest.signatory.state),
        "signatory_listed": ("BOOLEAN", agency.lists(manifest.signatory, manifest.signed_on) if agency else None),
        "agreement_in_force": ("BOOLEAN", party and agreement.span.holds(as_of) if agreement else None),
        "agreement_covers_basis": ("BOOLEAN", manifest.basis in agreement.basis if agreement else None),
        "agreement_allows_capacity": ("BOOLEAN", capacity in agreement.capacities if agreement else None),
        # what no release can hold is not agreed to either: else it would be cleared, committed and never sent
        "items_agreed": ("VARCHAR[]", releasable(agreement.items) if agreement and party else []),
        "safeguards_approved": ("BOOLEAN", agency.safeguards.approved(as_of) if agency else None),
        "safeguards_plan_dated": ("BOOLEAN", agency.safeguards.plan_dated(as_of) if agency else None),
        "safeguards_open_findings": ("INTEGER", agency.safeguards.open_findings if agency else None),
        # The larger of what the custodian wrote down and what its own releases show.
        "reports_overdue": ("INTEGER", max(overdue) if overdue else None),
        "halted": ("BOOLEAN", standing.halted),
        "usual_requests": ("INTEGER", usual),
        **{name: ("INTEGER", value) for name, value in ceilings.items()},
    }


def _count_officers(connection: duckdb.DuckDBPyConnection, requests: str, officers: Sequence[Officer]) -> None:
    """Per list of officers as rows name them: how many the manifest lists, names, employs, binds and can reach.

    An officer whom the manifest does not list counts in none but `officers_named`.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE facts_listed (officer VARCHAR, person BOOLEAN, employee BOOLEAN, "
        "attests BOOLEAN, reach BOOLEAN)"
    )
    # One statement with lists: row by row, seventy thousand officers would take half a minute.
    connection.execute(
        "INSERT INTO facts_listed SELECT unnest(?::VARCHAR[]), unnest(?::BOOLEAN[]), unnest(?::BOOLEAN[]), "
        "unnest(?::BOOLEAN[]), unnest(?::BOOLEAN[])",
        [
            [officer.id for officer in officers],
            [officer.named for officer in officers],
            [officer.employee for officer in officers],
            [officer.attests_sole_use for officer in officers],
            [officer.reachable for officer in officers],
        ],
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE facts_officers AS
        WITH lists AS (SELECT DISTINCT officer_list FROM {requests}),
        named AS (SELECT officer_list, unnest(officer_list) AS officer FROM lists)
        SELECT officer_list, count(officer)::INTEGER AS officers_named,
               count(listed.officer)::INTEGER AS officers_listed,
               (count(*) FILTER (person))::INTEGER AS officers_persons,
               (count(*) FILTER (employee))::INTEGER AS officers_employed,
               (count(*) FILTER (attests))::INTEGER AS officers_attesting,
               (count(*) FILTER (reach))::INTEGER AS officers_reachable
        FROM lists LEFT JOIN named USING (officer_list) LEFT JOIN facts_listed listed USING (officer)
        GROUP BY officer_list
    """)
    connection.execute("DROP TABLE facts_listed")
