"""Signing in at a real OpenID Connect provider, in Chromium, with the site's work in PostgreSQL.

The provider is django-oauth-toolkit in a process of its own; the product is its own `serve`, in another.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import duckdb
import provider as known
import pyotp
import pytest
import requests
import server
import serving
from browsing import picture

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.slow]

LOCAL = "seven quiet herons"
REASON = "I compared the file with the request and both name the same person."
CONFIGURATION = """
[sign_in]
passwords = true
second_factor = ["disclosure_officer", "administrator"]

[oidc]
issuer = "{issuer}"
client_id = "{client}"
client_secret_file = "keys/oidc.secret"
role_claim = "groups"
officer_claim = "employee"
called = "the Test Office"

[oidc.roles]
"disclosure-officers" = "disclosure_officer"
"auditors" = "auditor"
"ice-requesters" = {{role = "requester", agency = "us.dhs.ice"}}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[SimpleNamespace]:
    import journey_site
    from django.test import override_settings

    from gatehouse.cli import web
    from gatehouse.console import accounts
    from gatehouse.pipeline.site import open_site

    root = tmp_path_factory.mktemp("sso")
    port, provider_port = serving.free_port(), serving.free_port()
    with pytest.MonkeyPatch.context() as patch, server.postgres() as database:
        patch.setenv("GATEHOUSE_NOW", "2025-08-07T14:00:00Z")
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the browser's driver keeps a loop in this thread
        site = journey_site.build(root)
        back = f"http://localhost:{port}/sso/back/"
        with serving.provider(root / "provider", provider_port, back) as issuer:
            text = site.configuration.path.read_text().replace("sqlite:///gatehouse.sqlite3", database)
            site.configuration.path.write_text(text + CONFIGURATION.format(issuer=issuer, client=known.CLIENT))
            (site.keys / "oidc.secret").write_text(known.SECRET)
            site = open_site(site.root)
            web.configure(site)
            with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"]):
                accounts.create("alma", name="Alma Diaz", role="administrator", password=LOCAL)
            docket = journey_site.carry(site, root / "first.zip")
            with serving.gatehouse(site.root, port) as address:
                yield SimpleNamespace(address=address, provider=issuer, site=site, docket=docket, root=root)
        from django.db import connections

        connections.close_all()


@pytest.fixture
def browser(served, chromium):
    contexts = []

    def open_one():
        context = chromium.new_context(base_url=served.address, viewport={"width": 1200, "height": 900})
        contexts.append(context)
        return context.new_page()

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(autouse=True)
def pointed(served, chromium):
    """This process looks into the served site's database, also where the browser's driver keeps a loop."""
    from gatehouse import store

    store.configure(served.site.database)


def arrive(page, username: str, *, admitted: bool = True) -> None:
    """Sign in at the provider and come back, with or without success; an officer confirms what waits for one."""
    page.goto("/sign-in/")
    page.click("text=Sign in with the Test Office")
    if "/login/" in page.url:  # the provider remembers who has signed in there
        page.fill("#id_username", username)
        page.fill("#id_password", known.PASSWORD)
        page.click("button")
    page.wait_for_url(lambda address: "/o/" not in address and "/login/" not in address)
    if admitted and page.url.endswith("/sso/waiting/"):
        confirm(page.inner_text("main code"))
        page.click("main >> text=Sign in with the Test Office")
        page.wait_for_url(lambda address: "/sso/" not in address)


def confirm(reference: str) -> None:
    """An officer of the roster, never the person's own, signs for what waits."""
    from gatehouse.casework.statement import sign as signed
    from gatehouse.console import desk, proposals
    from gatehouse.console.models import Proposal
    from gatehouse.kernel import clock
    from gatehouse.ledger.signers import read_signer

    found, now = Proposal.objects.get(username=reference), clock.now()
    officer = "do-1" if found.officer == "do-2" else "do-2"
    body = proposals.statement_body(found, officer, now)
    proposals.confirm(found, signed(body, read_signer(desk.site().root.parent / f"{officer}.key")), now)


def regroup(served, username: str, groups: str) -> None:
    requests.post(f"{served.provider.removesuffix('/o')}/people/{username}", data={"groups": groups}, timeout=10)


def check(page, name: str) -> None:
    """A picture, and no fault that axe finds."""
    from axe_playwright_python.sync_playwright import Axe

    picture(page, name)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    assert not [(fault["id"], fault["nodes"][0]["html"][:120]) for fault in found.response["violations"]]


def approve(page, case: str, key: Path) -> None:
    page.goto(case)
    page.click("label[for=action-approve]")
    page.fill("#reason", REASON)
    page.click("text=Check and sign")
    page.wait_for_selector("h1:has-text('Check and sign')")
    sign(page, key)
    page.wait_for_selector("text=It is on record")


def sign(page, key: Path) -> None:
    """Sign what is shown with a key file of one's own, in the browser."""
    page.set_input_files("#key", {"name": "my.key", "mimeType": "text/plain", "buffer": Path(key).read_bytes()})
    page.click("#sign-own")


def test_two_officers_of_the_provider_approve_with_four_eyes(served, browser):
    from gatehouse.casework.states import State
    from gatehouse.store.casebook import Casebook

    ana, brian = browser(), browser()
    ana.goto("/sign-in/")
    check(ana, "sign-in-sso")
    sent = []
    ana.on("request", lambda request: sent.append(request.url) if "/o/authorize" in request.url else None)
    arrive(ana, "ana", admitted=False)
    assert "Your account waits for an officer" in ana.inner_text("h1")
    assert "do-1" in ana.inner_text("main")
    check(ana, "sso-waiting")
    ana.goto("/dockets/")
    assert "/sign-in/" in ana.url
    arrive(ana, "ana")
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(sent[0]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["state"]
    assert asked["nonce"]
    assert "Signed in as Ana Ruiz, disclosure officer" in ana.inner_text("body")
    arrive(brian, "brian")
    case = next(iter(Casebook().board(served.docket).states[State.CLEARED]))
    address = f"/dockets/{served.docket}/cases/{case}/"
    approve(ana, address, served.root / "do-1.key")
    assert "Approved by one officer" in ana.content()
    approve(brian, address, served.root / "do-2.key")
    assert "Approved by two officers" in brian.content()


def test_a_person_without_a_part_or_with_two_does_not_come_in(served, browser):
    from gatehouse.console import sso
    from gatehouse.console.models import Account

    for username, says in (("guest", sso.NONE), ("both", sso.SEVERAL)):
        page = browser()
        arrive(page, username)
        assert says in page.inner_text("main")
        page.goto("/dockets/")
        assert "/sign-in/" in page.url
    assert set(Account.objects.exclude(subject="").values_list("name", flat=True)) <= {"Ana Ruiz", "Brian Cole"}


def test_an_agency_of_the_provider_reaches_its_own_pages_only(served, browser):
    page = browser()
    arrive(page, "desk")
    assert "requesting agency (us.dhs.ice)" in page.inner_text("body")
    assert page.goto("/submissions/").status == 200
    assert page.goto("/dockets/").status == 403


def test_what_they_approved_is_released_and_recalled(served, browser):
    """On from the approvals above: the provider's people release, and one of them takes it back with an own key."""
    from gatehouse.store.shelf import Shelf

    ana, brian, desk = browser(), browser(), browser()
    for page, username in ((ana, "ana"), (brian, "brian"), (desk, "desk")):
        arrive(page, username)
    brian.goto(f"/dockets/{served.docket}/")
    brian.click("text=Release what two officers approved")
    brian.wait_for_selector("text=sealed package", timeout=120_000)
    [record] = Shelf().releases(served.docket)
    assert record.published_at is not None
    ana.goto(f"/dockets/{served.docket}/recall/")
    table = served.site.dockets / served.docket / "determinations.parquet"
    with duckdb.connect() as connection:
        asked = f"SELECT request_id FROM read_parquet('{table}') WHERE seq = {next(iter(record.cases))}"
        [(wrong,)] = connection.execute(asked).fetchall()
    ana.click("label[for=kind-requests]")
    ana.fill("#requests", wrong)
    ana.fill("#reason", "The person released is not the one the request names.")
    ana.click("text=Show what would be recalled")
    ana.wait_for_selector("text=Packages that are recalled")
    sign(ana, served.root / "do-1.key")
    ana.wait_for_selector("text=The incident report is due", timeout=60_000)
    desk.goto(f"/submissions/{served.docket}/?officer={record.officer}")
    assert "Stop every use" in desk.inner_text("main")


def test_a_role_is_read_again_at_each_sign_in_and_the_old_sessions_end(served, browser):
    from gatehouse.console.models import Account

    before, after = browser(), browser()
    arrive(before, "brian")
    assert before.goto("/dockets/").status == 200
    recorded = len(list(served.site.events.glob("role_changed*")))
    try:
        regroup(served, "brian", "auditors")
        arrive(after, "brian")
        assert "auditor" in after.inner_text("body")
        assert after.goto("/law/").status == 403
        before.goto("/dockets/")
        assert "/sign-in/" in before.url
        regroup(served, "brian", "")
        refused = browser()
        arrive(refused, "brian")
        assert "gives you no part here" in refused.inner_text("main")
        after.goto("/oversight/")
        assert "/sign-in/" in after.url
        assert Account.objects.exclude(subject="").get(name="Brian Cole").role == ""
        assert len(list(served.site.events.glob("role_changed*"))) == recorded + 3  # ended, confirmed, ended
    finally:
        regroup(served, "brian", "disclosure-officers")
    back = browser()
    arrive(back, "brian")
    assert back.goto("/dockets/").status == 200
    assert Account.objects.exclude(subject="").filter(name="Brian Cole").count() == 1


def test_an_answer_that_this_browser_did_not_ask_for_opens_nothing(served, browser):
    asking = requests.Session()
    onward = asking.get(f"{served.address}/sso/", allow_redirects=False, timeout=10).headers["Location"]
    form = asking.get(onward, timeout=10)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)[1]
    fields = {"csrfmiddlewaretoken": token, "username": "brian", "password": known.PASSWORD}
    answer = asking.post(form.url, data=fields, allow_redirects=False, timeout=10)
    back = asking.get(urllib.parse.urljoin(form.url, answer.headers["Location"]), allow_redirects=False, timeout=10)
    address = back.headers["Location"]
    assert "/sso/back/?code=" in address
    for case in (address, address.replace("/sso/back/", "/sign-in/"), address + "&error=access_denied"):
        page = browser()  # another browser, with this one's code and state
        page.goto(case)
        page.goto("/dockets/")
        assert "/sign-in/" in page.url
    smuggled = requests.post(
        address.replace("/sso/back/", "/sign-in/"), data={"username": "x", "password": "y"}, timeout=10
    )
    assert smuggled.status_code == 403  # no form's token, and no password's form takes a code
    assert asking.get(address, timeout=10).url.endswith("/dockets/")
    assert "could not be used" in asking.get(address, timeout=10).text  # never twice


def test_an_administrator_sets_up_a_second_factor_and_signs_in_with_it(served, browser):
    page = browser()

    def password() -> None:
        page.goto("/sign-in/")
        page.fill("#username", "alma")
        page.fill("#password", LOCAL)
        page.click("main form button")
        page.wait_for_url(lambda address: not address.endswith("/sign-in/"))

    password()
    page.goto("/accounts/")
    page.wait_for_selector("text=Your role needs a second factor")
    page.fill("#password", LOCAL)
    page.click("button:has-text('Set it up')")
    secret = page.inner_text("#secret")
    assert page.query_selector(".gh-qr svg path").bounding_box()["width"] > 100
    check(page, "second-factor-setting-up")
    page.fill("#code", pyotp.TOTP(secret).now())
    page.click("text=Confirm")
    page.wait_for_selector(".gh-codes code")
    codes = page.locator(".gh-codes code").all_inner_texts()
    check(page, "recovery-codes")
    page.click("text=I have kept them")
    page.wait_for_selector("h1:has-text('Accounts')")
    page.click("text=Sign out everywhere")
    password()
    page.wait_for_selector("h1:has-text('Your one-time code')")
    check(page, "one-time-code")
    page.fill("#code", codes[0])
    page.click("text=Go on")
    page.wait_for_selector("h1:has-text('Accounts')")
    page.goto("/second-factor/")
    assert "9 recovery codes left" in page.inner_text("main")
