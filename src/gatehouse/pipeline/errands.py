"""What a page has done for it: by the decider where that is a process of its own, else here.

The web has neither the register nor the sealer's ear. It hands over what an officer pressed or signed, and is told how
that went; what is refused there is raised here in the same words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.line import Call
from gatehouse.kernel.progress import Progress
from gatehouse.pipeline import answers, closing, recall, release
from gatehouse.pipeline.approve import Office, docket_of
from gatehouse.pipeline.parts import Part, messages
from gatehouse.pipeline.site import Site
from gatehouse.release.recall import Cause

_PATIENCE = 4 * 3600.0
"""Seconds that a page's work may take: a release at full size is long."""


@dataclass(frozen=True)
class Released:
    """How many cases left in how many packages, and why others stayed."""

    cases: int
    packages: int
    left: Mapping[str, int]


@dataclass(frozen=True)
class Recalled:
    """How many cases and packages were recalled, and by when the incident must be reported."""

    cases: int
    packages: int
    report_by: str


def _ask(site: Site, message: object) -> tuple[Any, bytes] | None:
    """The decider's answer; None where this process does its work."""
    socket = site.parts.of(Part.DECIDER) if site.parts else None
    if socket is None:
        return None
    with Call(socket, messages.FROM_DECIDER, most=messages.MOST_ANSWER, patience=_PATIENCE) as call:
        return call.ask(message)


def let_out(place: Office, docket: str, now: dt.datetime, progress: Progress) -> Released:
    """Release what two officers approved. Raises as `release.release`."""
    told = _ask(place.site, messages.ReleaseDocket(docket))
    if told is not None:
        return Released(told[0].cases, told[0].packages, told[0].left)
    with open_workspace(memory="2GB", threads=2) as connection:
        done = release.release(connection, place, docket, now, progress)
    return Released(done.cases, len(done.releases), done.left)


def take_back(place: Office, signed: Statement, cases: Selection, cause: Cause, now: dt.datetime) -> Recalled:
    """Carry out a recall that an officer signed. Raises as `recall.carry_out`."""
    told = _ask(place.site, messages.RecallCases(signed.document(), cases.text(), cause.document()))
    if told is not None:
        return Recalled(told[0].cases, told[0].packages, told[0].report_by)
    with open_workspace(memory="1GB", threads=2) as connection:
        done = recall.carry_out(connection, place, signed, cases, cause=cause, now=now)
    return Recalled(done.cases, len(done.notices), done.incident.text("report_by"))


def tell(place: Office, docket: str, now: dt.datetime) -> None:
    """Tell a docket's answers, if their day has come."""
    if _ask(place.site, messages.TellAnswers(docket)) is None:
        with open_workspace() as connection:
            closing.answer(connection, place, docket_of(place.site, docket), now)


def answer(site: Site, person: int, page: int = 1) -> bytes:
    """One page of the answer about a person. Raises as `answers.answer`."""
    told = _ask(site, messages.AnswerPerson(person, page))
    if told is not None:
        return told[1]
    with open_workspace(memory="512MB", threads=1) as connection:
        return answers.answer(connection, site, person, page=page)
