"""The decider as the web asks it: one record at a time, and what needs the register or the files of a docket.

It works under the same rules whoever asks: an order to release is carried out only as far as two officers' signatures
and the sealer allow it, and a recall is one that an officer signed.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gatehouse.casework import statement as statements
from gatehouse.casework.roster import Roster
from gatehouse.casework.selection import Selection
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock, line
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed
from gatehouse.kernel.line import Answer, Line
from gatehouse.match.register import reachable
from gatehouse.pipeline import answers, approve, closing, dockets, onfile, people, recall, release, subject
from gatehouse.pipeline.parts import Part, messages
from gatehouse.pipeline.parts.openings import Openings
from gatehouse.pipeline.site import Site, current
from gatehouse.release.recall import Cause

PATIENCE = 120.0
FOLDER = "decider"
"""The decider's own folder at a site."""
_LETTER = "letter"


class Desk:
    """What one caller may ask."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._openings = Openings(Path(site.root / FOLDER))

    def handle(self, message: object, _: bytes) -> Answer:
        """Do what one message asks, under the configuration as it stands now: however long a caller stays, an officer
        whose authority was revoked meanwhile has none.
        """
        self._site = current(self._site)
        return _TASKS[type(message)](self, message)

    @property
    def _office(self) -> approve.Office:
        return approve.office(self._site)

    def register(self, _: messages.AskRegister) -> Answer:
        """Say whether the register is there."""
        if not reachable(self._site.register):
            raise MachineFailed("the register is not available")
        return messages.Done(), b""

    def open(self, asked: messages.OpenCase) -> Answer:
        """Show one record, once it is written down that it was shown, and to whom."""
        _refuse_stranger(people.roster(self._site), asked.officer)
        docket = dockets.find(self._site, asked.docket)
        self._openings.note(asked.officer, f"{docket.id}, row {asked.seq}, candidate {asked.candidate}")
        found = onfile.read(self._site, docket, asked.seq, asked.candidate)
        return messages.OnFile(dict(found.fields), found.addresses), b""

    def about(self, asked: messages.AskAbout) -> Answer:
        """Say what a decision is about."""
        found = subject.of(dockets.find(self._site, asked.docket), Selection.of_text(asked.cases))
        return messages.SaidAbout(found.document()), b""

    def release(self, asked: messages.ReleaseDocket) -> Answer:
        """Release what two officers approved."""
        with open_workspace(memory="2GB", threads=2) as connection:
            done = release.release(connection, self._office, asked.docket, clock.now())
        return messages.ReleasedDocket(done.cases, len(done.releases), dict(done.left)), b""

    def recall(self, asked: messages.RecallCases) -> Answer:
        """Carry out a recall that an officer signed."""
        signed, cases = statements.of_document(dict(asked.statement)), Selection.of_text(asked.cases)
        cause = Cause(**{name: asked.cause.get(name, "") for name in ("kind", "about", "reason")})
        with open_workspace(memory="1GB", threads=2) as connection:
            done = recall.carry_out(connection, self._office, signed, cases, cause=cause, now=clock.now())
        said = messages.RecalledCases(done.cases, len(done.notices), done.incident.text("report_by"))
        return said, b""

    def tell(self, asked: messages.TellAnswers) -> Answer:
        """Tell a docket's answers, if their day has come."""
        with open_workspace() as connection:
            closing.answer(connection, self._office, dockets.find(self._site, asked.docket), clock.now())
        return messages.Done(), b""

    def answer(self, asked: messages.AnswerPerson) -> Answer:
        """One page of a person's answer, on account like a record."""
        self._openings.note(_LETTER, f"person's answer, page {asked.page}")
        with open_workspace("512MB", threads=1) as connection:
            return messages.Done(), answers.answer(connection, self._site, asked.person, page=asked.page)


_TASKS: Mapping[type, Callable[[Desk, Any], Answer]] = {
    messages.AskRegister: Desk.register, messages.OpenCase: Desk.open, messages.AskAbout: Desk.about,
    messages.ReleaseDocket: Desk.release, messages.RecallCases: Desk.recall, messages.TellAnswers: Desk.tell,
    messages.AnswerPerson: Desk.answer,
}  # fmt: skip


def _refuse_stranger(roster: Roster, officer: str) -> None:
    if not officer or roster.why_not(officer, clock.today()) is not None:
        raise AnswerIsNo("this officer may not decide today", where=officer or "an account without an officer")


def converse(site: Site, connection: socket.socket, caller: Part) -> None:
    """Serve one caller: the web, or the operator."""
    from django.db import connections

    talk = Line(connection, messages.TO_DECIDER, most=0)
    if caller in {Part.WEB, Part.OPERATOR}:
        line.answer(talk, Desk(site).handle)
    else:
        line.answer(talk, lambda message, _: _refuse(caller, message))
    connections.close_all()


def _refuse(caller: Part, message: object) -> Answer:
    raise line.not_for(f"the {caller}", message)
