"""Halts for pages: what stands, what waits for signatures, and a signature taken in and put on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gatehouse.casework.roster import marks
from gatehouse.casework.selection import Selection
from gatehouse.console import accounts, desk, steps
from gatehouse.console.models import Account, Step
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, GatehouseError, WrongInput
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
        return Board((), 0, 0, (), (), f"{error.outside}.")


def voices(given: str) -> frozenset[str]:
    """By what the overseers are known who signed a statement that waits for more of them."""
    signed = {name for one in board().waiting if one.text == given for name in one.said.signers}
    trusted = halts.oversight(desk.site())
    return marks(*signed, keys=[key for key in trusted.keys if key.name in signed] if trusted else [])


def text(action: str, reach: str, name: str, reason: str) -> str:
    """The exact text to sign. Raises WrongInput for an unknown action or scope, or an empty reason."""
    if action not in set(halt.Action):
        raise WrongInput("neither halt nor resume was chosen", remedy="Choose one")
    scope = halt.Scope.parse(f"{reach} {name}".strip() if reach != halt.Reach.EVERYTHING else reach)
    return halt.text(halt.Action(action), scope, clock.now(), reason)


def begin(person: Account, given: Mapping[str, str]) -> Step | None:
    """Keep what an overseer is about to say: `action`, `scope` and `reason`, or the name of a `waiting` statement.

    None where no such statement waits. Raises WrongInput as `text` does.
    """
    if given.get("waiting"):
        exact = next((one.text for one in board().waiting if one.name == given["waiting"]), None)
        if exact is None:
            return None
        told = {"waiting": given["waiting"], "text": exact}
    else:
        told = {key: given.get(key, "").strip() for key in ("action", "scope", "reason")}
        _text_of(told)
    return steps.begin(person, Step.Kind.HALT, "", told, Selection.of([]))


def shown(step: Step) -> str:
    """The exact text of a statement on its way, the same for some minutes."""
    return steps.exact(step, lambda: _text_of(step.told))


def _text_of(told: Mapping[str, str]) -> str:
    if "text" in told:
        return told["text"]
    reach, _, name = told["scope"].partition(" ")
    return text(told["action"], reach, name, told["reason"])


def sign(step: Step, given: str, line: str) -> halts.Taken:
    """Take in an overseer's signature; enough of them, and it is in force at once, even if its entry must wait.

    Raises AnswerIsNo where the person behind the account signed it before, or the signature is no overseer's.
    """
    given = given.replace("\r\n", "\n")
    try:
        _refuse_twice(step.account, given)
        taken = halts.take(desk.site(), given, line.strip(), clock.now())
    except GatehouseError:
        steps.look_again(step)
        raise
    step.exact = given
    steps.finish(step)
    return taken


def _refuse_twice(person: Account, given: str) -> None:
    """One person is one overseer, whichever keys and accounts are at hand."""
    before = Step.objects.filter(kind=Step.Kind.HALT, done_at__isnull=False, exact=given).select_related("account")
    signed = any(accounts.same_person(one.account, person) for one in before)
    if signed or accounts.marks(person) & voices(given):
        raise AnswerIsNo(
            "you already signed this statement",
            remedy="Ask another overseer to sign; another key of yours does not count",
        )


def state_of(taken: halts.Taken) -> str:
    """What became of a statement, in words."""
    if taken.in_force:
        return "is in force, and an entry of the log"
    if taken.complete:
        return "is signed by enough overseers, and is in force once the log can be written: within minutes"
    return "waits for more overseers' signatures"
