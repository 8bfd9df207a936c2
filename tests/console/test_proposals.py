"""Accounts are made by two people: an administrator proposes, and an officer's own key confirms, both on record."""

from __future__ import annotations

import itertools
import json
import re
from html import unescape

import pytest
from doors import PASSWORD, SITE

from gatehouse.casework.board import Blocked
from gatehouse.casework.statement import Statement, sign
from gatehouse.console import accounts, proposals
from gatehouse.console.models import Account, Proposal
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger.note import sign_detached
from gatehouse.ledger.signers import new_key, parse_signer, read_signer
from gatehouse.pipeline import history
from gatehouse.site.roles import Role

_DAYS = itertools.count(1)
"""An entry that was taken back counts again only as another one, so each use begins on a later day."""


@pytest.fixture(autouse=True)
def clean(site):
    yield
    Proposal.objects.all().delete()
    Account.objects.filter(username__startswith="new-").delete()


@pytest.fixture
def third():
    """A third officer on the roster, vouched for by the first two, without an account."""
    from gatehouse.pipeline import people, record
    from gatehouse.pipeline.site import current

    before, key = SITE.configuration.path.read_text(), SITE.root.parent / "do-3.key"
    if not key.exists():
        key.write_text(new_key("officer-3")[0] + "\n")
    SITE.configuration.path.write_text(
        f'{before}\n[[officers]]\nid = "do-3"\nname = "Third Officer"\nrole = "disclosure_officer"\n'
        f'key = "{read_signer(key).verifier.text}"\nfrom = 2025-01-{next(_DAYS):02}\n'
    )
    for endorser in ("do-1", "do-2"):
        people.endorse(current(SITE), "do-3", endorser, key_of(endorser))
    record.open_log(current(SITE)).close()
    yield "do-3"
    SITE.configuration.path.write_text(before)
    for path in (SITE.root / "endorsements").glob("do-3-*"):
        path.unlink()
    record.open_log(SITE).close()


def key_of(officer: str):
    return read_signer(SITE.root.parent / f"{officer}.key")


def propose(signed_in, username="new-counsel", **form):
    given = {"username": username, "name": "Nora Lind", "role": "counsel", "agency": "", "officer": "", **form}
    return signed_in("administrator").post("/accounts/", given)


def confirm(client, officer: str, username="new-counsel"):
    page = client.get(f"/proposed-accounts/{username}/")
    found = re.search(r'name="body" value="([^"]*)"', page.content.decode())
    assert found, page.content.decode().split("<main")[1][:800]
    body = unescape(found[1])
    line = sign_detached(body.encode(), key_of(officer))
    return client.post(f"/proposed-accounts/{username}/", {"body": body, "signature": line})


def events(kind: str) -> list[dict]:
    return [dict(one.fields) for one in history.whole(SITE, {kind}).events]


def statement(proposal: Proposal, officer: str, **changed) -> Statement:
    body = {**proposals.statement_body(proposal, officer, clock.now()), **changed}
    return sign(body, key_of(officer))


def test_an_account_is_made_by_two_people_and_both_are_on_record(signed_in):
    answer = propose(signed_in)
    assert "is proposed" in answer.content.decode()
    assert not Account.objects.filter(username="new-counsel").exists()
    assert events("account_proposed")[-1]["by"] == "administrator"
    assert confirm(signed_in("officer1"), "do-1").status_code == 302
    made = Account.objects.get(username="new-counsel")
    assert (made.role, made.is_active, made.has_usable_password()) == ("counsel", True, False)
    entered = events("account_made")[-1]
    assert (entered["by"], entered["confirmed_by"]) == ("administrator", "do-1")
    assert Statement(**entered["statement"]).body["account"] == "new-counsel"
    page = signed_in("administrator").post("/accounts/new-counsel/", {"act": "reset"}).content.decode()
    assert "The new password is" in page


def test_nobody_confirms_what_they_proposed_or_an_account_of_their_own(site, signed_in, third):
    at_machine = {"by": f"do-1{proposals.AT_MACHINE}"}
    for form in ({"by": "officer1"}, {"by": "Officer  1"}, {"by": "do-1"}, at_machine, {"name": "OFFICER 1"}):
        given = {"name": "N", "role": "counsel", "agency": "", "officer": "", "by": "administrator", **form}
        proposed = proposals.make("new-counsel", **given)
        with pytest.raises(AnswerIsNo):
            proposals.statement_body(proposed, "do-1", clock.now())
        page = signed_in("officer1").get("/proposed-accounts/new-counsel/").content.decode()
        assert "The request was not carried out" in page
        assert 'name="body"' not in page
        proposals.statement_body(proposed, "do-2", clock.now())
        proposals.refuse(proposed, by="officer2")
    own = proposals.make("new-third", name="T", role="disclosure_officer", agency="", officer=third, by="administrator")
    with pytest.raises(AnswerIsNo, match="their own accounts"):
        proposals.statement_body(own, third, clock.now())
    assert proposals.confirm(own, statement(own, "do-1"), clock.now()).officer == third


@pytest.mark.parametrize(
    "changed",
    [
        {"role": "administrator"}, {"account": "new-other"}, {"site": "other.example/2026"}, {"act": "open"},
        {"roster_id": "do-2"}, {"confirmed_at": "2020-01-01T00:00:00Z"}, {"proposed_by": "officer2"}, {"more": 1},
    ],
    ids=lambda one: next(iter(one)),
)  # fmt: skip
def test_another_thing_than_was_proposed_is_not_confirmed(site, changed):
    made = {"name": "N", "role": "counsel", "agency": "", "officer": "", "by": "administrator"}
    proposed = proposals.make("new-counsel", **made)
    with pytest.raises(WrongInput):
        proposals.confirm(proposed, statement(proposed, "do-1", **changed), clock.now())
    assert not Account.objects.filter(username="new-counsel").exists()


def test_only_an_officers_own_key_confirms(site):
    made = {"name": "N", "role": "counsel", "agency": "", "officer": "", "by": "administrator"}
    proposed = proposals.make("new-counsel", **made)
    body = proposals.statement_body(proposed, "do-1", clock.now())
    for signer in (key_of("do-2"), read_signer(SITE.custodian_key), parse_signer(new_key("officer-1")[0])):
        with pytest.raises(Blocked, match="the key of officer do-1 did not sign"):
            proposals.confirm(proposed, sign(body, signer), clock.now())
    stranger = proposals.statement_body(proposed, "nobody", clock.now())
    with pytest.raises(Blocked, match="nobody is not on the custodian"):
        proposals.confirm(proposed, sign(stranger, key_of("do-1")), clock.now())


def test_an_id_of_the_roster_has_one_account_for_ever(site, signed_in, third):
    own = proposals.make("new-third", name="T", role="disclosure_officer", agency="", officer=third, by="administrator")
    account = proposals.confirm(own, statement(own, "do-1"), clock.now())
    another = {"username": "new-fourth", "role": "disclosure_officer", "officer": third}
    told = f"officer {third} already has an account: new-third"
    accounts.close(account)
    assert told in propose(signed_in, **another).content.decode()
    accounts.change_role(account, Role.AUDITOR, "", "")
    account.refresh_from_db()
    assert account.officer == third, "another role frees no id"
    assert told in propose(signed_in, **another).content.decode()
    Account.objects.filter(pk=account.pk).delete()
    assert told in propose(signed_in, **another).content.decode(), "the ledger knows it still"


def test_two_accounts_of_one_officer_cannot_be_stored(site):
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(username="new-twin", name="T", role="disclosure_officer", officer="do-1")
    with pytest.raises(WrongInput, match="permanently"):
        accounts.change_role(Account.objects.get(username="officer1"), Role.DISCLOSURE_OFFICER, "", "do-9")


def test_another_role_and_opening_again_take_two_people_too(site, signed_in):
    accounts.create("new-mover", name="M", role="counsel", password=PASSWORD)
    administrator = signed_in("administrator")
    administrator.post("/accounts/new-mover/", {"act": "change-role", "role": "auditor"})
    assert Account.objects.get(username="new-mover").role == "counsel"
    assert confirm(signed_in("officer2"), "do-2", "new-mover").status_code == 302
    assert Account.objects.get(username="new-mover").role == "auditor"
    administrator.post("/accounts/new-mover/", {"act": "close", "sure": "yes"})
    administrator.post("/accounts/new-mover/", {"act": "open"})
    assert not Account.objects.get(username="new-mover").is_active
    assert confirm(signed_in("officer2"), "do-2", "new-mover").status_code == 302
    assert Account.objects.get(username="new-mover").is_active
    assert {events("role_changed")[-1]["confirmed_by"], events("account_open")[-1]["confirmed_by"]} == {"do-2"}


def test_a_proposal_is_refused_or_withdrawn_on_record_and_nothing_is_made(site, signed_in):
    propose(signed_in)
    assert "is already waiting" in propose(signed_in).content.decode()
    signed_in("officer1").post("/proposed-accounts/new-counsel/", {"act": "refuse"})
    assert events("account_refused")[-1]["by"] == "officer1"
    propose(signed_in)
    signed_in("administrator").post("/accounts/", {"withdraw": "new-counsel"})
    assert events("account_refused")[-1]["by"] == "administrator"
    assert not Proposal.objects.exists()
    assert not Account.objects.filter(username="new-counsel").exists()


@pytest.mark.parametrize("body", ["", "[]", "{}", "[" * 3000, '{"officer": "do-2"}', json.dumps({"officer": "do-1"})])
def test_what_comes_back_otherwise_confirms_nothing(site, signed_in, body):
    propose(signed_in)
    line = sign_detached(body.encode(), key_of("do-1"))
    answer = signed_in("officer1").post("/proposed-accounts/new-counsel/", {"body": body, "signature": line})
    assert answer.status_code == 409
    assert Proposal.objects.filter(username="new-counsel").exists()
