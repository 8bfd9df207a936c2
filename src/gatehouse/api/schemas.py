"""What the API sends: names and states after ETSI TS 103 120 where they fit (docs/interop.md maps them)."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from ninja import Schema
from pydantic import Field


class Submission(Schema):
    """One submission of the agency, from its first byte to its answers."""

    id: str
    state: Literal["checking", "checked", "deciding", "received", "refused", "withdrawn", "failed"]
    submission: str = ""
    requests: int = 0
    received_at: dt.datetime | None = None
    withdrawn: bool = False
    message: str = ""
    form: dict[str, dict[str, int]] = Field(default_factory=dict)


class Submissions(Schema):
    """One page of submissions; `next` is the `after` of the next page, absent on the last."""

    items: list[Submission]
    next: str | None = None


class Receipt(Schema):
    """The custodian's receipt and its detached signature over the receipt's exact bytes."""

    receipt: str
    signature: str | None = None


class Answer(Schema):
    """What may be said about one request now."""

    request_id: str
    outcome: Literal["pending", "answered", "not_answered"]
    codes: list[str]
    text: str


class Answers(Schema):
    """One page of answers in the order of request ids."""

    items: list[Answer]
    next: str | None = None


class Package(Schema):
    """One sealed release for one officer."""

    id: str
    officer: str
    digest: str
    sealed_at: dt.datetime
    expires_on: dt.date
    recalled: bool
    returned: list[str]


class Packages(Schema):
    """All sealed releases of a submission."""

    items: list[Package]


class Checkpoint(Schema):
    """The newest checkpoint of the log, as signed and taken apart."""

    origin: str
    size: int
    root: str
    note: str


class Witness(Schema):
    """One witness of the policy, and whether it cosigned the newest checkpoint."""

    name: str
    vkey: str
    cosigned: bool


class Witnesses(Schema):
    """The policy (C2SP tlog-policy) that the newest checkpoint was published under."""

    policy: str
    size: int
    quorum_met: bool
    items: list[Witness]


class Returned(Schema):
    """What was taken in about a release, and is on record."""

    kind: str
    release: str


class Signature(Schema):
    """A detached signature line of the custodian over the exact bytes of a file."""

    sha256: str
    signature: str


class Trust(Schema):
    """The files of the trust folder, each as its text."""

    log_vkey: str
    witnesses_policy: str
    custodian_vkey: str
    officers: str
    agencies: str


class Notice(Schema):
    """One signed recall notice, as its file holds it."""

    release: str
    submission: str
    notice: str


class Notices(Schema):
    """Every recall notice of an agency."""

    items: list[Notice]


class Withdrawn(Schema):
    """What was taken back; `entry` is the ledger's entry that says so, where it was sent before.

    With `waits` it is kept and has no entry yet: nothing is released, and the entry follows by itself.
    """

    id: str
    entry: int | None = None
    waits: bool = False


class Fault(Schema):
    """One fault of form: row 0 is the manifest, other rows count from 1; `at` is its place among all faults."""

    at: int
    row: int
    request_id: str
    column: str
    problem: str


class Faults(Schema):
    """One page of the faults that the form check found; `next` is the `after` of the next page."""

    total: int
    items: list[Fault]
    next: int | None = None


class Docket(Schema):
    """One docket in numbers, as the custodian's people see it."""

    docket: str
    agency: str
    submission: str
    received_at: dt.datetime | None
    requests: int
    withdrawn: bool
    outcomes: dict[str, int]
    states: dict[str, int]


class Dockets(Schema):
    """One page of dockets, by name."""

    items: list[Docket]
    next: str | None = None


class DocketRules(Docket):
    """One docket with its reason codes and the rules that stopped its requests."""

    codes: dict[str, int]
    rules: dict[str, int]


class Waiting(Schema):
    """One case that waits for a person."""

    position: int
    seq: int
    request_id: str
    outcome: str
    fired: list[str]
    codes: list[str]


class Queue(Schema):
    """One page of a queue, commonest reason first; `next` is the `after` of the next page."""

    items: list[Waiting]
    next: int | None = None


class Act(Schema):
    """One decision that touched a case."""

    action: str
    officer: str
    reason: str
    at: str
    cases: int
    ledger_index: int | None


class Case(Schema):
    """One case and how records compare with it, field by field: reading it is itself recorded."""

    seq: int
    state: str
    request: dict[str, Any]
    determination: dict[str, Any]
    facts: dict[str, Any]
    candidates: list[dict[str, Any]]
    acts: list[Act]


class ToSign(Schema):
    """The exact text that an officer signs, and the cases it decides by number."""

    text: str
    sha256: str
    cases: list[int]
    warning: str


class Decided(Schema):
    """A decision that stands."""

    action: str
    cases: int


class Pack(Schema):
    """One pack of law in force."""

    id: str
    version: str
    digest: str
    holds: bool
    problem: str
    signers: list[str]


class Packs(Schema):
    """Every pack in force, and the folders of those that cannot be read, under which nothing is decided."""

    items: list[Pack]
    broken: list[str]


class LawRule(Schema):
    """One rule with the dates between which it holds."""

    id: str
    title: str
    effect: str
    code: str
    citation: str
    begins: dt.date
    until: dt.date | None
    in_force: bool


class PackRules(Pack):
    """One pack and its rules as of a day."""

    as_of: dt.date
    rules: list[LawRule]


class Halt(Schema):
    """One halt in force."""

    scope: str
    since: str
    by: list[str]
    reason: str


class Halts(Schema):
    """The halts in force; with a `problem` they cannot be believed, and everything is stopped."""

    items: list[Halt]
    problem: str


class Part(Schema):
    """One part of a determination, as it is kept and as it was derived again."""

    kept: Any
    derived: Any
    same: bool


class Replayed(Schema):
    """One determination derived again from the facts and the law that its docket keeps."""

    request_id: str
    same_law: bool
    same: bool
    parts: dict[str, Part]


class Accounted(Schema):
    """A docket against the log: so many requests, one determination each, and where they stand."""

    docket: str
    requests: int
    first: int
    last: int


class Verification(Schema):
    """The whole log, verified on the custodian's machine."""

    origin: str
    size: int
    root: str


class AccessAct(Schema):
    """One administrative act as the ledger commits to it."""

    at: str
    what: str
    account: str
    by: str
    more: dict[str, str]


class Access(Schema):
    """The newest administrative acts, and how often each account opened cases with a person's record."""

    acts: list[AccessAct]
    openings: dict[str, int]


class ReportKind(Schema):
    """One report that can be made here."""

    name: str
    title: str
    needs: list[str]
    takes: list[str]


class ReportMade(Schema):
    """One report that was made and can be fetched."""

    id: str
    title: str
    file: str


class Reports(Schema):
    """The reports that can be made, and those that were, newest first."""

    kinds: list[ReportKind]
    made: list[ReportMade]


class Work(Schema):
    """Longer work that was begun; asked again, it says how far it is."""

    id: str
    state: Literal["running", "done", "failed"]
    stage: str
    message: str


class QueueWanted(Schema):
    """Which page of which queue; `rule` leaves only the cases that it stopped."""

    state: Literal["held", "cleared", "approved_once", "approved_twice"] = "held"
    rule: str = Field("", max_length=128, pattern=r"^[^\x00]*$")
    after: int = Field(-1, ge=-1, lt=1 << 31)
    limit: int = Field(100, ge=1, le=1000)


class ReportWanted(Schema):
    """Which report, for which year, in which form, and what some reports are told besides."""

    report: str = Field(max_length=64)
    form: Literal["json", "csv", "pdf"] = "json"
    year: str = Field("", pattern=r"^([0-9]{4})?$")
    recall: str = Field("", max_length=128)
    court: str = Field("", max_length=200)
    case: str = Field("", max_length=200)
    declarant: str = Field("", max_length=200)
    title: str = Field("", max_length=200)
