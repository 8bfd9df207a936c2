"""Recall: from the cases that should not have left to signed notices, an incident report and the persons to be told.

A notice revokes the whole package it names: the officer's side then refuses to open or use it. The incident report has
the fields of IRS Publication 1075 and no taxpayer data; who the persons are stays with the custodian, for the notices
that 26 USC 7431(e) may require (whether it does in a given case is a question for counsel).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gatehouse.casework import statement as statements
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.kernel import clock
from gatehouse.law.wording import DEFAULT, Wording
from gatehouse.ledger.signers import Signer
from gatehouse.release.returns import ReleaseRecord
from gatehouse.release.trust import NOTICE_FORM

INCIDENT_FORM = "gatehouse-incident/1"
_WRONG = {True: "an order entered later forbids to disclose", False: "should not have been answered"}
DISPOSE_DAYS = 10


@dataclass(frozen=True)
class Cause:
    """Why cases are recalled: `rule`, `pack_change`, `requests` or `order`, and the rule or order it is about."""

    kind: str
    about: str
    reason: str
    """The officer's own words."""

    def document(self) -> dict[str, str]:
        """The cause as JSON."""
        return {"kind": self.kind, "about": self.about, "reason": self.reason}


def affected(releases: Sequence[ReleaseRecord], cases: Selection) -> list[tuple[ReleaseRecord, Selection]]:
    """The releases of one docket that hold any of these cases, and which."""
    return [(release, release.cases & cases) for release in releases if release.cases & cases]


def notice(
    recall: str,
    release: ReleaseRecord,
    request_ids: Sequence[str],
    *,
    cause: Cause,
    custodian: Signer,
    now: dt.datetime,
) -> Statement:
    """The signed notice to one recipient: which package, which requests of it, why, and what is to be done by when.

    Of a package that was recalled before, the earlier day stands: a further notice never gives more time.
    """
    first = min(release.recalled_at or now, now)
    body = {
        "format": NOTICE_FORM,
        "recall": recall,
        "release": release.id,
        "package": release.digest,
        "docket": release.docket,
        "officer": release.officer,
        "request_ids": sorted(request_ids),
        "cause": {"kind": cause.kind, "about": cause.about},
        "duty": "Stop every use, destroy every copy and return a disposal certificate with the method.",
        "recalled_at": clock.stamp(now),
        "dispose_by": (first.date() + dt.timedelta(days=DISPOSE_DAYS)).isoformat(),
    }
    return statements.sign(body, custodian)


def incident(
    recall: str,
    notices: Sequence[Statement],
    *,
    cause: Cause,
    occurred: tuple[dt.datetime, dt.datetime],
    custodian: Signer,
    now: dt.datetime,
    wording: Wording = DEFAULT,
) -> Statement:
    """The incident report with the fields of IRS Publication 1075, without data about persons.

    `wording` is the law's: to whom a breach is told, and within how many hours.

    `occurred` is when the first and the last of the releases concerned were made. Contact and address are left for the
    custodian's office to fill in: the program does not know them.
    """
    requests = {(str(one.body["docket"]), name) for one in notices for name in one.body["request_ids"]}
    held = "1 sealed release holds" if len(notices) == 1 else f"{len(notices)} sealed releases hold"
    body: dict[str, Any] = {
        "format": INCIDENT_FORM,
        "recall": recall,
        "reporting_agency": custodian.name,
        "contact": "",
        "address": "",
        "occurred": {"first": clock.stamp(occurred[0]), "last": clock.stamp(occurred[1])},
        "discovered": clock.stamp(now),
        "how_discovered": cause.kind,
        "description": f"{held} requests that {_WRONG[cause.kind == 'order']}",
        "data_elements": ["last_known_address"],
        "records": len(requests),
        "releases": [str(one.body["release"]) for one in notices],
        "recipients": sorted({str(one.body["officer"]) for one in notices}),
        "information_technology": "sealed packages (age), one recipient each",
        "encrypted": True,
        "report_by": clock.stamp(now + dt.timedelta(hours=wording.breach_hours)),
        "report_to": list(wording.breach_to),
        "report_law": wording.breach_law,
        "personal_data": False,
    }
    return statements.sign(body, custodian)
