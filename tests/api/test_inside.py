"""The API for the custodian's, counsel's and inspectors' programs: exactly what the console allows each account."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from doors import ACCOUNTS, SITE

from gatehouse.api.endpoints import api
from gatehouse.console.permissions import GRANTS, Permission
from gatehouse.ledger.note import sign_detached
from gatehouse.ledger.signers import read_signer
from gatehouse.site.roles import Role

BASE = "/api/v1"
JOBS = "/work"
READS = {
    "/dockets": Permission.CUSTODIAN_DOCKET_READ,
    "/dockets/ICE-1": Permission.CUSTODIAN_DOCKET_READ,
    "/dockets/ICE-1/queue": Permission.CUSTODIAN_CASE_READ,
    "/dockets/ICE-1/cases/8": Permission.CUSTODIAN_CASE_READ,
    "/law": Permission.CUSTODIAN_LAW_READ,
    "/law/us.irs.6103-i-2": Permission.CUSTODIAN_LAW_READ,
    "/halts": Permission.OVERSIGHT_DOCKET_COUNT,
    "/halts/waiting": Permission.OVERSIGHT_DOCKET_COUNT,
    "/drafts": Permission.CUSTODIAN_LAW_SIGN,
    "/drafts/draft-none": Permission.CUSTODIAN_LAW_SIGN,
    "/dockets/ICE-1/replay/R-0000008": Permission.OVERSIGHT_CASE_REPLAY,
    "/dockets/ICE-1/accounted": Permission.OVERSIGHT_LEDGER_VERIFY,
    "/ledger/verification": Permission.OVERSIGHT_LEDGER_VERIFY,
    "/access": Permission.OVERSIGHT_ACCESS_READ,
    "/reports": Permission.OVERSIGHT_DOCKET_COUNT,
    "/reports/report-none": Permission.OVERSIGHT_DOCKET_COUNT,
    f"{JOBS}/task-none": Permission.OVERSIGHT_DOCKET_COUNT,
}
MADE_UP = {"/dockets/ICE-1/accounted"}
"""What the doors' made-up dockets do not hold out; tests/api/test_live.py asks it of real ones."""
WRITES = {
    "/dockets/ICE-1/decisions/draft": Permission.CUSTODIAN_CASE_DECIDE,
    "/dockets/ICE-1/decisions": Permission.CUSTODIAN_CASE_DECIDE,
    "/dockets/ICE-1/decisions/bulk": Permission.CUSTODIAN_CASE_DECIDE,
    "/dockets/ICE-1/recalls": Permission.CUSTODIAN_CASE_DECIDE,
    "/halts": Permission.OVERSIGHT_HALT_SIGN,
    "/drafts": Permission.CUSTODIAN_LAW_SIGN,
    "/drafts/draft-none/signatures": Permission.CUSTODIAN_LAW_SIGN,
    "/drafts/draft-none/adoption": Permission.CUSTODIAN_LAW_SIGN,
    "/drafts/draft-none/entry": Permission.CUSTODIAN_CASE_DECIDE,
    "/reports": Permission.OVERSIGHT_DOCKET_COUNT,
}
FORMS = {
    "/dockets/ICE-1/decisions/draft": {"action": "refuse", "requests": ["R-0000008"], "reason": "Nobody on file fits."},
    "/dockets/ICE-1/decisions": {"text": "{}", "signature": "none", "requests": ["R-0000008"]},
    "/dockets/ICE-1/decisions/bulk": {"action": "refuse", "state": "held", "reason": "Nobody on file fits."},
    "/dockets/ICE-1/recalls": {"kind": "requests", "requests": ["R-0000008"], "reason": "Nobody on file fits."},
    "/halts": {"action": "halt", "scope": "agency ../x", "reason": "A finding."},
    "/drafts": {"file": ContentFile(b"", name="pack.zip")},
    "/drafts/draft-none/signatures": {"signatures": ["none"]},
    "/drafts/draft-none/adoption": {},
    "/drafts/draft-none/entry": {},
    "/reports": {"report": "none"},
}
OWN = {"/steps/{step}", "/steps/{step}/marks", "/steps/{step}/signatures"}
"""What only the account that began it reaches; tests/api/test_signing.py walks these."""


def test_every_operation_of_the_inside_is_walked():
    inside = {path for path in api.get_openapi_schema()["paths"] if not path.startswith((f"{BASE}/submissions",))}
    walked = {path.replace("ICE-1", "{docket}") for path in (*READS, *WRITES)}
    named = {"{docket}/cases/8": "{docket}/cases/{seq}", "replay/R-0000008": "replay/{asked}", "/law/us.irs.6103-i-2":
             "/law/{pack}", "report-none": "{name}", "task-none": "{name}", "draft-none": "{draft}"}  # fmt: skip
    for given, path in named.items():
        walked = {one.replace(given, path) for one in walked}
    public = {"/ledger", "/ledger/witnesses", "/ledger/files/{file}", "/trust", "/notices"}
    assert {path.removeprefix(BASE) for path in inside} == walked | public | OWN


@pytest.mark.parametrize("path", sorted(READS))
@pytest.mark.parametrize("username", sorted(set(ACCOUNTS) - {"officer2", "unlinked", "stranger"}))
def test_a_role_reads_exactly_what_the_console_shows_it(call, path, username):
    granted = READS[path] in GRANTS[Role(ACCOUNTS[username][0])]
    answer = call(username).get(BASE + path)
    assert (answer.status_code == 403) == (not granted), answer.content
    assert answer.status_code in {200, 403} or path.endswith("-none") or path in MADE_UP


@pytest.mark.parametrize("path", sorted(WRITES))
@pytest.mark.parametrize("username", sorted(set(ACCOUNTS) - {"officer2", "unlinked", "stranger"}))
def test_a_role_does_exactly_what_the_console_lets_it(call, path, username):
    granted = WRITES[path] in GRANTS[Role(ACCOUNTS[username][0])]
    answer = call(username).post(BASE + path, FORMS[path])
    assert (answer.status_code == 403) == (not granted), answer.content
    assert answer.status_code < 500


def test_a_key_without_the_scope_reads_nothing_whatever_the_role(call):
    client = call("inspector", [Permission.OVERSIGHT_LEDGER_VERIFY])
    assert client.get(f"{BASE}/ledger/verification").status_code == 200
    assert client.get(f"{BASE}/access").status_code == 403


def test_a_case_that_was_read_is_on_record(call):
    from gatehouse.console.models import Opening

    before = Opening.objects.filter(docket="ICE-1", seq=9, account__username="officer1").count()
    found = call("officer1").get(f"{BASE}/dockets/ICE-1/cases/9").json()
    assert found["seq"] == 9
    assert found["candidates"]
    assert Opening.objects.filter(docket="ICE-1", seq=9, account__username="officer1").count() == before + 1
    assert call("inspector").get(f"{BASE}/dockets/ICE-1/cases/9").status_code == 403


def test_an_officer_decides_with_the_officers_own_key_alone(call):
    client = call("officer1")
    [first, second] = client.get(f"{BASE}/dockets/ICE-1/queue", {"limit": 2}).json()["items"]
    told = {"requests": [first["request_id"]], "action": "refuse", "reason": "Nobody on file is the person named."}
    draft = client.post(f"{BASE}/dockets/ICE-1/decisions/draft", told).json()
    assert draft["cases"] == [first["seq"]]
    given = {"text": draft["text"], "requests": told["requests"]}
    other = sign_detached(draft["text"].encode(), read_signer(SITE.root.parent / "do-2.key"))
    assert client.post(f"{BASE}/dockets/ICE-1/decisions", {**given, "signature": other}).status_code == 409
    signed = {**given, "signature": sign_detached(draft["text"].encode(), read_signer(SITE.root.parent / "do-1.key"))}
    assert call("officer2").post(f"{BASE}/dockets/ICE-1/decisions", signed).status_code == 409
    elsewhere = {**signed, "requests": [second["request_id"]]}
    assert client.post(f"{BASE}/dockets/ICE-1/decisions", elsewhere).status_code == 409
    before = client.get(f"{BASE}/dockets/ICE-1").json()["states"]["held"]
    answer = client.post(f"{BASE}/dockets/ICE-1/decisions", signed)
    assert (answer.status_code, answer.json()) == (200, {"action": "refuse", "cases": 1})
    assert client.get(f"{BASE}/dockets/ICE-1").json()["states"]["held"] == before - 1
    assert client.post(f"{BASE}/dockets/ICE-1/decisions", signed).status_code == 409  # it has moved on


def test_a_program_of_no_agency_learns_no_personal_data_it_may_not_read(call):
    asked = call("officer1").get(f"{BASE}/dockets/ICE-1/cases/8").json()["request"]
    secret = {asked[column] for column in ("last_name", "address_line1", "tin", "birth_date") if asked.get(column)}
    assert secret
    for username in ("counsel", "inspector", "auditor"):
        for path, permission in READS.items():
            if permission in GRANTS[Role(ACCOUNTS[username][0])] and not path.endswith("-none"):
                shown = call(username).get(BASE + path).content.decode()
                assert not {one for one in secret if one in shown}, (username, path)
