"""Officers with keys, and casework's records in memory, for tests that need no database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from gatehouse.casework import approval, roster
from gatehouse.casework.about import About, Recipient
from gatehouse.casework.board import Board
from gatehouse.casework.records import Attempt, CaseFile, Decision
from gatehouse.casework.roster import Roster
from gatehouse.casework.sampling import Sample
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, State
from gatehouse.ledger.signers import KeySigner, new_key, parse_signer

NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
ABOUT = About(
    9, "e" * 64, "b" * 32, "c" * 64, ("last_known_address",), (Recipient("ICE-0042", "age1…"),), "a" * 64, "2026-03-02"
)
REASON = "Compared with the file by hand; the elements are met."


@dataclass
class Office:
    """A roster and the private keys of everyone on it."""

    roster: Roster
    keys: dict[str, KeySigner]


def office(**changes: dict[str, object]) -> Office:
    """ann, bob and eve may decide; cleo only reads. Keyword arguments change one person's section."""
    sections, keys = [], {}
    for person, role in (("ann", "disclosure_officer"), ("bob", "disclosure_manager"), ("eve", "disclosure_officer"),
                         ("cleo", "clerk")):  # fmt: skip
        private, public = new_key(f"{person}.example")
        keys[person] = parse_signer(private)
        section: dict[str, object] = {"id": person, "name": f"{person} example", "role": role, "key": public,
                                      "from": "2025-01-01"}  # fmt: skip
        sections.append({**section, **changes.get(person, {})})
    return Office(roster.parse(sections, where="gatehouse.toml"), keys)


@dataclass
class MemoryDesk:
    book: Memory
    file: CaseFile
    board: Board

    def sample(self, identifier: str) -> Sample | None:
        return self.book.samples.get(identifier)

    def knows(self, statement: Statement) -> bool:
        return any(one.statement.digest == statement.digest for one in self.book.kept[self.file.docket])

    def save(self, board: Board, statement: Statement, selection: Selection) -> int:
        kept = self.book.kept[self.file.docket]
        kept.append(Decision(len(kept), statement, selection))
        self.book.boards[self.file.docket] = board
        return len(kept) - 1


@dataclass
class Memory:
    """Fulfils `Casebook`."""

    files: dict[str, CaseFile] = field(default_factory=dict)
    boards: dict[str, Board] = field(default_factory=dict)
    kept: dict[str, list[Decision]] = field(default_factory=dict)
    refused: list[Attempt] = field(default_factory=list)
    samples: dict[str, Sample] = field(default_factory=dict)

    def open(self, file: CaseFile, board: Board) -> None:
        self.files[file.docket], self.boards[file.docket], self.kept[file.docket] = file, board, []

    @contextmanager
    def deciding(self, docket: str) -> Iterator[MemoryDesk]:
        yield MemoryDesk(self, self.files[docket], self.boards[docket])

    def file(self, docket: str) -> CaseFile:
        return self.files[docket]

    def board(self, docket: str) -> Board:
        return self.boards[docket]

    def decisions(self, docket: str) -> Sequence[Decision]:
        return self.kept[docket]

    def attempts(self, docket: str) -> Sequence[Attempt]:
        return [attempt for attempt in self.refused if attempt.docket == docket]

    def block(self, attempt: Attempt) -> None:
        self.refused.append(attempt)

    def draw(self, sample: Sample) -> None:
        self.samples[sample.id] = sample

    def sample(self, identifier: str) -> Sample | None:
        return self.samples.get(identifier)

    def examined(self, identifier: str, found: int) -> None:
        self.samples[identifier] = replace(self.samples[identifier], found=found)


def docket(size: int = 40, submitters: frozenset[str] = frozenset({"clerk-1"})) -> tuple[CaseFile, Board]:
    """Cases 0-9 held (0-4 clearable), 10-29 cleared, the rest refused."""
    held, cleared = Selection.of(range(10)), Selection.of(range(10, 30))
    board = Board.start(size, {State.HELD: held, State.CLEARED: cleared, State.REFUSED: Selection.of(range(30, size))})
    file = CaseFile("D-1", "us.dhs.ice", size, "d" * 64, NOW, submitters, Selection.of(range(5)))
    return file, board


def act(
    book: Memory, staff: Office, officer: str, action: Action, selection: Selection, *,
    reason: str = REASON, sample: Sample | None = None, now: dt.datetime = NOW,
) -> Board:  # fmt: skip
    """Propose, sign and decide in one go."""
    proposal = approval.Proposal("D-1", action, selection, reason, sample)
    signed = approval.propose(book, staff.roster, proposal, ABOUT, officer=officer, signer=staff.keys[officer], now=now)
    return approval.decide(book, staff.roster, signed, selection, ABOUT, now=now)[1]
