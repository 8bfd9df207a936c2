"""The certificate: everything that must be true before a record may leave, in one file that anyone can check.

For each record: the determination's own fields, opened from the ledger's commitment, and the proof that the commitment
lies under a checkpoint that the witnesses' quorum signed. For all of them: the signed decisions of two different people
with authority, the pack, the date of the law and the officer who alone may open it. The sealer and the officer's side
run the same `verify`; one wrong byte, and there is nothing to seal and nothing to open.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from gatehouse.casework import approval, statement
from gatehouse.casework.records import CaseFile, Decision
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action
from gatehouse.kernel import clock, digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.release.items import KNOWN
from gatehouse.release.package import Row
from gatehouse.release.proofs import Proven, prove
from gatehouse.release.trust import Trust

FORM = "gatehouse-certificate/1"
_FIELDS = {
    "format", "release", "docket", "agency", "basis", "agreement", "officer", "recipient", "submitters",
    "determinations", "size", "pack_digest", "as_of", "received_at", "released_at", "expires_on", "terms",
    "receipt_key", "checkpoint", "decisions", "records",
}  # fmt: skip


@dataclass(frozen=True)
class Header:
    """What a certificate says once, for all its records."""

    release: str
    file: CaseFile
    basis: str
    agreement: str
    officer: str
    recipient: str
    pack_digest: str
    as_of: dt.date
    released_at: dt.datetime
    expires_on: dt.date
    terms: str
    """SHA-256 of the use terms."""
    receipt_key: str
    """The verifier key of the receipts; its private half is inside the package and nowhere else."""

    def document(self) -> dict[str, Any]:
        """The header as JSON."""
        return {
            "format": FORM, "release": self.release, "docket": self.file.docket, "agency": self.file.agency,
            "basis": self.basis, "agreement": self.agreement, "officer": self.officer, "recipient": self.recipient,
            "submitters": sorted(self.file.submitters), "determinations": self.file.determinations,
            "size": self.file.size, "pack_digest": self.pack_digest, "as_of": self.as_of.isoformat(),
            "received_at": clock.stamp(self.file.received_at), "released_at": clock.stamp(self.released_at),
            "expires_on": self.expires_on.isoformat(), "terms": self.terms, "receipt_key": self.receipt_key,
        }  # fmt: skip


@dataclass(frozen=True)
class Verified:
    """A certificate that held, and what it permits: exactly these items of these requests, to this recipient."""

    header: Header
    digest: str
    permitted: frozenset[tuple[str, str]]
    """(request_id, item)."""
    cases: Selection


def assemble(
    header: Header, checkpoint: Checkpoint, decisions: Iterable[Decision], records: Sequence[Mapping[str, Any]]
) -> bytes:
    """The bytes of a certificate. Only the decisions that its records rest on are taken up; nothing is checked here.

    A record is `seq`, `request_id`, `items`, `index`, `opened` and `proof` (see `proofs`).
    """
    cases = Selection.of(int(record["seq"]) for record in records)
    carried = [
        {"statement": decision.statement.document(), "selection": decision.selection.text()}
        for decision in standing(decisions, cases)
    ]
    return _encode(
        header.document() | {"checkpoint": checkpoint.encoded.decode(), "decisions": carried, "records": list(records)}
    )


def standing(decisions: Iterable[Decision], cases: Selection) -> list[Decision]:
    """The approvals and clearances on which any of these cases rests: those that no later reopening or hold undid.

    An approval that was taken back must not stand in the way: its officer may have lost the authority since.
    """
    found: list[Decision] = []
    reopened, held = Selection(), Selection()
    for decision in reversed(list(decisions)):
        match decision.statement.body.get("action"):
            case Action.HOLD:
                held = held | decision.selection
            case Action.REOPEN:
                reopened = reopened | decision.selection
            case Action.APPROVE if (decision.selection & cases) - reopened - held:
                found.append(decision)
            case Action.CLEAR if (decision.selection & cases) - held:
                found.append(decision)
    return found[::-1]


def _encode(document: object) -> bytes:
    """Canonical JSON in one pass of the C encoder, for documents of 47,000 records: every key is ASCII, so sorting by
    code point is sorting by UTF-16, and numbers are whole.
    """
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()


def verify(data: bytes, trust: Trust, *, where: str = "certificate.json") -> Verified:
    """Check a certificate against keys and people that do not come from it.

    Raises WrongInput when it is no certificate, AnswerIsNo with the first thing that does not hold.
    """
    document = _parse(data, where)
    header = _header(document, where)
    checkpoint = trust.policy.accept(str(document["checkpoint"]).encode(), where=where)
    approved, cleared = _decided(document, header, trust, where)
    permitted: set[tuple[str, str]] = set()
    seqs: list[int] = []
    batches: set[str] = set()
    for record in document["records"]:
        proven = prove(record, checkpoint, where=where)
        items = _permitted(record, proven, header, cleared, where)
        permitted.update((proven.request_id, item) for item in items)
        seqs.append(proven.seq)
        batches.add(proven.batch)
    cases = Selection.of(seqs)
    if not seqs or len(cases) != len(seqs):
        raise AnswerIsNo("the certificate has no record, or one twice", where=where)
    if len(batches) != 1:
        raise AnswerIsNo("the records were not determined together: they are of several dockets", where=where)
    if not cases <= approved:
        raise AnswerIsNo(f"{len(cases - approved)} records lack the approval of two different people", where=where)
    return Verified(header, digests.of_bytes(data), frozenset(permitted), cases)


def covers(verified: Verified, rows: Sequence[Row], *, where: str) -> None:
    """Check that records are exactly those a certificate permits, no more, none twice, none missing."""
    given = [(row[0], row[2]) for row in rows]
    if len(set(given)) != len(given) or set(given) != verified.permitted:
        raise AnswerIsNo("the records are not exactly those that the certificate permits", where=where)


def _decided(document: Mapping[str, Any], header: Header, trust: Trust, where: str) -> tuple[Selection, Selection]:
    """Which cases two different people approved, and which held ones a person cleared."""
    approvals: dict[frozenset[str], Selection] = defaultdict(Selection)
    cleared = Selection()
    for carried in document["decisions"]:
        if not isinstance(carried, dict) or not isinstance(carried.get("selection"), str):
            raise WrongInput("a decision of the certificate cannot be read", where=where)
        signed = statement.of_document(carried.get("statement"), where=where)
        selection = Selection.of_text(carried["selection"])
        decided_at = approval.instant(signed, "decided_at")
        officer = approval.authorised(trust.roster, signed, decided_at.date())
        approval.about(header.file, signed, selection)
        approval.uninvolved(header.file, officer)
        if not header.file.received_at - approval.CLOCK_TOLERANCE <= decided_at <= header.released_at:
            raise AnswerIsNo("a decision was not made between receipt and release", where=where)
        why = trust.roster.why_not(officer.id, header.released_at.date())
        if why is not None and signed.body.get("action") == Action.APPROVE:
            raise AnswerIsNo(f"officer {officer.id} {why}: the approval does not stand", where=where)
        if signed.body.get("action") == Action.APPROVE:
            people = trust.roster.people(officer.id)
            approvals[people] = approvals[people] | selection
        elif signed.body.get("action") == Action.CLEAR:
            cleared = cleared | selection
    approved = Selection()
    for (one, ones), (other, others) in combinations(approvals.items(), 2):
        if not one & other:
            approved = approved | (ones & others)
    return approved, cleared


def _permitted(
    record: Mapping[str, Any], proven: Proven, header: Header, cleared: Selection, where: str
) -> tuple[str, ...]:
    """The items of one record, if its determination allows each of them."""
    items = record.get("items")
    if not isinstance(items, list) or not items or not all(isinstance(item, str) for item in items):
        raise WrongInput("a record names no items", where=where)
    by_machine, by_person = proven.outcome == "cleared", proven.outcome == "held" and proven.seq in cleared
    if not (by_machine or by_person):
        raise AnswerIsNo(f"row {proven.seq} was determined '{proven.outcome}' and never cleared", where=where)
    if (proven.pack_digest, proven.as_of) != (header.pack_digest, header.as_of):
        raise AnswerIsNo(f"row {proven.seq} was decided under another pack or date", where=where)
    if not set(items) <= set(proven.items) & set(KNOWN) or len(set(items)) != len(items):
        raise AnswerIsNo(f"row {proven.seq} names items that its determination does not allow", where=where)
    return tuple(items)


def _parse(data: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(data)
        whole = isinstance(document, dict) and _encode(document) == data
    except (ValueError, TypeError, RecursionError):
        whole = False
    if not whole or set(document) != _FIELDS or document["format"] != FORM:
        raise WrongInput("this is no certificate", where=where, remedy="Ask for a new copy")
    if not all(isinstance(document[name], list) for name in ("decisions", "records", "submitters")):
        raise WrongInput("a list of the certificate is none", where=where)
    parsed: dict[str, Any] = document
    return parsed


def _header(document: Mapping[str, Any], where: str) -> Header:
    texts = sorted(_FIELDS - {"submitters", "size", "decisions", "records"})
    if not all(isinstance(document[name], str) for name in texts) or type(document["size"]) is not int:
        raise WrongInput("a field of the certificate has the wrong type", where=where)
    as_of, expires_on = clock.read_date(document["as_of"]), clock.read_date(document["expires_on"])
    if as_of is None or expires_on is None:
        raise WrongInput("a date of the certificate is none", where=where)
    dates = statement.Statement(document, "")
    file = CaseFile(
        document["docket"], document["agency"], document["size"], document["determinations"],
        approval.instant(dates, "received_at"), frozenset(map(str, document["submitters"])), Selection(),
    )  # fmt: skip
    return Header(
        document["release"], file, document["basis"], document["agreement"], document["officer"],
        document["recipient"], document["pack_digest"], as_of, approval.instant(dates, "released_at"), expires_on,
        document["terms"], document["receipt_key"],
    )  # fmt: skip
