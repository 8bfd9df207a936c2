"""The API as an agency's system meets it: rights, problems, pages, keys against repetition."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import time
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from doors import ROWS, SITE

BASE = "/api/v1"
PRIVATE = [
    "/submissions",
    "/submissions/ICE-1",
    "/submissions/ICE-1/receipt",
    "/submissions/ICE-1/answers",
    "/submissions/ICE-1/releases",
    "/submissions/ICE-1/releases/rel-none",
    "/submissions/ICE-1/answers/file",
    "/submissions/ICE-1/answers/signature",
    "/submissions/ICE-1/faults",
    "/submissions/ICE-1/faults/file",
    "/trust",
    "/notices",
]


def problem(answer, status: int) -> dict:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert set(body) == {"type", "title", "status", "detail"}
    return body


@pytest.mark.parametrize("path", PRIVATE)
def test_without_a_key_nothing_private_is_answered(site, path):
    from django.test import Client

    answer = Client().get(BASE + path)
    problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    problem(Client(headers={"authorization": "Bearer gk_wrong"}).get(BASE + path), 401)


@pytest.mark.parametrize("path", [path for path in PRIVATE if "ICE-1" in path])
def test_another_agencys_submission_is_answered_like_none(call, path):
    theirs, nowhere = call("stranger").get(BASE + path), call("stranger").get(BASE + path.replace("ICE-1", "ICE-9"))
    assert problem(theirs, 404) == problem(nowhere, 404)


def test_a_role_without_an_agency_gets_nothing(call):
    for path in PRIVATE[:1]:
        problem(call("officer1").get(BASE + path), 403)


def test_an_expired_key_opens_nothing(call):
    from django.utils import timezone

    from gatehouse.console.models import Key

    client = call("requester")
    assert client.get(f"{BASE}/submissions").status_code == 200
    Key.objects.all().update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    problem(client.get(f"{BASE}/submissions"), 401)


def test_pages_of_answers_join_to_the_whole_file(call):
    client, seen, after = call("requester"), [], ""
    while True:
        page = client.get(f"{BASE}/submissions/ICE-1/answers", {"after": after, "limit": 170}).json()
        seen += [(item["request_id"], item["outcome"], ";".join(item["codes"]), item["text"]) for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    rows = csv.DictReader((SITE.dockets / "ICE-1" / "answers.csv").open())
    assert seen == sorted((row["request_id"], row["outcome"], row["codes"], row["text"]) for row in rows)
    assert len(seen) == ROWS


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", ""])
def test_a_wrong_limit_is_a_problem_that_names_its_place(call, limit):
    body = problem(call("requester").get(f"{BASE}/submissions/ICE-1/answers?limit={limit}"), 422)
    assert "limit" in body["detail"]


@pytest.mark.parametrize("name", ["..", "%2e%2e", "ICE-1%2f..%2fDOJ-1", "a" * 200, "ICE-1\u0000", "ICE 1"])
def test_a_name_is_never_a_path(call, name):
    assert call("requester").get(f"{BASE}/submissions/{name}/receipt").status_code in {404, 422}


def zipped(files: dict[str, bytes]) -> SimpleUploadedFile:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # the same bytes at any second
    return SimpleUploadedFile("submission.zip", data.getvalue(), "application/zip")


def settled(client, identifier: str) -> dict:
    for _ in range(200):
        found = client.get(f"{BASE}/submissions/{identifier}").json()
        if found["state"] not in {"checking", "deciding"}:
            return found
        time.sleep(0.05)
    raise AssertionError("never settled")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"notes.txt": b"hello"}, "submission.json"),
        ({"submission.json": b"{"}, "submission.json"),
        ({"../submission.json": b"{}"}, ""),
        ({"submission.json": b"[" * 100_000}, "submission.json"),
    ],
    ids=["no-manifest", "not-json", "climbing-path", "deep"],
)
def test_what_is_no_submission_is_refused_whole_with_a_reason(call, files, says):
    client = call("requester")
    answer = client.post(
        f"{BASE}/submissions", {"file": zipped(files)}, headers={"idempotency-key": f"refused-{len(str(files))}"}
    )
    assert answer.status_code == 202
    found = settled(client, answer.json()["id"])
    assert found["state"] == "refused"
    assert says in found["message"]
    problem(
        client.post(f"{BASE}/submissions/{found['id']}/send", headers={"idempotency-key": "send-it-anyway"}),
        409,
    )
    problem(call("stranger").get(f"{BASE}/submissions/{found['id']}"), 404)


def test_bytes_that_are_no_zip_are_refused_whole(call):
    client = call("requester")
    upload = SimpleUploadedFile("x.zip", b"MZ\x00not a zip", "application/zip")
    answer = client.post(f"{BASE}/submissions", {"file": upload}, headers={"idempotency-key": "not-a-zip-1"})
    assert settled(client, answer.json()["id"])["state"] == "refused"


def test_the_same_key_does_the_same_thing_once(call):
    from gatehouse.console.models import Arrival

    client, headers = call("requester"), {"idempotency-key": "once-and-only-once"}
    before = Arrival.objects.count()
    first = client.post(f"{BASE}/submissions", {"file": zipped({"a.txt": b"1"})}, headers=headers)
    again = client.post(f"{BASE}/submissions", {"file": zipped({"a.txt": b"1"})}, headers=headers)
    assert first.status_code == 202
    assert again.json()["id"] == first.json()["id"]
    assert Arrival.objects.count() == before + 1
    other = client.post(f"{BASE}/submissions", {"file": zipped({"a.txt": b"2"})}, headers=headers)
    problem(other, 409)
    settled(client, first.json()["id"])


def test_without_an_idempotency_key_nothing_is_taken(call):
    body = problem(call("requester").post(f"{BASE}/submissions", {"file": zipped({"a.txt": b"1"})}), 422)
    assert "Idempotency-Key" in body["detail"]


def test_the_checkpoint_is_the_one_in_the_ledger(site):
    from django.test import Client

    found = Client().get(f"{BASE}/ledger").json()
    assert found["note"] == (SITE.ledger / "checkpoint").read_text()
    assert found["origin"] == SITE.name
    assert len(found["root"]) == 64


def test_the_description_is_openapi_31_and_names_every_problem(site):
    from django.test import Client

    described = json.loads(Client().get(f"{BASE}/openapi.json").content)
    assert described["openapi"].startswith("3.1")
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            assert "404" in operation["responses"], (path, method)


def test_what_was_checked_and_not_sent_can_be_withdrawn_and_nothing_of_it_stays(call):
    from gatehouse.console.models import Arrival

    client = call("requester")
    made = client.post(
        f"{BASE}/submissions", {"file": zipped({"a.txt": b"2"})}, headers={"idempotency-key": "to-withdraw"}
    )
    name = made.json()["id"]
    assert settled(client, name)["state"] == "refused"
    assert client.get(f"{BASE}/submissions/{name}/faults").json() == {"total": 0, "items": [], "next": None}
    problem(client.get(f"{BASE}/submissions/{name}/faults/file"), 404)
    kept = SITE.root / "inbox" / f"{name}.zip"
    headers = {"idempotency-key": "withdraw-it"}
    problem(call("stranger").post(f"{BASE}/submissions/{name}/withdraw", headers=headers), 404)
    assert client.post(f"{BASE}/submissions/{name}/withdraw", headers=headers).json() == {"id": name}
    assert client.post(f"{BASE}/submissions/{name}/withdraw", headers=headers).json() == {"id": name}
    problem(client.get(f"{BASE}/submissions/{name}"), 404)
    assert not kept.exists()
    assert not Arrival.objects.filter(identifier=name).exists()
    again = client.post(
        f"{BASE}/submissions", {"file": zipped({"a.txt": b"2"})}, headers={"idempotency-key": "to-withdraw"}
    )
    assert again.json()["id"] != name  # an answer that was kept for a repeated request never names what is gone
    settled(client, again.json()["id"])


def test_nobody_withdraws_what_another_agency_sent(call):
    headers = {"idempotency-key": "withdraw-late"}
    problem(call("stranger").post(f"{BASE}/submissions/ICE-1/withdraw", headers=headers), 404)
    assert not (SITE.dockets / "ICE-1" / "events" / "withdrawal.json").exists()


def test_a_key_reads_no_trust_without_the_scope(call):
    client = call("requester", ["agency:submission:read"])
    for path in ("/trust", "/notices"):
        problem(client.get(BASE + path), 403)
