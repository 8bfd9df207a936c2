"""What a certificate must prove, step by step: each step binds one thing to another, or says what does not bind.

Nothing here rests on the custodian's word where somebody else's signature or the log can carry it: the agency signed
who asks and who receives, officers signed what may go to whom, the log holds that it was said before anything left, and
witnesses say when. The sealer and the officer's side run the same `verify`; one wrong byte, and nothing is opened.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from gatehouse.casework import approval, endorsement
from gatehouse.casework import roster as rosters
from gatehouse.casework.endorsement import Version
from gatehouse.casework.records import CaseFile
from gatehouse.casework.roster import Officer
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action
from gatehouse.intake import manifest as manifests
from gatehouse.intake import receipt as receipts
from gatehouse.intake.manifest import Manifest
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law.supply import ITEMS
from gatehouse.ledger import tree, witnessed
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.entries import Adopted, Decided, Docketed, Received, Released, read_instant
from gatehouse.ledger.note import verify_detached
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.signers import Verifier
from gatehouse.release import certificate
from gatehouse.release.certificate import Certificate, Placed, Taken
from gatehouse.release.package import Row
from gatehouse.release.trust import Trust

_FIELDS = 4  # of a determination: request, answer, grounds, person


@dataclass(frozen=True)
class Header:
    """What a certificate that holds says of its release."""

    release: str
    docket: str
    agency: str
    basis: str
    agreement: str
    officer: str
    recipient: str
    released_at: dt.datetime
    expires_on: dt.date
    terms: str
    """SHA-256 of the use terms."""
    receipt_key: str
    """The verifier key of the receipts; its private half is inside the package and nowhere else."""
    records: str | None
    """SHA-256 of the salt and the records inside the package; an old certificate says nothing of them."""
    matters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verified:
    """A certificate that held, and what it permits: exactly these items of these requests, to this recipient."""

    header: Header
    digest: str
    permitted: frozenset[tuple[str, str]]
    """(request_id, item)."""
    cases: Selection
    times: tuple[str, ...] = field(default=())
    """For each stated time what witnesses say of it, one line each."""
    index: int = 0
    """Where the release's entry stands in the ledger."""
    history: tuple[Checkpoint, ...] = field(default=())
    """Every checkpoint that the certificate carries, the newest first; none in an old certificate."""


@dataclass(frozen=True)
class _Entries:
    """The entries of a certificate, each found in the ledger under its checkpoint."""

    checkpoint: Checkpoint
    history: tuple[Checkpoint, ...]
    """Every checkpoint that the certificate carries, each accepted and of one history."""
    received: Received
    docketed: Docketed
    adopted: tuple[tuple[int, Adopted], ...]
    release: Released
    officers: Mapping[str, Officer]
    """Who might decide as the ledger had it before the release, endorsed as its roster entry shows."""


@dataclass(frozen=True)
class _Clock:
    """Compares stated times with the witnesses', and keeps what they say."""

    history: tuple[Checkpoint, ...]
    trust: Trust
    where: str
    lines: list[str] = field(default_factory=list)

    def bound(self, stated: dt.date, index: int, what: str) -> None:
        """Raise AnswerIsNo when a stated time does not lie between the witnesses' times around an entry."""
        framed = witnessed.frame(index, self.history, self.trust.policy)
        witnessed.refuse(stated, framed, what, where=self.where)
        self.lines.append(witnessed.said(stated, framed, what))


def verify(
    data: bytes, trust: Trust, *, agency: Sequence[Verifier] | None = None, where: str = "certificate.json"
) -> Verified:
    """Check a certificate against keys and people that do not come from it; `agency` are keys of the agency's own.

    The steps are those of docs/release.md. Raises WrongInput when it is no certificate, AnswerIsNo with the first
    thing that does not bind.
    """
    given = certificate.parse(data, where=where)
    entries = _entries(given, trust, where)  # 1, 2
    manifest, file = _submission(given, entries, trust, agency, where)  # 3, 4
    _law(entries, manifest, where)  # 5
    _release(given, entries, manifest, where)  # 6
    times = _Clock(entries.history, trust, where)
    _times(given, entries, file, times)  # 7
    approved, cleared = _decisions(given, entries, file, trust, times, where=where)  # 8
    permitted, cases = _records(given, entries, cleared, where)  # 9
    _covered(entries, permitted, cases, approved, where)  # 10
    release = entries.release
    header = Header(
        release.release, release.docket, release.agency, manifest.basis, manifest.agreement, release.officer,
        release.recipient, release.at, dt.date.fromisoformat(release.expires_on), release.terms, release.receipt_key,
        release.records,
    )  # fmt: skip
    return Verified(
        header, digests.of_bytes(data), frozenset(permitted), cases, tuple(times.lines), given.release.index,
        entries.history,
    )  # fmt: skip


def covers(verified: Verified, rows: Sequence[Row], *, where: str) -> None:
    """Check that records are exactly those a certificate permits, no more, none twice, none missing."""
    given = [(row[0], row[2]) for row in rows]
    if len(set(given)) != len(given) or set(given) != verified.permitted:
        raise AnswerIsNo("the records differ from those that the certificate permits", where=where)


def contents(verified: Verified, salt: bytes, records: bytes, *, where: str) -> None:
    """Check that the records inside are those to which the release's entry committed before they were sealed."""
    if verified.header.records not in {None, digests.of_bytes(salt + records)}:
        raise AnswerIsNo("the records differ from those that the release's ledger entry names", where=where)


def _entries(given: Certificate, trust: Trust, where: str) -> _Entries:
    """Steps 1 and 2: one history of checkpoints, and every entry in it under the newest."""
    newest = trust.policy.accept(given.checkpoint, where=where)
    history = (newest, *(_earlier(given, one, newest, trust, where) for one in given.earlier))
    sizes = [one.size for one in history[1:]]
    if sizes != sorted(set(sizes)):
        raise WrongInput("the earlier checkpoints must each appear once, the smallest first", where=where)

    def fields(placed: Placed) -> Mapping[str, Any]:
        _included(given, placed.opening, placed.index, placed.proof, newest, where=where)
        return placed.opening.fields()

    received = Received.of(fields(given.received), where=where)
    docketed = Docketed.of(fields(given.docket), where=where)
    adopted = tuple((one.index, Adopted.of(fields(one), where=where)) for one in given.adopted)
    release = Released.of(fields(given.release), where=where)
    if len(given.release.opening.digests) != len(Released.KINDS) + 1:
        raise AnswerIsNo("the release's entry does not have the required fields", where=where)
    _used(given, where)
    for taken in given.decisions:
        _included(given, taken.entry.opening, taken.entry.index, taken.entry.proof, newest, where=where)
    officers = _officers(fields(given.roster), trust, newest.origin, where)
    return _Entries(newest, history, received, docketed, adopted, release, officers)


def _officers(fields: Mapping[str, Any], trust: Trust, site: str, where: str) -> Mapping[str, Officer]:
    """Who counted on the roster that the ledger holds: its people and their endorsements, after the versions known."""
    if set(fields) != {"event", "officers", "endorsements"} or fields["event"] != "roster":
        raise AnswerIsNo("this is not an entry of the kind 'roster'", where=where)
    if not isinstance(fields["endorsements"], list):
        raise WrongInput("the roster's endorsements must be a list", where=where)
    stated = rosters.parse(fields["officers"], where=f"{where}, roster")
    entered = Version(stated, endorsement.of_documents(fields["endorsements"]))
    return endorsement.admitted_at(trust.versions, entered, site=site).officers


def _used(given: Certificate, where: str) -> None:
    """Every node is of some proof, and every proof is of nodes that are there."""
    placed = [given.received, given.docket, given.roster, given.release, *given.adopted]
    placed += [one.entry for one in given.decisions]
    proofs = [
        *(one.proof for one in placed),
        *(one.proof for one in given.earlier),
        *(one.proof for one in given.records),
    ]
    if {number for proof in proofs for number in proof} != set(range(len(given.nodes))):
        raise WrongInput("the certificate has a node that no proof uses, or a proof without its nodes", where=where)


def _earlier(given: Certificate, one: certificate.Earlier, newest: Checkpoint, trust: Trust, where: str) -> Checkpoint:
    earlier = trust.policy.accept(one.checkpoint, where=where)
    path = given.path(one.proof, where=where)
    if earlier.origin != newest.origin or not (
        earlier.size < newest.size
        and tree.verify_consistency(earlier.size, newest.size, earlier.root, newest.root, path)
    ):
        raise AnswerIsNo("an earlier checkpoint is inconsistent with the newest", where=where)
    return earlier


def _included(
    given: Certificate, opening: Opening, index: int, proof: Sequence[int], checkpoint: Checkpoint, *, where: str
) -> None:
    path = given.path(proof, where=where)
    leaf = tree.leaf_hash(opening.entry)
    if not tree.verify_inclusion(leaf, index, checkpoint.size, path, checkpoint.root):
        raise AnswerIsNo(f"entry {index} is not in the ledger under this checkpoint", where=where)


def _submission(
    given: Certificate, entries: _Entries, trust: Trust, agency: Sequence[Verifier] | None, where: str
) -> tuple[Manifest, CaseFile]:
    """Steps 3 and 4: what the agency signed and was given a receipt for is what the ledger received and bound."""
    received, docketed, files = entries.received, entries.docketed, entries.docketed.files
    carried = {
        "submission.json": (given.manifest, received.manifest),
        "submission.json.sig": (given.manifest_signature, received.signature),
        "receipt.json": (given.receipt, received.receipt),
    }
    for name, (data, committed) in carried.items():
        if digests.of_bytes(data) != committed or files.get(name) != committed:
            raise AnswerIsNo(f"{name} differs from the one that was received", where=where)
    if given.received.index + 1 != received.first:
        raise AnswerIsNo("the receipt's entry is not directly before its determinations", where=where)
    if (docketed.docket, docketed.received) != (received.docket, given.received.index):
        raise AnswerIsNo("the docket's entry is about a different receipt", where=where)
    if given.docket.index < received.first + received.requests:
        raise AnswerIsNo("the docket's entry is earlier than its determinations", where=where)
    manifest = manifests.parse(given.manifest, where=f"{where}, manifest")
    if (manifest.agency, manifest.id, manifest.rows) != (received.agency, received.submission, received.requests):
        raise AnswerIsNo("the agency signed a different submission, or a different number of requests", where=where)
    _signed_by_agency(given, manifest, trust, agency, where)
    return manifest, _case_file(given, entries, manifest, where)


def _signed_by_agency(
    given: Certificate, manifest: Manifest, trust: Trust, agency: Sequence[Verifier] | None, where: str
) -> None:
    keys = trust.agency_keys(manifest.agency, manifest.signed_on)
    if not keys:
        raise AnswerIsNo("no key of the agency was valid on the day that it signed", where=where)
    for known in (keys, agency):
        if known is not None:
            verify_detached(given.manifest, given.manifest_signature, known, where=f"{where}, manifest")


def _case_file(given: Certificate, entries: _Entries, manifest: Manifest, where: str) -> CaseFile:
    received = entries.received
    try:
        receipt = json.loads(given.receipt)
        told = (receipt["digest"], receipt["requests"], receipt["submission"], receipt["refusal"])
        received_at = read_instant(receipt["received_at"])
        submitters = receipts.submitters(manifest, receipt)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise WrongInput("the receipt cannot be read", where=where) from None
    if told != (received.manifest, received.requests, received.submission, None):
        raise AnswerIsNo("the receipt is about a different submission", where=where)
    return CaseFile(
        received.docket, received.agency, received.requests, entries.docketed.files.get("determinations.parquet", ""),
        received_at, submitters, Selection(),
    )  # fmt: skip


def _law(entries: _Entries, manifest: Manifest, where: str) -> None:
    """Step 5: the pack that determined was in force before the receipt, the one of the day before the release."""
    received, release = entries.received, entries.release
    if len(entries.adopted) != len({received.pack, release.pack}):
        raise AnswerIsNo(
            "the certificate shows different adoptions of law from those that the release relies on", where=where
        )
    before = {adopted.digest for index, adopted in entries.adopted if index < received.first - 1}
    if received.pack not in before:
        raise AnswerIsNo("the law of the determinations was not adopted before them", where=where)
    if release.pack not in {adopted.digest for _, adopted in entries.adopted}:
        raise AnswerIsNo("the law on the day of release was not adopted before the release", where=where)
    if any(adopted.pack != manifest.basis for _, adopted in entries.adopted):
        raise AnswerIsNo("the adopted law is for a different basis from the request's", where=where)
    versions = {adopted.version: adopted.digest for _, adopted in entries.adopted}
    if len(versions) != len({adopted.digest for _, adopted in entries.adopted}):
        raise AnswerIsNo("one version of the law was adopted with two different contents", where=where)


def _release(given: Certificate, entries: _Entries, manifest: Manifest, where: str) -> None:
    """Step 6: the release's entry is about this docket, and names an officer and a key that the agency named."""
    release, received = entries.release, entries.received
    if (release.docket, release.agency, release.entry) != (received.docket, received.agency, given.docket.index):
        raise AnswerIsNo("the release's entry is about a different docket", where=where)
    named = {(one.id, one.recipient) for one in manifest.officers if one.employee and one.attests_sole_use}
    if (release.officer, release.recipient) not in named:
        raise AnswerIsNo("the agency did not name this officer with this key", where=where)
    places = [given.docket.index, given.roster.index, *(index for index, _ in entries.adopted), *release.decisions]
    if max(places) >= given.release.index:
        raise AnswerIsNo("the release's entry is earlier than an entry that it relies on", where=where)
    if [taken.entry.index for taken in given.decisions] != release.decisions:
        raise AnswerIsNo("the decisions differ from those that the release's entry names", where=where)


def _times(given: Certificate, entries: _Entries, file: CaseFile, times: _Clock) -> None:
    """Step 7: receipt, determinations and release are dated when witnesses saw them."""
    received, release = entries.received, entries.release
    times.bound(file.received_at, given.received.index, "the receipt")
    times.bound(dt.date.fromisoformat(received.as_of), given.received.index, "the law of the determinations")
    times.bound(release.at, given.release.index, "the release")
    if release.as_of != release.at.date().isoformat() or release.expires_on < release.as_of:
        raise AnswerIsNo("the release was decided under the law of a different day from its own", where=times.where)


def _decisions(
    given: Certificate, entries: _Entries, file: CaseFile, trust: Trust, times: _Clock, *, where: str
) -> tuple[Selection, Selection]:
    """Step 8: which cases two different people approved, and which held ones a person cleared."""
    approvals: dict[frozenset[str], Selection] = defaultdict(Selection)
    cleared = Selection()
    for taken in given.decisions:
        _decision(given, entries, file, taken, where)
        signed, selection = taken.statement, taken.selection
        decided_at, action = approval.instant(signed, "decided_at"), signed.body.get("action")
        officer = approval.authorised(trust.roster, signed, decided_at.date())
        approval.about(file, signed, selection)
        approval.uninvolved(file, officer, [key.verifier for key in trust.agencies.get(file.agency, ())])
        if not endorsement.keeps_within(entries.officers.get(officer.id), officer):
            raise AnswerIsNo(f"officer {officer.id} did not appear this way on the ledger's roster", where=where)
        times.bound(decided_at, taken.entry.index, f"the decision of {officer.id}")
        if not file.received_at - approval.CLOCK_TOLERANCE <= decided_at <= entries.release.at:
            raise AnswerIsNo("a decision was not made between receipt and release", where=where)
        if action == Action.APPROVE:
            why = trust.roster.why_not(officer.id, entries.release.at.date())
            if why is not None:
                raise AnswerIsNo(f"officer {officer.id} {why}: the approval does not stand", where=where)
            people = trust.roster.people(officer.id)
            approvals[people] = approvals[people] | selection
        elif action == Action.CLEAR:
            cleared = cleared | selection
        else:
            raise AnswerIsNo("a release cannot rely on a decision that approves nothing", where=where)
    approved = Selection()
    for (one, ones), (other, others) in combinations(approvals.items(), 2):
        if not one & other:
            approved = approved | (ones & others)
    return approved, cleared


def _decision(given: Certificate, entries: _Entries, file: CaseFile, taken: Taken, where: str) -> None:
    """A decision is the one in the ledger, about this docket, its law, and what goes to this officer."""
    body, release, received = taken.statement.body, entries.release, entries.received
    decided = Decided.of(taken.entry.opening.fields(), where=where)
    stated = (file.docket, body.get("action"), len(taken.selection), taken.selection.digest(), taken.statement.digest)
    if (decided.docket, decided.action, decided.cases, decided.selection, decided.statement) != stated:
        raise AnswerIsNo("a decision differs from the one in the ledger", where=where)
    if not given.docket.index < taken.entry.index:
        raise AnswerIsNo("a decision is earlier than the docket that it is about", where=where)
    entry = {"index": given.docket.index, "sha256": digests.of_bytes(given.docket.opening.entry)}
    law = {"pack_digest": received.pack, "as_of": received.as_of}
    if (body.get("docket_entry"), body.get("batch"), body.get("law")) != (entry, received.batch, law):
        raise AnswerIsNo("a decision is about a different docket, or under different law", where=where)
    recipients, items = body.get("recipients"), body.get("items")
    if not isinstance(recipients, list) or not isinstance(items, list):
        raise WrongInput("a decision names no recipients or no items", where=where)
    if {"officer": release.officer, "recipient": release.recipient} not in recipients:
        raise AnswerIsNo("a decision does not name this officer with this key", where=where)
    if not set(release.items) <= {item for item in items if isinstance(item, str)}:
        raise AnswerIsNo("a decision does not name every item", where=where)


def _records(
    given: Certificate, entries: _Entries, cleared: Selection, where: str
) -> tuple[set[tuple[str, str]], Selection]:
    """Step 9: each record is a determination of this batch, in its place, that allows each of its items."""
    received = entries.received
    permitted: set[tuple[str, str]] = set()
    seqs: list[int] = []
    for record in given.records:
        if not 0 <= record.seq < received.requests:
            raise AnswerIsNo("a record is for a row that was not received", where=where)
        opened = certificate.opened(received.batch, record, where=where)
        _included(given, opened, received.first + record.seq, record.proof, entries.checkpoint, where=where)
        request, answer = _answer(opened, where)
        _allowed(record, answer, received, cleared, where)
        permitted.update((request, item) for item in record.items)
        seqs.append(record.seq)
    if not seqs or seqs != sorted(set(seqs)):
        raise AnswerIsNo(
            "the certificate must have at least one record, and each record once, in row order", where=where
        )
    if len(permitted) != sum(len(record.items) for record in given.records):
        raise AnswerIsNo("two records are for the same request", where=where)
    return permitted, Selection.of(seqs)


def _answer(opened: Opening, where: str) -> tuple[str, Mapping[str, Any]]:
    fields = opened.fields()
    request, answer = fields.get("request"), fields.get("answer")
    whole = set(fields) == {"request", "answer"} and len(opened.digests) == _FIELDS
    if not whole or not isinstance(request, str) or not isinstance(answer, dict):
        raise AnswerIsNo(f"row {opened.seq} does not show its request and answer", where=where)
    return request, answer


def _allowed(
    record: certificate.Record, answer: Mapping[str, Any], received: Received, cleared: Selection, where: str
) -> None:
    by_person = record.seq in cleared
    outcome, allowed = answer.get("outcome"), answer.get("items")
    if not (outcome == "cleared" or (outcome == "held" and by_person)):
        raise AnswerIsNo(f"row {record.seq} was determined '{outcome}' and was never cleared", where=where)
    if (answer.get("pack_digest"), answer.get("as_of")) != (received.pack, received.as_of):
        raise AnswerIsNo(f"row {record.seq} was decided under a different pack or date", where=where)
    known = {item for item in allowed if isinstance(item, str)} & set(ITEMS) if isinstance(allowed, list) else set()
    if not record.items or list(record.items) != sorted(set(record.items)) or not set(record.items) <= known:
        raise AnswerIsNo(f"row {record.seq} names items that its determination does not allow", where=where)


def _covered(
    entries: _Entries, permitted: set[tuple[str, str]], cases: Selection, approved: Selection, where: str
) -> None:
    """Step 10: the release's entry says exactly what the records are, and two people approved each of them."""
    release = entries.release
    if release.selection != {"cases": len(cases), "sha256": cases.digest()}:
        raise AnswerIsNo("the records differ from the cases that the release's entry names", where=where)
    if release.items != sorted({item for _, item in permitted}):
        raise AnswerIsNo("the records contain different items from those that the release's entry names", where=where)
    if not cases <= approved:
        raise AnswerIsNo(f"{len(cases - approved)} records lack the approval of two different people", where=where)
