"""Journeys without a mouse, on SQLite and on PostgreSQL: officer, requester, inspector, administrator, the public.

Counsel, overseers and the person concerned use the keyboard in test_browser.py, where their journeys meet others'.
"""

from __future__ import annotations

import json
from pathlib import Path

import journey_site
import pytest
from browsing import picture, request_id
from keyboard import Keyboard

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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
    keys = Keyboard(page)
    keys.file("#key", served.root / "do-2.key")
    keys.press("#sign-own")
    page.wait_for_selector("text=It is on record")
    assert "Returned as incomplete" in page.inner_text(".gh-state")

    page.keyboard.press("?")
    page.wait_for_selector("details.gh-keys[open]")
    page.click("label[for=keys-on]")
    page.reload()
    page.keyboard.press("n")
    assert not page.is_checked("#keys-on")
    assert second in page.inner_text("h1")


def test_a_requester_hands_in_and_reads_and_fetches_by_the_keyboard_alone(served, person, released):
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
    keys.type("#officer", released.officer)
    page.keyboard.press("Enter")
    page.wait_for_url("**officer=**")
    with page.expect_download() as download:
        keys.press("main table a[title]")
    assert Path(download.value.path()).read_bytes().startswith(b"age-encryption.org/v1")


def test_an_inspector_verifies_samples_and_derives_again_by_the_keyboard_alone(served, person, released):
    journey_site.recall_one(served.site, released)
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


def test_two_people_make_an_account_and_one_closes_it_by_the_keyboard_alone(served, person):
    page, ana = person("administrator"), person("do-1")
    keys = Keyboard(page)
    page.wait_for_selector("h1:has-text('Accounts')")
    keys.type("#username", "new-desk")
    keys.type("#name", "New desk")
    keys.choose("#role", "requester")
    keys.type("#agency", "us.dhs.ice")
    keys.press("main button", "Propose the account")
    page.wait_for_selector("text=new-desk is proposed")
    assert keys.walk() > 10
    officer = Keyboard(ana)
    officer.press("nav a", "Proposed accounts")
    ana.wait_for_selector("h1:has-text('Proposed accounts')")
    officer.press("main a", "new-desk")
    ana.wait_for_selector("h1:has-text('Confirm an account')")
    officer.file("#key", served.root / "do-1.key")
    officer.press("#sign-own")
    ana.wait_for_selector("text=Confirmed: new-desk")
    page.goto("/accounts/")
    keys.press("main a", "new-desk")
    page.wait_for_selector("h1:has-text('New desk')")
    keys.press("main button", "Give a new password")
    page.wait_for_selector("text=password")
    keys.press("main button", "Close")
    page.wait_for_selector("h2:has-text('Close the account new-desk?')")
    keys.press(".gh-decide button", "Close the account")
    page.wait_for_selector("text=is closed")


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
