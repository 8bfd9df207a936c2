"""The site of doors.py with two agencies' dockets, open for decisions, and an account of each role."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from django.conf import settings
from django.test import Client
from doors import ACCOUNTS, PASSWORD, ROWS, SITE

from gatehouse import store
from gatehouse.kernel import digests

settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
settings.ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]


def _populate() -> None:
    from docket_files import write_docket

    from gatehouse.casework import queue
    from gatehouse.casework.board import Board
    from gatehouse.casework.records import CaseFile
    from gatehouse.console import accounts
    from gatehouse.store.casebook import Casebook

    for name, agency in (("ICE-1", "us.dhs.ice"), ("DOJ-1", "us.doj.other")):
        folder = write_docket(SITE.dockets / name, ROWS, agency=agency, submission=name)
        with duckdb.connect() as connection:
            size, outcomes, clearable = queue.build(connection, folder)
        digest = digests.of_file(folder / "determinations.parquet")
        received = dt.datetime(2025, 6, 27, tzinfo=dt.UTC)
        file = CaseFile(name, agency, size, digest, received, frozenset(), clearable)
        Casebook().open(file, Board.start(size, outcomes))
    for username, (role, agency, officer) in ACCOUNTS.items():
        accounts.create(username, name=username, role=role, agency=agency, officer=officer, password=PASSWORD)


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
