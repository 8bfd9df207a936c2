"""How a session begins and ends: anew at sign-in, idle, too old, everywhere at once; and what a form sent then is."""

from __future__ import annotations

import time

import pytest
from doors import PASSWORD, SITE


def inside(client, path: str = "/law/") -> bool:
    return client.get(path).status_code == 200


def age(client, **seconds: float) -> None:
    session = client.session
    for key, value in seconds.items():
        session[key] = time.time() - value
    session.save()


def test_signing_in_gives_a_new_session(anyone, site):
    anyone.get("/sso/")  # a stranger may plant what they like before
    session = anyone.session
    session["planted"] = True
    session.save()
    before = anyone.cookies["sessionid"].value
    anyone.post("/sign-in/", {"username": "counsel", "password": PASSWORD})
    assert anyone.cookies["sessionid"].value != before
    assert inside(anyone)


@pytest.mark.parametrize(
    "ages",
    [{"seen": 1801}, {"began": 8 * 3600 + 1, "seen": 0}, {"began": 1e12, "seen": 0}],
    ids=["idle", "old", "older"],
)
def test_an_idle_or_old_session_ends(signed_in, ages):
    client = signed_in("counsel")
    assert inside(client)
    age(client, **ages)
    answer = client.get("/law/")
    assert answer.headers["Location"].startswith("/sign-in/?next=%2Flaw%2F")
    assert "Your session has ended" in client.get(answer.headers["Location"]).content.decode()
    assert not inside(client)


def test_a_session_in_use_stays_and_its_end_stays_too(signed_in):
    client = signed_in("counsel")
    age(client, began=7 * 3600, seen=1700)
    assert inside(client)
    assert time.time() - client.session["seen"] < 60
    assert time.time() - client.session["began"] > 6 * 3600


@pytest.mark.parametrize("key", ["began", "seen"])
def test_a_session_that_does_not_say_when_has_ended(signed_in, key):
    client = signed_in("counsel")
    session = client.session
    del session[key]
    session.save()
    assert not inside(client)


def test_signing_out_everywhere_ends_every_session(signed_in):
    here, there, other = signed_in("counsel"), signed_in("counsel"), signed_in("inspector")
    here.post("/sign-out/everywhere/")
    assert not inside(here)
    assert not inside(there)
    assert inside(other)


def test_an_administrator_ends_somebodys_sessions_on_record(signed_in):
    theirs, mine = signed_in("counsel"), signed_in("administrator")
    before = len(list(SITE.events.glob("sessions_ended*")))
    mine.post("/accounts/counsel/", {"act": "sign-out"})
    assert not inside(theirs)
    assert inside(mine, "/accounts/")
    assert len(list(SITE.events.glob("sessions_ended*"))) == before + 1


def confirmed(username: str) -> None:
    """What was proposed about an account, confirmed by an officer."""
    from gatehouse.casework.statement import sign
    from gatehouse.console import proposals
    from gatehouse.console.models import Proposal
    from gatehouse.kernel import clock
    from gatehouse.ledger.signers import read_signer

    proposal = Proposal.objects.get(username=username)
    body = proposals.statement_body(proposal, "do-1", clock.now())
    proposals.confirm(proposal, sign(body, read_signer(SITE.root.parent / "do-1.key")), clock.now())


def test_another_role_ends_the_sessions_of_the_old_one_on_record(signed_in, site):
    from gatehouse.console import accounts
    from gatehouse.console.models import Account

    accounts.create("moves", name="M", role="counsel", password=PASSWORD)
    theirs = signed_in("moves")
    before = len(list(SITE.events.glob("role_changed*")))
    signed_in("administrator").post("/accounts/moves/", {"act": "change-role", "role": "auditor"})
    confirmed("moves")
    assert not inside(theirs)
    assert Account.objects.get(username="moves").role == "auditor"
    assert len(list(SITE.events.glob("role_changed*"))) == before + 1
    assert not inside(signed_in("moves"))
    assert inside(signed_in("moves"), "/oversight/")
    Account.objects.filter(username="moves").delete()


@pytest.mark.parametrize(
    "form", [{"role": "requester"}, {"role": "counsel", "agency": "us.dhs.ice"}, {"role": "king"}, {}]
)
def test_a_role_that_does_not_fit_changes_nothing(signed_in, form):
    from gatehouse.console.models import Account

    before = len(list(SITE.events.glob("role_changed*")))
    signed_in("administrator").post("/accounts/inspector/", {"act": "change-role", **form})
    assert Account.objects.get(username="inspector").role == "inspector"
    assert len(list(SITE.events.glob("role_changed*"))) == before


@pytest.mark.parametrize("act", ["close", "change-role", "reset-factor"])
def test_an_administrator_does_not_shut_the_own_door(signed_in, act):
    client = signed_in("administrator")
    assert client.post("/accounts/administrator/", {"act": act, "role": "counsel"}).status_code == 404
    assert inside(client, "/accounts/")


def test_a_form_sent_after_the_session_ended_is_not_done_and_says_so(signed_in):
    client = signed_in("officer1")
    age(client, seen=3600)
    page = "http://testserver/dockets/ICE-1/cases/8/"
    answer = client.post("/dockets/ICE-1/decide/", {"seq": "8", "action": "refuse"}, headers={"referer": page})
    assert answer.headers["Location"] == "/sign-in/?next=%2Fdockets%2FICE-1%2Fcases%2F8%2F"
    assert "What you sent was not done" in client.get("/sign-in/").content.decode()


def test_a_form_sent_from_elsewhere_leads_nowhere(anyone):
    answer = anyone.post("/accounts/", {}, headers={"referer": "https://evil.example/dockets/"})
    assert answer.headers["Location"] == "/sign-in/?next="


def test_a_part_of_a_page_that_is_asked_for_too_late_leads_the_whole_page_to_sign_in(anyone):
    answer = anyone.get("/submissions/x/", headers={"hx-request": "true"})
    assert answer.headers["HX-Redirect"].startswith("/sign-in/")


def test_every_form_needs_its_token(signed_in):
    client = signed_in("administrator", enforce_csrf_checks=True)
    answer = client.post("/accounts/counsel/", {"act": "close", "sure": "yes"})
    assert answer.status_code == 403
    assert "This form has expired" in answer.content.decode()


def test_an_account_made_by_another_chooses_its_own_password_first(signed_in, anyone):
    import re

    from gatehouse.console.models import Account

    form = {"username": "fresh", "name": "F", "role": "counsel"}
    administrator = signed_in("administrator")
    administrator.post("/accounts/", form)
    confirmed("fresh")
    page = administrator.post("/accounts/fresh/", {"act": "reset"}).content.decode()
    first = re.search(r"password is <code>([^<]+)<", page)[1]
    anyone.post("/sign-in/", {"username": "fresh", "password": first})
    assert anyone.get("/law/").headers["Location"] == "/password/"
    anyone.post("/password/", {"old": first, "new": PASSWORD})
    assert inside(anyone)
    Account.objects.filter(username="fresh").delete()


def test_failures_from_one_address_close_the_door_for_all_names_there(site):
    from django.test import Client

    from gatehouse.console import limits
    from gatehouse.console.models import FailedSignIn

    FailedSignIn.objects.all().delete()
    for number in range(limits.BY_ADDRESS):
        Client().post("/sign-in/", {"username": f"guess-{number}", "password": "no"})
    here, elsewhere = Client(), Client(REMOTE_ADDR="192.0.2.7")
    forged = Client(headers={"x-forwarded-for": "192.0.2.8"})
    form = {"username": "inspector", "password": PASSWORD}
    assert here.post("/sign-in/", form).status_code == 429
    assert forged.post("/sign-in/", form).status_code == 429  # what a browser writes about itself counts for nothing
    assert elsewhere.post("/sign-in/", form).status_code == 302
    assert not FailedSignIn.objects.filter(address__contains="127.0.0.1").exists()
    FailedSignIn.objects.all().delete()


@pytest.fixture
def person(site):
    from gatehouse.console import accounts

    account, _ = accounts.create("leaves", name="L", role="requester", agency="us.dhs.ice", password=PASSWORD)
    yield account
    account.delete()


def key_of(account) -> str:
    from gatehouse.console import tokens

    return tokens.make(account, "tests", tokens.possible(account), 1, account)


def test_a_password_chosen_meanwhile_does_not_undo_a_closing(person):
    from gatehouse.console import accounts
    from gatehouse.console.models import Account

    accounts.close(Account.objects.get(pk=person.pk))
    closed = Account.objects.get(pk=person.pk).epoch
    accounts.change(person, PASSWORD, "nine loud herons")
    now = Account.objects.get(pk=person.pk)
    assert now.check_password("nine loud herons")
    assert not now.is_active
    assert now.epoch == closed > 0


def test_a_closed_account_s_keys_do_not_come_back_with_it(person):
    from gatehouse.console import accounts, tokens

    key = key_of(person)
    assert tokens.bearer(key).account == person
    accounts.close(person)
    accounts.reopen(person)
    assert tokens.bearer(key) is None


def test_a_program_of_one_agency_does_not_follow_its_account_to_another(person):
    from gatehouse.console import accounts, tokens
    from gatehouse.site.roles import Role

    key = key_of(person)
    accounts.change_role(person, Role.REQUESTER, "us.doj.other", "")
    assert tokens.bearer(key) is None


PROVIDER = {"issuer": "https://one.example", "client_id": "g", "role_claim": "groups", "roles": {"c": "counsel"}}


@pytest.mark.parametrize(
    ("issuer", "said", "admitted"),
    [
        ("", {}, True),
        ("", {"oidc": PROVIDER}, False),
        ("", {"oidc": PROVIDER, "sign_in": {"passwords": True}}, True),
        ("https://one.example", {"oidc": PROVIDER}, True),
        ("https://one.example", {"oidc": PROVIDER | {"issuer": "https://two.example"}}, False),
        ("https://one.example", {}, False),
    ],
)
def test_a_key_opens_only_where_its_account_could_come_in(person, monkeypatch, issuer, said, admitted):
    from gatehouse.console import tokens
    from gatehouse.kernel.documents import Table
    from gatehouse.site.entrance import parse

    person.issuer, person.subject = issuer, "s" if issuer else ""
    person.save(update_fields=["issuer", "subject"])
    key, rules = key_of(person), parse(Table("gatehouse.toml", "", said, {}), SITE.root)
    monkeypatch.setattr(tokens, "entrance", lambda: rules)
    assert (tokens.bearer(key) is not None) is admitted
