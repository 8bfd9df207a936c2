"""Whatever is sent, the answer below /api/ is a problem that says what to do; and nothing is kept of it."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from doors import SITE

BASE = "/api/v1"
KINDS = {400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503}


def problem(answer, status: int) -> dict:
    assert answer.status_code == status, answer.content[:300]
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = json.loads(answer.content)
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["status"] == status
    assert body["title"]
    return body


UPLOAD = {"file": SimpleUploadedFile("x.zip", b"zip", "application/zip")}
ONCE = {"idempotency-key": "bad-input-1"}
CASES = {
    "no such address": ("get", "/nothing", {}, 404),
    "no such version": ("get", "/../v9/submissions", {}, 404),
    "a method not taken": ("delete", "/submissions", {}, 405),
    "a method nobody knows": ("generic", "/submissions", {"method": "BREW"}, 405),
    "a body of JSON": (
        "post",
        "/submissions",
        {"data": "{}", "content_type": "application/json"},
        415,
    ),
    "a body of XML": ("post", "/submissions", {"data": "<a/>", "content_type": "text/xml", "headers": ONCE}, 415),
    "a bare zip": ("post", "/submissions", {"data": b"PK", "content_type": "application/zip", "headers": ONCE}, 415),
    "a form without its file": ("post", "/submissions", {"data": {"other": "1"}, "headers": ONCE}, 422),
    "a text for a file": ("post", "/submissions", {"data": {"file": "x"}, "headers": ONCE}, 422),
    "no idempotency key": ("post", "/submissions", {"data": {"file": b""}}, 422),
    "a short idempotency key": ("post", "/submissions", {"headers": {"idempotency-key": "x"}}, 422),
    "an idempotency key not ASCII": (
        "post",
        "/submissions",
        {"headers": {"idempotency-key": "twelve\u00e9signs"}},
        422,
    ),
    "a boundary that never comes": (
        "post",
        "/submissions",
        {"data": b"--x\r\n", "content_type": "multipart/form-data; boundary=" + "y" * 500, "headers": ONCE},
        400,
    ),
    "a form in an unknown encoding": (
        "generic",
        "/submissions",
        {"method": "POST", "data": b"--x--", "content_type": "multipart/form-data; boundary=x; charset=utf-99"},
        422,
    ),
    "a path in a name": ("get", "/submissions/..%2f..%2fkeys/receipt", {}, 404),
    "a name with an end": ("get", "/submissions/ICE-1%00", {}, 404),
    "a number that is none": ("get", "/submissions/ICE-1/answers?limit=1e3", {}, 422),
    "a file outside the log": ("get", "/ledger/files/../keys/log.key", {}, 404),
    "a file that hides": ("get", "/ledger/files/.hidden", {}, 404),
    "a package that is none": ("get", "/submissions/ICE-1/releases/rel-none", {}, 404),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_error_is_a_problem(call, case):
    from gatehouse.console.models import Arrival, Repeat

    method, path, given, status = case
    client, before = call("requester"), (Arrival.objects.count(), Repeat.objects.count())
    given = dict(given)
    if method == "generic":
        answer = client.generic(given.pop("method"), BASE + path, **given)
    else:
        answer = getattr(client, method)(BASE + path, **given)
    body = problem(answer, status)
    if status == 405:
        assert "GET" in answer.headers["Allow"]
    assert str(SITE.root) not in json.dumps(body)
    assert (Arrival.objects.count(), Repeat.objects.count()) == before


def test_a_body_above_the_limit_is_refused_before_it_is_read(call, site):
    from django.test import override_settings

    with override_settings(GATEHOUSE_UPLOAD_LIMIT=1000):
        big = SimpleUploadedFile("x.zip", b"0" * 2000, "application/zip")
        problem(call("requester").post(f"{BASE}/submissions", {"file": big}, headers=ONCE), 413)
        page = Client().post("/submissions/new/", {"file": SimpleUploadedFile("x.zip", b"0" * 2000)})
        assert page.status_code == 413
        assert "too large" in page.content.decode()


def test_a_form_without_files_is_small(site):
    answer = Client().post("/sign-in/", {"username": "x" * (9 << 20)})
    assert answer.status_code == 413


def test_who_calls_too_often_is_told_when_to_come_back(call, monkeypatch):
    from gatehouse.console import limits
    from gatehouse.console.models import Calls

    Calls.objects.all().delete()
    monkeypatch.setattr(limits, "limit", lambda name: 3)
    client = call("requester")
    for _ in range(3):
        assert client.get(f"{BASE}/submissions").status_code == 200
    answer = client.get(f"{BASE}/submissions")
    problem(answer, 429)
    assert answer.headers["Retry-After"] == "60"
    assert call("stranger").get(f"{BASE}/submissions").status_code == 200  # another account is not held up


def test_wrong_keys_from_one_address_are_held_up_and_right_ones_not(call, monkeypatch):
    from gatehouse.console import limits
    from gatehouse.console.models import Calls

    Calls.objects.all().delete()
    monkeypatch.setattr(limits, "limit", lambda name: 3)
    guess = Client(headers={"authorization": "Bearer gk_guess"})
    assert [guess.get(f"{BASE}/submissions").status_code for _ in range(5)] == [401, 401, 401, 429, 429]
    assert call("requester").get(f"{BASE}/submissions").status_code == 200


def test_too_many_uploads_are_a_problem_and_nothing_is_kept(call, monkeypatch):
    from gatehouse.console import limits
    from gatehouse.console.models import Arrival

    monkeypatch.setattr(limits, "limit", lambda name: 0 if name == "uploads_an_hour" else 1000)
    before = Arrival.objects.count()
    upload = SimpleUploadedFile("x.zip", b"zip", "application/zip")
    answer = call("requester").post(f"{BASE}/submissions", {"file": upload}, headers={"idempotency-key": "too-many-1"})
    problem(answer, 429)
    assert Arrival.objects.count() == before


def test_a_failure_of_the_machine_is_a_problem_without_details(call, monkeypatch):
    from gatehouse.console import figures

    def fail(*_):
        raise ZeroDivisionError("7 years of secrets")

    monkeypatch.setattr(figures, "received_at", fail)
    client = call("requester")
    client.raise_request_exception = False
    body = problem(client.get(f"{BASE}/submissions"), 500)
    assert "secret" not in json.dumps(body)


def test_a_key_does_only_what_it_is_scoped_for(call):
    reads = call("requester", ["agency:submission:read"])
    assert reads.get(f"{BASE}/submissions").status_code == 200
    for answer in (
        reads.get(f"{BASE}/submissions/ICE-1/releases"),
        reads.post(f"{BASE}/submissions", {"file": SimpleUploadedFile("x.zip", b"zip")}, headers=ONCE),
    ):
        assert "agency:" in problem(answer, 403)["title"]


@pytest.mark.parametrize(
    ("scopes", "days", "name"),
    [
        (["custodian:account:manage"], 1, "x"),
        (["agency:submission:read", "custodian:case:read"], 1, "x"),
        ([], 1, "x"),
        (["agency:submission:read"], 0, "x"),
        (["agency:submission:read"], 91, "x"),
        (["agency:submission:read"], 1, ""),
        (["agency:submission:read"], 1, "x" * 65),
    ],
)
def test_a_key_that_could_do_more_or_last_longer_is_not_made(site, scopes, days, name):
    from gatehouse.console import tokens
    from gatehouse.console.models import Account, Key
    from gatehouse.kernel.errors import WrongInput

    account, before = Account.objects.get(username="requester"), Key.objects.count()
    with pytest.raises(WrongInput):
        tokens.make(account, name, scopes, days, account)
    assert Key.objects.count() == before


def test_a_key_can_no_more_than_its_account_can_now(call, site):
    from gatehouse.console.models import Account

    client = call("requester")
    Account.objects.filter(username="requester").update(is_active=False)
    try:
        problem(client.get(f"{BASE}/submissions"), 401)
    finally:
        Account.objects.filter(username="requester").update(is_active=True)


def test_the_administrator_makes_a_key_on_record_and_it_is_shown_once(site):
    import re

    from gatehouse.console.models import Account, Key

    client = Client()
    client.force_login(Account.objects.get(username="administrator"))
    form = {"act": "make-key", "name": "nightly", "scope": ["agency:submission:read"], "days": "30"}
    before = len(list(SITE.events.glob("key_made*")))
    page = client.post("/accounts/requester/", form).content.decode()
    made = re.search(r'id="made-key">(gk_[\w-]+)<', page)[1]
    assert Client(headers={"authorization": f"Bearer {made}"}).get(f"{BASE}/submissions").status_code == 200
    assert made not in client.get("/accounts/requester/").content.decode()
    assert not Key.objects.filter(digest__contains=made).exists()
    assert len(list(SITE.events.glob("key_made*"))) == before + 1
    kept = "".join(path.read_text() for path in SITE.events.glob("key_made*"))
    assert made not in kept
    client.post("/accounts/requester/", {"act": "end-key", "key": str(Key.objects.get(name="nightly").pk)})
    assert Client(headers={"authorization": f"Bearer {made}"}).get(f"{BASE}/submissions").status_code == 401


def test_an_agency_ends_its_own_keys_and_nobody_elses(site):
    from gatehouse.console import tokens
    from gatehouse.console.models import Account, Key

    mine, theirs = (Account.objects.get(username=name) for name in ("requester", "stranger"))
    tokens.make(theirs, "theirs", tokens.possible(theirs), 1, theirs)
    key = Key.objects.get(account=theirs, name="theirs")
    client = Client()
    client.force_login(mine)
    assert client.post("/keys/", {"end": str(key.pk)}).status_code == 404
    assert Key.objects.filter(pk=key.pk).exists()
    key.delete()
