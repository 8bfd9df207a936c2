"""Halts for pages: what stands, what waits for signatures, and a signature taken in and put on record."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from gatehouse.console import chronicle, desk
from gatehouse.kernel import clock, digests
from gatehouse.kernel.errors import GatehouseError, MachineFailed, WrongInput
from gatehouse.ledger import halt
from gatehouse.ledger.note import Note
from gatehouse.pipeline import halts


@dataclass(frozen=True)
class Waiting:
    """A statement that too few overseers signed so far."""

    name: str
    text: str
    said: halt.Statement
    needed: int


@dataclass(frozen=True)
class Board:
    """Everything about halts that a page shows; `problem` says why they cannot be believed, which stops everything."""

    overseers: tuple[str, ...]
    to_halt: int
    to_resume: int
    standing: tuple[halt.Statement, ...]
    waiting: tuple[Waiting, ...]
    problem: str


def board() -> Board:
    """The halts of the site as they stand now."""
    site = desk.site()
    try:
        trusted = halts.oversight(site)
        if trusted is None:
            return Board((), 0, 0, (), (), "")
        names = tuple(key.name for key in trusted.keys)
        waiting = tuple(
            Waiting(name, Note.parse(data).text, said, trusted.needed(said.action))
            for name, data, said in halts.waiting(site)
        )
        return Board(names, trusted.halt, trusted.resume, tuple(halts.standing(site)), waiting, "")
    except GatehouseError as error:
        return Board((), 0, 0, (), (), f"{error}.")


def text(action: str, reach: str, name: str, reason: str) -> str:
    """The exact text to sign. Raises WrongInput for an unknown action or scope, or an empty reason."""
    if action not in set(halt.Action):
        raise WrongInput("it is not said whether to halt or to resume", remedy="Choose one")
    scope = halt.Scope.parse(f"{reach} {name}".strip() if reach != halt.Reach.EVERYTHING else reach)
    return halt.text(halt.Action(action), scope, clock.now(), reason)


def take(given: str, line: str) -> tuple[halt.Statement, bool]:
    """Take in a signature and enter what came into force in the ledger; a halt stands even if that must wait."""
    plain = given.replace("\r\n", "\n")
    said, in_force = halts.take(desk.site(), plain, line.strip())
    if in_force:
        with contextlib.suppress(MachineFailed):
            chronicle.enter(
                str(said.action),
                {
                    "scope": str(said.scope),
                    "statement": digests.of_bytes(plain.encode()),
                    "by": ", ".join(said.signers),
                },
            )
    return said, in_force
