"""One site for all tests of the doors, made once in a process: officers' keys, a roster, a ledger, and who signs in."""

from __future__ import annotations

import datetime as dt
import io
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from gatehouse.cli import web
from gatehouse.ledger.signers import new_key
from gatehouse.pipeline import founding
from gatehouse.pipeline.site import Founding, Site, open_site

PASSWORD = "seven quiet herons"
ROWS = 600
ACCOUNTS = {
    "officer1": ("disclosure_officer", "", "do-1"),
    "officer2": ("disclosure_officer", "", "do-2"),
    "unlinked": ("disclosure_officer", "", ""),
    "requester": ("requester", "us.dhs.ice", ""),
    "stranger": ("requester", "us.doj.other", ""),
    "counsel": ("counsel", "", ""),
    "manager": ("disclosure_manager", "", ""),
    "inspector": ("inspector", "", ""),
    "auditor": ("auditor", "", ""),
    "administrator": ("administrator", "", ""),
}


def _made(root: Path) -> Site:
    pack = Path(__file__).parents[2] / "packs" / "us-irs-6103-i-2"
    opened = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    site = founding.found(root, Founding("gateway.example/test"), [pack], opened, shipped=True)
    lines = [
        site.configuration.path.read_text(),
        "[sign_in]\nsecond_factor = []  # tests/console/test_factors.py asks for one\n",
    ]
    for number in (1, 2):
        private, public = new_key(f"officer-{number}")
        (root.parent / f"do-{number}.key").write_text(private + "\n")
        lines.append(
            f'[[officers]]\nid = "do-{number}"\nname = "Officer {number}"\nrole = "disclosure_officer"\n'
            f'key = "{public}"\nfrom = 2025-01-01\n'
        )
    text = "\n".join(lines).replace("sqlite:///gatehouse.sqlite3", _database())
    site.configuration.path.write_text(text)
    return open_site(root)


def _database() -> str:
    """SQLite, or the address in GATEHOUSE_TEST_DATABASE (test_postgres.py runs the doors' tests so)."""
    return os.environ.get("GATEHOUSE_TEST_DATABASE", "sqlite:///gatehouse.sqlite3")


SITE = _made(Path(tempfile.mkdtemp(prefix="gatehouse-doors-")) / "site")
# Django learns its apps once in a process, so this must come before any test opens a database.
web.configure(SITE)

from django.conf import settings  # noqa: E402
from django.http import HttpResponseBase  # noqa: E402
from django.test import Client as Plain  # noqa: E402

from gatehouse import store  # noqa: E402


class Client(Plain):
    """A client that fails on any answer, an error's above all, that shows where the server keeps its files."""

    def request(self, **sent: object) -> HttpResponseBase:
        answer = super().request(**sent)
        shown = b"" if answer.streaming else answer.content
        assert str(SITE.root.parent).encode() not in shown, "a path of the server is shown"
        return answer


class Missing(str):
    """Stands for a name that a template reads and no view gives: reading it is an error, and no empty place."""

    __slots__ = ()

    def __mod__(self, name: object) -> str:
        if str(name).startswith("given."):  # a form that was not sent yet
            return ""
        raise LookupError(f"a template reads {name}, which is not there")


settings.TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = Missing("%s")
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
settings.ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]


def _populate() -> None:
    from gatehouse.console import accounts

    for name, agency in (("ICE-1", "us.dhs.ice"), ("DOJ-1", "us.doj.other")):
        receive(name, agency)
    for username, (role, agency, officer) in ACCOUNTS.items():
        accounts.create(username, name=username, role=role, agency=agency, officer=officer, password=PASSWORD)


def receive(name: str, agency: str) -> None:
    """Commit one more docket of invented determinations, for a file whose decisions would be in another's way."""
    from docket_files import write_docket

    from gatehouse.determine.docket import Docket
    from gatehouse.pipeline import approve
    from gatehouse.pipeline.commit import commit_docket

    docket = Docket(write_docket(SITE.dockets / name, ROWS, agency=agency, submission=name, numbered=False))
    with duckdb.connect() as connection:
        commit_docket(connection, SITE, docket, dt.datetime(2025, 6, 27, tzinfo=dt.UTC))
        approve.open_docket(connection, approve.office(SITE), docket)


_populated = SimpleNamespace(done=False)


@pytest.fixture
def site():
    """The shared site, with its database in use even where another room's tests switched it."""
    settings.GATEHOUSE_SITE = str(SITE.root)
    store.configure(SITE.database)
    if not _populated.done:
        _populate()
        _populated.done = True
    return SITE


@pytest.fixture
def anyone(site) -> Client:
    return Client()


@pytest.fixture
def signed_in(site):
    """Sign in by user name; gives a client that checks CSRF tokens only when asked."""
    from gatehouse.console.models import Account

    def sign_in(username: str, **options) -> Client:
        client = Client(**options)
        client.force_login(Account.objects.get(username=username))
        return client

    return sign_in


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What the log says, as a server writes it."""
    from gatehouse.console import observation

    written = io.StringIO()
    handler, log = logging.StreamHandler(written), logging.getLogger("gatehouse")
    handler.setFormatter(observation.Terse())
    log.addHandler(handler)
    yield written
    log.removeHandler(handler)
