"""`parties.toml`: what the custodian knows of agencies and agreements, and its own ceilings (design §5.3).

Dates follow one convention: `from` is the first day, `until` the first day no longer. What the file does not say is
unknown, and what is unknown never lets a request through.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gatehouse.intake import shapes
from gatehouse.intake.document import Faults, Section, read_toml
from gatehouse.intake.manifest import Capacity, Signatory
from gatehouse.kernel import digests
from gatehouse.kernel.errors import CustodianFault, WrongInput
from gatehouse.ledger.signers import Verifier

UNLESS_SET = {
    "subject_variants_hold": 2,
    "officer_near_misses_hold": 10,
    "agency_near_miss_percent_hold": 10,
    "agency_answered_percent_hold": 10,
}
"""Ceilings against probing hold even where the custodian sets none: then with these numbers."""
USUAL_TIMES = 3
"""`agency_requests_hold` unless set: so many times the agency's usual size of a submission."""
CEILINGS = (
    "officer_matters_hold", "officer_matters_refuse", "identical_reason_percent_hold", "address_shared_hold",
    "agency_requests_hold", *UNLESS_SET,
)  # fmt: skip


@dataclass(frozen=True)
class Span:
    """The days from `begins` until the day before `ends`; open where None."""

    begins: dt.date | None
    ends: dt.date | None

    def holds(self, day: dt.date) -> bool:
        """Whether a day lies within."""
        return (self.begins is None or self.begins <= day) and (self.ends is None or day < self.ends)


@dataclass(frozen=True)
class Key:
    """A public key of an agency and the days on which it may sign."""

    verifier: Verifier
    span: Span


@dataclass(frozen=True)
class Authorised:
    """A signatory whom the custodian knows, and the days on which they may ask."""

    signatory: Signatory
    span: Span


@dataclass(frozen=True)
class Safeguards:
    """What the last safeguard review of an agency found (26 USC 6103(p)(4))."""

    report_approved_until: dt.date | None
    open_findings: int | None
    corrective_plan_until: dt.date | None
    """The date by which a dated corrective plan ends the findings; None: there is no plan with dates."""

    def approved(self, day: dt.date) -> bool | None:
        """Whether the report is approved on a day; None when nobody said."""
        return None if self.report_approved_until is None else day < self.report_approved_until

    def plan_dated(self, day: dt.date) -> bool:
        """Whether a plan with dates is running on a day. A plan whose date has passed is no plan."""
        return self.corrective_plan_until is not None and day < self.corrective_plan_until


@dataclass(frozen=True)
class Agency:
    """A requesting agency as the custodian knows it."""

    id: str
    name: str
    keys: tuple[Key, ...]
    signatories: tuple[Authorised, ...]
    safeguards: Safeguards
    usual_requests: int | None
    reports_overdue: int | None
    since: dt.date | None = None
    """The day on which the agency began to exist; None: nobody said."""
    shapes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of `matter_number` and `final_order_number`: the shapes that the agency uses, where the custodian states any."""

    def keys_on(self, day: dt.date) -> tuple[Verifier, ...]:
        """The keys that may sign on a day."""
        return tuple(key.verifier for key in self.keys if key.span.holds(day))

    def lists(self, signatory: Signatory, day: dt.date) -> bool:
        """Whether name, title and capacity together are authorised on a day."""
        return any(known.signatory == signatory and known.span.holds(day) for known in self.signatories)


@dataclass(frozen=True)
class Agreement:
    """An agreement between the custodian and agencies."""

    id: str
    parties: tuple[str, ...]
    basis: tuple[str, ...]
    span: Span
    items: tuple[str, ...]
    capacities: tuple[str, ...]
    notice_after_days: int | None = None
    """Days after a release from which the person it concerns may be told; None: nobody said, so never."""


@dataclass(frozen=True)
class Ceiling:
    """A limit that is the custodian's policy and no law, with the reason for it."""

    value: int
    reason: str


@dataclass(frozen=True)
class Parties:
    """A whole, well-formed parties.toml."""

    agencies: Mapping[str, Agency]
    agreements: Mapping[str, Agreement]
    ceilings: Mapping[str, Ceiling]
    digest: str
    original: bytes = field(default=b"", repr=False)
    """The file as it was read, so that a docket can keep it."""

    def ceiling(self, name: str) -> int | None:
        """A ceiling's value; None when the custodian set none and there is none for that case."""
        found = self.ceilings.get(name)
        return found.value if found else UNLESS_SET.get(name)


def read(path: Path) -> Parties:
    """Read the custodian's parties.toml. Raises CustodianFault naming every fault by its path."""
    try:
        return parse(path.read_bytes(), path.name)
    except OSError as failure:
        raise CustodianFault(f"the file cannot be read ({failure.strerror})", where=str(path)) from None
    except WrongInput as wrong:
        raise CustodianFault(wrong.what, where=wrong.where, remedy=wrong.remedy) from None


def parse(data: bytes, where: str = "parties.toml") -> Parties:
    """Read the text of a parties.toml. Raises WrongInput naming every fault by its path."""
    faults = Faults(where)
    top = Section(read_toml(data, where), "", faults, ("agencies", "agreements", "policy", "note"))
    agencies = top.named(
        "agencies",
        ("name", "keys", "signatories", "safeguards", "usual_requests", "reports_overdue", "since", "shapes", "note"),
    )
    agreements = top.named(
        "agreements", ("parties", "basis", "from", "until", "items", "capacities", "notice_after_days", "note")
    )
    policy = top.named("policy", ("ceiling", "reason"))
    for name, section in policy.items():
        if name not in CEILINGS:
            faults.add(section.path, f"is not a known key; the ceilings are {', '.join(CEILINGS)}")
    parties = Parties(
        agencies={name: _agency(name, section) for name, section in agencies.items()},
        agreements={name: _agreement(name, section) for name, section in agreements.items()},
        ceilings={
            name: Ceiling(section.count("ceiling") or 0, section.text("reason")) for name, section in policy.items()
        },
        digest=digests.of_bytes(data),
        original=data,
    )
    faults.finish("See docs/parties.md")
    return parties


def _agency(name: str, section: Section) -> Agency:
    safeguards = section.section("safeguards", ("report_approved_until", "open_findings", "corrective_plan_until"))
    return Agency(
        id=name,
        name=section.text("name"),
        keys=tuple(
            filter(None, (_key(each) for each in section.sections("keys", ("key", "from", "until"), optional=True)))
        ),
        signatories=tuple(
            _authorised(each)
            for each in section.sections("signatories", ("name", "title", "capacity", "from", "until"), optional=True)
        ),
        safeguards=Safeguards(
            safeguards.date("report_approved_until", optional=True),
            safeguards.count("open_findings", optional=True),
            safeguards.date("corrective_plan_until", optional=True),
        ),
        usual_requests=section.count("usual_requests", optional=True),
        reports_overdue=section.count("reports_overdue", optional=True),
        since=section.date("since", optional=True),
        shapes=_shapes(section),
    )


def _shapes(section: Section) -> Mapping[str, tuple[str, ...]]:
    if "shapes" not in section.value:
        return {}
    stated = section.section("shapes", shapes.COLUMNS)
    found = {column: stated.texts(column) for column in shapes.COLUMNS if column in stated.value}
    for column, texts in found.items():
        if not texts or any("#" not in text and "@" not in text for text in texts):
            stated.faults.add(f"{stated.path}.{column}", "must hold # for a digit or @ for a letter in each shape")
    return found


def _key(section: Section) -> Key | None:
    text = section.text("key")
    span = _span(section)
    if not text:
        return None
    try:
        return Key(Verifier.parse(text), span)
    except WrongInput as wrong:
        section.faults.add(f"{section.path}.key", f"cannot be used: {wrong.what}")
        return None


def _authorised(section: Section) -> Authorised:
    capacity = section.text("capacity", among=tuple(Capacity))
    return Authorised(Signatory(section.text("name"), section.text("title"), capacity), _span(section))


def _agreement(name: str, section: Section) -> Agreement:
    capacities = section.texts("capacities")
    for capacity in capacities:
        if capacity not in tuple(Capacity):
            section.faults.add(f"{section.path}.capacities", f"must be among {', '.join(Capacity)}")
    return Agreement(
        name, section.texts("parties"), section.texts("basis"), _span(section), section.texts("items"), capacities,
        section.count("notice_after_days", optional=True),
    )  # fmt: skip


def _span(section: Section) -> Span:
    # A span that never begins would be for ever: the first day must be said, the last may be open.
    begins, ends = section.date("from"), section.date("until", optional=True)
    if begins and ends and ends <= begins:
        section.faults.add(f"{section.path}.until", "must be after from")
    return Span(begins, ends)
