"""One served site in Chromium for the journeys of a file: on SQLite and on PostgreSQL, who signs in, and common steps.

`GATEHOUSE_SCREENSHOTS=DIR` keeps a picture of every page, as docs/screenshots has them.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import journey_site
import pytest
from keyboard import Keyboard

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
NOW = "2025-08-07T14:00:00Z"


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """The custodian's and the agency's side before anything was handed in, made once."""
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


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def served(request, built, chromium, tmp_path_factory) -> Iterator[SimpleNamespace]:
    """A real site with one docket, served by the product's own server on a free port.

    The browser comes first: Django keeps a thread's connections apart from those beside the loop of the browser's
    driver, and the tests, which run beside it, would ask the database of the file before.
    """
    from django.db import connections
    from waitress import create_server

    from gatehouse.cli import web
    from gatehouse.console import accounts, proposals
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
        proposals.make(
            "proposed", name="Dana Moss", role="auditor", agency="", officer="", by="administrator"
        )  # to be looked at
        site = open_site(root / "site")
        docket = journey_site.carry(site, root / "first.zip")
        server = create_server(application, host="127.0.0.1", port=0, threads=4)
        threading.Thread(target=server.run, daemon=True).start()
        yield SimpleNamespace(
            address=f"http://localhost:{server.effective_port}", site=site, docket=docket, root=root, environment=patch
        )
        server.close()
        connections.close_all()


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
            _signed_in(page, username)
        return page

    yield arrive
    for context in contexts:
        context.close()
    unexpected = [text for text in errors if "status of 4" not in text]
    assert not unexpected


def _signed_in(page, username: str) -> None:
    from playwright.sync_api import TimeoutError as TooLate

    try:
        page.wait_for_selector("text=Signed in as")
    except TooLate:
        typed = page.evaluate("[...document.querySelectorAll('form input')].map(e => [e.id, e.value.length])")
        said = page.inner_text("body")
        raise AssertionError(f"{username} is not signed in: {page.url} holds {typed} and says {said!r}") from None


@pytest.fixture
def released(served):
    """A package that stands: from a journey before or, where there is none, made here without a browser."""
    from gatehouse.store.shelf import Shelf

    standing = [package for package in Shelf().releases(served.docket) if package.recalled_at is None]
    return standing[0] if standing else journey_site.release_some(served.site, served.docket)


def cases(served, state: str):
    from gatehouse.casework.states import State
    from gatehouse.store.casebook import Casebook

    return Casebook().board(served.docket).states[State(state)]


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


def sign(page, served, key: str) -> None:
    """Sign what is shown with a key file in the browser."""
    page.set_input_files("#key", served.root / f"{key}.key")
    page.click("#sign-own")


def picture(page, name: str) -> None:
    folder = os.environ.get("GATEHOUSE_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        width, height = page.viewport_size["width"], page.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST)}
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True, clip=clip)
