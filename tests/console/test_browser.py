"""Whole journeys in Chromium, on SQLite and on PostgreSQL: every role from end to end; and every page for everybody."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import journey_site
import pytest
from browsing import cases, decide, first_case, picture, request_id, sign
from every_page import NARROW, NO_PAGES, ON_THE_WAY, PAGES
from keyboard import Keyboard

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LATER = "2025-09-02T09:00:00Z"


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
            ana.wait_for_selector("h2:has-text('The request was not carried out')")
    decide(brian, case, "approve")
    picture(brian, "decision-sign")
    sign(brian, served, "do-2")
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


def approve_all(page, served, key: str) -> None:
    """Approve a whole queue: open every case of the sample and mark it, then sign."""
    page.click("label[for=action-approve]")
    page.fill("#reason", "None of the cases drawn is wrong; each names one person and the law allows it.")
    page.click("text=Check and sign")
    page.wait_for_selector("h1:has-text('first')")
    page.click("text=Look at the next case")
    while page.locator("button:has-text('Right')").count():
        page.click("button:has-text('Right')")
        page.wait_for_selector("main h1")
    page.click("text=Record this and go on")
    page.wait_for_selector("#sign-form")
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
    approve_all(brian, served, "do-2")
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
    agency.wait_for_selector("h1:has-text('The request was not carried out')")


def test_a_release_is_recalled_and_its_progress_is_seen(served, person, released):
    ana, agency, inspector = person("do-1"), person("agency"), person("inspector")
    wrong = request_id(served, f"seq = {next(iter(released.cases))}")
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
    agency.goto(f"/submissions/{served.docket}/?officer={released.officer}")
    assert "Stop every use" in agency.inner_text("main")
    inspector.goto("/oversight/recalls/")
    assert "reported destroyed" in inspector.inner_text("main")
    assert "0 of " in inspector.inner_text("main")


def sign_by_keys(keys: Keyboard, key: Path) -> None:
    """Sign what is shown with a key file, in the browser, without a mouse."""
    keys.file("#key", key)
    keys.press("#sign-own")


@pytest.fixture(scope="module")
def second(served) -> str:
    """A second docket of the same agency, so that from here on every list has more than one line."""
    return journey_site.carry(served.site, served.root / "second.zip")


def test_a_report_is_made_and_fetched(served, person, second):
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
    assert row["requests"] == 800  # of both submissions


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
    sign(brian, served, "do-2")
    brian.wait_for_selector("text=It is on record")
    say(ivan, "resume")  # while the clock stands still
    sign(ivan, served, "inspector-general")
    ivan.wait_for_selector("text=waits for more overseers")
    clara.goto("/oversight/halts/")
    clara.click("text=Add your signature")
    sign(clara, served, "court")
    clara.wait_for_selector("text=is in force")
    assert "Nothing is halted." in clara.inner_text("main")


def test_a_person_reads_what_was_disclosed_about_them(served, released, person):
    from gatehouse.intake import parties
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
    name = parties.read(served.site.parties).agencies["us.dhs.ice"].name  # to a person, an agency is not its id
    cells = reader.locator("main tbody tr").locator("th, td").all_inner_texts()
    assert cells[:3] == ["7 August 2025", name, "Last known address"]
    picture(reader, "own-record-told")
    with reader.expect_download() as download:
        keys.press("main a, main button", "Save the proof")
    proof = Path(download.value.path()).read_bytes()
    answered = answer.verify(proof, policy.read(served.site.policy))
    assert (answered.person, len(answered.disclosures)) == (number, 1)
    [told] = answered.disclosures
    assert (told.agency, cells[3:]) == ("us.dhs.ice", [f"{told.entry:,}"])

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
    served.environment.setenv("GATEHOUSE_NOW", LATER)
    counsel, brian, ana = person("counsel"), person("do-2"), person("do-1")
    offices = served.site.root.with_name(f"{served.site.root.name}-offices")
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
    ana.fill("#reason", "Served on 123-45-6789.")
    ana.click("#enter ~ form button")
    ana.wait_for_selector("h1:has-text('Enter the order')")
    assert "nine digits like a taxpayer number" in ana.inner_text("main")
    ana.click(".gh-change")
    ana.wait_for_selector("h1:has-text('An invented order')")
    ana.fill("#reason", "Served today.")
    ana.click("#enter ~ form button")
    ana.wait_for_selector("h1:has-text('Enter the order')")
    assert "nine digits" not in ana.inner_text("main")
    picture(ana, "draft-enter")
    waiting = len(cases(served, "cleared")) + len(cases(served, "approved_once")) + len(cases(served, "approved_twice"))
    sign(ana, served, "court")  # a key of somebody else
    ana.wait_for_selector("h2:has-text('The request was not carried out')")
    picture(ana, "signature-refused")
    assert "Served today." in ana.inner_text("main")  # nothing that was typed is lost
    ana.click(".gh-change")
    ana.wait_for_selector("h1:has-text('An invented order')")
    assert ana.input_value("#reason") == "Served today."
    ana.click("#enter ~ form button")
    ana.wait_for_selector("h1:has-text('Enter the order')")
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


def fill(served, path: str) -> str:
    from gatehouse.casework.selection import Selection
    from gatehouse.console import steps
    from gatehouse.console.models import Account, Step, Task
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
    if "{order}" in path:
        person, told = Account.objects.get(username="do-2"), {"draft": draft.name, "reason": "Served today."}
        step = steps.begin(person, Step.Kind.ORDER, "", told, Selection.of([]))
        path = path.replace("{order}", step.identifier)
    return path.replace("{docket}", served.docket)


def test_every_address_that_is_a_page_is_among_those_looked_at(site):
    from django.urls import resolve

    from gatehouse.console.urls import urlpatterns

    some = {
        "docket": "D", "request": "R", "held": "/dockets/D/cases/1/", "released": "/dockets/D/cases/1/",
        "sample": "/dockets/D/samples/S/", "task": "/tasks/T/", "draft": "/law/drafts/D/",
        "order": "O",
    }  # fmt: skip
    paths = [path.format_map(some).split("?")[0] for _, name, path in PAGES if name != "not-found"]
    looked_at = {resolve(path).url_name for path in paths}
    assert {pattern.name for pattern in urlpatterns} - looked_at == NO_PAGES.keys() | ON_THE_WAY.keys()
    assert not NO_PAGES.keys() & ON_THE_WAY.keys()


def test_every_page_has_its_picture_in_the_docs_and_every_picture_its_page():
    here = Path(__file__).parent
    text = "".join(path.read_text() for path in here.glob("test_*.py"))
    taken = {*re.findall(r'(?:picture|check)\(\w+, "([a-z0-9-]+)"\)', text), *(name for _, name, _ in PAGES)}
    taken |= {f"{name}-narrow" for name in NARROW}
    assert set(ON_THE_WAY.values()) <= taken
    kept = {path.stem for path in (here.parents[1] / "docs" / "screenshots").glob("*.png")}
    assert kept == taken


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
def test_without_scripts_the_menu_is_reached_on_a_narrow_screen(served, chromium):
    context = chromium.new_context(
        viewport={"width": 320, "height": 640}, base_url=served.address, java_script_enabled=False
    )
    page = context.new_page()
    page.goto("/statistics/")
    link = page.locator("nav a[href='/ledger/']").first
    assert link.is_visible()
    link.click()
    page.wait_for_url("**/ledger/")
    context.close()


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
@pytest.mark.parametrize("username", sorted({str(entry[0]) for entry in PAGES}))
def test_every_page_is_accessible_narrow_and_clean(served, second, person, username):
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
