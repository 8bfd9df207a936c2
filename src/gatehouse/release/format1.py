"""Certificates of format 1, as packages of 2025 carry them: opened only when somebody asks for it, with a warning.

They prove determinations and approvals, but not that the release itself stands in the ledger, whose data are inside, or
that the agency named the officer; docs/release.md says so. Nothing makes them any more.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from gatehouse.casework import approval, statement
from gatehouse.casework.records import CaseFile
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action
from gatehouse.kernel import clock, digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law.supply import ITEMS
from gatehouse.ledger import tree
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.opening import Opening
from gatehouse.release.binding import Header, Verified
from gatehouse.release.certificate import encode
from gatehouse.release.trust import Trust

FORM = "gatehouse-certificate/1"
_DECISION = "gatehouse-decision/1"
_SHOWN = ("request", "answer")
_RECORD = {"seq", "request_id", "items", "index", "opened", "proof"}
_FIELDS = {
    "format", "release", "docket", "agency", "basis", "agreement", "officer", "recipient", "submitters",
    "determinations", "size", "pack_digest", "as_of", "received_at", "released_at", "expires_on", "terms",
    "receipt_key", "checkpoint", "decisions", "records",
}  # fmt: skip


@dataclass(frozen=True)
class _Head:
    """What such a certificate says once, for all its records."""

    file: CaseFile
    pack_digest: str
    as_of: dt.date
    header: Header


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
        proven = _prove(record, checkpoint, where=where)
        items = _permitted(record, proven, header, cleared, where)
        permitted.update((proven.request_id, item) for item in items)
        seqs.append(proven.seq)
        batches.add(proven.batch)
    cases = Selection.of(seqs)
    if not seqs or len(cases) != len(seqs):
        raise AnswerIsNo("the certificate has no record, or repeats one", where=where)
    if len(batches) != 1:
        raise AnswerIsNo("the records were not determined together: they belong to several dockets", where=where)
    if not cases <= approved:
        raise AnswerIsNo(f"{len(cases - approved)} records lack the approval of two different people", where=where)
    return Verified(header.header, digests.of_bytes(data), frozenset(permitted), cases)


def _decided(document: Mapping[str, Any], header: _Head, trust: Trust, where: str) -> tuple[Selection, Selection]:
    """Which cases two different people approved, and which held ones a person cleared."""
    approvals: dict[frozenset[str], Selection] = defaultdict(Selection)
    cleared = Selection()
    for carried in document["decisions"]:
        if not isinstance(carried, dict) or not isinstance(carried.get("selection"), str):
            raise WrongInput("a decision of the certificate cannot be read", where=where)
        signed = statement.of_document(carried.get("statement"), where=where)
        selection = Selection.of_text(carried["selection"])
        decided_at = approval.instant(signed, "decided_at")
        officer = approval.authorised(trust.roster, signed, decided_at.date(), form=_DECISION)
        approval.about(header.file, signed, selection)
        approval.uninvolved(header.file, officer, [key.verifier for key in trust.agencies.get(header.file.agency, ())])
        if not header.file.received_at - approval.CLOCK_TOLERANCE <= decided_at <= header.header.released_at:
            raise AnswerIsNo("a decision was not made between receipt and release", where=where)
        why = trust.roster.why_not(officer.id, header.header.released_at.date())
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
    record: Mapping[str, Any], proven: _Proven, header: _Head, cleared: Selection, where: str
) -> tuple[str, ...]:
    """The items of one record, if its determination allows each of them."""
    items = record.get("items")
    if not isinstance(items, list) or not items or not all(isinstance(item, str) for item in items):
        raise WrongInput("a record names no items", where=where)
    by_machine, by_person = proven.outcome == "cleared", proven.outcome == "held" and proven.seq in cleared
    if not (by_machine or by_person):
        raise AnswerIsNo(f"row {proven.seq} was determined '{proven.outcome}' and was never cleared", where=where)
    if (proven.pack_digest, proven.as_of) != (header.pack_digest, header.as_of):
        raise AnswerIsNo(f"row {proven.seq} was decided under a different pack or date", where=where)
    if not set(items) <= set(proven.items) & set(ITEMS) or len(set(items)) != len(items):
        raise AnswerIsNo(f"row {proven.seq} names items that its determination does not allow", where=where)
    return tuple(items)


def _parse(data: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(data)
        whole = isinstance(document, dict) and encode(document) == data
    except (ValueError, TypeError, RecursionError):
        whole = False
    if not whole or set(document) != _FIELDS or document["format"] != FORM:
        raise WrongInput("this is not a certificate", where=where, remedy="Ask for a new copy")
    if not all(isinstance(document[name], list) for name in ("decisions", "records", "submitters")):
        raise WrongInput("decisions, records and submitters must be lists", where=where)
    parsed: dict[str, Any] = document
    return parsed


def _header(document: Mapping[str, Any], where: str) -> _Head:
    texts = sorted(_FIELDS - {"submitters", "size", "decisions", "records"})
    if not all(isinstance(document[name], str) for name in texts) or type(document["size"]) is not int:
        raise WrongInput("a field of the certificate has the wrong type", where=where)
    as_of, expires_on = clock.read_date(document["as_of"]), clock.read_date(document["expires_on"])
    if as_of is None or expires_on is None:
        raise WrongInput("as_of or expires_on is not a date", where=where)
    dates = statement.Statement(document, "")
    file = CaseFile(
        document["docket"], document["agency"], document["size"], document["determinations"],
        approval.instant(dates, "received_at"), frozenset(map(str, document["submitters"])), Selection(),
    )  # fmt: skip
    header = Header(
        document["release"], document["docket"], document["agency"], document["basis"], document["agreement"],
        document["officer"], document["recipient"], approval.instant(dates, "released_at"), expires_on,
        document["terms"], document["receipt_key"], None,
    )  # fmt: skip
    return _Head(file, document["pack_digest"], as_of, header)


@dataclass(frozen=True)
class _Proven:
    """What the ledger proves about one request."""

    seq: int
    batch: str
    request_id: str
    outcome: str
    items: tuple[str, ...]
    as_of: dt.date
    pack_digest: str


def _prove(record: Mapping[str, Any], checkpoint: Checkpoint, *, where: str) -> _Proven:
    """Check one record of a certificate. Raises WrongInput on its form, AnswerIsNo when it proves nothing."""
    if not isinstance(record, dict) or set(record) != _RECORD or type(record["index"]) is not int:
        raise WrongInput("a record of the certificate does not have the required fields", where=where)
    opened = Opening.parse(str(record["opened"]).encode(), where=where)
    leaf = tree.leaf_hash(opened.entry)
    path = _path(record["proof"], where)
    if not tree.verify_inclusion(leaf, record["index"], checkpoint.size, path, checkpoint.root):
        raise AnswerIsNo(f"row {opened.seq} is not in the ledger under this checkpoint", where=where)
    fields = opened.fields()
    answer = fields.get("answer")
    if set(fields) != set(_SHOWN) or not isinstance(answer, dict) or not isinstance(fields["request"], str):
        raise AnswerIsNo(f"row {opened.seq} does not show its request and answer", where=where)
    if (record["seq"], record["request_id"]) != (opened.seq, fields["request"]):
        raise AnswerIsNo(f"row {opened.seq} is not the request that the certificate names", where=where)
    return _proven(opened, fields["request"], answer, where)


def _proven(opened: Opening, request_id: str, answer: Mapping[str, Any], where: str) -> _Proven:
    as_of = clock.read_date(str(answer.get("as_of")))
    items = answer.get("items")
    if as_of is None or not isinstance(items, list):
        raise AnswerIsNo(f"the answer of row {opened.seq} is incomplete", where=where)
    return _Proven(
        opened.seq,
        opened.batch,
        request_id,
        str(answer.get("outcome")),
        tuple(map(str, items)),
        as_of,
        str(answer.get("pack_digest")),
    )


def _path(text: object, where: str) -> list[bytes]:
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b"?"
    except (binascii.Error, ValueError):
        data = b"?"
    if len(data) % tree.HASH:
        raise WrongInput("a proof of the certificate cannot be read", where=where)
    return [data[at : at + tree.HASH] for at in range(0, len(data), tree.HASH)]
