"""Decisions by people: a signed statement over an exact selection, checked against the rules before it counts.

A decision counts only if the officer's own key signed it, the officer has authority on that day and no part in the
docket's submission, a reason is given to the question that was shown, many cases were preceded by an examined sample,
and the table of states allows the move. Whatever is refused is recorded with its reason; nothing is half-done.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from gatehouse.casework import reasons
from gatehouse.casework import statement as statements
from gatehouse.casework.about import About
from gatehouse.casework.board import Blocked, Board
from gatehouse.casework.records import Attempt, Casebook, CaseFile, Desk
from gatehouse.casework.roster import Officer, Roster, marks
from gatehouse.casework.sampling import SINGLE_LIMIT, Plan, Sample, draw
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, Actor
from gatehouse.kernel import clock, ids
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger.signers import Signer, Verifier

FORM = "gatehouse-decision/2"
CLOCK_TOLERANCE = dt.timedelta(minutes=10)
"""How far the officer's clock may be from the custodian's."""

_QUESTIONS = {
    Action.APPROVE: "Why may the listed items about these persons be disclosed to this agency?",
    Action.CLEAR: "What did you check, and why does it settle what held these requests?",
    Action.HOLD: "Which order or finding stops these requests until further notice?",
    Action.REFUSE: "Why may these requests not be answered?",
    Action.RETURN: "What is missing from these requests?",
    Action.REOPEN: "Why do the approvals of these requests no longer stand?",
    Action.WITHDRAW: "Which letter of the agency withdraws these requests?",
    Action.RECALL: "What was found wrong with these releases?",
}
OFFICER_ACTIONS = tuple(_QUESTIONS)
"""What an officer can do; sealing is the machine's."""


@dataclass(frozen=True)
class Proposal:
    """What an officer is about to sign."""

    docket: str
    action: Action
    selection: Selection
    reason: str
    sample: Sample | None = None
    seen: str = ""
    """The digest of how the cases stood when they were looked at; empty for how they stand now."""


def prompt(action: Action, docket: str, selection: Selection) -> str:
    """The question an officer answers with the reason; it is stored beside the answer."""
    many = "1 case" if len(selection) == 1 else f"{len(selection)} cases"
    return f"Docket {docket}, {many}, decision '{action}'. {_QUESTIONS[action]}"


def body(
    file: CaseFile, board: Board, officer: Officer, proposal: Proposal, about: About, *, now: dt.datetime
) -> dict[str, Any]:
    """What the officer's key signs: the docket, the exact selection and what it is about, how it stood when it was
    seen, the decision, the question and the answer.
    """
    return {
        "format": FORM,
        "docket": file.docket,
        "determinations": file.determinations,
        **about.document(),
        "state": proposal.seen or board.digest(proposal.selection),
        "action": str(proposal.action),
        "selection": {"cases": len(proposal.selection), "sha256": proposal.selection.digest()},
        "officer": officer.id,
        "role": officer.role,
        "delegated_by": officer.delegated_by,
        "delegation": officer.delegation,
        "prompt": prompt(proposal.action, file.docket, proposal.selection),
        "reason": proposal.reason.strip(),
        "sample": proposal.sample.document() if proposal.sample else None,
        "decided_at": clock.stamp(now),
    }


def propose(
    casebook: Casebook,
    roster: Roster,
    proposal: Proposal,
    about: About,
    *,
    officer: str,
    signer: Signer,
    now: dt.datetime,
) -> Statement:
    """Make and sign a statement. Only form is checked here; `decide` checks everything, and again."""
    person = roster.get(officer)
    if person is None:
        raise _recorded(
            casebook,
            Attempt(proposal.docket, officer, proposal.action, "unknown_officer", now),
            _unknown(roster, officer),
        )
    if proposal.sample is not None and proposal.sample.found is None:
        raise _recorded(casebook, Attempt(proposal.docket, officer, proposal.action, "sample", now), _unexamined())
    file, board = casebook.file(proposal.docket), casebook.board(proposal.docket)
    return statements.sign(body(file, board, person, proposal, about, now=now), signer)


def decide(
    casebook: Casebook,
    roster: Roster,
    statement: Statement,
    selection: Selection,
    about: About,
    *,
    now: dt.datetime,
    sending: Iterable[Verifier] = (),
) -> tuple[int, Board]:
    """Check a signed decision and keep it: the decision's number in its docket, and the board it leads to.

    `sending` are the keys of the agency that the docket came from.

    Raises Blocked with a stable code, after recording the attempt: `unknown_officer`, `authority`, `signature`,
    `clock`, `repeated`, `submitter`, `conflict`, `reason`, `prompt`, `selection`, `determinations`, `subject`
    (something of what it is about differs), `sample`, `not_clearable`, those of `Board.move`, and `state_changed`.
    """
    docket, officer = statement.text("docket"), statement.text("officer")
    action = _action(statement)
    try:
        with casebook.deciding(docket) as desk:
            board = checked(desk, roster, statement, selection, about, now=now, sending=sending)
            return desk.save(board, statement, selection), board
    except Blocked as refusal:
        casebook.block(Attempt(docket, officer, action, refusal.code, now))
        raise


def checked(
    desk: Desk,
    roster: Roster,
    statement: Statement,
    selection: Selection,
    subject: About,
    *,
    now: dt.datetime,
    sending: Iterable[Verifier] = (),
) -> Board:
    """The board that a decision leads to; raises Blocked as `decide` does, and records nothing."""
    action = _action(statement)
    decided_at = instant(statement, "decided_at")
    if abs(decided_at - now) > CLOCK_TOLERANCE or decided_at < desk.file.received_at - CLOCK_TOLERANCE:
        raise Blocked(
            "clock",
            "the decision time differs too much from the server clock",
            remedy="Set your clock and decide again",
        )
    officer = authorised(roster, statement, decided_at.date())
    if desk.knows(statement):  # what it did may have been undone since, and coming back is another decision
        raise Blocked("repeated", "this very decision was taken before", remedy="Look at the cases again and decide")
    uninvolved(desk.file, officer, sending)
    if not officer_authority_now(roster, officer, now):
        raise Blocked("authority", f"officer {officer.id} has no authority today")
    about(desk.file, statement, selection)
    _subject(statement, subject)
    _reasoned(statement, action, selection)
    _sampled(desk, statement, action, selection, officer)
    if action is Action.CLEAR and not selection <= desk.file.clearable:
        raise Blocked(
            "not_clearable",
            f"{len(selection - desk.file.clearable)} of {len(selection)} held cases have no single agreeing record "
            "or no permitted item",
            remedy="Refuse or return these cases. Nobody may choose among candidates",
        )
    after = desk.board.move(action, selection, actor=Actor.OFFICER, people=roster.people(officer.id))
    if statement.body.get("state") != desk.board.digest(selection):
        raise Blocked(
            "state_changed",
            "the cases were decided after you looked at them",
            remedy="Look at the cases again and decide",
        )
    return after


def _subject(statement: Statement, subject: About) -> None:
    for name, value in subject.document().items():
        if statement.body.get(name) != value:
            what = f"the decision names other {name.replace('_', ' ')} than the docket does"
            raise Blocked("subject", what, remedy="Look at the cases again and sign what is shown")


def authorised(roster: Roster, statement: Statement, on: dt.date, *, form: str = FORM) -> Officer:
    """The officer whose key signed a decision and who had authority that day. Raises Blocked."""
    identifier = statement.text("officer")
    officer = roster.get(identifier)
    if officer is None:
        raise _unknown(roster, identifier)
    try:
        statements.verify(statement, [officer.key], form=form)
    except AnswerIsNo as wrong:
        raise Blocked("signature", f"the key of officer {identifier} did not sign the decision") from wrong
    why = roster.why_not(identifier, on)
    if why is not None:
        raise Blocked("authority", f"officer {identifier} {why}", remedy="Another officer, with authority, must decide")
    return officer


def officer_authority_now(roster: Roster, officer: Officer, now: dt.datetime) -> bool:
    """Whether an officer still has authority at this instant."""
    return roster.why_not(officer.id, now.date()) is None


def about(file: CaseFile, statement: Statement, selection: Selection) -> None:
    """Check that a statement is about this docket, these determinations and exactly this selection; raises Blocked."""
    if statement.text("docket") != file.docket or statement.text("determinations") != file.determinations:
        raise Blocked(
            "determinations",
            "the decision is about different determinations",
            remedy="Look at the cases again and decide",
        )
    if statement.body.get("selection") != {"cases": len(selection), "sha256": selection.digest()}:
        raise Blocked(
            "selection",
            "the decision names a different selection of cases",
            remedy="Sign the selection that you hand in",
        )
    if selection.bits >> file.size:
        raise Blocked("selection", "the selection names cases the docket does not have")


def instant(statement: Statement, key: str) -> dt.datetime:
    """An instant of a statement; raises WrongInput when it is none."""
    text = statement.text(key)
    try:
        moment = dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        raise WrongInput(f"'{key}' of a signed statement is not a UTC time") from None
    return moment


def sample(
    casebook: Casebook, officer: str, proposal: Proposal, plan: Plan | None = None, *, now: dt.datetime
) -> Sample:
    """Draw and record the sample that a bulk decision needs. Every draw stays on record, so redrawing shows."""
    if not proposal.selection:
        raise WrongInput("no cases are selected", remedy="Name the cases to decide")
    plan = plan or Plan(len(proposal.selection))
    seed = secrets.token_hex(32)
    drawn = draw(proposal.selection, plan.size(), bytes.fromhex(seed))
    percent = int(plan.confidence * 100)
    record = Sample(
        ids.fresh("sample"), proposal.docket, officer, proposal.action, proposal.selection, seed, drawn, percent, now
    )
    casebook.draw(record)
    return record


def examine(casebook: Casebook, identifier: str, found: int) -> Sample:
    """Record how many cases of a sample were found wrong, once. Raises WrongInput on an impossible number."""
    record = casebook.sample(identifier)
    if record is None:
        raise WrongInput("there is no such sample", remedy="Draw one first")
    if not 0 <= found <= len(record.drawn):
        raise WrongInput(f"a sample of {len(record.drawn)} cannot hold {found} wrong cases")
    casebook.examined(identifier, found)
    return replace(record, found=found)


def needs_sample(action: Action, selection: Selection) -> bool:
    """Whether a decision must be preceded by an examined sample: those that lead towards release, in bulk."""
    return action in {Action.APPROVE, Action.CLEAR} and len(selection) > SINGLE_LIMIT


def _sampled(desk: Desk, statement: Statement, action: Action, selection: Selection, officer: Officer) -> None:
    cited = statement.body.get("sample")
    if cited is None:
        if needs_sample(action, selection):
            raise Blocked(
                "sample",
                f"{len(selection)} cases are decided together, but no sample was examined",
                remedy="Draw one with --sample, mark each of its cases, and decide with --examined",
            )
        return
    record = desk.sample(str(cited.get("id"))) if isinstance(cited, dict) else None
    mine = record is not None and (record.officer, record.action, record.selection) == (officer.id, action, selection)
    if record is None or not mine:
        raise Blocked("sample", "the sample was drawn for a different decision", remedy="Draw one for this decision")
    if record.found is None:
        raise _unexamined()
    if record.document() != cited or record.confidence_percent < 95:
        raise Blocked(
            "sample", "the decision does not match its recorded sample", remedy="Sign the sample as it is recorded"
        )
    if len(record.drawn) < Plan(len(selection), confidence=Fraction(record.confidence_percent, 100)).size():
        raise Blocked("sample", "the sample is too small for so many cases", remedy="Draw a sample by the default plan")
    if record.found:
        raise Blocked(
            "sample",
            f"{record.found} of the {len(record.drawn)} cases examined are wrong",
            remedy="Refuse or return those. Decide the rest one by one, or select them again and draw a new sample",
        )


def _reasoned(statement: Statement, action: Action, selection: Selection) -> None:
    fault = reasons.fault(statement.text("reason"))
    if fault is not None:
        raise Blocked("reason", fault, remedy="Answer the question shown, in one sentence or a few")
    if statement.text("prompt") != prompt(action, statement.text("docket"), selection):
        raise Blocked("prompt", "the reason answers a different question", remedy="Answer the question shown")


def uninvolved(file: CaseFile, officer: Officer, sending: Iterable[Verifier]) -> None:
    """Check that an officer neither handed in nor received a docket, nor holds a key of the agency, nor has a conflict.

    Raises Blocked.
    """
    mine = officer.marks | marks(officer.key.name, officer.delegated_by or "")
    if mine & marks(*file.submitters, keys=sending):
        raise Blocked(
            "submitter",
            f"officer {officer.id} handed in or received this docket",
            remedy="Two people who had no part in the submission must decide",
        )
    if file.agency in officer.conflicts:
        raise Blocked("conflict", f"officer {officer.id} has declared a conflict of interest with this agency")


def _action(statement: Statement) -> Action:
    text = statement.text("action")
    if text not in {str(action) for action in OFFICER_ACTIONS}:
        raise WrongInput(
            "this is not a decision that an officer can make", remedy=f"Choose one of {', '.join(OFFICER_ACTIONS)}"
        )
    return Action(text)


def _unknown(roster: Roster, officer: str) -> Blocked:
    why = roster.why_not(officer, dt.date.min)
    remedy = "Two officers endorse the entry: gatehouse roster endorse" if officer in roster.unendorsed else ""
    return Blocked("unknown_officer", f"officer {officer} {why}", remedy=remedy)


def _unexamined() -> Blocked:
    return Blocked(
        "sample", "the sample has not been examined yet", remedy="Look at each of its cases and mark it right or wrong"
    )


def _recorded(casebook: Casebook, attempt: Attempt, refusal: Blocked) -> Blocked:
    casebook.block(attempt)
    return refusal
