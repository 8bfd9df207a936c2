"""Facts come from where they belong, and what nobody knows is null."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from gatehouse.determine.facts import Standing, submission_facts
from gatehouse.intake import manifest as manifests
from gatehouse.intake import parties as parties_file

AS_OF = dt.date(2025, 8, 7)

MANIFEST = manifests.Manifest(
    id="S-1",
    agency="us.example.agency",
    basis="us.irs.6103-i-2",
    agreement="agreement-1",
    signed_on=dt.date(2025, 6, 27),
    signatory=manifests.Signatory("A. Head", "Director", "agency_head"),
    officers=(),
    tables=(),
)

PARTIES = """
[agencies."us.example.agency"]
name = "An Agency"
usual_requests = 1000
reports_overdue = 1
[[agencies."us.example.agency".signatories]]
name = "A. Head"
title = "Director"
capacity = "agency_head"
from = 2025-01-01
[agencies."us.example.agency".safeguards]
report_approved_until = 2026-01-01
open_findings = 0
[agreements.agreement-1]
parties = ["us.example.agency"]
basis = ["us.irs.6103-i-2"]
from = 2025-04-07
items = ["last_known_address"]
capacities = ["agency_head"]
[policy.officer_matters_hold]
ceiling = 50
reason = "more than one person can follow"
"""


def facts(manifest: manifests.Manifest = MANIFEST, text: str | None = PARTIES, as_of: dt.date = AS_OF, **standing):
    parties = parties_file.parse(text.encode()) if text else None
    known = Standing(**{"signature_valid": True, **standing})
    return {name: value for name, (_, value) in submission_facts(manifest, parties, known, as_of).items()}


def test_a_known_agency_under_a_known_agreement() -> None:
    found = facts()
    assert found["signatory_listed"] is True
    assert found["agreement_in_force"] is True
    assert found["agreement_allows_capacity"] is True
    assert found["items_agreed"] == ["last_known_address"]
    assert found["safeguards_approved"] is True
    assert found["officer_matters_hold"] == 50
    assert found["officer_matters_refuse"] is None


def test_without_parties_everything_the_custodian_would_know_is_null() -> None:
    found = facts(text=None)
    known = {
        "signature_valid",
        "signatory_state",
        "agency",
        "agreement",
        "basis",
        "signed_on",
        "signatory_capacity",
        "halted",
    }
    assert {name for name, value in found.items() if value not in (None, [])} <= known | {"signature_valid"}
    assert found["items_agreed"] == []


@pytest.mark.parametrize(
    ("change", "fact", "value"),
    [
        ({"signatory": manifests.Signatory("A. Head", "Deputy", "agency_head")}, "signatory_listed", False),
        ({"signatory": manifests.Signatory("A. Head", "Director", "delegate")}, "agreement_allows_capacity", False),
        ({"agency": "us.other"}, "agreement_in_force", False),
        ({"agency": "us.other"}, "signatory_listed", None),
        ({"agreement": "unknown"}, "agreement_in_force", None),
        ({"basis": "us.irs.6103-i-1"}, "agreement_covers_basis", False),
        ({"signed_on": dt.date(2024, 12, 31)}, "signatory_listed", False),
    ],
)
def test_each_fact_follows_what_it_is_about(change: dict, fact: str, value: object) -> None:
    assert facts(replace(MANIFEST, **change))[fact] is value


def test_an_agency_that_is_no_party_has_no_items_agreed() -> None:
    assert facts(replace(MANIFEST, agency="us.other"))["items_agreed"] == []


@pytest.mark.parametrize(("own", "overdue"), [(None, 1), (0, 1), (3, 3)])
def test_overdue_reports_are_the_larger_of_what_is_written_and_what_is_counted(own: int | None, overdue: int) -> None:
    assert facts(reports_overdue=own)["reports_overdue"] == overdue


def test_the_day_of_decision_counts_for_agreement_and_safeguards() -> None:
    later = facts(as_of=dt.date(2026, 1, 1))
    assert later["safeguards_approved"] is False
    assert facts(as_of=dt.date(2025, 4, 6))["agreement_in_force"] is False
