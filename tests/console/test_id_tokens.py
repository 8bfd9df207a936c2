"""ID tokens that are not this provider's, not for us, not now, or not signed: none of them opens anything."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import SuspiciousOperation

from gatehouse.console.entrance import parse

ISSUER, CLIENT = "https://login.agency.example", "gatehouse"
SECTION = {"issuer": ISSUER, "client_id": CLIENT, "role_claim": "groups", "roles": {"c": "counsel", "a": "auditor"}}
OURS, ANOTHER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
PUBLIC = OURS.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def backend(site, monkeypatch):
    from gatehouse.console import sso

    found = parse({"oidc": SECTION}, root=Path("/site")).provider
    monkeypatch.setattr(sso, "provider", lambda: found)
    return sso.Federated()


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
        people.append(backend.get_or_create_user("access", "id", claims(sub=subject)))
    assert people[0].pk != people[1].pk
    assert not people[0].check_password("")
    Account.objects.filter(pk__in=[person.pk for person in people]).delete()


@pytest.fixture
def carol(backend, monkeypatch):
    """Carol comes in as counsel; then her claims can be said anew."""
    from gatehouse.console.models import Account

    def come(**said):
        monkeypatch.setattr(type(backend), "get_userinfo", lambda *_: {"sub": "carol", "name": "Carol Webb", **said})
        return backend.get_or_create_user("access", "id", claims(sub="carol"))

    yield come
    Account.objects.filter(subject="carol").delete()


def test_a_sign_in_meanwhile_does_not_undo_a_closing(carol, monkeypatch):
    from gatehouse.console import accounts, sso
    from gatehouse.console.models import Account

    account = carol(groups=["c"])
    read = Account.objects.get(pk=account.pk)
    accounts.close(account)
    monkeypatch.setattr("django.db.models.query.QuerySet.first", lambda _: read)
    sso._account(sso.provider(), "carol", next(iter(sso.provider().parts.values())), "Carol W.", None)
    monkeypatch.undo()
    now = Account.objects.get(pk=account.pk)
    assert not now.is_active
    assert now.epoch == account.epoch > 0
    assert now.name == "Carol W."


@pytest.mark.parametrize(("groups", "kept"), [(["c"], True), (["a"], False), ([], False)])
def test_a_changed_part_or_none_ends_the_keys(carol, groups, kept):
    from gatehouse.console import sso, tokens
    from gatehouse.console.models import Key

    account = carol(groups=["c"])
    tokens.make(account, "tests", tokens.possible(account), 1, account)
    try:
        carol(groups=groups)
    except sso.NoPart:
        assert not groups
    assert Key.objects.filter(account=account).exists() is kept
