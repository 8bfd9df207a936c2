"""Whether each receipt and each release was allowed by what stood in the ledger before it: law, halts, people, years.

A certificate proves what a release rests on, not that nothing stood against it: whoever writes certificates leaves out
the halt, the withdrawal, the newer law or roster. Here all events are read in the order of the ledger. Pure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatehouse.casework import endorsement
from gatehouse.casework import roster as rosters
from gatehouse.casework.endorsement import Version
from gatehouse.casework.selection import Selection
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law.signing import is_older
from gatehouse.ledger import halt
from gatehouse.ledger.halt import Oversight, Scope


@dataclass(frozen=True)
class Happened:
    """One event of a ledger, opened; `docket` is empty for an event of the site."""

    index: int
    docket: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """What the certificate of a release says: who approved, and which cases it holds."""

    approvers: tuple[str, ...]
    cases: Selection


@dataclass(frozen=True)
class Finding:
    """Something that was done although it was not allowed then: the docket, the release where it is one, and why."""

    docket: str
    release: str
    what: str


@dataclass
class _Stands:
    """What stands at one place of the ledger."""

    site: str
    lost: bool
    """Entries were acknowledged as lost, so that what is not found may have been among them."""
    law: dict[str, str] = field(default_factory=dict)
    """The digest of the pack in force, by basis."""
    newest: dict[str, str] = field(default_factory=dict)
    """Its version."""
    basis: dict[str, str] = field(default_factory=dict)
    """Of every pack that was ever adopted, by digest."""
    overseers: Oversight | None = None
    halts: list[tuple[Scope, Oversight]] = field(default_factory=list)
    """Every halt that stands, with those who may lift it: the overseers when it was entered."""
    versions: list[Version] = field(default_factory=list)
    agencies: dict[str, str] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    over: bool = False
    given: dict[str, list[tuple[str, Selection]]] = field(default_factory=dict)
    """Of each docket the cases that were released, by the instant."""

    def take(self, event: Happened) -> None:
        """Let an event stand."""
        fields = event.fields
        match fields.get("event"):
            case "pack in force":
                self._adopted(str(fields["pack"]), str(fields["digest"]), str(fields.get("version", "")))
            case "overseers":
                text = fields.get("policy")
                self.overseers = Oversight.parse(str(text)) if text is not None else self.overseers
            case "halt" | "resume":
                self._spoken(str(fields.get("text")).encode())
            case "roster":
                stated = rosters.parse(fields["officers"], where=f"entry {event.index}")
                self.versions.append(Version(stated, endorsement.of_documents(fields["endorsements"])))
            case "received":
                self.agencies[event.docket] = str(fields.get("agency"))
            case "withdrawal":
                self.withdrawn.add(event.docket)
            case "continued":
                self.over = True

    def _adopted(self, basis: str, digest: str, version: str) -> None:
        """Law goes forward: an old adoption that is entered once more brings nothing back."""
        self.basis[digest] = basis
        if self.newest.get(basis) is None or not is_older(version, self.newest[basis]):
            self.law[basis], self.newest[basis] = digest, version

    def _spoken(self, data: bytes) -> None:
        """A halt, or a resumption by the number of overseers that the policy asked when the halt was entered."""
        try:
            said = self.overseers.accept(data) if self.overseers else None
            if said is None:
                return
        except (AnswerIsNo, WrongInput):  # what too few signed was laid in, and never in force
            return
        if said.action is halt.Action.HALT and self.overseers:
            self.halts.append((said.scope, self.overseers))
        else:
            self.halts = [one for one in self.halts if one[0] != said.scope or not _accepts(one[1], data)]

    def receipt(self, fields: Mapping[str, Any]) -> Iterator[str]:
        """Why these determinations could not be entered here."""
        if self.over:
            yield "it was received after the ledger of the next year had begun"
        yield from self._lawful(str(fields.get("pack")), "was determined")

    def release(self, docket: str, fields: Mapping[str, Any], given: Given | None) -> Iterator[str]:
        """Why this release could not be planned here."""
        if any(scope.covers(self.agencies.get(docket, ""), docket) for scope, _ in self.halts):
            yield "it was released while overseers had halted it"
        if docket in self.withdrawn:
            yield "it was released after its agency had withdrawn the submission"
        yield from self._lawful(str(fields.get("pack")), "was released")
        if given is None:
            return
        counted = endorsement.admitted(self.versions, site=self.site)
        day = dt.date.fromisoformat(str(fields["released_at"])[:10])
        for officer in sorted(set(given.approvers)):
            why = counted.why_not(officer, day)
            if why is not None:
                yield f"it was released on the approval of officer {officer}, who {why}"
        at, before = str(fields["released_at"]), self.given.setdefault(docket, [])
        again = sum(len(given.cases & cases) for instant, cases in before if instant != at)
        if again:
            yield f"{again} of its cases were released before"
        before.append((at, given.cases))

    def _lawful(self, digest: str, done: str) -> Iterator[str]:
        basis = self.basis.get(digest)
        if basis is None and not self.lost:
            yield f"it {done} under law that was never adopted before"
        elif basis is not None and self.law[basis] != digest:
            yield f"it {done} under law that other law had replaced"


def _accepts(overseers: Oversight, data: bytes) -> bool:
    try:
        return bool(overseers.accept(data))
    except (AnswerIsNo, WrongInput):
        return False


def judge(events: Sequence[Happened], given: Mapping[str, Given], *, site: str) -> Iterator[Finding]:
    """What was not allowed where it stands, in the order of the ledger.

    `given` are the certificates' words by release. Releases that were planned and withdrawn are not judged.
    """
    kinds = {kind: set(_releases(events, kind)) for kind in ("unsealed", "sealed")}
    withdrawn = kinds["unsealed"] - kinds["sealed"]
    stands = _Stands(site, lost=any(one.fields.get("event") == "loss" for one in events))
    for one in sorted(events, key=lambda each: each.index):
        kind, release = one.fields.get("event"), str(one.fields.get("release", ""))
        if kind == "received":
            yield from (Finding(one.docket, "", what) for what in stands.receipt(one.fields))
        elif kind == "release" and release not in withdrawn:
            found = stands.release(one.docket, one.fields, given.get(release))
            yield from (Finding(one.docket, release, what) for what in found)
        stands.take(one)


def _releases(events: Iterable[Happened], kind: str) -> Iterator[str]:
    return (str(one.fields.get("release")) for one in events if one.fields.get("event") == kind)
