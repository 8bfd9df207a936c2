"""One-time codes: the RFC's own numbers, no code twice, recovery codes once, and no way around them."""

from __future__ import annotations

import base64
import re
import time

import pyotp
import pytest
from doors import PASSWORD, SITE

from gatehouse.console import factors
from gatehouse.kernel.errors import MachineFailed, WrongInput

# RFC 6238, appendix B, SHA-1: eight digits. Six digits are their last six, because both are one number modulo 10^n.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("at", "code"), RFC_VECTORS)
def test_codes_are_those_of_the_rfc(at, code):
    assert factors.step_of(RFC_SECRET, code[-6:], at) == at // 30


@pytest.mark.parametrize(("at", "code"), RFC_VECTORS)
def test_a_code_counts_one_step_before_and_after_and_no_more(at, code):
    assert factors.step_of(RFC_SECRET, code[-6:], at - 30) == factors.step_of(RFC_SECRET, code[-6:], at + 30)
    assert factors.step_of(RFC_SECRET, code[-6:], at - 60) is None
    assert factors.step_of(RFC_SECRET, code[-6:], at + 60) is None


@pytest.mark.parametrize("code", ["", "28708", "2870822", "28708a", "٢٨٧٠٨٢", "287082\x00", "-28708", "+28708", "0x28"])
def test_what_is_no_code_is_none(code):
    assert factors.step_of(RFC_SECRET, code, 59) is None


def test_a_code_may_be_typed_in_two_groups():
    assert factors.step_of(RFC_SECRET, " 287 082 ", 59) == 1


@pytest.fixture
def person(site):
    """A local account with a second factor, its secret and recovery codes; gone afterwards."""
    from gatehouse.console import accounts
    from gatehouse.console.models import FailedSignIn

    account, _ = accounts.create("factor", name="Factor", role="disclosure_officer", password=PASSWORD)
    secret = factors.begin(account).secret
    factors.confirm(account, code_now(secret), lambda: None)
    yield account, secret, factors.renew_recovery(account)
    account.delete()
    FailedSignIn.objects.all().delete()


def code_now(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


def signing_in(client, code: str):
    assert (
        client.post("/sign-in/", {"username": "factor", "password": PASSWORD}).headers["Location"] == "/sign-in/code/"
    )
    return client.post("/sign-in/code/", {"code": code})


def inside(client) -> bool:
    return client.get("/dockets/").status_code == 200


def test_the_password_alone_opens_nothing(person, anyone):
    anyone.post("/sign-in/", {"username": "factor", "password": PASSWORD})
    assert not inside(anyone)
    assert anyone.get("/password/").status_code == 302


def test_a_code_opens_once_and_never_again(person, site):
    from django.test import Client

    _, secret, _ = person
    code = code_now(secret, 1)  # the present one was used to enrol
    first, again = Client(), Client()
    assert signing_in(first, code).status_code == 302
    assert inside(first)
    assert signing_in(again, code).status_code == 401
    assert not inside(again)


def test_an_earlier_code_is_refused_after_a_later_one(person, anyone):
    _, secret, _ = person
    assert signing_in(anyone, code_now(secret, 1)).status_code == 302
    anyone.post("/sign-out/")
    assert signing_in(anyone, code_now(secret, 0)).status_code == 401


def test_a_recovery_code_opens_once(person, site):
    from django.test import Client

    account, _, codes = person
    assert len(set(codes)) == factors.RECOVERY_CODES
    first, again = Client(), Client()
    assert signing_in(first, codes[3].upper().replace("-", " ")).status_code == 302
    assert inside(first)
    assert signing_in(again, codes[3]).status_code == 401
    assert factors.left(account) == factors.RECOVERY_CODES - 1


def test_new_recovery_codes_end_the_old(person):
    account, _, old = person
    factors.renew_recovery(account)
    assert not factors.check(account, old[0])


def test_wrong_codes_close_the_door_and_the_password_does_not_open_it_again(person, site):
    from django.test import Client

    for _ in range(8):
        assert signing_in(Client(), "000000").status_code == 401  # a right password before each forgives nothing
    answer = Client().post("/sign-in/", {"username": "factor", "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_the_code_page_alone_opens_nothing(person, anyone):
    _, secret, _ = person
    answer = anyone.post("/sign-in/code/", {"code": code_now(secret, 1)})
    assert answer.headers["Location"] == "/sign-in/"
    assert not inside(anyone)


def test_the_password_is_soon_forgotten(person, anyone, monkeypatch):
    from gatehouse.console.views import session

    _, secret, _ = person
    anyone.post("/sign-in/", {"username": "factor", "password": PASSWORD})
    monkeypatch.setattr(session, "WAIT", -1)
    assert anyone.post("/sign-in/code/", {"code": code_now(secret, 1)}).headers["Location"] == "/sign-in/"
    assert not inside(anyone)


def test_the_secret_is_not_in_the_database_and_no_other_account_can_use_it(person, signed_in):
    from gatehouse.console.models import Account, SecondFactor

    account, secret, _ = person
    kept = SecondFactor.objects.get(account=account)
    assert secret not in kept.sealed
    assert secret.encode() not in base64.b64decode(kept.sealed)
    other = SecondFactor(
        account=Account.objects.get(username="counsel"), sealed=kept.sealed, confirmed_at=kept.confirmed_at
    )
    other.save()
    with pytest.raises(MachineFailed):
        factors.check(other.account, code_now(secret, 1))
    other.delete()


def test_the_key_for_secrets_is_for_nobody_else():
    path = SITE.keys / "accounts.key"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_wrong_first_code_puts_nothing_into_use_and_nothing_on_record(site):
    from gatehouse.console import accounts

    account, _ = accounts.create("unconfirmed", name="U", role="counsel", password=PASSWORD)
    factors.begin(account)
    recorded = []
    with pytest.raises(WrongInput):
        factors.confirm(account, "000000", lambda: recorded.append(1))
    assert not factors.enrolled(account)
    assert not recorded
    account.delete()


@pytest.fixture
def required(monkeypatch):
    """The site asks officers for a second factor, as every real site does unless it says otherwise."""
    import dataclasses

    from gatehouse.console import entrance, guard
    from gatehouse.site.roles import DECIDING

    rules = dataclasses.replace(entrance.entrance(), second_factor=DECIDING)
    monkeypatch.setattr(guard, "entrance", lambda: rules)


def test_who_must_have_a_second_factor_reaches_nothing_before(site, required, anyone):
    from gatehouse.console import accounts
    from gatehouse.console.models import Account

    accounts.create("enrols", name="E", role="disclosure_officer", password=PASSWORD)
    anyone.post("/sign-in/", {"username": "enrols", "password": PASSWORD})
    for path in ("/dockets/", "/dockets/ICE-1/cases/8/", "/law/"):
        assert anyone.get(path).headers["Location"] == "/second-factor/"
    assert "Set it up now" in anyone.get("/second-factor/").content.decode()
    assert anyone.post("/second-factor/", {"password": "wrong"}).status_code == 400
    before = len(list(SITE.events.glob("second_factor_enrolled*")))
    page = anyone.post("/second-factor/", {"password": PASSWORD}).content.decode()
    secret = re.search(r'id="secret">([A-Z2-7]+)<', page)[1]
    assert "<svg" in page
    assert "style=" not in page
    answer = anyone.post("/second-factor/", {"code": code_now(secret)})
    assert answer.content.decode().count("<li><code>") == factors.RECOVERY_CODES
    assert len(list(SITE.events.glob("second_factor_enrolled*"))) == before + 1
    assert anyone.get("/dockets/").status_code == 200
    assert secret not in anyone.get("/second-factor/").content.decode()
    Account.objects.filter(username="enrols").delete()


def test_an_administrator_resets_a_lost_factor_on_record(person, signed_in, site):
    account, _, _ = person
    inside_already = signed_in("factor")
    assert inside(inside_already)
    before = len(list(SITE.events.glob("second_factor_reset*")))
    signed_in("administrator").post("/accounts/factor/", {"act": "reset-factor"})
    assert not factors.enrolled(account)
    assert not inside(inside_already)
    assert len(list(SITE.events.glob("second_factor_reset*"))) == before + 1
