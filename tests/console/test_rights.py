"""Who may open what: every address of the console, for every role, and never another agency's."""

from __future__ import annotations

import pytest
from doors import ACCOUNTS

from gatehouse.console.guard import OWN
from gatehouse.console.permissions import GRANTS, Permission
from gatehouse.console.urls import urlpatterns
from gatehouse.site.roles import Role

PUBLIC = {
    "home", "sign-in", "enter-as", "code", "sso", "sso-back", "sso-waiting", "sign-out", "health", "ready", "may-send",
    "statistics", "statistics-file", "august-2025", "ledger", "ledger-file", "own-record", "own-record-es",
}  # fmt: skip
ONES_OWN = {"password", "factor", "sign-out-everywhere", "task"}
FILLED = {
    "name": "ICE-1", "seq": "8", "identifier": "us.irs.6103-i-2", "username": "counsel", "release": "rel-none",
    "step": "step-none",
}  # fmt: skip
POST_ONLY = {
    "sign-out", "sign-out-everywhere", "decide", "verify", "halt-check", "accounted",
    "release-docket", "give-back", "draft-adopt", "draft-enter",
}  # fmt: skip


def test_every_permission_opens_something():
    """A permission that no address asks for is none."""
    asked = {getattr(pattern.callback, "permission", None) for pattern in urlpatterns}
    assert set(Permission) <= asked


def address(pattern) -> str:
    path = "/" + pattern.pattern._route
    for key, value in FILLED.items():
        for kind in ("str", "int", "path"):
            path = path.replace(f"<{kind}:{key}>", value)
    return path


def guarded():
    return [pattern for pattern in urlpatterns if pattern.name not in PUBLIC | ONES_OWN]


def private():
    return [pattern for pattern in urlpatterns if pattern.name not in PUBLIC]


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_every_address_says_who_may_open_it(pattern):
    permission = getattr(pattern.callback, "permission", "nothing")
    if pattern.name in PUBLIC:
        assert permission is None
    elif pattern.name in ONES_OWN:
        assert permission == OWN
    else:
        assert isinstance(permission, Permission)


@pytest.mark.parametrize("pattern", private(), ids=lambda pattern: pattern.name)
def test_without_an_account_every_private_address_leads_to_sign_in(anyone, pattern):
    for answer in (anyone.get(address(pattern)), anyone.post(address(pattern))):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/sign-in/?next=")


@pytest.mark.parametrize("pattern", guarded(), ids=lambda pattern: pattern.name)
@pytest.mark.parametrize("username", sorted(set(ACCOUNTS) - {"officer2", "unlinked", "stranger"}))
def test_a_role_opens_exactly_what_it_is_granted(signed_in, pattern, username):
    granted = pattern.callback.permission in GRANTS[Role(ACCOUNTS[username][0])]
    client = signed_in(username)
    answer = client.post(address(pattern)) if pattern.name in POST_ONLY else client.get(address(pattern))
    assert (answer.status_code == 403) == (not granted)
    assert answer.status_code < 500


OF_AN_AGENCY = [
    pattern
    for pattern in guarded()
    if pattern.callback.permission.startswith("agency:") and "<str:name>" in pattern.pattern._route
]


@pytest.mark.parametrize("pattern", OF_AN_AGENCY, ids=lambda pattern: pattern.name)
def test_another_agencys_docket_is_answered_like_one_that_does_not_exist(signed_in, pattern):
    client = signed_in("stranger")
    ask = client.post if pattern.name in POST_ONLY else client.get
    theirs, nowhere = ask(address(pattern)), ask(address(pattern).replace("ICE-1", "ICE-9"))
    assert theirs.status_code == nowhere.status_code == 404
    assert b"ICE-1" not in theirs.content


def test_an_agency_sees_only_its_own_submissions_in_the_list(signed_in):
    page = signed_in("requester").get("/submissions/").content.decode()
    assert "ICE-1" in page
    assert "DOJ-1" not in page


def test_a_closed_account_loses_its_session_at_once(signed_in):
    from gatehouse.console.models import Account

    client = signed_in("counsel")
    assert client.get("/law/").status_code == 200
    Account.objects.filter(username="counsel").update(is_active=False)
    try:
        assert client.get("/law/").status_code in {302, 403}
    finally:
        Account.objects.filter(username="counsel").update(is_active=True)


@pytest.mark.parametrize("pattern", [one for one in urlpatterns if one.name in POST_ONLY], ids=lambda one: one.name)
def test_an_address_that_only_takes_a_form_says_so_in_words(signed_in, pattern):
    for username in ("officer1", "inspector", "counsel", "requester"):
        answer = signed_in(username).get(address(pattern))
        assert answer.status_code in {403, 404, 405}
        assert "<h1" in answer.content.decode()
