"""Every form of the console, sent by everybody who may send it, with what no browser sends: a page, never a fault.

On PostgreSQL too (test_postgres.py), which takes less than SQLite does: no NUL in a text, no number above its column.
"""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from doors import ACCOUNTS, SITE

from gatehouse.console.permissions import GRANTS, Permission
from gatehouse.console.urls import urlpatterns
from gatehouse.site.roles import Role

pytestmark = pytest.mark.slow

LONG = "9" * 5000
FIELDS = (
    "username", "password", "code", "next", "old", "new", "act", "name", "role", "agency", "officer", "scope", "days",
    "key", "end", "seq", "action", "state", "rule", "reason", "found", "body", "selection", "signature", "basis",
    "target", "statement", "cause", "requests", "file", "text", "entry", "index", "request", "docket", "until", "kind",
    "person", "tolerated", "confidence", "draw", "texts", "text-0", "signature-0",
)  # fmt: skip
NASTY = (
    "", "a\x00b", "-1", "18446744073709551616", "NaN", "<script>alert(1)</script>", "=HYPERLINK(1)",
    "../../keys/log.key", "\u202e\ufeff\U0001f600", '{"officer": {"$gt": ""}, "docket": []}', "[" * 2000, LONG,
)  # fmt: skip
FORMS = {
    "nothing": {},
    "a NUL in every field": dict.fromkeys(FIELDS, "a\x00b"),
    "a number above every column": dict.fromkeys(FIELDS, "18446744073709551616"),
    "more digits than a number may have": dict.fromkeys(FIELDS, LONG),
    "an exponent": dict.fromkeys(FIELDS, "1e999999999"),
    "something else in every field": {field: NASTY[place % len(NASTY)] for place, field in enumerate(FIELDS)},
    "and else again": {field: NASTY[(place * 5 + 3) % len(NASTY)] for place, field in enumerate(FIELDS)},
}
WHO = ["officer1", "requester", "counsel", "inspector", "auditor", "administrator"]
FILLED = {"name": "ICE-1", "seq": "8", "identifier": "us.irs.6103-i-2", "username": "counsel", "release": "rel-none"}


def address(pattern, filled: dict[str, str] = FILLED) -> str:
    return "/" + re.sub(r"<\w+:(\w+)>", lambda found: filled.get(found[1], "none"), pattern.pattern._route)


def may(username: str, pattern) -> bool:
    permission = pattern.callback.permission
    return not isinstance(permission, Permission) or permission in GRANTS[Role(ACCOUNTS[username][0])]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("username", WHO)
def test_no_form_fails_on_what_no_browser_sends(signed_in, monkeypatch, username, form):
    from gatehouse.console import limits
    from gatehouse.console.models import Account, FailedSignIn

    monkeypatch.setattr(limits, "BY_NAME", 1 << 30)
    monkeypatch.setattr(limits, "BY_ADDRESS", 1 << 30)
    before = sorted(Account.objects.values_list("username", "role", "agency", "is_active"))
    faults = []
    for pattern in urlpatterns:
        if pattern.name in {"sign-out", "sign-out-everywhere"} or not may(username, pattern):
            continue
        client = signed_in(username)
        client.raise_request_exception = False
        for answer in (client.post(address(pattern), form), client.get(address(pattern), form)):
            text = b"" if answer.streaming else answer.content
            if answer.status_code >= 500 and answer.status_code != 503:
                faults.append(f"{pattern.name}: {answer.status_code} {answer.wsgi_request.method}")
            if b"<script>alert(1)" in text:
                faults.append(f"{pattern.name}: markup")
            if str(SITE.root).encode() in text or b"PRIVATE+KEY" in text:
                faults.append(f"{pattern.name}: leaks a path or a key")
    FailedSignIn.objects.all().delete()
    assert not faults
    assert sorted(Account.objects.values_list("username", "role", "agency", "is_active")) == before


@pytest.mark.parametrize("value", ["a\x00b", "%2e%2e", "x" * 500])
@pytest.mark.parametrize("username", WHO)
def test_no_address_fails_on_a_strange_name(signed_in, username, value):
    client = signed_in(username)
    client.raise_request_exception = False
    for pattern in urlpatterns:
        if "<" in pattern.pattern._route and may(username, pattern):
            answer = client.get(address(pattern, dict.fromkeys(FILLED, value) | {"seq": "99999999999999999999"}))
            assert answer.status_code in {302, 400, 404, 405}, pattern.name


FILES = {
    "nothing": b"",
    "no zip": b"MZ\x90\x00",
    "half a zip": b"PK\x03\x04" + b"\x00" * 50,
    "a text in another encoding": "requéte".encode("utf-16"),
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_no_upload_fails(signed_in, data):
    for username, path in (
        ("requester", "/submissions/new/"),
        ("requester", "/submissions/ICE-1/returns/"),
        ("counsel", "/law/drafts/"),
    ):
        client = signed_in(username)
        client.raise_request_exception = False
        upload = SimpleUploadedFile("../../etc/passwd", data, "text/html")
        answer = client.post(path, {"file": upload, "text": SimpleUploadedFile("\x00.zip", data)})
        assert answer.status_code < 500, path
    decided = {"seq": "8", "action": "refuse", "reason": "The order of 5 February stops it."}
    said = {"action": "halt", "scope": "everything", "reason": "A finding."}
    for username, begun, form in (
        ("officer1", "/dockets/ICE-1/decide/", decided),
        ("inspector", "/oversight/halts/check/", said),
    ):
        client = signed_in(username)
        path = client.post(begun, form).headers["Location"]
        client.raise_request_exception = False
        answer = client.post(path, {"signatures": SimpleUploadedFile("x.sig", data)})
        assert 400 <= answer.status_code < 500, path
