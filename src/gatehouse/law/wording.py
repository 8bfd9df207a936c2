"""What a pack says in words besides its rules: the terms of a release, what each request must say, the law of reports.

Each law has its own secrecy, its own authority to tell of a breach and its own accounting. Where a pack is silent the
words here are used, which name no law at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gatehouse.kernel.documents import Table

REQUIRED = (
    "authority", "items", "matter_number", "officer_ids", "period_from", "proceeding", "reason",
)  # fmt: skip
"""Columns of a request that a law may ask for; name and address every law here asks for."""

REPORTS = (
    "accounting", "audit-events", "declaration", "disclosure-records", "disclosures", "errors", "incident", "inquiry",
    "notices", "person", "safeguards-log", "usage",
)  # fmt: skip
_MOST_HOURS = 24 * 365


@dataclass(frozen=True)
class Wording:
    """The words of one law. `form` and `reports` are empty where the law asks for nothing of the kind."""

    confidential: str = (
        "This information is confidential. Unlawful disclosure or inspection may be a crime and may give the person "
        "concerned a claim for damages."
    )
    purposes: str = "the purposes that the request named"
    breach: str = "An improper inspection or disclosure is reported to the custodian at once."
    breach_to: tuple[str, ...] = ("the custodian's office",)
    breach_hours: int = 24
    breach_law: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    """Column → what to do where a request leaves it empty, told before a submission is sent."""
    proceedings: tuple[str, ...] = ()
    """The kinds of proceeding that the law is for; empty where it does not ask."""
    reports: Mapping[str, str] = field(default_factory=dict)
    """Report → the provision that asks for it."""


DEFAULT = Wording()


def read(entry: Table) -> Wording:
    """Read the table `[wording]` of a pack.toml. Raises WrongInput with file, line and remedy."""
    entry.only(
        "confidential", "purposes", "breach", "breach_to", "breach_hours", "breach_law", "form", "proceedings",
        "reports",
    )  # fmt: skip
    form, reports = entry.inner("form", required=False), entry.inner("reports", required=False)
    form.only(*REQUIRED)
    reports.only(*REPORTS)
    hours = entry.number("breach_hours")
    if hours is not None and not 1 <= hours <= _MOST_HOURS:
        raise entry.wrong("breach_hours", "breach_hours is no number of hours", "Write a number from 1 on")
    return Wording(
        entry.text("confidential", required=False) or DEFAULT.confidential,
        entry.text("purposes", required=False) or DEFAULT.purposes,
        entry.text("breach", required=False) or DEFAULT.breach,
        entry.text_list("breach_to") or DEFAULT.breach_to,
        hours or DEFAULT.breach_hours,
        entry.text("breach_law", required=False),
        dict(form.texts()),
        entry.text_list("proceedings"),
        dict(reports.texts()),
    )


def law_of(report: str, wordings: Iterable[Wording]) -> str:
    """The provisions under which a report is made, of every law that it covers, each once; empty where none asks."""
    return "; ".join(dict.fromkeys(one.reports[report] for one in wordings if report in one.reports))
