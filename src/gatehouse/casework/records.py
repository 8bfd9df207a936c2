"""What casework asks of whoever keeps its records; the database fulfils it, tests may fulfil it in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from gatehouse.casework.board import Board
from gatehouse.casework.sampling import Sample
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement


@dataclass(frozen=True)
class CaseFile:
    """What deciding the cases of one docket depends on and no decision changes."""

    docket: str
    agency: str
    size: int
    """How many cases (rows of the submission)."""
    determinations: str
    """SHA-256 of determinations.parquet: what the decisions are about."""
    received_at: dt.datetime
    submitters: frozenset[str]
    """Ids and names of those who handed the docket in or received it; none of them may decide."""
    clearable: Selection
    """Cases that a person may clear while they are held: exactly one candidate agrees and some item is permitted."""


@dataclass(frozen=True)
class Decision:
    """A decision that stands: its number in the docket, the signed statement and what it is about."""

    number: int
    statement: Statement
    selection: Selection
    ledger_index: int | None = None


@dataclass(frozen=True)
class Attempt:
    """An act that was refused."""

    docket: str
    officer: str
    action: str
    code: str
    at: dt.datetime


class Desk(Protocol):
    """One docket, held by one writer until the context ends: all of it is kept or none."""

    @property
    def file(self) -> CaseFile:
        """The facts about the docket."""

    @property
    def board(self) -> Board:
        """Where its cases stand now."""

    def sample(self, identifier: str) -> Sample | None:
        """A sample drawn for this docket."""

    def knows(self, statement: Statement) -> bool:
        """Whether this very statement is one of its decisions already."""

    def save(self, board: Board, statement: Statement, selection: Selection) -> int:
        """Keep a decision and the board it leads to; gives the decision's number in the docket."""


class Casebook(Protocol):
    """The records of all dockets."""

    def open(self, file: CaseFile, board: Board) -> None:
        """Begin a docket; again with the same facts changes nothing, with others raises WrongInput."""

    def deciding(self, docket: str) -> AbstractContextManager[Desk]:
        """Hold a docket for one decision. Raises WrongInput when it is not known."""

    def file(self, docket: str) -> CaseFile:
        """The facts about a docket. Raises WrongInput when it is not known."""

    def board(self, docket: str) -> Board:
        """Where its cases stand."""

    def decisions(self, docket: str) -> Sequence[Decision]:
        """All decisions in the order they were made."""

    def attempts(self, docket: str) -> Sequence[Attempt]:
        """All refused acts in the order they happened."""

    def block(self, attempt: Attempt) -> None:
        """Record a refused act."""

    def draw(self, sample: Sample) -> None:
        """Record a sample before anyone sees it."""

    def sample(self, identifier: str) -> Sample | None:
        """A recorded sample."""

    def examined(self, identifier: str, found: int) -> None:
        """Record what was found in a sample. Raises Blocked (`sample`) when that was recorded before."""
