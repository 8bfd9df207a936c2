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
from keyboard import Keyboard

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
            keys = Keyboard(page)
            keys.type("#username", username)
            keys.type("#password", PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_selector("text=Signed in as")
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
    picture(brian, "decision-sign")
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


def sign_by_keys(keys: Keyboard, key: Path) -> None:
    """Sign what is shown with a key file, in the browser, without a mouse."""
    keys.file("#key", key)
    keys.press("#sign-own")


def test_a_requester_hands_in_and_reads_and_fetches_by_the_keyboard_alone(served, person):
    from gatehouse.store.shelf import Shelf

    page = person("agency")
    keys = Keyboard(page)
    keys.press("main a", "Hand in a submission")
    page.wait_for_selector("h1:has-text('Hand in a submission')")
    keys.skip()
    keys.file("#file", served.root / "second.zip")
    keys.press("main button", "Check the form")
    page.wait_for_selector("text=The submission is whole and signed", timeout=60_000)
    assert "No record has been searched" in page.inner_text("main")
    picture(page, "requester-form-check")
    keys.press("main button", "Send it")
    page.wait_for_selector("h1:has-text('Submission')", timeout=120_000)
    assert "Answers so far" in page.inner_text("main")
    assert keys.walk() > 10
    with page.expect_download() as download:
        keys.press("main a", "Download the answers")
    text = Path(download.value.path()).read_text()
    assert text.startswith("request_id,outcome,codes,text")
    assert "SUBJECT" not in text  # before the docket closes, nothing that depends on the register
    with page.expect_download() as download:
        keys.press("main a", "Download the receipt")
    assert json.loads(Path(download.value.path()).read_bytes())["requests"] == 400
    asked = next(line.split(",")[0] for line in text.splitlines()[1:] if "not_answered" in line)
    keys.type("#find", asked)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"dd:has-text('{asked}')")
    assert "Not answered" in page.inner_text("main .gh-list")

    page.goto(f"/submissions/{served.docket}/")
    record = next(one for one in Shelf().releases(served.docket) if one.recalled_at is None)
    keys.type("#officer", record.officer)
    page.keyboard.press("Enter")
    page.wait_for_url("**officer=**")
    with page.expect_download() as download:
        keys.press("main table a[title]")
    assert Path(download.value.path()).read_bytes().startswith(b"age-encryption.org/v1")


def test_an_inspector_verifies_samples_and_derives_again_by_the_keyboard_alone(served, person):
    page = person("inspector")
    keys = Keyboard(page)
    page.wait_for_selector("h1:has-text('Oversight')")
    keys.skip()
    keys.press("main button", "Verify the log now")
    page.wait_for_selector("h1:has-text('The log is whole')")
    picture(page, "inspector-verified")
    page.goto(f"/oversight/dockets/{served.docket}/")
    assert keys.walk() > 10
    refused = request_id(served, "outcome = 'refused'")
    keys.type("#find", refused)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"h1:has-text('Request {refused} comes out the same')")
    keys.press("main nav a", served.docket)
    page.wait_for_selector("text=Plan a spot check")
    keys.press("main a", "Plan a spot check")
    page.wait_for_selector("#outcome")
    keys.choose("#outcome", "refused")
    keys.press("main button", "Draw")
    page.wait_for_selector("text=Derive all of them again")
    keys.press("main a, main button", "Derive all of them again")
    page.wait_for_selector("text=come out the same when they are derived again")
    page.goto(f"/oversight/dockets/{served.docket}/")
    keys.press("main button", "Check every determination against the log")
    page.wait_for_selector("text=each is the one that was committed", timeout=60_000)
    picture(page, "accounted")
    keys.press("nav a", "Oversight")
    page.wait_for_selector("h1:has-text('Oversight')")
    keys.press("main a", "Recalls")
    page.wait_for_selector("h1:has-text('Recalls')")
    assert "reported destroyed" in page.inner_text("main")


def test_an_administrator_makes_and_closes_an_account_by_the_keyboard_alone(served, person):
    page = person("administrator")
    keys = Keyboard(page)
    page.wait_for_selector("h1:has-text('Accounts')")
    keys.type("#username", "new-desk")
    keys.type("#name", "New desk")
    keys.choose("#role", "requester")
    keys.type("#agency", "us.dhs.ice")
    keys.press("main button", "Make the account")
    page.wait_for_selector("text=new-desk")
    assert keys.walk() > 10
    keys.press("main a", "new-desk")
    page.wait_for_selector("h1:has-text('New desk')")
    keys.press("main button", "Give a new password")
    page.wait_for_selector("text=password")
    keys.press("main button", "Close")
    page.wait_for_selector("text=closed")


def test_anybody_reads_the_public_pages_by_the_keyboard_alone(served, person):
    page = person()
    keys = Keyboard(page)
    page.goto("/")
    for name, heading in (("Statistics", "Statistics"), ("Public log", "log"), ("August 2025", "August 2025")):
        keys.press("nav a", name)
        page.wait_for_selector(f"h1:has-text('{heading}')")
        assert keys.walk() > 8
    keys.press("nav a", "Public log")
    page.wait_for_selector("#entry")
    keys.skip()
    keys.type("#entry", "3")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Entry 3, 53 bytes")


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
        """Without a mouse, as everything that overseers do."""
        page.goto("/oversight/halts/")
        keys = Keyboard(page)
        keys.radio("action", action)
        keys.choose("#scope", f"docket {served.docket}")
        keys.type("#reason", "The safeguards have open findings.")
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('Check and sign')")

    say(ivan, "halt")
    picture(ivan, "halt-sign")
    sign_by_keys(Keyboard(ivan), served.root / "inspector-general.key")
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
    keys = Keyboard(reader)
    reader.goto("/")
    keys.press("nav a", "Your record")
    reader.wait_for_selector("#code")
    assert keys.walk() > 8
    keys.type("#code", codes[0].lower().replace("-", " "))
    reader.keyboard.press("Enter")
    reader.wait_for_selector("h1:has-text('What was disclosed about you')")
    assert "us.dhs.ice" in reader.inner_text("table")
    picture(reader, "own-record-told")
    with reader.expect_download() as download:
        keys.press("main a, main button", "Save the proof")
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


def test_a_court_s_order_is_shown_signed_by_two_offices_and_in_force(served, person, tmp_path):
    """Counsel by the keyboard alone, with a key on another machine; the order is entered by an officer's own key."""
    import journey_site

    served.environment.setenv("GATEHOUSE_NOW", LATER)
    counsel, brian, ana = person("counsel"), person("do-2"), person("do-1")
    offices = served.site.keys / "offices"
    shutil.copy(offices / "custodian.key", served.root / "custodian.key")
    journey_site.order_zip(served.site, served.root / "order.zip")
    (served.root / "order.txt").write_text("It is so ordered.\n")
    keys = Keyboard(counsel)
    counsel.wait_for_selector("h1:has-text('Law')")
    keys.press("main a[href*='6103-i-2/']")
    counsel.wait_for_selector("#as-of")
    assert keys.walk() > 10
    keys.press("nav a", "Law")
    counsel.wait_for_selector("text=Change the law or enter an order")
    keys.press("main a", "Change the law or enter an order")
    counsel.wait_for_selector("#text")
    keys.file("#file", served.root / "order.zip")
    keys.file("#text", served.root / "order.txt")
    keys.press("main button", "Show what it would do")
    counsel.wait_for_selector("text=Nothing has changed yet", timeout=120_000)
    keys.press("main a", "Go on")
    counsel.wait_for_selector("h1:has-text('An invented order')")
    draft = counsel.url.removeprefix(served.address)
    text = counsel.inner_text("main")
    assert "order-2025-09-01-nothing: added" in text
    assert "permits nothing that was not permitted before" in text
    picture(counsel, "draft")
    keys.press("main a", "Check and sign for your office")
    counsel.wait_for_selector("h1:has-text('Check and sign')")
    signed = signed_elsewhere(keys, offices / "counsel.key", tmp_path)
    picture(counsel, "draft-sign")
    keys.file("#signatures", *signed)
    keys.press("#sign-elsewhere")
    counsel.wait_for_selector("text=signed.")
    brian.goto(draft)
    brian.click("text=Check and sign for your office")
    sign(brian, served, "custodian")
    brian.wait_for_selector("h2:has-text('Enter the order')")

    ana.goto(draft)
    ana.fill("#reason", "Served today.")
    ana.click("#enter ~ form button")
    ana.wait_for_selector("h1:has-text('Enter the order')")
    picture(ana, "draft-enter")
    waiting = len(cases(served, "cleared")) + len(cases(served, "approved_once")) + len(cases(served, "approved_twice"))
    sign(ana, served, "court")  # a key of somebody else
    ana.wait_for_selector("h1:has-text('That was not done')")
    picture(ana, "signature-refused")
    ana.goto(f"{draft}enter/check/?reason=Served+today.")
    sign(ana, served, "do-1")
    ana.wait_for_selector("text=is in force.", timeout=60_000)
    left = len(cases(served, "cleared")) + len(cases(served, "approved_once")) + len(cases(served, "approved_twice"))
    assert left == 0 or left < waiting
    ana.goto(draft)
    assert "Signatures and entries that were refused" in ana.inner_text("main")
    counsel.goto(draft)
    assert "✓ In force." in counsel.inner_text("main")
    counsel.goto("/law/packs/us.irs.6103-i-2/?as-of=2025-09-02")
    assert "An invented order" in counsel.inner_text("main")
    assert "Proved and signed by both offices" in counsel.inner_text("main")


def signed_elsewhere(keys: Keyboard, key: Path, folder: Path) -> list[Path]:
    """Download what a page wants signed and sign it with the command, as on a machine of one's own."""
    from click.testing import CliRunner

    from gatehouse.cli.main import cli

    keys.press("summary", "Sign on another machine")
    files = []
    for link in keys.page.locator("main a[download]").all():
        with keys.page.expect_download() as download:
            keys.press("main a[download]", link.inner_text())
        files.append(folder / download.value.suggested_filename)
        shutil.copyfile(download.value.path(), files[-1])
    done = CliRunner().invoke(cli, ["key", "sign", *map(str, files), "--key", str(key)])
    assert done.exit_code == 0, done.output
    return [file.with_name(f"{file.name}.sig") for file in files]


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
    picture(page, "case-held-on-paper")


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
def test_what_goes_wrong_has_a_page_that_says_what_to_do(served, person):
    brian, anybody = person("do-2"), person()
    decide(brian, first_case(served, "held"), "refuse")
    brian.click("summary:has-text('Sign on another machine')")
    brian.set_input_files("#signatures", {"name": "x.sig", "mimeType": "text/plain", "buffer": b"x" * (9 << 20)})
    brian.click("#sign-elsewhere")
    brian.wait_for_selector("h1:has-text('That is too large')")
    picture(brian, "too-large")
    anybody.goto("/your-record/")
    for _ in range(20):
        anybody.fill("#code", "AAAA-BBBB-CCCC-DDDD")
        with anybody.expect_navigation() as answer:
            anybody.keyboard.press("Enter")
        if answer.value.status == 429:
            break
    assert "Wait 15 minutes" in anybody.inner_text("main")
    picture(anybody, "too-often")
    anybody.goto("/es/su-registro/")
    anybody.fill("#code", "AAAA-BBBB-CCCC-DDDD")
    anybody.keyboard.press("Enter")
    anybody.wait_for_selector("text=15 minutos")


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
    ("do-2", "draft-enter-page", "{draft}enter/check/?reason=Served+today."),
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
ON_THE_WAY = {
    "decide": "decision-sign", "verify": "inspector-verified", "halt-check": "halt-sign", "accounted": "accounted",
    "code": "one-time-code", "recall-sign": "task", "draft-enter": "signature-refused",
}  # fmt: skip
"""Addresses that a form is posted to, or a step of signing in, and the picture of the page that follows."""
NO_PAGES = {
    "health": "a word for machines", "ready": "a word for machines", "sso": "leads to the provider",
    "sso-back": "leads to where one was going", "statistics-file": "a file", "ledger-file": "a file",
    "answers": "a file", "receipt": "a file", "release": "a file", "report": "a file", "pack-file": "a file",
    "sign-out": "leads to the front page", "sign-out-everywhere": "leads to the front page",
    "sign": "leads to the case, or to the docket", "release-docket": "leads to its task", "give-back": "leads back",
    "halt-sign": "leads to the halts", "draft-adopt": "leads to the pack",
}  # fmt: skip
"""Addresses without a page of their own, and why."""


NARROW = ("home", "docket", "case-held", "submissions", "submission", "oversight", "draft-enter-page", "own-record-es")
"""Pages whose picture is also kept as 320 px show them; all are checked."""


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
    looked_at = {resolve(path).url_name for path in paths}
    assert {pattern.name for pattern in urlpatterns} - looked_at == NO_PAGES.keys() | ON_THE_WAY.keys()
    assert not NO_PAGES.keys() & ON_THE_WAY.keys()


def test_every_page_has_its_picture_in_the_docs_and_every_picture_its_page():
    here = Path(__file__).parent
    text = "".join((here / name).read_text() for name in ("test_browser.py", "test_sso.py"))
    taken = {*re.findall(r'(?:picture|check)\(\w+, "([a-z0-9-]+)"\)', text), *(name for _, name, _ in PAGES)}
    taken |= {f"{name}-narrow" for name in NARROW}
    assert set(ON_THE_WAY.values()) <= taken
    kept = {path.stem for path in (here.parents[1] / "docs" / "screenshots").glob("*.png")}
    assert kept == taken


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
        if name in NARROW:
            picture(narrow, f"{name}-narrow")
    assert not faults, "\n".join(faults)
