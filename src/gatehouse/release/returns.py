"""What an agency sends back about a release, and what is missing: reconciliation on the custodian's side.

Receipts, use reports and disposal certificates are signed by the release's own receipt key, so they come from someone
who opened it. Each discrepancy has a stable kind; the list is signed by the custodian, and what is overdue becomes the
fact `reports_overdue` that holds the agency's next submission by law and not by memory.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from gatehouse.casework import approval
from gatehouse.casework import statement as statements
from gatehouse.casework.board import Blocked
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger.signers import Signer, Verifier
from gatehouse.release import officer, uselog
from gatehouse.release.terms import RECEIPT_DAYS, REPORT_DAYS

FORM = "gatehouse-reconciliation/1"


class Kind(StrEnum):
    """What an agency can send back."""

    RECEIPT = "receipt"
    REPORT = "report"
    DISPOSAL = "disposal"


_FORMS = {
    officer.RECEIPT_FORM: (Kind.RECEIPT, "opened_at"),
    officer.REPORT_FORM: (Kind.REPORT, "reported_at"),
    officer.DISPOSAL_FORM: (Kind.DISPOSAL, "disposed_at"),
}


@dataclass(frozen=True)
class ReleaseRecord:
    """A release as the custodian keeps it: no name, TIN or address."""

    id: str
    docket: str
    agency: str
    officer: str
    digest: str
    """SHA-256 of the published package."""
    certificate: str
    receipt_key: str
    cases: Selection
    matters: tuple[str, ...]
    pack_digest: str
    sealed_at: dt.datetime
    expires_on: dt.date
    published_at: dt.datetime | None = None
    recalled_at: dt.datetime | None = None


@dataclass(frozen=True)
class Returned:
    """One statement that came back."""

    kind: Kind
    statement: Statement
    stated_at: dt.datetime


@dataclass(frozen=True)
class Discrepancy:
    """One thing that does not agree."""

    release: str
    officer: str
    kind: str
    detail: str
    overdue: bool


@dataclass(frozen=True)
class Due:
    """One thing that must come back about a release: by when, and when it did."""

    kind: Kind
    by: dt.date
    stated_at: dt.datetime | None
    late: bool


class Shelf(Protocol):
    """The custodian's releases and what came back about them."""

    def release(self, identifier: str) -> ReleaseRecord | None:
        """One release."""

    def releases(self, docket: str | None = None, agency: str | None = None) -> Sequence[ReleaseRecord]:
        """All releases, or those of a docket or an agency."""

    def take(self, release: str, returned: Returned, now: dt.datetime) -> bool:
        """Keep what came back; False when it was kept before."""

    def returned(self, release: str) -> Sequence[Returned]:
        """Everything that came back about a release."""


def accept(
    shelf: Shelf, signed: Statement, now: dt.datetime, *, docket: str | None = None, where: str = ""
) -> Returned:
    """Check something that came back and keep it; the same again changes nothing. With a docket, only about that one.

    Raises Blocked: `unknown_release` (not made here), `forged` (not signed with the key inside the package),
    `other_release` (about another package, officer or docket), `clock`, `log` (the log reported is not whole).
    """
    form = signed.text("format")
    if form not in _FORMS:
        raise WrongInput("this is not a receipt, use report or disposal certificate", where=where)
    kind, key = _FORMS[form]
    record = shelf.release(signed.text("release"))
    if record is None:
        raise Blocked(
            "unknown_release",
            "this site made no such release",
            where=where,
            remedy="Send it to the custodian that it names",
        )
    try:
        statements.verify(signed, [Verifier.parse(record.receipt_key)], form=form, where=where)
    except (AnswerIsNo, WrongInput) as wrong:
        raise Blocked("forged", wrong.what, where=where, remedy="Send the original file, unchanged") from wrong
    stated = (signed.body.get("package"), signed.body.get("docket"), signed.body.get("officer"))
    if stated != (record.digest, record.docket, record.officer) or docket not in {None, record.docket}:
        raise Blocked(
            "other_release",
            "the statement is about a different release",
            where=where,
            remedy="Send the statement for this package, and name its docket",
        )
    stated_at = approval.instant(signed, key)
    if not record.sealed_at - officer.CLOCK_TOLERANCE <= stated_at <= now + officer.CLOCK_TOLERANCE:
        raise Blocked("clock", "the statement is dated before the release or in the future", where=where)
    if kind is Kind.REPORT and uselog.head_of(signed.body.get("uses", [])) != signed.body.get("head"):
        raise Blocked("log", "the use report's log is incomplete", where=where)
    returned = Returned(kind, signed, stated_at)
    shelf.take(record.id, returned, now)
    return returned


def reconcile(
    shelf: Shelf, now: dt.datetime, *, docket: str | None = None, agency: str | None = None
) -> list[Discrepancy]:
    """Everything that does not agree between releases and what came back, release by release."""
    found: list[Discrepancy] = []
    for record in shelf.releases(docket=docket, agency=agency):
        if record.published_at is not None:
            found += _of(record, shelf.returned(record.id), now)
    return found


def due(record: ReleaseRecord, returned: Sequence[Returned], now: dt.datetime) -> tuple[Due, ...]:
    """What the recipient of a published release owes: receipt, next use report, disposal; for the recipient's own eyes.

    A use report is owed every 90 days until the disposal; a recall brings the disposal forward.
    """
    published = record.published_at or record.sealed_at
    stated = {kind: [one.stated_at for one in returned if one.kind is kind] for kind in Kind}
    disposed = min(stated[Kind.DISPOSAL], default=None)
    last = max([published, *stated[Kind.REPORT], *stated[Kind.DISPOSAL]])
    times = {
        Kind.RECEIPT: (published + dt.timedelta(days=RECEIPT_DAYS), min(stated[Kind.RECEIPT], default=None)),
        Kind.REPORT: (last + dt.timedelta(days=REPORT_DAYS), disposed),
    }
    owed = [Due(kind, by.date(), done, late=done is None and now > by) for kind, (by, done) in times.items()]
    if record.recalled_at is not None:
        ends = record.recalled_at + dt.timedelta(days=RECEIPT_DAYS)
        late, last_day = now > ends, min(ends.date(), record.expires_on)
    else:
        late, last_day = now.date() > record.expires_on, record.expires_on
    return (*owed, Due(Kind.DISPOSAL, last_day, disposed, late=disposed is None and late))


def overdue(shelf: Shelf, agency: str, now: dt.datetime) -> int:
    """How many receipts, reports and disposals of an agency are overdue: the fact `reports_overdue`."""
    return sum(one.overdue for one in reconcile(shelf, now, agency=agency))


def signed_report(
    discrepancies: Sequence[Discrepancy], releases: int, custodian: Signer, now: dt.datetime
) -> Statement:
    """The reconciliation as a statement of the custodian."""
    body: dict[str, Any] = {
        "format": FORM, "at": clock.stamp(now), "releases": releases, "overdue": sum(d.overdue for d in discrepancies),
        "discrepancies": [
            {"release": d.release, "officer": d.officer, "kind": d.kind, "detail": d.detail, "overdue": d.overdue}
            for d in discrepancies
        ],
    }  # fmt: skip
    return statements.sign(body, custodian)


def _of(record: ReleaseRecord, returned: Sequence[Returned], now: dt.datetime) -> Iterable[Discrepancy]:
    def say(kind: str, detail: str, *, late: bool) -> Discrepancy:
        return Discrepancy(record.id, record.officer, kind, detail, late)

    published = record.published_at or record.sealed_at
    disposals = [one for one in returned if one.kind is Kind.DISPOSAL]
    if not any(one.kind is Kind.RECEIPT for one in returned):
        due = published + dt.timedelta(days=RECEIPT_DAYS)
        yield say("no_receipt", f"due on {due.date()}", late=now > due)
    reports = [one for one in returned if one.kind is Kind.REPORT]
    last = max((one.stated_at for one in [*reports, *disposals]), default=published)
    due = last + dt.timedelta(days=REPORT_DAYS)
    if not disposals and now > due:
        yield say("no_use_report", f"due on {due.date()}", late=True)
    yield from (say(kind, detail, late=False) for kind, detail in _uses(record, reports, disposals))
    if not disposals:
        recalled = record.recalled_at
        if recalled is not None:
            due = recalled + dt.timedelta(days=RECEIPT_DAYS)
            yield say("no_disposal_after_recall", f"due on {due.date()}", late=now > due)
        elif now.date() > record.expires_on:
            yield say("no_disposal", f"due on {record.expires_on}", late=True)


def _uses(
    record: ReleaseRecord, reports: Sequence[Returned], disposals: Sequence[Returned]
) -> Iterable[tuple[str, str]]:
    """What the uses reported show: outside matter or purpose, after expiry, recall or disposal, rewritten history."""
    entries: list[dict[str, Any]] = []
    for one in sorted(reports, key=lambda report: len(report.statement.body["uses"])):
        uses = one.statement.body["uses"]
        if uses[: len(entries)] != entries:
            yield "log_rewritten", "a later use report does not continue an earlier one"
        entries = uses
    ended = min((one.stated_at for one in disposals), default=None)
    for entry in entries:
        at = clock.read_instant(str(entry["at"]))
        if entry["action"] in {uselog.Use.VIEWED, uselog.Use.COPIED, uselog.Use.DISCLOSED}:
            if not officer.within(record.matters, entry["matter"], entry["purpose"]):
                yield "outside_matter_or_purpose", f"use {entry['number']}"
            if record.recalled_at is not None and at > record.recalled_at:
                yield "used_after_recall", f"use {entry['number']}"
            if at.date() > record.expires_on or (ended is not None and at > ended):
                yield "used_after_end", f"use {entry['number']}"
        if entry["action"] == uselog.Use.DISCLOSED:
            yield "disclosed_onward", f"use {entry['number']}"
