"""Whole journeys in Chromium, on SQLite and on PostgreSQL: every role from end to end; and every page for everybody.

`GATEHOUSE_SCREENSHOTS=DIR` keeps a picture of every page, as docs/screenshots has them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
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
    "court": ("Clara Ito", "inspector", "", ""),
    "administrator": ("Alma Diaz", "administrator", "", ""),
}
REASON = "I compared the file with the request and both name the same person."
TALLEST = 1500
"""Pixels of a page that its picture shows: enough to know it again, and small in the repository."""
NOW, LATER = "2025-08-07T14:00:00Z", "2025-09-02T09:00:00Z"


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """The custodian's and the agency's side before anything was handed in, made once."""
    import journey_site

    root = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEHOUSE_NOW", NOW)
        journey_site.build(root)
    return root


@contextlib.contextmanager
def database(kind: str) -> Iterator[str]:
    """The address of an empty database of a kind."""
    if kind == "sqlite":
        yield "sqlite:///gatehouse.sqlite3"
        return
    from server import postgres

    with postgres() as address:
        yield address


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def served(request, built, tmp_path_factory) -> Iterator[SimpleNamespace]:
    """A real site with one docket, served by the product's own server on a free port."""
    import journey_site
    from django.db import connections
    from waitress import create_server

    from gatehouse.cli import web
    from gatehouse.console import accounts
    from gatehouse.pipeline.site import open_site

    root = tmp_path_factory.mktemp(request.param)
    shutil.copytree(built, root, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, database(request.param) as address:
        patch.setenv("GATEHOUSE_NOW", NOW)
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the browser's driver keeps a loop in this thread
        configuration = root / "site" / "gatehouse.toml"
        text = re.sub(r'(?m)^database = "[^"]*"', f'database = "{address}"', configuration.read_text())
        configuration.write_text(text)
        application = web.application(root / "site")
        for username, (name, role, agency, officer) in PEOPLE.items():
            accounts.create(username, name=name, role=role, agency=agency, officer=officer, password=PASSWORD)
        site = open_site(root / "site")
        docket = journey_site.carry(site, root / "first.zip")
        server = create_server(application, host="127.0.0.1", port=0, threads=4)
        threading.Thread(target=server.run, daemon=True).start()
        yield SimpleNamespace(
            address=f"http://localhost:{server.effective_port}", site=site, docket=docket, root=root, environment=patch
        )
        server.close()
        connections.close_all()


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

    def arrive(username: str | None = None, width: int = 1100):
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


def board(served):
    from gatehouse.store.casebook import Casebook

    return Casebook().board(served.docket)


def cases(served, state: str):
    from gatehouse.casework.states import State

    return board(served).states[State(state)]


def first_case(served, state: str) -> str:
    return f"/dockets/{served.docket}/cases/{next(iter(cases(served, state)))}/"


def request_id(served, where: str) -> str:
    import duckdb

    table = served.site.dockets / served.docket / "determinations.parquet"
    found = duckdb.execute(f"SELECT request_id FROM read_parquet('{table}') WHERE {where} LIMIT 1").fetchone()
    assert found
    return str(found[0])


def decide(page, case: str, action: str, reason: str = REASON) -> None:
    page.goto(case)
    page.click(f"label[for=action-{action}]")
    page.fill("#reason", reason)
    page.click("text=Check and sign")
    page.wait_for_selector("h1:has-text('Check and sign')")


def sign(page, served, key: str | None = None) -> None:
    """Sign what is shown: with a key file in the browser, or with the key the site keeps and the password again."""
    if key:
        page.set_input_files("#key", served.root / f"{key}.key")
        page.click("#sign-own")
    else:
        page.fill("#password", PASSWORD)
        page.click("#sign-here")


def test_two_officers_approve_and_one_alone_cannot(served, person):
    ana, brian = person("do-1"), person("do-2")
    case = first_case(served, "cleared")
    for attempt in (1, 2):
        decide(ana, case, "approve")
        sign(ana, served, "do-1")  # signed in the browser; the key is not sent
        ana.wait_for_load_state()
        if attempt == 1:
            ana.wait_for_selector("text=It is on record")
            assert "Approved by one officer" in ana.content()
        else:
            ana.wait_for_selector("h1:has-text('That was not done')")
    decide(brian, case, "approve")
    sign(brian, served)
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


def test_a_held_case_is_decided_by_the_keyboard_alone(served, person):
    """From the list to the signature without a mouse; and single keys can be switched off."""
    page = person("do-2")
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
    page.keyboard.press("n")
    page.wait_for_selector(f"h1:not(:has-text('Case {second}'))")
    page.keyboard.press("p")
    page.wait_for_selector(f"h1:has-text('Case {second}')")
    page.keyboard.press("2")
    assert page.is_checked("#action-return")
    page.keyboard.press("w")
    page.keyboard.type("The address given lacks the street, so nobody is named.")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.wait_for_selector("h1:has-text('Check and sign')")
    while page.evaluate("document.activeElement.id") != "password":
        page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=It is on record")
    assert "Returned as incomplete" in page.inner_text(".gh-state")

    page.keyboard.press("?")
    page.wait_for_selector("details.gh-keys[open]")
    page.click("label[for=keys-on]")
    page.reload()
    page.keyboard.press("n")
    assert not page.is_checked("#keys-on")
    assert second in page.inner_text("h1")


def approve_all(page, served, key: str | None) -> None:
    """Approve a whole queue: look at the sample first, then sign."""
    page.click("label[for=action-approve]")
    page.click("text=Check and sign")
    page.wait_for_selector("h1:has-text('first')")
    page.fill("#found", "0")
    page.fill("#reason", "None of the cases drawn is wrong; each names one person and the law allows it.")
    page.click("text=Check and sign")
    sign(page, served, key)
    page.wait_for_selector("text=It is on record", timeout=60_000)


def test_what_two_officers_approved_is_released_opened_and_accounted_for(served, person, tmp_path):
    from gatehouse.release import officer
    from gatehouse.release.recipients import read_identity
    from gatehouse.store.shelf import Shelf
    from gatehouse.synthetic import officers

    ana, brian, agency = person("do-1"), person("do-2"), person("agency")
    ana.goto(f"/dockets/{served.docket}/queue/?state=cleared")
    approve_all(ana, served, "do-1")
    brian.goto(f"/dockets/{served.docket}/queue/?state=approved_once")
    approve_all(brian, served, None)
    brian.click("text=Release what two officers approved")
    brian.wait_for_selector("text=sealed packages", timeout=120_000)

    agency.goto(f"/submissions/{served.docket}/")
    record = Shelf().releases(served.docket)[0]
    agency.fill("#officer", record.officer)
    agency.click("main form:has(#officer) button")
    with agency.expect_download() as download:
        agency.click("table a[title]")
    package = tmp_path / f"{record.id}.age"
    shutil.copyfile(download.value.path(), package)
    key = tmp_path / "officer.key"
    key.write_text(f"{officers.identity(1, record.officer)}\n")
    opened = tmp_path / "opened"
    from gatehouse.kernel import clock

    officer.open_release(package, read_identity(key), served.site.root / "trust", opened, clock.now())
    assert "due 17 August 2025" in agency.inner_text("table:has-text('Receipt')")
    agency.set_input_files("#file", opened / "receipt.json")
    agency.click("text=Hand in >> nth=-1")
    agency.wait_for_selector("text=1 statement taken in.")
    agency.goto(f"/submissions/{served.docket}/?officer={record.officer}")
    assert "✓ 7 August 2025" in agency.inner_text("table:has-text('Receipt')")

    forged = tmp_path / "forged.json"
    forged.write_text((opened / "receipt.json").read_text().replace("opened_at", "opened_by"))
    agency.set_input_files("#file", forged)
    agency.click("text=Hand in >> nth=-1")
    agency.wait_for_selector("h1:has-text('That was not done')")


def test_a_release_is_recalled_and_its_progress_is_seen(served, person):
    from gatehouse.store.shelf import Shelf

    ana, agency, inspector = person("do-1"), person("agency"), person("inspector")
    record = Shelf().releases(served.docket)[0]
    wrong = request_id(served, f"seq = {next(iter(record.cases))}")
    ana.goto(f"/dockets/{served.docket}/recall/")
    ana.click("label[for=kind-requests]")
    ana.fill("#requests", f"{wrong}\nnobody-asked-this")
    ana.fill("#reason", "The person released is not the one the request names.")
    ana.click("text=Show what would be recalled")
    ana.wait_for_selector("text=1 of the 2 ids")
    ana.fill("#requests", wrong)
    ana.click("text=Show what would be recalled")
    ana.wait_for_selector("text=Packages that are recalled")
    picture(ana, "recall-sign")
    sign(ana, served, "do-1")
    ana.wait_for_selector("text=The incident report is due", timeout=60_000)
    picture(ana, "task")
    agency.goto(f"/submissions/{served.docket}/?officer={record.officer}")
    assert "Stop every use" in agency.inner_text("main")
    inspector.goto("/oversight/recalls/")
    assert "reported destroyed" in inspector.inner_text("main")
    assert "0 of " in inspector.inner_text("main")


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


def test_an_inspector_verifies_samples_and_derives_again(served, person):
    page = person("inspector")
    page.goto("/oversight/")
    page.click("text=Verify the log now")
    page.wait_for_selector("h1:has-text('The log is whole')")
    picture(page, "inspector-verified")
    page.goto(f"/oversight/dockets/{served.docket}/")
    refused = request_id(served, "outcome = 'refused'")
    page.fill("#find", refused)
    page.click("text=Derive again")
    page.wait_for_selector(f"h1:has-text('Request {refused} comes out the same')")
    page.goto(f"/oversight/dockets/{served.docket}/")
    page.click("text=Plan a spot check")
    page.select_option("#outcome", "refused")
    page.click("main button:has-text('Draw')")
    page.click("text=Derive all of them again")
    page.wait_for_selector("text=come out the same when they are derived again")
    page.goto(f"/oversight/dockets/{served.docket}/")
    page.click("text=Check every determination against the log")
    page.wait_for_selector("text=each is the one that was committed", timeout=60_000)


def test_a_report_is_made_and_fetched(served, person):
    page = person("inspector")
    page.goto("/oversight/reports/")
    page.click("label[for=report-disclosures]")
    page.select_option("#format", "json")
    page.click("button:has-text('Make it')")
    page.wait_for_selector("#task .usa-alert", timeout=60_000)
    assert "The report is made" in page.inner_text("#task")
    page.click("text=Go on")
    with page.expect_download() as download:
        page.click("main table a")
    report = json.loads(Path(download.value.path()).read_text())
    assert report["report"] == "disclosures"
    [row] = report["tables"][0]["rows"]
    assert row["requests"] in {400, 800}  # one submission of this agency, or two


def test_one_overseer_halts_and_it_takes_both_to_resume(served, person):
    ivan, clara, brian = person("inspector"), person("court"), person("do-2")

    def say(page, action: str) -> None:
        page.goto("/oversight/halts/")
        page.click(f"label[for=action-{action}]")
        page.select_option("#scope", f"docket {served.docket}")
        page.fill("#reason", "The safeguards have open findings.")
        page.click("text=Check and sign")

    say(ivan, "halt")
    picture(ivan, "halt-sign")
    sign(ivan, served, "inspector-general")
    ivan.wait_for_selector("text=is in force")
    picture(ivan, "halts")
    decide(brian, first_case(served, "held"), "refuse")  # stopping a case is still possible
    sign(brian, served)
    brian.wait_for_selector("text=It is on record")
    served.environment.setenv("GATEHOUSE_NOW", "2025-08-07T15:00:00Z")
    say(ivan, "resume")
    sign(ivan, served, "inspector-general")
    ivan.wait_for_selector("text=waits for more overseers")
    clara.goto("/oversight/halts/")
    clara.click("text=Add your signature")
    sign(clara, served, "court")
    clara.wait_for_selector("text=is in force")
    assert "Nothing is halted." in clara.inner_text("main")


def test_a_person_reads_what_was_disclosed_about_them(served, person, tmp_path):
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.kernel import clock
    from gatehouse.ledger import answer, policy
    from gatehouse.pipeline import answers, approve

    with open_workspace() as connection:
        answers.build(connection, approve.office(served.site), clock.now())
        [(number,)] = connection.execute(
            "SELECT person_id FROM answer_disclosures GROUP BY person_id HAVING count(*) = 1 ORDER BY 1 LIMIT 1"
        ).fetchall()
        [(untold,)] = connection.execute(
            f"SELECT min(person_id) FROM read_parquet('{served.root}/register/persons.parquet') "
            "WHERE person_id NOT IN (SELECT person_id FROM answer_disclosures)"
        ).fetchall()
    brian, reader = person("do-2"), person()
    codes = []
    for one in (number, untold):
        brian.goto("/letters/")
        brian.fill("#person", str(one))
        brian.click("text=Make the code")
        codes.append(brian.inner_text(".gh-code"))
    picture(brian, "letter")
    reader.goto("/your-record/")
    reader.fill("#code", codes[0].lower().replace("-", " "))
    reader.click("text=Show my answer")
    reader.wait_for_selector("h1:has-text('What was disclosed about you')")
    assert "us.dhs.ice" in reader.inner_text("table")
    picture(reader, "own-record-told")
    with reader.expect_download() as download:
        reader.click("text=Save the proof")
    proof = Path(download.value.path()).read_bytes()
    answered = answer.verify(proof, policy.read(served.site.policy))
    assert (answered.person, len(answered.disclosures)) == (number, 1)

    reader.goto("/es/su-registro/")
    refused = []
    for code in (codes[0], "AAAA-BBBB-CCCC-DDDD"):  # used up, and never made: one answer
        reader.fill("#code", code)
        reader.click("text=Mostrar mi respuesta")
        reader.wait_for_selector("text=Este código no abre ninguna respuesta")
        refused.append(re.sub(r'value="[^"]*"', "", reader.inner_html("main")))
    assert refused[0] == refused[1]
    reader.fill("#code", codes[1])
    reader.click("text=Mostrar mi respuesta")
    reader.wait_for_selector("text=no hay nada sobre usted que se pueda decir")
    assert reader.get_attribute("html", "lang") == "es"
    picture(reader, "own-record-es-told")


def test_a_court_s_order_is_shown_signed_by_two_offices_and_in_force(served, person):
    import journey_site

    served.environment.setenv("GATEHOUSE_NOW", LATER)
    counsel, brian = person("counsel"), person("do-2")
    offices = served.site.keys / "offices"
    shutil.copy(offices / "counsel.key", served.root / "counsel.key")
    shutil.copy(offices / "custodian.key", served.root / "custodian.key")
    journey_site.order_zip(served.site, served.root / "order.zip")
    (served.root / "order.txt").write_text("It is so ordered.\n")
    counsel.goto("/law/")
    counsel.click("text=Change the law or enter an order")
    counsel.set_input_files("#file", served.root / "order.zip")
    counsel.set_input_files("#text", served.root / "order.txt")
    counsel.click("text=Show what it would do")
    counsel.wait_for_selector("text=Nothing has changed yet", timeout=120_000)
    counsel.click("text=Go on")
    counsel.wait_for_selector("h1:has-text('An invented order')")
    draft = counsel.url.removeprefix(served.address)
    text = counsel.inner_text("main")
    assert "order-2025-09-01-nothing: added" in text
    assert "permits nothing that was not permitted before" in text
    picture(counsel, "draft")
    counsel.click("text=Check and sign for your office")
    picture(counsel, "draft-sign")
    sign(counsel, served, "counsel")
    counsel.wait_for_selector("text=signed.")
    brian.goto(draft)
    brian.click("text=Check and sign for your office")
    sign(brian, served, "custodian")
    brian.wait_for_selector("h2:has-text('Enter the order')")
    brian.fill("#password", PASSWORD)
    brian.click("main button:has-text('Enter the order')")
    brian.wait_for_selector("text=is in force.", timeout=60_000)
    counsel.goto(draft)
    assert "✓ In force." in counsel.inner_text("main")
    counsel.goto("/law/packs/us.irs.6103-i-2/?as-of=2025-09-02")
    assert "An invented order" in counsel.inner_text("main")
    assert "Proved and signed by both offices" in counsel.inner_text("main")


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
def test_on_paper_a_case_is_its_content_alone(served, person):
    page = person("do-1")
    page.goto(first_case(served, "held"))
    page.emulate_media(media="print")
    for selector in (
        "header.gh-header",
        "footer.gh-footer",
        ".usa-breadcrumb",
        ".gh-decide",
        ".gh-neighbours",
        ".gh-keys",
    ):
        assert not page.is_visible(selector), selector
    for selector in ("h1", "#why", "#compare", "#history"):
        assert page.is_visible(selector), selector


PAGES = [
    (None, "home", "/"),
    (None, "sign-in", "/sign-in/"),
    (None, "statistics", "/statistics/"),
    (None, "ledger", "/ledger/?entry=3"),
    (None, "august-2025", "/august-2025/"),
    (None, "own-record", "/your-record/"),
    (None, "own-record-es", "/es/su-registro/"),
    (None, "not-found", "/nothing/"),
    ("do-1", "dockets", "/dockets/"),
    ("do-1", "docket", "/dockets/{docket}/"),
    ("do-1", "queue", "/dockets/{docket}/queue/"),
    ("do-1", "queue-approved", "/dockets/{docket}/queue/?state=approved_once"),
    ("do-1", "case-held", "{held}"),
    ("do-1", "case-released", "{released}"),
    ("do-1", "sample", "{sample}"),
    ("do-1", "decisions", "/dockets/{docket}/decisions/"),
    ("do-1", "recall", "/dockets/{docket}/recall/"),
    ("do-1", "task-page", "{task}"),
    ("do-1", "letters", "/letters/"),
    ("do-1", "password", "/password/"),
    ("do-1", "factor", "/second-factor/"),
    ("agency", "submissions", "/submissions/"),
    ("agency", "submission-new", "/submissions/new/"),
    ("agency", "keys", "/keys/"),
    ("agency", "submission", "/submissions/{docket}/"),
    ("agency", "not-allowed", "/dockets/"),
    ("counsel", "law", "/law/"),
    ("counsel", "pack", "/law/packs/us.irs.6103-i-2/"),
    ("counsel", "drafts", "/law/drafts/"),
    ("counsel", "draft-in-force", "{draft}"),
    ("counsel", "draft-sign-page", "{draft}sign/"),
    ("inspector", "oversight", "/oversight/"),
    ("inspector", "explore", "/oversight/log/?entry=12"),
    ("inspector", "reports", "/oversight/reports/"),
    ("inspector", "recalls", "/oversight/recalls/"),
    ("inspector", "halts-page", "/oversight/halts/"),
    ("inspector", "shape", "/oversight/dockets/{docket}/"),
    ("inspector", "spot-check", "/oversight/dockets/{docket}/spot-check/?outcome=refused&derive=1"),
    ("inspector", "replay", "/oversight/dockets/{docket}/replay/?request={request}"),
    ("inspector", "access", "/oversight/access/"),
    ("administrator", "accounts", "/accounts/"),
    ("administrator", "account", "/accounts/counsel/"),
    ("administrator", "failed-work", "/failed-work/"),
]
NO_PAGES = {
    # files
    "health", "ready", "statistics-file", "ledger-file", "answers", "receipt", "release", "report", "pack-file",
    "sign-out", "sign-out-everywhere", "decide", "sign", "release-docket", "recall-sign", "give-back", "verify",
    "halt-check", "halt-sign", "accounted", "draft-adopt", "draft-enter",  # posted to; journeys see what follows
    "sso", "sso-back", "code",  # single sign-on and the second step of sign-in: tests of their own
}  # fmt: skip


def fill(served, path: str) -> str:
    from gatehouse.console.models import Task
    from gatehouse.store.models import Sample

    for name in ("held", "released"):
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", first_case(served, name))
    if "{request}" in path:
        path = path.replace("{request}", request_id(served, "outcome = 'refused'"))
    if "{sample}" in path:
        sample = Sample.objects.filter(officer="do-1").first()
        path = f"/dockets/{served.docket}/samples/{sample.identifier}/"
    if "{task}" in path:
        path = f"/tasks/{Task.objects.filter(account__username='do-1').first().identifier}/"
    if "{draft}" in path:
        [draft] = (served.site.root / "drafts").iterdir()
        path = path.replace("{draft}", f"/law/drafts/{draft.name}/")
    return path.replace("{docket}", served.docket)


def picture(page, name: str) -> None:
    folder = os.environ.get("GATEHOUSE_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        width, height = page.viewport_size["width"], page.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST)}
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True, clip=clip)


def test_every_address_that_is_a_page_is_among_those_looked_at(site):
    from django.urls import resolve

    from gatehouse.console.urls import urlpatterns

    some = {
        "docket": "D", "request": "R", "held": "/dockets/D/cases/1/", "released": "/dockets/D/cases/1/",
        "sample": "/dockets/D/samples/S/", "task": "/tasks/T/", "draft": "/law/drafts/D/",
    }  # fmt: skip
    paths = [path.format_map(some).split("?")[0] for _, name, path in PAGES if name != "not-found"]
    assert {pattern.name for pattern in urlpatterns} - {resolve(path).url_name for path in paths} == NO_PAGES


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
@pytest.mark.parametrize("username", sorted({str(entry[0]) for entry in PAGES}))
def test_every_page_is_accessible_narrow_and_clean(served, person, username):
    """After the journeys above, so that every page has something to show."""
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
