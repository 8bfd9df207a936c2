"""Decisions by people: a signed statement over an exact selection, checked against the rules before it counts.

A decision counts only if the officer's own key signed it, the officer has authority on that day and no part in the
docket's submission, a reason is given to the question that was shown, many cases were preceded by an examined sample,
and the table of states allows the move. Whatever is refused is recorded with its reason; nothing is half-done.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from gatehouse.casework import statement as statements
from gatehouse.casework.board import Blocked, Board
from gatehouse.casework.records import Attempt, Casebook, CaseFile, Desk
from gatehouse.casework.roster import Officer, Roster
from gatehouse.casework.sampling import SINGLE_LIMIT, Plan, Sample, draw
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, Actor
from gatehouse.kernel import clock, ids
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger.signers import Signer

FORM = "gatehouse-decision/1"
SHORTEST_REASON = 12
"""Characters below which a text cannot be a reason."""
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


def prompt(action: Action, docket: str, selection: Selection) -> str:
    """The question an officer answers with the reason; it is stored beside the answer."""
    many = "1 case" if len(selection) == 1 else f"{len(selection)} cases"
    return f"Docket {docket}, {many}, decision '{action}'. {_QUESTIONS[action]}"


def body(file: CaseFile, officer: Officer, proposal: Proposal, now: dt.datetime) -> dict[str, Any]:
    """What the officer's key signs: the docket, the exact selection, the decision, the question and the answer."""
    return {
        "format": FORM,
        "docket": file.docket,
        "determinations": file.determinations,
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
    casebook: Casebook, roster: Roster, proposal: Proposal, *, officer: str, signer: Signer, now: dt.datetime
) -> Statement:
    """Make and sign a statement. Only form is checked here; `decide` checks everything, and again."""
    person = roster.get(officer)
    if person is None:
        raise _recorded(
            casebook, Attempt(proposal.docket, officer, proposal.action, "unknown_officer", now), _unknown(officer)
        )
    if proposal.sample is not None and proposal.sample.found is None:
        raise _recorded(casebook, Attempt(proposal.docket, officer, proposal.action, "sample", now), _unexamined())
    return statements.sign(body(casebook.file(proposal.docket), person, proposal, now), signer)


def decide(
    casebook: Casebook, roster: Roster, statement: Statement, selection: Selection, now: dt.datetime
) -> tuple[int, Board]:
    """Check a signed decision and keep it: the decision's number in its docket, and the board it leads to.

    Raises Blocked with a stable code, after recording the attempt: `unknown_officer`, `authority`, `signature`,
    `clock`, `submitter`, `conflict`, `reason`, `prompt`, `selection`, `determinations`, `sample`, `not_clearable`,
    and those of `Board.move`.
    """
    docket, officer = statement.text("docket"), statement.text("officer")
    action = _action(statement)
    try:
        with casebook.deciding(docket) as desk:
            board = checked(desk, roster, statement, selection, now)
            return desk.save(board, statement, selection), board
    except Blocked as refusal:
        casebook.block(Attempt(docket, officer, action, refusal.code, now))
        raise


def checked(desk: Desk, roster: Roster, statement: Statement, selection: Selection, now: dt.datetime) -> Board:
    """The board that a decision leads to; raises Blocked as `decide` does, and records nothing."""
    action = _action(statement)
    decided_at = instant(statement, "decided_at")
    if abs(decided_at - now) > CLOCK_TOLERANCE or decided_at < desk.file.received_at - CLOCK_TOLERANCE:
        raise Blocked("clock", "the decision's time is not now", remedy="Set the clock and decide again")
    officer = authorised(roster, statement, decided_at.date())
    uninvolved(desk.file, officer)
    if not officer_authority_now(roster, officer, now):
        raise Blocked("authority", f"officer {officer.id} has no authority today")
    about(desk.file, statement, selection)
    _reasoned(statement, action, selection)
    _sampled(desk, statement, action, selection, officer)
    if action is Action.CLEAR and not selection <= desk.file.clearable:
        raise Blocked(
            "not_clearable",
            f"{len(selection - desk.file.clearable)} of {len(selection)} held cases have no single agreeing record "
            "or no permitted item",
            remedy="Such cases can only be refused or returned; nobody chooses among candidates",
        )
    return desk.board.move(action, selection, actor=Actor.OFFICER, people=roster.people(officer.id))


def authorised(roster: Roster, statement: Statement, on: dt.date) -> Officer:
    """The officer whose key signed a decision and who had authority that day. Raises Blocked."""
    identifier = statement.text("officer")
    officer = roster.get(identifier)
    if officer is None:
        raise _unknown(identifier)
    try:
        statements.verify(statement, [officer.key], form=FORM)
    except AnswerIsNo as wrong:
        raise Blocked("signature", f"the decision is not signed by officer {identifier}'s key") from wrong
    why = roster.why_not(identifier, on)
    if why is not None:
        raise Blocked("authority", f"officer {identifier} {why}", remedy="Someone with authority must decide")
    return officer


def officer_authority_now(roster: Roster, officer: Officer, now: dt.datetime) -> bool:
    """Whether an officer still has authority at this instant."""
    return roster.why_not(officer.id, now.date()) is None


def about(file: CaseFile, statement: Statement, selection: Selection) -> None:
    """Check that a statement is about this docket, these determinations and exactly this selection; raises Blocked."""
    if statement.text("docket") != file.docket or statement.text("determinations") != file.determinations:
        raise Blocked("determinations", "the decision is about other determinations", remedy="Look again and decide")
    if statement.body.get("selection") != {"cases": len(selection), "sha256": selection.digest()}:
        raise Blocked("selection", "the decision names another selection of cases", remedy="Sign what is handed in")
    if selection.bits >> file.size:
        raise Blocked("selection", "the selection names cases the docket does not have")


def instant(statement: Statement, key: str) -> dt.datetime:
    """An instant of a statement; raises WrongInput when it is none."""
    text = statement.text(key)
    try:
        moment = dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        raise WrongInput(f"'{key}' of a signed statement is no UTC instant") from None
    return moment


def sample(
    casebook: Casebook, officer: str, proposal: Proposal, plan: Plan | None = None, *, now: dt.datetime
) -> Sample:
    """Draw and record the sample that a bulk decision needs. Every draw stays on record, so redrawing shows."""
    if not proposal.selection:
        raise WrongInput("nothing is selected", remedy="Name the cases to decide")
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
        raise WrongInput("no such sample", remedy="Draw one first")
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
                f"{len(selection)} cases are decided at once and no sample was examined",
                remedy="Draw one with --sample, look at it, and decide with --examined",
            )
        return
    record = desk.sample(str(cited.get("id"))) if isinstance(cited, dict) else None
    mine = record is not None and (record.officer, record.action, record.selection) == (officer.id, action, selection)
    if record is None or not mine:
        raise Blocked("sample", "the sample was drawn for another decision", remedy="Draw one for this decision")
    if record.found is None:
        raise _unexamined()
    if record.document() != cited or record.confidence_percent < 95:
        raise Blocked("sample", "the decision misquotes its sample", remedy="Sign the sample as it is recorded")
    if len(record.drawn) < Plan(len(selection), confidence=Fraction(record.confidence_percent, 100)).size():
        raise Blocked("sample", "the sample is too small for so many cases", remedy="Draw a sample by the default plan")
    if record.found:
        raise Blocked(
            "sample",
            f"{record.found} of the {len(record.drawn)} cases examined are wrong",
            remedy="Refuse or return those, and decide the rest one by one or after a new sample of a new selection",
        )


def _reasoned(statement: Statement, action: Action, selection: Selection) -> None:
    reason = statement.text("reason")
    if len(reason.strip()) < SHORTEST_REASON or len(set(reason.casefold().split())) < 2:
        raise Blocked("reason", "no reason is given", remedy="Answer the question shown, in a sentence")
    if statement.text("prompt") != prompt(action, statement.text("docket"), selection):
        raise Blocked("prompt", "the reason answers another question", remedy="Answer the question shown")


def uninvolved(file: CaseFile, officer: Officer) -> None:
    """Check that an officer neither handed in nor received a docket and has no stated conflict; raises Blocked."""
    if {officer.id, officer.name, officer.key.name, officer.delegated_by} & file.submitters:
        raise Blocked(
            "submitter",
            f"officer {officer.id} handed in or received this docket",
            remedy="Two people who had no part in the submission must decide",
        )
    if file.agency in officer.conflicts:
        raise Blocked("conflict", f"officer {officer.id} has a stated conflict about this agency")


def _action(statement: Statement) -> Action:
    text = statement.text("action")
    if text not in {str(action) for action in OFFICER_ACTIONS}:
        raise WrongInput("no officer can decide that", remedy=f"Choose one of {', '.join(OFFICER_ACTIONS)}")
    return Action(text)


def _unknown(officer: str) -> Blocked:
    return Blocked("unknown_officer", f"officer {officer} is not on the custodian's roster")


def _unexamined() -> Blocked:
    return Blocked("sample", "the sample was not examined yet", remedy="Record what was found with --found")


def _recorded(casebook: Casebook, attempt: Attempt, refusal: Blocked) -> Blocked:
    casebook.block(attempt)
    return refusal
