"""Who may not send a body has none of it parsed or written to a disk, and what is not for everybody is not stored."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.test import Client, override_settings
from doors import PASSWORD

from gatehouse.console import bodies
from gatehouse.console.urls import urlpatterns

ROOT = Path(__file__).parents[2]


class Watched(FileUploadHandler):
    """An upload handler that nobody's body may reach."""

    seen = 0

    def receive_data_chunk(self, raw_data, start):
        Watched.seen += 1

    def file_complete(self, file_size):
        return None


@pytest.fixture
def watched(site):
    Watched.seen = 0
    with override_settings(
        FILE_UPLOAD_HANDLERS=[f"{__name__}.Watched", "django.core.files.uploadhandler.MemoryFileUploadHandler"]
    ):
        yield lambda: Watched.seen


def file() -> SimpleUploadedFile:
    return SimpleUploadedFile("x.zip", b"0" * 2000, "application/zip")


def guarded() -> list[str]:
    filled = {
        "name": "ICE-1",
        "seq": "8",
        "identifier": "us.irs.6103-i-2",
        "username": "counsel",
        "step": "s",
        "release": "r",
    }
    paths = []
    for pattern in urlpatterns:
        if pattern.callback.permission is not None:
            path = "/" + pattern.pattern._route
            for key, value in filled.items():
                for kind in ("str", "int", "path"):
                    path = path.replace(f"<{kind}:{key}>", value)
            paths.append(path)
    return paths


@pytest.mark.parametrize("checked", [False, True], ids=["no token", "token asked for"])
def test_nothing_of_a_strangers_body_is_parsed(watched, checked):
    client = Client(enforce_csrf_checks=checked)
    for path in guarded():
        answer = client.post(path, {"file": file()})
        assert answer.status_code in {302, 403, 404, 405}, path
        assert watched() == 0, path


def test_nothing_is_parsed_of_somebody_whose_role_may_not_send_it(watched):
    client = Client()
    assert client.login(username="inspector", password=PASSWORD)
    for path in ("/submissions/new/", "/submissions/ICE-1/returns/", "/law/drafts/"):
        assert client.post(path, {"file": file()}).status_code == 403
    assert watched() == 0


def test_nothing_is_parsed_without_a_key(watched, site):
    once = {"Idempotency-Key": "0123456789"}
    answer = Client().post("/api/v1/submissions", {"file": file()}, headers=once)
    assert (answer.status_code, watched()) == (401, 0)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_form_that_anybody_may_send_is_small(site):
    at, past = "x" * (bodies.STRANGER - 100), "x" * (bodies.STRANGER + 1)
    form = "application/x-www-form-urlencoded"
    assert Client().post("/sign-in/", f"username={at}", content_type=form).status_code != 413
    assert Client().post("/sign-in/", f"username={past}", content_type=form).status_code == 413


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        (None, "/submissions/new/", 401),
        ("inspector", "/submissions/new/", 403),
        ("requester", "/submissions/new/", 204),
        ("counsel", "/law/drafts/", 204),
        ("requester", "/law/drafts/", 403),
        (None, "/sign-in/", 204),
        ("requester", "/nothing/at/all/", 403),
        (None, "/api/v1/submissions", 401),
        (None, "", 403),
    ],
)
def test_who_may_send_is_told_to_the_server_in_front(site, who, path, status):
    client = Client()
    if who:
        assert client.login(username=who, password=PASSWORD)
    assert client.get("/may-send/", headers={"X-Original-URI": path}).status_code == status


def test_a_key_may_send_what_it_carries(site):
    from gatehouse.console import tokens
    from gatehouse.console.models import Account
    from gatehouse.console.permissions import Permission

    account = Account.objects.get(username="requester")
    for scope, status in ((Permission.AGENCY_SUBMISSION_SEND, 204), (Permission.AGENCY_SUBMISSION_READ, 403)):
        key = tokens.make(account, "t", [scope], 1, account)
        asked = {"X-Original-URI": "/api/v1/submissions", "Authorization": f"Bearer {key}"}
        assert Client().get("/may-send/", headers=asked).status_code == status


def test_what_is_not_for_everybody_is_never_stored(site):
    from gatehouse.console import tokens
    from gatehouse.console.models import Account

    account = Account.objects.get(username="requester")
    key = tokens.make(account, "t", tokens.possible(account), 1, account)
    for path in ("/api/v1/submissions", "/api/v1/submissions/none/receipt", "/api/v1/submissions/none/releases/r"):
        answer = Client(headers={"authorization": f"Bearer {key}"}).get(path)
        assert answer.headers["Cache-Control"] == "no-store", path
    for path in ("/statistics/", "/ledger/"):
        assert "Cache-Control" not in Client().get(path).headers, path


def test_the_limits_of_nginx_are_those_of_the_console(site):
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    sizes = {"1g": 1 << 30, "64m": 64 << 20, "64k": 64 << 10}
    found = re.findall(r"location (?:=|~) (\S+) \{[^}]*client_max_body_size (\w+);", text)
    found = [one for one in found if one[0] != "/may-send/"]  # asked of by nginx itself, without a body
    assert len(found) == 4
    with override_settings(GATEHOUSE_UPLOAD_LIMIT=1 << 30):
        for path, size in (("/submissions/new/", "1g"), ("/api/v1/submissions", "1g"), ("/law/drafts/", "64m"),
                           ("/submissions/X-1/returns/", "64m")):  # fmt: skip
            [named] = [kept for pattern, kept in found if re.fullmatch(pattern, path)]
            assert (named, bodies.most(path)) == (size, sizes[size])
        assert bodies.most("/accounts/") == bodies.FORM == 4 << 20
        assert "client_max_body_size 4m;" in text
        assert sizes["64k"] == bodies.STRANGER
