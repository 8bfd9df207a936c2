"""Whole journeys in Chromium: officers with four eyes, a requester, an inspector; and every page for everybody.

`GATEHOUSE_SCREENSHOTS=DIR` keeps a picture of every page, as docs/screenshots has them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.browser

PASSWORD = "seven quiet herons"
PEOPLE = {
    "do-1": ("Ana Ruiz", "disclosure_officer", "", "do-1"),
    "do-2": ("Brian Cole", "disclosure_officer", "", "do-2"),
    "agency": ("Request desk", "requester", "us.dhs.ice", ""),
    "counsel": ("Carol Webb", "counsel", "", ""),
    "inspector": ("Ivan Petrov", "inspector", "", ""),
    "administrator": ("Alma Diaz", "administrator", "", ""),
}
REASON = "I compared the file with the request and both name the same person."


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """A real site with one docket, served by the product's own server on a free port."""
    import journey_site
    from waitress import create_server

    from gatehouse.cli import web
    from gatehouse.console import accounts

    root = tmp_path_factory.mktemp("journey")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEHOUSE_NOW", "2025-08-07T14:00:00Z")
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the browser's driver keeps a loop in this thread
        site = journey_site.build(root)
        application = web.application(site.root)
        for username, (name, role, agency, officer) in PEOPLE.items():
            accounts.create(username, name=name, role=role, agency=agency, officer=officer, password=PASSWORD)
        docket = journey_site.carry(site, root / "first.zip")
        server = create_server(application, host="127.0.0.1", port=0, threads=4)
        threading.Thread(target=server.run, daemon=True).start()
        yield SimpleNamespace(address=f"http://localhost:{server.effective_port}", site=site, docket=docket, root=root)
        server.close()


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def person(served, chromium):
    """Sign in as somebody in a browser of their own; console errors fail the test."""
    contexts, errors = [], []

    def arrive(username: str | None = None, width: int = 1200):
        context = chromium.new_context(viewport={"width": width, "height": 900}, base_url=served.address)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        if username:
            page.goto("/sign-in/")
            page.fill("#username", username)
            page.fill("#password", PASSWORD)
            page.click("main button")
            page.wait_for_load_state()
            assert "Signed in as" in page.content()
        return page

    yield arrive
    for context in contexts:
        context.close()
    unexpected = [text for text in errors if "status of 4" not in text]
    assert not unexpected


def first_case(served, state: str) -> str:
    from gatehouse.casework.states import State
    from gatehouse.store.casebook import Casebook

    return f"/dockets/{served.docket}/cases/{next(iter(Casebook().board(served.docket).states[State(state)]))}/"


def decide(page, case: str, action: str, reason: str = REASON) -> None:
    page.goto(case)
    page.click(f"label[for=action-{action}]")
    page.fill("#reason", reason)
    page.click("text=Check and sign")
    page.wait_for_selector("h1:has-text('Check and sign')")


def test_two_officers_approve_and_one_alone_cannot(served, person):
    ana, brian = person("do-1"), person("do-2")
    case = first_case(served, "cleared")
    for attempt in (1, 2):
        decide(ana, case, "approve")
        ana.set_input_files("#key", served.root / "do-1.key")  # signed in the browser; the key is not sent
        ana.click("#sign-own")
        ana.wait_for_load_state()
        if attempt == 1:
            ana.wait_for_selector("text=It is on record")
            assert "Approved by one officer" in ana.content()
        else:
            ana.wait_for_selector("h1:has-text('That was not done')")
    decide(brian, case, "approve")
    brian.fill("#password", PASSWORD)
    brian.click("#sign-here")
    brian.wait_for_selector("text=It is on record")
    assert "Approved by two officers" in brian.content()
    ana.goto(f"/dockets/{served.docket}/decisions/")
    assert "Same person" in ana.inner_text("main")


def test_a_wrong_key_file_signs_nothing(served, person):
    ana = person("do-1")
    decide(ana, first_case(served, "cleared"), "approve")
    ana.set_input_files("#key", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no key\n"})
    ana.click("#sign-own")
    ana.wait_for_selector("text=This file is not a Gatehouse key.")


def test_a_requester_checks_sends_and_reads_answers(served, person):
    page = person("agency")
    page.click("text=Hand in a submission")
    page.set_input_files("#file", served.root / "second.zip")
    page.click("text=Check the form")
    page.wait_for_selector("text=The submission is whole and signed", timeout=60_000)
    assert "No record has been searched" in page.inner_text("main")
    picture(page, "requester-form-check")
    page.click("text=Send it")
    page.wait_for_selector("h1:has-text('Submission')", timeout=120_000)
    assert "Answers so far" in page.inner_text("main")
    with page.expect_download() as download:
        page.click("text=Download the answers")
    text = Path(download.value.path()).read_text()
    assert text.startswith("request_id,outcome,codes,text")
    assert "SUBJECT" not in text  # before the docket closes, nothing that depends on the register


def test_an_inspector_verifies_and_derives_again(served, person):
    page = person("inspector")
    page.goto("/oversight/")
    page.click("text=Verify the log now")
    page.wait_for_selector("h1:has-text('The log is whole')")
    picture(page, "inspector-verified")
    page.goto(f"/oversight/dockets/{served.docket}/")
    request_id = a_request(served)
    page.fill("#find", request_id)
    page.click("text=Derive again")
    page.wait_for_selector(f"h1:has-text('Request {request_id} comes out the same')")


def a_request(served) -> str:
    import duckdb

    table = served.site.dockets / served.docket / "determinations.parquet"
    found = duckdb.execute(
        f"SELECT request_id FROM read_parquet('{table}') WHERE outcome = 'refused' LIMIT 1"
    ).fetchone()
    assert found
    return str(found[0])


def test_keys_move_through_the_queue(served, person):
    page = person("do-1")
    page.goto(f"/dockets/{served.docket}/queue/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("k")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == second
    page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:has-text('Case {second}')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"


PAGES = [
    (None, "home", "/"),
    (None, "sign-in", "/sign-in/"),
    (None, "statistics", "/statistics/"),
    (None, "ledger", "/ledger/?entry=3"),
    (None, "august-2025", "/august-2025/"),
    (None, "not-found", "/nothing/"),
    ("do-1", "dockets", "/dockets/"),
    ("do-1", "docket", "/dockets/{docket}/"),
    ("do-1", "queue", "/dockets/{docket}/queue/"),
    ("do-1", "queue-cleared", "/dockets/{docket}/queue/?state=cleared"),
    ("do-1", "case-held", "{held}"),
    ("do-1", "case-cleared", "{cleared}"),
    ("do-1", "decisions", "/dockets/{docket}/decisions/"),
    ("do-1", "password", "/password/"),
    ("do-1", "second-factor", "/second-factor/"),
    ("agency", "submissions", "/submissions/"),
    ("agency", "submission-new", "/submissions/new/"),
    ("agency", "keys", "/keys/"),
    ("agency", "submission", "/submissions/{docket}/"),
    ("agency", "not-allowed", "/dockets/"),
    ("counsel", "law", "/law/"),
    ("counsel", "pack", "/law/packs/us.irs.6103-i-2/"),
    ("inspector", "oversight", "/oversight/"),
    ("inspector", "shape", "/oversight/dockets/{docket}/"),
    ("inspector", "replay", "/oversight/dockets/{docket}/replay/?request={request}"),
    ("administrator", "accounts", "/accounts/"),
    ("administrator", "account", "/accounts/counsel/"),
    ("administrator", "account-keys", "/accounts/agency/"),
]


def fill(served, path: str) -> str:
    for name in ("held", "cleared"):
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", first_case(served, name))
    if "{request}" in path:
        path = path.replace("{request}", a_request(served))
    return path.replace("{docket}", served.docket)


def picture(page, name: str) -> None:
    folder = os.environ.get("GATEHOUSE_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("username", sorted({str(entry[0]) for entry in PAGES}))
def test_every_page_is_accessible_narrow_and_clean(served, person, username):
    from axe_playwright_python.sync_playwright import Axe

    page = person(None if username == "None" else username)
    narrow = page.context.new_page()
    narrow.set_viewport_size({"width": 320, "height": 640})
    faults = []
    for who, name, path in PAGES:
        if str(who) != username:
            continue
        page.goto(fill(served, path))
        picture(page, name)
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
        faults += [f"{name}: {fault['id']} {fault['nodes'][0]['html'][:120]}" for fault in found.response["violations"]]
        narrow.goto(fill(served, path))
        if narrow.evaluate("document.documentElement.scrollWidth") > 320:
            faults.append(f"{name}: wider than 320 px")
        if name in {"docket", "case-held", "submissions", "home"}:
            picture(narrow, f"{name}-narrow")
    assert not faults, "\n".join(faults)
