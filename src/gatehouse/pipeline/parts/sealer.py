"""The sealer: the one process that has the custodian's key, and that reads from the register what is to be released.

It takes a certificate and verifies all of it by itself, with the checks of a stranger (`release.binding`), and more
that a stranger cannot make: that the ledger is whole, that nobody halted the docket, that its agency did not withdraw
it, that no later decision undid an approval, and that no case of it was sealed before. Then it seals, or does nothing.
It signs texts of the custodian's known forms and nothing else; a package is no such form.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from gatehouse import store
from gatehouse.casework.records import Decision
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action
from gatehouse.intake import parties, receipt
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import canonical, clock, ids, line
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.kernel.line import Answer, Line
from gatehouse.pipeline import dockets, halts, history, keys, packs, people, planning, stamping, withdrawal
from gatehouse.pipeline.approve import manifest_of
from gatehouse.pipeline.dockets import Placed
from gatehouse.pipeline.history import History
from gatehouse.pipeline.parts import Part, messages
from gatehouse.pipeline.parts.memory import Memory
from gatehouse.pipeline.sealing import Done, Own
from gatehouse.pipeline.site import Site, current
from gatehouse.release import certificate as certificates
from gatehouse.release import recall, returns, trust
from gatehouse.release.certificate import standing
from gatehouse.store.casebook import Casebook

PATIENCE = 3600.0
"""Seconds for which whoever releases may be silent: committing and witnessing lies between two messages."""
MEMORY = "sealer"
"""The sealer's own folder at a site."""
_ANSWERS = b"request_id,outcome,codes,text"
_LAY_OUT = "Run deploy/parts.sh"
_FORMS = frozenset({receipt.FORMAT, trust.NOTICE_FORM, recall.INCIDENT_FORM, returns.FORM, messages.CALL_FORM})


class Release:
    """One release, as the sealer takes part in it."""

    def __init__(self, site: Site, memory: Memory, stack: ExitStack) -> None:
        self._site = site
        self._memory = memory
        self._stack = stack
        self._own: tuple[Own, Placed, Mapping[str, Any]] | None = None

    def handle(self, message: object, data: bytes) -> Answer:
        """Do what one message asks, under the configuration as it stands now."""
        self._site = current(self._site)
        if isinstance(message, messages.Look):
            docket = dockets.find(self._site, message.docket)
            looked = self._hand(docket, ()).look(docket, Selection.of_text(message.cases))
            return messages.Looked(looked.cases.text(), looked.left, looked.officers), b""
        if isinstance(message, messages.Prepare):
            return self._prepare(dockets.find(self._site, message.docket), message.plan)
        if isinstance(message, messages.Seal):
            done = self._seal(message.release, data)
            kept = json.loads((self._memory.root / "sealed" / f"{message.release}.json").read_bytes())
            said = messages.SealedOnce(kept["package"], kept["certificate"], len(done.certificate))
            return said, done.certificate + done.package
        return messages.Signature(signed(self._site, data).hex()), b""

    def _hand(self, docket: Placed, releases: Collection[str]) -> Own:
        connection = self._stack.enter_context(open_workspace("2GB", threads=2))
        roster = people.roster(self._site)
        return Own(connection, self._site, roster, clock.today(), self._memory.prepared(docket.id, releases))

    def _prepare(self, docket: Placed, plan: Mapping[str, Any]) -> Answer:
        releases = _releases(plan)
        self._refuse_another_day(docket, plan)
        own = self._hand(docket, releases)
        shares = own.prepare(docket, plan)
        self._own = own, docket, plan
        return messages.Prepared(len(shares)), canonical.encode([share.document() for share in shares])

    def _refuse_another_day(self, docket: Placed, plan: Mapping[str, Any]) -> None:
        """Raise AnswerIsNo where a plan states another day, or other law, than those by which it is judged here."""
        if planning.instant(plan).date() != clock.today():
            raise AnswerIsNo("the release was planned on a different day", where=docket.id, remedy="Run it again")
        if packs.in_force(self._site, manifest_of(docket).basis).digest != plan.get("pack"):
            raise AnswerIsNo("the plan names law that is not in force", where=docket.id, remedy="Run it again")

    def _seal(self, release: str, certificate: bytes) -> Done:
        if self._own is None or release not in _releases(self._own[2]):
            raise WrongInput("this package was not prepared")
        own, docket, plan = self._own
        whole = history.whole(self._site)
        self._memory.settle({one.text("release") for one in whole.of("sealed", "unsealed", scope=docket.id)})
        done = self._memory.sealed(release)
        if done is not None:
            return done
        if self._memory.knows(release):
            raise AnswerIsNo("this package is already sealed", where=release)
        given = certificates.parse(certificate)
        if given.release.opening.fields().get("release") != release:
            raise AnswerIsNo("the certificate is for a different release", where=release)
        if halts.is_halted(self._site, agency=docket.received.agency, docket=docket.id):
            raise AnswerIsNo("overseers have halted this docket", where=docket.id)
        if any(whole.of(withdrawal.EVENT, scope=docket.id)):
            raise AnswerIsNo("the agency withdrew this submission", where=docket.id)
        stamping.refuse(self._site, clock.now())
        cases = Selection.of(record.seq for record in given.records)
        self._refuse_again(whole, docket, cases, release, _releases(plan))
        self._refuse_undone(whole, docket, cases, [taken.entry.index for taken in given.decisions])
        done = own.seal(release, certificate)
        self._memory.keep(docket.id, release, cases, done)
        return done

    def _refuse_again(
        self, whole: History, docket: Placed, cases: Selection, release: str, plan: Collection[str]
    ) -> None:
        """Raise AnswerIsNo where a case was released before, as the sealer remembers or the ledger says.

        Packages of one plan may share cases: those that the ledger has of the same instant, each to another officer. A
        plan that names an earlier package besides does not make it one of its own.
        """
        withdrawn = whole.unsealed(docket.id)
        known = self._memory.cases(docket.id)
        planned = {one.text("release"): one for one in whole.of("release", scope=docket.id)}
        own = planned.get(release)
        together = {release} | {
            name
            for name in planned.keys() & set(plan)
            if own is not None
            and planned[name].text("released_at") == own.text("released_at")
            and planned[name].text("officer") != own.text("officer")
        }
        earlier = {name for name, one in planned.items() if one.index < self._memory.began}
        before = Selection()
        for name, sealed in known.items():
            if name not in withdrawn | together:
                before = before | sealed
        if earlier - withdrawn - known.keys() - together:  # from before this sealer began
            before = before | _listed(docket, [*together, *known])
        if cases & before:
            raise AnswerIsNo(f"{len(cases & before)} of these cases are already sealed", where=docket.id)

    def _refuse_undone(self, whole: History, docket: Placed, cases: Selection, shown: list[int]) -> None:
        """Raise AnswerIsNo where the decisions shown are not all that the ledger has, or a later one undid them."""
        made = Casebook().decisions(docket.id)
        kept = {one.number: one.statement.digest for one in made}
        for one in whole.of("decision", scope=docket.id):
            if kept.get(int(one.fields["number"])) != one.text("statement"):
                raise AnswerIsNo("a decision that is in the ledger is missing here", where=f"{docket.id}, {one.name}")
        resting = standing(made, cases)
        if any(_is_repeated(one, made) for one in resting):
            raise AnswerIsNo("a release cannot rest on a signed decision entered once more", where=docket.id)
        if [one.ledger_index for one in resting] != shown or _undone(made, cases):
            raise AnswerIsNo(
                "the approvals are no longer in effect", where=docket.id, remedy="A later decision undid one"
            )


def _listed(docket: Placed, besides: list[str]) -> Selection:
    try:
        return planning.released_before(docket, besides)
    except PermissionError:
        where = f"{docket.id}, persons"
        raise AnswerIsNo("the list of persons already released cannot be read", where=where, remedy=_LAY_OUT) from None


def _releases(plan: Mapping[str, Any]) -> list[str]:
    named = [one.get("release") for one in plan.get("officers", []) if isinstance(one, dict)]
    if not named or not all(isinstance(name, str) and ids.is_name(name) for name in named):
        raise WrongInput("a plan must name its releases")
    return [str(name) for name in named]


def _is_repeated(decision: Decision, made: Collection[Decision]) -> bool:
    """Whether its very statement was a decision before: what that one did may have been undone since."""
    return any(one.statement.digest == decision.statement.digest and one.number < decision.number for one in made)


def _undone(made: Collection[Decision], cases: Selection) -> bool:
    """Whether the last decision about any of these cases is no approval."""
    left = cases
    for one in reversed(list(made)):
        if left & one.selection and one.statement.body.get("action") != Action.APPROVE:
            return True
        left = left - one.selection
    return bool(left)


def signed(site: Site, text: bytes) -> bytes:
    """A raw signature over a text of one of the custodian's forms. Raises AnswerIsNo for any other."""
    if text.partition(b"\n")[0].rstrip(b"\r") != _ANSWERS:
        body = _body(text)
        form = body.get("format")
        listed = form in {trust.ROSTER_FORM, trust.AGENCIES_FORM}
        if not (form in _FORMS or (listed and body in _lists(site))):
            raise AnswerIsNo("the sealer does not sign texts in this form")
    return keys.custodian(site).sign(text)


def _body(text: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
        whole = isinstance(body, dict) and canonical.encode(body) == text.removesuffix(b"\n")
    except (ValueError, TypeError, RecursionError):
        whole = False
    return body if whole else {}


def _lists(site: Site) -> tuple[Mapping[str, Any], ...]:
    known = parties.read(site.parties).agencies.values() if site.parties.is_file() else ()
    return trust.roster_list(people.versions(site)), trust.agencies_list(known)


def converse(site: Site, connection: socket.socket, caller: Part) -> None:
    """Serve one caller: the decider, or the operator; the web is not let in."""
    from django.db import connections

    own = replace(site, parts=None)  # by our own hand
    talk = Line(connection, messages.TO_SEALER, most=messages.MOST_CERTIFICATE)
    with ExitStack() as stack:
        release = Release(own, Memory(own.root / MEMORY), stack)
        if caller in {Part.DECIDER, Part.OPERATOR}:
            line.answer(talk, release.handle)
        else:
            line.answer(talk, lambda message, _: _refuse(caller, message))
    connections.close_all()


def _refuse(caller: Part, message: object) -> Answer:
    raise line.not_for(f"the {caller}", message)


def ready(site: Site) -> None:
    """Ready the database, of which the sealer reads decisions and reports, and its own memory."""
    store.configure(site.database)
    Memory(site.root / MEMORY).begin(history.read(site, ()).size)


__all__ = ["MEMORY", "PATIENCE", "converse", "ready", "signed"]
