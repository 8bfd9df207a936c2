"""Casework's records in the database: one docket is held by one writer, and a decision is kept whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import transaction

from gatehouse.casework import approval
from gatehouse.casework import statement as statements
from gatehouse.casework.board import Blocked, Board
from gatehouse.casework.records import Attempt, CaseFile, Decision
from gatehouse.casework.sampling import Sample
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, State
from gatehouse.kernel.errors import WrongInput
from gatehouse.store.deferred import Deferred

if TYPE_CHECKING:
    from gatehouse.store import models
else:
    models = Deferred("gatehouse.store.models")

_STATE, _PERSON = "state", "approved_by"


class Desk:
    """One docket inside the transaction that holds it."""

    def __init__(self, row: models.CaseFile) -> None:
        self._row = row
        self.file = _file(row)
        self.board = _board(row)

    def sample(self, identifier: str) -> Sample | None:
        """A sample drawn for this docket."""
        found = _sample(identifier)
        return found if found is not None and found.docket == self.file.docket else None

    def knows(self, statement: Statement) -> bool:
        """Whether this very statement is one of its decisions already."""
        same = models.Decision.objects.filter(
            file=self._row, officer=statement.text("officer"), decided_at=approval.instant(statement, "decided_at")
        )
        return any(_decision(row).statement.digest == statement.digest for row in same)

    def save(self, board: Board, statement: Statement, selection: Selection) -> int:
        """Keep a decision and the board it leads to; only the sets that changed are written."""
        number: int = self._row.decisions_made
        models.Decision.objects.create(
            file=self._row,
            number=number,
            action=statement.text("action"),
            officer=statement.text("officer"),
            statement=statement.document(),
            selection=selection.pack(),
            decided_at=approval.instant(statement, "decided_at"),
        )
        self._row.decisions_made += 1
        self._row.save(update_fields=["decisions_made"])
        self.keep(board)
        return number

    def keep(self, board: Board) -> None:
        """Write the sets in which a board differs from the one held."""
        before, after = _sets(self.board), _sets(board)
        for (kind, name), members in after.items():
            if before.get((kind, name)) != members:
                models.Members.objects.update_or_create(
                    file=self._row, kind=kind, name=name, defaults={"cases": members.pack()}
                )
        self.board = board


class Casebook:
    """The records of all dockets (fulfils `casework.records.Casebook`)."""

    def open(self, file: CaseFile, board: Board) -> None:
        """Begin a docket; again with the same facts changes nothing, with others raises WrongInput."""
        with transaction.atomic():
            row = models.CaseFile.objects.select_for_update().filter(docket=file.docket).first()
            if row is not None:
                if _file(row) != file:
                    raise WrongInput(
                        f"docket {file.docket} was already opened with different determinations",
                        remedy="A docket is decided once. Send the submission again under a new id",
                    )
                return
            row = models.CaseFile.objects.create(
                docket=file.docket,
                agency=file.agency,
                size=file.size,
                determinations=file.determinations,
                received_at=file.received_at,
                submitters=sorted(file.submitters),
                clearable=file.clearable.pack(),
            )
            models.Members.objects.bulk_create(
                models.Members(file=row, kind=kind, name=name, cases=members.pack())
                for (kind, name), members in _sets(board).items()
            )

    @contextmanager
    def deciding(self, docket: str) -> Iterator[Desk]:
        """Hold a docket for one decision: its row is locked until the transaction ends."""
        with transaction.atomic():
            yield Desk(row_of(docket, lock=True))

    def file(self, docket: str) -> CaseFile:
        """The facts about a docket."""
        return _file(row_of(docket))

    def board(self, docket: str) -> Board:
        """Where its cases stand."""
        return _board(row_of(docket))

    def known(self) -> tuple[str, ...]:
        """Every docket, in the order they were opened."""
        return tuple(models.CaseFile.objects.order_by("id").values_list("docket", flat=True))

    def made(self, docket: str) -> int:
        """How many decisions were made, which is the number of the next one."""
        return int(row_of(docket).decisions_made)

    def decisions(self, docket: str) -> Sequence[Decision]:
        """All decisions in the order they were made."""
        rows = models.Decision.objects.filter(file__docket=docket).order_by("number")
        return tuple(_decision(row) for row in rows.iterator(chunk_size=500))

    def uncommitted(self, docket: str) -> Sequence[Decision]:
        """Decisions whose commitment is not in the ledger yet, in order."""
        rows = models.Decision.objects.filter(file__docket=docket, ledger_index=None).order_by("number")
        return tuple(_decision(row) for row in rows)

    def committed(self, docket: str, number: int, ledger_index: int) -> None:
        """Record where in the ledger a decision stands."""
        models.Decision.objects.filter(file__docket=docket, number=number).update(ledger_index=ledger_index)

    def attempts(self, docket: str) -> Sequence[Attempt]:
        """All refused acts in the order they happened."""
        rows = models.Attempt.objects.filter(docket=docket).order_by("id")
        return tuple(Attempt(row.docket, row.officer, row.action, row.code, row.at) for row in rows)

    def block(self, attempt: Attempt) -> None:
        """Record a refused act, in a transaction of its own."""
        models.Attempt.objects.create(
            docket=attempt.docket,
            officer=attempt.officer[:128],
            action=str(attempt.action),
            code=attempt.code,
            at=attempt.at,
        )

    def draw(self, sample: Sample) -> None:
        """Record a sample before anyone sees it."""
        models.Sample.objects.create(
            identifier=sample.id,
            docket=sample.docket,
            officer=sample.officer,
            action=str(sample.action),
            selection=sample.selection.pack(),
            seed=sample.seed,
            drawn=sample.drawn.pack(),
            confidence_percent=sample.confidence_percent,
            drawn_at=sample.drawn_at,
        )

    def sample(self, identifier: str) -> Sample | None:
        """A recorded sample."""
        return _sample(identifier)

    def examined(self, identifier: str, found: int) -> None:
        """Record what was found in a sample, once."""
        if not models.Sample.objects.filter(identifier=identifier, found=None).update(found=found):
            raise Blocked("sample", "the findings of this sample are already recorded", remedy="Draw a new sample")


def row_of(docket: str, *, lock: bool = False) -> models.CaseFile:
    """The row of a docket. Raises WrongInput when it is not known."""
    rows = models.CaseFile.objects.select_for_update() if lock else models.CaseFile.objects
    row = rows.filter(docket=docket).first()
    if row is None:
        raise WrongInput(
            f"the docket {docket} is not open for decisions",
            remedy="Determine it first with `gatehouse run`, which opens it",
        )
    return row


def _file(row: models.CaseFile) -> CaseFile:
    return CaseFile(
        row.docket,
        row.agency,
        row.size,
        row.determinations,
        row.received_at,
        frozenset(row.submitters),
        Selection.unpack(bytes(row.clearable)),
    )


def _board(row: models.CaseFile) -> Board:
    sets = {
        (members.kind, members.name): Selection.unpack(bytes(members.cases))
        for members in models.Members.objects.filter(file=row)
    }
    return Board(
        row.size,
        {state: sets.get((_STATE, state), Selection()) for state in State},
        {name: members for (kind, name), members in sets.items() if kind == _PERSON},
    )


def _sets(board: Board) -> dict[tuple[str, str], Selection]:
    states = {(_STATE, str(state)): members for state, members in board.states.items()}
    return states | {(_PERSON, person): members for person, members in board.approved_by.items()}


def _decision(row: models.Decision) -> Decision:
    statement, selection = statements.of_document(row.statement), Selection.unpack(bytes(row.selection))
    return Decision(row.number, statement, selection, row.ledger_index)


def _sample(identifier: str) -> Sample | None:
    row = models.Sample.objects.filter(identifier=identifier).first()
    if row is None:
        return None
    return Sample(
        row.identifier,
        row.docket,
        row.officer,
        Action(row.action),
        Selection.unpack(bytes(row.selection)),
        row.seed,
        Selection.unpack(bytes(row.drawn)),
        row.confidence_percent,
        row.drawn_at,
        row.found,
    )
