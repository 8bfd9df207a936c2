"""What an installation supplies to law: every fact with its type and spellings, and the items a release can hold.

A pack may need more than that. Nothing clears by a fact that nobody supplies, and no item leaves that no table holds;
a pack says so itself under `[awaits]`, or its check fails: else it would be proved and could never work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gatehouse.law.language import Kind

_GIVEN = ("absent", "valid", "invalid")
_DATE = ("absent", "placeholder", "valid", "invalid")
_CITATION = ("absent", "unreadable", "section_only", "pinpoint")

_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "signatory_capacity": ("agency_head", "inspector_general", "doj_listed", "delegate", "other"),
    "name_state": ("given", "missing", "placeholder"),
    "birth_state": _DATE, "tin_state": _GIVEN, "matter_opened_state": _DATE, "final_order_state": _DATE,
    "review_order_state": _DATE,
    "period_state": ("valid", "missing", "invalid", "reversed", "future"),
    "authority_state": _CITATION, "ground_state": _CITATION,
    "reason_state": ("absent", "placeholder", "pointer", "unspecific", "unclear", "civil_purpose", "specific"),
    "reason_purpose": ("removal", "voters", "benefits", "database", "household", "civil"),
    "signatory_state": ("person", "placeholder", "role_only"),
    "matter_number_state": ("absent", "placeholder", "given"),
    "final_order_number_state": ("absent", "placeholder", "given"),
    "matter_number_shape": ("as_stated", "other", "unstated"),
    "final_order_number_shape": ("as_stated", "other", "unstated"),
    "proceeding": ("investigation", "preparation", "grand_jury", "civil_removal", "other"),
    "address_verdict": ("complete", "incomplete", "not_an_address", "institution"),
    "address_kind": ("street", "po_box", "rural_route", "military", "general_delivery", "foreign"),
    "zip_state": ("agrees", "contradicts", "unknown", "absent"),
    "corroboration": ("tin", "birth_date", "none"),
    "name_agreement": ("exact", "lax"), "address_agreement": ("exact", "lax"),
}  # fmt: skip

_OPEN_TEXTS = (
    "agency", "agreement", "basis", "authority", "authority_section", "authority_subsection", "authority_paragraph",
    "authority_subparagraph", "removal_ground",
)  # fmt: skip

_BOOLEANS = (
    "signature_valid", "signatory_listed", "agreement_in_force", "agreement_covers_basis", "agreement_allows_capacity",
    "safeguards_approved", "safeguards_plan_dated", "halted", "matter_number_given", "final_order_number_given",
    "tin_agrees", "birth_date_agrees", "period_filed", "restricted", "matter_before_agency",
)  # fmt: skip

_NUMBERS = (
    "safeguards_open_findings", "reports_overdue", "submission_requests", "usual_requests", "officer_matters_hold",
    "officer_matters_refuse", "identical_reason_percent_hold", "address_shared_hold", "subject_variants_hold",
    "officer_near_misses_hold", "agency_near_miss_percent_hold", "agency_requests_hold", "agency_answered_percent_hold",
    "reason_length", "reason_identical", "reason_identical_percent", "address_shared", "subject_repeats",
    "subject_variants", "officer_near_misses", "agency_near_misses", "agency_near_miss_percent", "agency_requests",
    "agency_closed", "agency_answered_percent", "officers_named", "officers_listed", "officers_persons",
    "officers_employed", "officers_attesting", "officers_reachable", "officer_matters", "persons_name",
    "persons_agreeing",
)  # fmt: skip

_DATES = (
    "signed_on", "period_from", "period_to", "matter_opened_on", "final_order_date", "review_order_date", "birth_date",
)  # fmt: skip

ITEMS = ("last_known_address",)
"""Items that a register of the contract holds. Household members, dependants and joint filers are never among them."""


@dataclass(frozen=True)
class Supplied:
    """One fact as `determine.facts` gives it: its type, and every spelling it may have; none where the text is open."""

    kind: Kind
    values: tuple[str, ...] = ()


FACTS: Mapping[str, Supplied] = {
    **{name: Supplied(Kind.TEXT, values) for name, values in _SPELLINGS.items()},
    **{name: Supplied(Kind.TEXT) for name in _OPEN_TEXTS},
    **{name: Supplied(Kind.BOOL) for name in _BOOLEANS},
    **{name: Supplied(Kind.INT) for name in _NUMBERS},
    **{name: Supplied(Kind.DATE) for name in _DATES},
    **{name: Supplied(Kind.ITEMS) for name in ("items_requested", "items_agreed")},
}
"""Every fact that the tables of docs/architecture.md supply, by name."""


def releasable(items: Iterable[str]) -> list[str]:
    """Those of some items that a release can hold, in their order; what cannot be released cannot be cleared."""
    return [item for item in items if item in ITEMS]
