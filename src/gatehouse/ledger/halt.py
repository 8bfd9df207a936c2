"""Halts: overseers' signed word that a docket, an agency or everything stops, or may go on. Pure but for reading files.

A statement is a signed note. How many overseers it takes to stop, and how many to let go on, stands in the overseers'
own file; stopping usually takes fewer. The last word on a scope counts, and which one is last is told by the ledger's
entries, never by a clock. A file that cannot be believed is an error, never an absence: what reads halts stops too.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel import digests, ids, letters
from gatehouse.kernel.clock import stamp
from gatehouse.kernel.errors import AnswerIsNo, WrongInput, place
from gatehouse.ledger import note
from gatehouse.ledger.note import Note
from gatehouse.ledger.signers import Algorithm, Signer, Verifier

_HEAD = "gatehouse-halt/1"
_MAX_FILE = 1 << 17
_MAX_REASON = 1000
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


class Action(enum.StrEnum):
    """What overseers say."""

    HALT = "halt"
    RESUME = "resume"


class Reach(enum.StrEnum):
    """How far a statement reaches."""

    EVERYTHING = "everything"
    AGENCY = "agency"
    DOCKET = "docket"


@dataclass(frozen=True)
class Scope:
    """What is stopped: everything, one agency or one docket, by name."""

    reach: Reach
    name: str = ""

    def __str__(self) -> str:
        return f"{self.reach} {self.name}".rstrip()

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read `everything`, `agency NAME`, `docket NAME` or `docket AGENCY/ID`; raises WrongInput otherwise."""
        reach, _, name = text.partition(" ")
        agency, slash, identifier = name.rpartition("/")
        full = bool(slash) and ids.is_name(agency) and ids.is_name(identifier)
        named = ids.is_name(name) if reach == Reach.AGENCY else reach == Reach.DOCKET and (full or ids.is_docket(name))
        if not named and text != Reach.EVERYTHING:
            raise WrongInput("a halt must cover `everything`, `agency NAME` or `docket NAME`")
        return cls(Reach(reach), name)

    def covers(self, agency: str, docket: str) -> bool:
        """Whether a docket of an agency falls under it; an id alone covers every agency's docket of that id."""
        if self.reach is not Reach.DOCKET:
            return self.reach is Reach.EVERYTHING or self.name == agency
        identifier = docket.partition("~")[0]
        return self.name in {docket, identifier, f"{agency}/{identifier}"}


@dataclass(frozen=True)
class Statement:
    """One accepted statement and the overseers who signed it."""

    action: Action
    scope: Scope
    at: str
    reason: str
    signers: tuple[str, ...]
    digest: str
    """SHA-256 of the text that was signed: the same statement with one more signature has the same digest."""


@dataclass(frozen=True)
class Oversight:
    """Who oversees: their keys, and how many must sign to halt and to resume."""

    keys: tuple[Verifier, ...]
    halt: int
    resume: int

    @classmethod
    def parse(cls, text: str, *, where: str = "oversight.policy") -> Oversight:
        """Read lines `key VKEY`, `halt N`, `resume N` and `#` comments; raises WrongInput naming the line."""
        keys: list[Verifier] = []
        least: dict[str, int] = {}
        for number, line in enumerate(text.split("\n"), start=1):
            words = line.split()
            here = place(f"{where} line {number}")
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "key" and len(words) == 2:
                keys.append(_key(words[1], keys, here))
            elif words[0] in set(Action) - set(least) and len(words) == 2 and re.fullmatch("[1-9][0-9]?", words[1]):
                least[words[0]] = int(words[1])
            else:
                raise WrongInput(
                    "each line must be key VKEY, halt N or resume N; halt and resume may appear only once", where=here
                )
        voices = {ids.folded(key.name) for key in keys}
        if set(least) != set(Action) or max(least.values()) > len(voices):
            raise WrongInput("halt and resume must each state how many overseers must sign", where=where)
        return cls(tuple(keys), least[Action.HALT], least[Action.RESUME])

    def claimed(self, data: bytes, *, where: str = "halt") -> Statement:
        """What a statement says and which overseers signed it so far, however few; in force only once `accept` says so.

        Raises WrongInput when it is no statement, AnswerIsNo when an overseer's signature on it is wrong.
        """
        opened = Note.parse(data, where=where)
        signed = opened.signed_by(self.keys, where=where)
        names = tuple(sorted(verifier.name for verifier in signed))
        return Statement(*_fields(opened.text, where), names, digests.of_bytes(opened.text.encode()))

    def needed(self, action: Action) -> int:
        """How many overseers must sign."""
        return self.halt if action is Action.HALT else self.resume

    def accept(self, data: bytes, *, where: str = "halt") -> Statement:
        """A statement that enough overseers signed; raises WrongInput when it is none, AnswerIsNo when too few did."""
        said = self.claimed(data, where=where)
        least = self.needed(said.action)
        voices = {ids.folded(name) for name in said.signers}  # two keys under one name are one human
        if len(voices) < least:
            raise AnswerIsNo(f"{len(voices)} overseers signed; it takes {least} to {said.action}", where=where)
        return said


def text(action: Action, scope: Scope, at: dt.datetime, reason: str) -> str:
    """The exact text of a statement that overseers sign. The reason is one line and goes on record."""
    plain = reason.strip()
    if not letters.are_seen(plain) or len(plain) > _MAX_REASON:
        raise WrongInput(
            "a reason must be one line of at most 1,000 characters", remedy="State the reason. It goes on record"
        )
    return f"{_HEAD}\n{action} {scope}\n{stamp(at)}\n{plain}\n"


def write(action: Action, scope: Scope, at: dt.datetime, reason: str, signer: Signer) -> bytes:
    """A new statement with its first signature."""
    return note.sign(text(action, scope, at, reason), signer).encoded


def join(data: bytes, signer: Signer, *, where: str = "halt") -> bytes:
    """The same statement with one more overseer's signature."""
    opened = Note.parse(data, where=where)
    _fields(opened.text, where)
    return opened.plus([signer.signature_line(opened.text.encode())]).encoded


def read_folder(folder: Path, oversight: Oversight) -> list[Statement]:
    """Every statement in a folder; raises when one of them cannot be believed, because silence must not mean go."""
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        with path.open("rb") as stream:
            found.append(oversight.accept(stream.read(_MAX_FILE), where=path.name))
    return found


def by_stated_time(statements: Iterable[Statement]) -> list[Statement]:
    """Statements by the time that their signers wrote, a halt after a resumption of the same time.

    For a folder of halts without its ledger; a site orders them by entry.
    """
    return sorted(statements, key=lambda one: (one.at, one.action is Action.HALT))


def standing(statements: Iterable[Statement]) -> list[Statement]:
    """The halts in force, of statements in order: of each scope the last word, if that is a halt."""
    last = {statement.scope: statement for statement in statements}
    return [statement for statement in last.values() if statement.action is Action.HALT]


def is_halted(statements: Iterable[Statement], *, agency: str, docket: str) -> bool:
    """Whether a halt in force covers a docket of an agency, of statements in order.

    Resuming one scope does not lift a wider halt.
    """
    return any(statement.scope.covers(agency, docket) for statement in standing(statements))


def _fields(text: str, where: str) -> tuple[Action, Scope, str, str]:
    lines = text.split("\n")
    action, _, scope = lines[1].partition(" ") if len(lines) == 5 else ("", "", "")
    if lines[0] != _HEAD or action not in set(Action) or not _INSTANT.fullmatch(lines[2]) or not lines[3].strip():
        raise WrongInput(f"this is not a statement of the format {_HEAD}", where=where)
    return Action(action), Scope.parse(scope), lines[2], lines[3]


def _key(text: str, known: list[Verifier], where: str) -> Verifier:
    verifier = Verifier.parse(text, where=where)
    if verifier.algorithm is not Algorithm.ED25519 or verifier.public in {other.public for other in known}:
        raise WrongInput("each overseer's key must be Ed25519 and be listed once", where=where)
    return verifier
