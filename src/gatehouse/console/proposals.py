"""Accounts are made by two people: one proposes, and an officer of the roster confirms with a signature of their own.

Nothing that gives anybody a way in (a new account, another role, a closed account opened again) is done on one word,
also not on the word of an identity provider: at a sign-in there it only proposes what its groups say of somebody.
Both words are entries of the ledger, and the second carries the officer's signature over exactly what was proposed.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.db import transaction

from gatehouse.casework import approval, roster
from gatehouse.casework.statement import Statement
from gatehouse.console import accounts, chronicle, desk
from gatehouse.console.models import Account, Proposal
from gatehouse.kernel import clock, letters
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.pipeline import people
from gatehouse.pipeline.consistency.accounts import FORM
from gatehouse.site.roles import DECIDING, Role

MOST_NAME = 200
"""Characters of a person's name."""
AT_MACHINE = ", gatehouse account"
"""What follows the name of whoever proposes at the machine itself."""
PROVIDER = "identity provider"
"""Who proposes what a sign-in at the provider says of somebody."""
_EVENTS = {Proposal.Act.MAKE: "account_made", Proposal.Act.CHANGE: "role_changed", Proposal.Act.OPEN: "account_open"}


def make(username: str, *, name: str, role: str, agency: str, officer: str, by: str) -> Proposal:
    """Propose a new account. Raises WrongInput where the site does not know whom it would be for."""
    if accounts.is_taken(username):
        raise WrongInput("the user name is taken", where=username, remedy="Choose another")
    accounts.check(username, Role(role), agency)
    if not letters.are_seen(name or username) or len(name) > MOST_NAME:
        problem = f"a person's name is at most {MOST_NAME} letters that show themselves"
        raise WrongInput(problem, where=username, remedy="Write it as people read it")
    accounts.vouch(username, Role(role), agency, officer)
    return _propose(Proposal(
        username=username, act=Proposal.Act.MAKE, name=name or username, role=role, agency=agency, officer=officer,
        by=by,
    ))  # fmt: skip


def change(account: Account, *, role: str, agency: str, officer: str, by: str) -> Proposal:
    """Propose another role for an account. Raises WrongInput as `make` does, or where it has another roster id."""
    if not account.local:
        raise WrongInput("this account's role comes from its identity provider", remedy="Change the group there")
    accounts.check(account.username, Role(role), agency)
    accounts.vouch(account.username, Role(role), agency, officer)
    return _propose(Proposal(
        username=account.username, act=Proposal.Act.CHANGE, name=account.name, role=role, agency=agency,
        officer=accounts.kept_id(account, officer), by=by,
    ))  # fmt: skip


def reopen(account: Account, *, by: str) -> Proposal:
    """Propose that a closed account be opened again. Raises WrongInput where it is open."""
    if account.is_active:
        raise WrongInput("this account cannot be reopened", where=account.username)
    return _propose(Proposal(
        username=account.username, act=Proposal.Act.OPEN, name=account.name, role=account.role, agency=account.agency,
        officer=account.officer, by=by,
    ))  # fmt: skip


def arrive(account: Account, *, name: str, role: Role, agency: str, officer: str) -> Proposal:
    """What the provider says of somebody at a sign-in, as a proposal that waits; it replaces what was said before.

    `account` is theirs, or a new one that is not stored. Raises WrongInput where the site does not know whom it would
    be for.
    """
    accounts.vouch(account.username, role, agency, officer if role in DECIDING else "")
    accounts.free(officer, account.username)
    said = {
        "act": Proposal.Act.CHANGE if account.pk else Proposal.Act.MAKE, "role": role.value, "agency": agency,
        "officer": officer, "name": name or account.name or account.username, "issuer": account.issuer,
        "subject": account.subject, "by": PROVIDER,
    }  # fmt: skip
    before = Proposal.objects.filter(username=account.username, **said).first()
    if before is not None:
        return before
    chronicle.enter("account_proposed", {**_told(Proposal(username=account.username, **said)), "by": PROVIDER})
    return Proposal.objects.update_or_create(username=account.username, defaults={**said, "at": clock.now()})[0]


def _propose(proposal: Proposal) -> Proposal:
    if Proposal.objects.filter(username__iexact=proposal.username).exists():
        raise WrongInput(
            "a proposal about this account is already waiting", remedy="Ask an officer to confirm or refuse it"
        )
    chronicle.enter("account_proposed", {**_told(proposal), "by": proposal.by})
    proposal.save(force_insert=True)
    return proposal


def refuse(proposal: Proposal, *, by: str) -> None:
    """Drop a proposal, on record."""
    chronicle.enter("account_refused", {"account": proposal.username, "act": proposal.act, "by": by})
    proposal.delete()


def statement_body(proposal: Proposal, officer: str, now: dt.datetime) -> dict[str, Any]:
    """What the officer signs who confirms. Raises AnswerIsNo for whoever may not confirm this one."""
    own = people.roster(desk.site()).marks(officer)
    if own & (_human(proposal.by) | roster.marks(proposal.by, proposal.by.removesuffix(AT_MACHINE))):
        raise AnswerIsNo(
            "the person who proposed an account cannot confirm it", remedy="Ask another officer to confirm it"
        )
    if own & (_human(proposal.username) | roster.marks(proposal.username, proposal.name, proposal.officer)):
        raise AnswerIsNo("officers cannot confirm their own accounts", remedy="Ask another officer to confirm it")
    return {"format": FORM, "site": desk.site().name, **_told(proposal), "name": proposal.name,
            "proposed_by": proposal.by, "officer": officer, "confirmed_at": clock.stamp(now)}  # fmt: skip


def read_body(text: str, officer: str) -> dict[str, Any]:
    """The statement that came back with a form: this officer's. Raises WrongInput."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("officer") != officer:
        raise WrongInput(
            "the signed text differs from what was shown to you", remedy="Look again and sign what is shown"
        )
    return found


def confirm(proposal: Proposal, statement: Statement, now: dt.datetime) -> Account:
    """Do what was proposed, once an officer has signed for exactly that; a new account has no password yet.

    Raises Blocked where the signature is no officer's with authority today, AnswerIsNo where the officer is one human
    with the proposer or with whose account it is, WrongInput where another thing was signed; then nothing was done.
    """
    stated = approval.instant(statement, "confirmed_at")
    officer = approval.authorised(people.roster(desk.site()), statement, now.date(), form=FORM)
    if dict(statement.body) != statement_body(proposal, officer.id, stated):
        raise WrongInput("the signed text differs from the proposal", remedy="Look again and sign what is shown")
    if abs(stated - now) > approval.CLOCK_TOLERANCE:
        raise WrongInput(
            "the signed time differs too much from the server clock", remedy="Look again and sign what is shown"
        )
    if proposal.act != Proposal.Act.OPEN:
        role = Role(proposal.role)
        accounts.vouch(proposal.username, role, proposal.agency, proposal.officer if role in DECIDING else "")
        accounts.free(proposal.officer, proposal.username)
    fields = {**_entered(proposal), "by": proposal.by, "confirmed_by": officer.id, "statement": statement.document()}
    chronicle.enter(_EVENTS[Proposal.Act(proposal.act)], fields)
    with transaction.atomic():
        account = _done(proposal)
        proposal.delete()
    return account


def _done(proposal: Proposal) -> Account:
    if proposal.act == Proposal.Act.MAKE:
        return accounts.make(
            proposal.username, name=proposal.name, role=Role(proposal.role), agency=proposal.agency,
            officer=proposal.officer, issuer=proposal.issuer, subject=proposal.subject,
        )  # fmt: skip
    account = Account.objects.get(username=proposal.username)
    if proposal.act == Proposal.Act.OPEN:
        accounts.reopen(account)
    else:
        accounts.change_role(account, Role(proposal.role), proposal.agency, proposal.officer, name=proposal.name)
    return account


def _told(proposal: Proposal) -> dict[str, str]:
    """What is proposed, without the person's name."""
    return {"act": str(proposal.act), "account": proposal.username, "role": proposal.role, "agency": proposal.agency,
            "roster_id": proposal.officer}  # fmt: skip


def _entered(proposal: Proposal) -> dict[str, Any]:
    """The fields of the event that does it."""
    return {"account": proposal.username, "role": proposal.role, "agency": proposal.agency,
            "officer": proposal.officer}  # fmt: skip


def _human(username: str) -> frozenset[str]:
    account = Account.objects.filter(username=username).first()
    return accounts.marks(account) if account is not None else frozenset()
