"""What gatehouse.toml may say about coming in: whatever it does not say is the stricter choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.kernel.documents import Table
from gatehouse.kernel.errors import WrongInput
from gatehouse.site import entrance
from gatehouse.site.entrance import LIMITS, Entrance, Part
from gatehouse.site.roles import DECIDING, Role

ROOT = Path("/site")
OIDC = {
    "issuer": "https://login.agency.example",
    "client_id": "gatehouse",
    "role_claim": "groups",
    "roles": {"counsel": "counsel", "desk": {"role": "requester", "agency": "us.dhs.ice"}},
}


def parse(said: dict[str, Any], *, demonstration: bool = False) -> Entrance:
    return entrance.parse(Table("gatehouse.toml", "", said, {}), ROOT, demonstration=demonstration)


def test_nothing_said_is_passwords_and_a_second_factor_for_who_decides_or_keeps_accounts():
    rules = parse({})
    assert rules.passwords
    assert rules.provider is None
    assert rules.second_factor == DECIDING | {Role.ADMINISTRATOR}


def test_only_a_demonstration_asks_for_no_second_factor():
    assert parse({}, demonstration=True).second_factor == frozenset()


def test_with_a_provider_there_are_no_passwords_unless_said():
    assert not parse({"oidc": OIDC}).passwords
    assert parse({"oidc": OIDC, "sign_in": {"passwords": True}}).passwords


@pytest.mark.parametrize(
    ("parsed", "names"),
    [
        ({"sign_in": {"passwords": False}}, "passwords"),
        ({"sign_in": {"password": True}}, "'password' in .sign_in"),
        ({"sign_in": {"second_factor": ["boss"]}}, "second_factor"),
        ({"sign_in": {"second_factor": "counsel"}}, "second_factor"),
        ({"sign_in": {"idle_minutes": 0}}, "idle_minutes"),
        ({"sign_in": {"idle_minutes": True}}, "idle_minutes"),
        ({"sign_in": {"session_hours": 25}}, "session_hours"),
        ({"sign_in": []}, "sign_in"),
        ({"limits": {"uploads_an_hour": -1}}, "uploads_an_hour"),
        ({"limits": {"pages": 1}}, "'pages' in .limits"),
        ({"oidc": {}}, "oidc.issuer"),
        ({"oidc": OIDC | {"issuer": "http://login.agency.example"}}, "oidc.issuer"),
        ({"oidc": OIDC | {"issuer": "login.agency.example"}}, "oidc.issuer"),
        ({"oidc": OIDC | {"algorithm": "HS256"}}, "oidc.algorithm"),
        ({"oidc": OIDC | {"algorithm": "none"}}, "oidc.algorithm"),
        ({"oidc": OIDC | {"roles": {}}}, "oidc.roles"),
        ({"oidc": OIDC | {"roles": {"all": "root"}}}, "oidc.roles.all"),
        ({"oidc": OIDC | {"roles": {"desk": "requester"}}}, "oidc.roles.desk"),
        ({"oidc": OIDC | {"roles": {"desk": {"role": "counsel", "agency": "us.dhs.ice"}}}}, "oidc.roles.desk"),
        ({"oidc": OIDC | {"roles": {"desk": {"role": "counsel", "admin": True}}}}, "oidc.roles.desk"),
        ({"oidc": OIDC | {"role_claim": ""}}, "oidc.role_claim"),
        ({"oidc": OIDC | {"acr": "high"}}, "acr"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_used_is_named(parsed, names):
    with pytest.raises(WrongInput, match=names):
        parse(parsed)


PROVIDER = parse({"oidc": OIDC}).provider


@pytest.mark.parametrize(
    ("claims", "parts"),
    [
        ({}, set()),
        ({"groups": None}, set()),
        ({"groups": []}, set()),
        ({"groups": "counsel"}, {Part(Role.COUNSEL)}),
        ({"groups": ["staff", "counsel", "counsel"]}, {Part(Role.COUNSEL)}),
        ({"groups": ["desk"]}, {Part(Role.REQUESTER, "us.dhs.ice")}),
        ({"groups": ["counsel", "desk"]}, {Part(Role.COUNSEL), Part(Role.REQUESTER, "us.dhs.ice")}),
        ({"groups": "counsel desk"}, set()),
        ({"groups": ["Counsel"]}, set()),
        ({"groups": {"counsel": True}}, set()),
        ({"groups": [["counsel"]]}, set()),
        ({"role": "counsel"}, set()),
    ],
)
def test_a_part_is_given_by_exactly_the_groups_named(claims, parts):
    assert PROVIDER.parts_of(claims) == parts


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.text(), st.lists, max_leaves=5)))
def test_no_strange_claim_gives_a_part(claims):
    given_groups = claims.get("groups")
    named = given_groups if isinstance(given_groups, list) else [given_groups]
    assert len(PROVIDER.parts_of(claims)) <= sum(name in ("counsel", "desk") for name in named if isinstance(name, str))


def test_every_limit_has_a_default():
    assert all(value > 0 for value in LIMITS.values())
