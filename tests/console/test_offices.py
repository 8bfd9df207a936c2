"""One person, one office, one account: whom an account may be made for, and for whom it may sign."""

from __future__ import annotations

import pytest
from doors import PASSWORD, SITE

from gatehouse.console import accounts
from gatehouse.console.models import Account, Proposal
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger.signers import new_key
from gatehouse.site.roles import Role
from gatehouse.synthetic.parties import invent


@pytest.fixture
def known(site):
    """A site that knows one agency."""
    SITE.parties.write_text(invent(new_key("us.dhs.ice")[1], usual_requests=100))
    yield
    SITE.parties.unlink()


def made(client, **form):
    given = {"username": "newcomer", "name": "New Comer", "role": "requester", "agency": "", "officer": "", **form}
    answer = client.post("/accounts/", given)
    Proposal.objects.filter(username="newcomer").delete()
    return answer


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"agency": "us.nobody"}, "there is no such agency"),
        ({"role": "disclosure_officer"}, "the roster has no disclosure officer with that id"),
        ({"role": "disclosure_officer", "officer": "do-9"}, "the roster has no disclosure officer with that id"),
        ({"role": "disclosure_manager", "officer": "do-1"}, "the roster has no disclosure manager with that id"),
        ({"role": "disclosure_officer", "officer": "do-1"}, "officer do-1 already has an account"),
        ({"role": "counsel", "officer": "do-1"}, "role can be linked to the roster"),
        ({"role": "auditor", "username": "Administrator"}, "user name is"),
    ],
)
def test_no_account_is_made_for_whom_the_site_does_not_know(known, signed_in, form, says):
    answer = made(signed_in("administrator"), **form)
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert "New Comer" in answer.content.decode()


@pytest.mark.parametrize("name", ["\u3164\u3164", "Ana\u202eziuR", "Ana\u2800Ruiz", "A" * 201])
def test_no_account_is_made_under_a_name_that_does_not_show_itself(known, signed_in, name):
    answer = made(signed_in("administrator"), role="auditor", name=name)
    assert answer.status_code == 400
    assert "letters that show themselves" in answer.content.decode()


def test_an_account_is_made_for_an_agency_that_is_a_party(known, signed_in):
    assert made(signed_in("administrator"), agency="us.dhs.ice").status_code == 200
    SITE.parties.rename(SITE.root / "away")
    try:
        assert made(signed_in("administrator"), agency="us.dhs.ice").status_code == 400
    finally:
        (SITE.root / "away").rename(SITE.parties)


def test_a_role_is_changed_only_to_one_that_the_site_knows(known, signed_in):
    client = signed_in("administrator")
    form = {"act": "change-role", "role": "disclosure_officer", "agency": "", "officer": "do-7"}
    answer = client.post("/accounts/auditor/", form, follow=True)
    assert "the roster has no disclosure officer with that id" in answer.content.decode()
    assert Account.objects.get(username="auditor").role == Role.AUDITOR


def test_closing_an_account_is_asked_once_more(site, signed_in):
    account, _ = accounts.create("leaves", name="L Eaver", role="counsel", password=PASSWORD)
    client = signed_in("administrator")
    asked = client.post("/accounts/leaves/", {"act": "close"})
    assert "Close the account leaves?" in asked.content.decode()
    account.refresh_from_db()
    assert account.is_active
    assert client.post("/accounts/leaves/", {"act": "close", "sure": "yes"}).status_code == 302
    account.refresh_from_db()
    assert not account.is_active
    account.delete()


@pytest.mark.parametrize("name", ["Ana Ruiz", "ANA  RUIZ", "Aná Ruiz", "Ruiz, Ana"])
def test_one_human_under_two_accounts_is_one_person(name):
    assert accounts.same_person(Account(username="a", name="Ana Ruiz"), Account(username="b", name=name))
    one, other = Account(username="a", name="A", officer="do-1"), Account(username="b", name="B", officer="do-1")
    assert accounts.same_person(one, other)
    assert accounts.same_person(one, Account(username="b", name="Officer 1")), "as the roster names the officer"
    assert accounts.same_person(one, Account(username="do-1", name="B"))
    assert not accounts.same_person(Account(username="a", name="Ana Ruiz"), Account(username="b", name="Brian Cole"))


def test_vouching_raises_for_nothing_that_is_known(known):
    accounts.vouch("x", Role.REQUESTER, "us.dhs.ice", "")
    accounts.vouch("officer1", Role.DISCLOSURE_OFFICER, "", "do-1")
    accounts.vouch("x", Role.COUNSEL, "", "")
    with pytest.raises(WrongInput, match="no such agency"):
        accounts.vouch("x", Role.REQUESTER, "us.nobody", "")
