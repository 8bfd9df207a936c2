"""ID tokens that are not this provider's, not for us, not now, or not signed: none of them opens anything."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from types import SimpleNamespace

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import SuspiciousOperation
from doors import SITE

from gatehouse.console import proposals
from gatehouse.kernel import clock
from gatehouse.kernel.documents import Table
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger.signers import read_signer
from gatehouse.pipeline import history
from gatehouse.site.entrance import parse

ISSUER, CLIENT = "https://login.agency.example", "gatehouse"
SECTION = {
    "issuer": ISSUER, "client_id": CLIENT, "role_claim": "groups", "officer_claim": "employee",
    "roles": {
        "c": "counsel", "a": "auditor", "n": "administrator", "o": "disclosure_officer",
        "r": {"role": "requester", "agency": "us.nobody"},
    },
}  # fmt: skip
OURS, ANOTHER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
PUBLIC = OURS.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def backend(site, monkeypatch):
    from gatehouse.console import sso

    found = parse(Table("gatehouse.toml", "", {"oidc": SECTION}, {}), Path("/site")).provider
    monkeypatch.setattr(sso, "provider", lambda: found)
    return sso.Federated()


def events(kind: str) -> list[dict]:
    return [dict(one.fields) for one in history.whole(SITE, {kind}).events]


def claims(**changed):
    now = int(time.time())
    whole = {"iss": ISSUER, "sub": "248289", "aud": CLIENT, "exp": now + 300, "iat": now, **changed}
    return {name: value for name, value in whole.items() if value is not None}


def token(*, key=OURS, algorithm="RS256", **changed) -> str:
    return jwt.encode(claims(**changed), key, algorithm=algorithm)


def key():
    return jwt.PyJWK(jwt.algorithms.RSAAlgorithm.to_jwk(OURS.public_key(), as_dict=True) | {"alg": "RS256"})


def test_a_good_token_is_taken(backend):
    assert backend.get_payload_data(token(), key())["sub"] == "248289"
    assert backend.get_payload_data(token(aud=[CLIENT, "other"], azp=CLIENT), key())["sub"] == "248289"


HOUR = 3600
WRONG = {
    "another issuer": {"iss": "https://evil.example"},
    "issuer with a slash more": {"iss": f"{ISSUER}/"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "other"},
    "no audience": {"aud": None},
    "several audiences and no word for whom": {"aud": [CLIENT, "other"]},
    "several audiences, for another": {"aud": [CLIENT, "other"], "azp": "other"},
    "one audience, for another": {"azp": "other"},
    "made a day ago": {"iat": int(time.time()) - 24 * 3600},
    "over": {"exp": int(time.time()) - HOUR},
    "without end": {"exp": None},
    "from the future": {"iat": int(time.time()) + HOUR},
    "not yet": {"nbf": int(time.time()) + HOUR},
    "without a subject": {"sub": None},
    "another key": {"key": ANOTHER},
    "another algorithm": {"algorithm": "RS512"},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
def test_a_wrong_token_is_refused(backend, changed):
    with pytest.raises(SuspiciousOperation):
        backend.get_payload_data(token(**changed), key())


def test_an_unsigned_token_is_refused(backend):
    with pytest.raises(SuspiciousOperation):
        backend.get_payload_data(jwt.encode(claims(), None, algorithm="none"), key())


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(backend):
    import base64
    import hashlib
    import hmac
    import json

    def part(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    head = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + b"." + part(json.dumps(claims()).encode())
    forged = head + b"." + part(hmac.new(PUBLIC, head, hashlib.sha256).digest())
    with pytest.raises(SuspiciousOperation):
        backend.get_payload_data(forged.decode(), key())


@pytest.mark.parametrize("text", ["", ".", "a.b.c", token()[:-4], token().replace(".", "", 1)])
def test_what_is_no_token_is_refused(backend, text):
    with pytest.raises(SuspiciousOperation):
        backend.get_payload_data(text, key())


AAL2 = "http://idmanagement.gov/ns/assurance/aal/2"


@pytest.mark.parametrize(("acr", "taken"), [(AAL2, True), ("low", False), (None, False)])
def test_a_weak_sign_in_at_the_provider_is_refused_where_strength_is_asked(backend, monkeypatch, acr, taken):
    from gatehouse.console import sso

    strong = dataclasses.replace(sso.provider(), acr=(AAL2,))
    monkeypatch.setattr(sso, "provider", lambda: strong)
    if taken:
        assert backend.get_payload_data(token(acr=acr), key())
    else:
        with pytest.raises(SuspiciousOperation):
            backend.get_payload_data(token(acr=acr), key())


def test_userinfo_about_somebody_else_is_refused(backend, monkeypatch):
    monkeypatch.setattr(type(backend), "get_userinfo", lambda *_: {"sub": "another", "groups": ["c"]})
    with pytest.raises(SuspiciousOperation):
        backend.get_or_create_user("access", "id", claims())


def test_the_same_name_or_mail_is_not_the_same_person(backend, monkeypatch):
    from gatehouse.console.models import Account

    people = []
    for subject in ("one", "two"):
        said = {"sub": subject, "groups": ["c"], "name": "Carol Webb", "email": "carol@agency.example"}
        monkeypatch.setattr(type(backend), "get_userinfo", lambda *_, said=said: said)
        people.append(admitted(lambda: backend.get_or_create_user("access", "id", claims(sub=subject))))  # noqa: B023
    assert people[0].pk != people[1].pk
    assert not people[0].check_password("")
    Account.objects.filter(pk__in=[person.pk for person in people]).delete()


def admitted(come):
    """Who comes: waits at first, is confirmed by an officer, and comes again."""
    from gatehouse.console import sso
    from gatehouse.console.models import Proposal

    with pytest.raises(sso.Waits) as waits:
        come()
    confirm(Proposal.objects.get(username=waits.value.username))
    return come()


def confirm(proposal, officer="do-1"):
    from gatehouse.casework.statement import sign

    signer = read_signer(SITE.root.parent / f"{officer}.key")
    now = clock.now()
    return proposals.confirm(proposal, sign(proposals.statement_body(proposal, officer, now), signer), now)


@pytest.fixture
def carol(backend, monkeypatch):
    """Carol comes; then her claims can be said anew."""
    from gatehouse.console.models import Account, Proposal

    def come(**said):
        monkeypatch.setattr(type(backend), "get_userinfo", lambda *_: {"sub": "carol", "name": "Carol Webb", **said})
        return backend.get_or_create_user("access", "id", claims(sub="carol"))

    yield come
    Account.objects.filter(subject="carol").delete()
    Proposal.objects.all().delete()


@pytest.mark.parametrize(("group", "role"), [("c", "counsel"), ("a", "auditor"), ("n", "administrator")])
def test_a_first_sign_in_only_proposes_and_an_officer_confirms(carol, group, role):
    from gatehouse.console import sso
    from gatehouse.console.models import Account, Proposal

    before = len(events("account_proposed"))
    for _ in range(2):  # who comes twice is proposed once
        with pytest.raises(sso.Waits):
            carol(groups=[group])
    assert not Account.objects.filter(subject="carol").exists()
    assert [one["by"] for one in events("account_proposed")[before:]] == ["identity provider"]
    made = confirm(Proposal.objects.get(subject="carol"))
    assert (made.role, made.issuer, made.has_usable_password()) == (role, ISSUER, False)
    assert carol(groups=[group]) == made
    entered = events("account_made")[-1]
    assert (entered["by"], entered["confirmed_by"]) == ("identity provider", "do-1")


def test_what_the_provider_says_anew_replaces_what_waits_and_what_was_read_before_is_not_confirmed(carol):
    from gatehouse.casework.statement import sign
    from gatehouse.console import sso
    from gatehouse.console.models import Proposal

    with pytest.raises(sso.Waits):
        carol(groups=["a"])
    now = clock.now()
    read = proposals.statement_body(Proposal.objects.get(subject="carol"), "do-1", now)
    with pytest.raises(sso.Waits):
        carol(groups=["n"])
    [waiting] = Proposal.objects.filter(subject="carol")
    assert waiting.role == "administrator"
    with pytest.raises(WrongInput, match="the signed text differs"):
        proposals.confirm(waiting, sign(read, read_signer(SITE.root.parent / "do-1.key")), now)
    with pytest.raises(sso.NoPart):
        carol(groups=[])
    assert not Proposal.objects.filter(subject="carol").exists()
    assert events("account_refused")[-1]["by"] == "identity provider"


def test_another_part_ends_the_old_one_at_once_and_waits_itself(carol):
    from gatehouse.console import sso
    from gatehouse.console.models import Account

    account = admitted(lambda: carol(groups=["a"]))
    with pytest.raises(sso.Waits):
        carol(groups=["n"], name="Another Name")
    between = Account.objects.get(pk=account.pk)
    assert (between.role, between.name) == ("", "Carol Webb")
    assert between.epoch > account.epoch
    with pytest.raises(sso.Waits):
        carol(groups=["a"])  # also the part that it had before waits again
    admitted(lambda: carol(groups=["n"]))
    assert Account.objects.get(pk=account.pk).role == "administrator"


@pytest.mark.parametrize(
    ("group", "officer"), [("o", "do-1"), ("o", ""), ("o", "nobody"), ("r", ""), ("a", "do-2")],
    ids=["has an account", "no id", "not on the roster", "no such agency", "an officer's id beside another part"],
)  # fmt: skip
def test_whom_the_site_does_not_know_is_not_even_proposed(carol, group, officer):
    from gatehouse.console import sso
    from gatehouse.console.models import Proposal

    with pytest.raises(sso.NoPart, match="unknown"):
        carol(groups=[group], employee=officer)
    assert not Proposal.objects.filter(subject="carol").exists()


def test_nobody_confirms_an_account_of_their_own_by_name(carol):
    from gatehouse.console import sso
    from gatehouse.console.models import Proposal

    with pytest.raises(sso.Waits):
        carol(groups=["n"], name="OFFICER  1")
    with pytest.raises(AnswerIsNo, match="their own accounts"):
        confirm(Proposal.objects.get(subject="carol"))
    assert confirm(Proposal.objects.get(subject="carol"), "do-2").role == "administrator"


def test_a_closed_account_proposes_nothing_and_opens_by_two_people(carol):
    from gatehouse.console import accounts, sso
    from gatehouse.console.models import Account, Proposal

    account = admitted(lambda: carol(groups=["a"]))
    accounts.close(account)
    assert not carol(groups=["n"]).is_active
    with pytest.raises(sso.NoPart):
        carol(groups=[])
    assert Account.objects.get(pk=account.pk).role == "auditor"
    assert not Proposal.objects.filter(subject="carol").exists()
    confirm(proposals.reopen(Account.objects.get(pk=account.pk), by="administrator"))
    assert carol(groups=["a"]).is_active


def test_who_waits_reads_what_waits_and_what_became_of_it(carol, anyone):
    from gatehouse.console import sso
    from gatehouse.console.models import Proposal

    assert anyone.get("/sso/waiting/").status_code == 404  # the site itself has no provider
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gatehouse.console.views.session.entrance", lambda: SimpleNamespace(provider=sso.provider()))
        assert anyone.get("/sso/waiting/").status_code == 302
        with pytest.raises(sso.Waits) as waits:
            carol(groups=["a"])
        session = anyone.session
        session[sso.PROPOSED] = waits.value.username
        session.save()
        anyone.cookies["gatehouse_session"] = session.session_key
        page = anyone.get("/sso/waiting/")
        assert page.headers["Cache-Control"] == "no-store"
        assert "waits for an officer" in page.content.decode()
        assert waits.value.username in page.content.decode()
        waiting = Proposal.objects.get(subject="carol")
        proposals.refuse(waiting, by="officer1")
        assert "is not confirmed" in anyone.get("/sso/waiting/").content.decode()
        admitted(lambda: carol(groups=["a"]))
        assert "is confirmed" in anyone.get("/sso/waiting/").content.decode()


def test_a_sign_in_meanwhile_does_not_undo_a_closing(carol, monkeypatch):
    from gatehouse.console import accounts, sso
    from gatehouse.console.models import Account

    account = admitted(lambda: carol(groups=["c"]))
    read = Account.objects.get(pk=account.pk)
    accounts.close(account)
    monkeypatch.setattr("django.db.models.query.QuerySet.first", lambda _: read)
    sso._account(sso.provider(), "carol", next(iter(sso.provider().parts.values())), "Carol W.", None)
    monkeypatch.undo()
    now = Account.objects.get(pk=account.pk)
    assert not now.is_active
    assert now.epoch == account.epoch > 0
    assert now.name == "Carol Webb", "a name is what an officer confirmed"


@pytest.mark.parametrize(("groups", "kept"), [(["c"], True), (["a"], False), ([], False)])
def test_a_changed_part_or_none_ends_the_keys(carol, groups, kept):
    from gatehouse.console import sso, tokens
    from gatehouse.console.models import Key

    account = admitted(lambda: carol(groups=["c"]))
    tokens.make(account, "tests", tokens.possible(account), 1, account)
    try:
        carol(groups=groups)
    except sso.NoPart:
        assert not groups
    except sso.Waits:
        assert groups == ["a"]
    assert Key.objects.filter(account=account).exists() is kept


class Answering:
    """A provider's answer of any form, as `requests` hands it over."""

    headers = {"content-type": "application/json"}  # noqa: RUF012 - one answer
    status_code = 200
    ok = True

    def __init__(self, answer):
        self._answer = answer

    def raise_for_status(self):
        pass

    def json(self):
        return self._answer


NONSENSE = [[], ["id_token"], None, 7, "text", {}, {"id_token": []}, {"keys": 3}, {"keys": [[]]}, {"sub": 7}, [{}]]


@pytest.mark.parametrize("answer", NONSENSE, ids=repr)
@pytest.mark.parametrize("asked", ["get_token", "retrieve_matching_jwk", "get_userinfo"])
def test_an_answer_of_another_form_is_refused(backend, monkeypatch, asked, answer):
    import mozilla_django_oidc.auth as library

    monkeypatch.setattr(library.requests, "get", lambda *_, **__: Answering(answer))
    monkeypatch.setattr(library.requests, "post", lambda *_, **__: Answering(answer))
    endpoints = ("OIDC_OP_TOKEN_ENDPOINT", "OIDC_OP_USER_ENDPOINT", "OIDC_OP_JWKS_ENDPOINT")
    for name in endpoints:
        monkeypatch.setattr(type(backend), name, f"{ISSUER}/x")
    given = {"get_token": ({},), "retrieve_matching_jwk": (token(),), "get_userinfo": ("a", "b", {})}[asked]
    with pytest.raises(SuspiciousOperation):
        getattr(backend, asked)(*given)
