"""One real site that two agencies send to, with people's work in SQLite and in PostgreSQL; made once a file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import journey_site
import pytest
import server
from django.conf import settings
from django.test import Client
from doors import PASSWORD, SITE

from gatehouse import store
from gatehouse.console import accounts, tokens
from gatehouse.console.models import Account
from gatehouse.determine.docket import Docket
from gatehouse.ledger.signers import new_key
from gatehouse.pipeline import journey
from gatehouse.pipeline.site import Site, open_site
from gatehouse.synthetic.parties import invent
from gatehouse.synthetic.submission import Sender

FIRST, OTHER = "us.doj.other", "us.dhs.ice"
"""The agency whose docket is the first at the site, and the one whose dockets are called by id and agency."""


@dataclass(frozen=True)
class World:
    site: Site
    keys: dict[str, str]

    @property
    def folder(self) -> Path:
        return self.site.root.parent

    def submission(self, agency: str, identifier: str, source: str, *, key: str = "") -> Path:
        """A zip of one of the made submissions, under an agency, an id and its key."""
        folder = self.folder / f"of-{agency}-{identifier}-{source}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder / source, folder)
        manifest = json.loads((folder / "submission.json").read_text()) | {"agency": agency, "id": identifier}
        (folder / "submission.json").write_text(json.dumps(manifest))
        (folder / "submission.json.sig").unlink()
        zipped = folder.with_suffix(".zip")
        journey_site.pack_up(folder, zipped, key or self.keys[agency])
        return zipped

    def run(self, agency: str, identifier: str, source: str, *, key: str = "") -> Docket:
        zipped = self.submission(agency, identifier, source, key=key)
        return journey.run(self.site, zipped, now=journey_site.NOW, progress=lambda *_: None)

    def program(self, agency: str) -> Client:
        account = Account.objects.get(agency=agency)
        key = tokens.make(account, "tests", tokens.possible(account), 1, account)
        return Client(headers={"authorization": f"Bearer {key}"})

    def person(self, agency: str) -> Client:
        client = Client()
        client.force_login(Account.objects.get(agency=agency))
        return client


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def kept_in(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield ""
        return
    with server.postgres() as address:
        yield address


@pytest.fixture(scope="module")
def made_once(kept_in: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEHOUSE_NOW", "2025-08-07T14:00:00Z")
        site = journey_site.build(tmp_path_factory.mktemp("same"), persons=300, requests=20)
    keys = {agency: new_key(agency) for agency in (FIRST, OTHER)}
    both = invent(keys[OTHER][1], usual_requests=20).replace(f'["{OTHER}"]', f'["{FIRST}", "{OTHER}"]')
    first = invent(keys[FIRST][1], usual_requests=20, sender=Sender(agency=FIRST))
    site.parties.write_text(both + first[first.index(f'[agencies."{FIRST}"]') : first.index("[agreements.")])
    if kept_in:
        text = site.configuration.path.read_text()
        site.configuration.path.write_text(text.replace(site.database, kept_in).replace(_SQLITE, kept_in))
    return World(open_site(site.root), {agency: private for agency, (private, _) in keys.items()})


_SQLITE = "sqlite:///gatehouse.sqlite3"


@pytest.fixture
def world(site, made_once: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(settings, "GATEHOUSE_WORKS", False)
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-08-07T14:00:00Z")
    settings.GATEHOUSE_SITE = str(made_once.site.root)
    store.configure(made_once.site.database)
    for agency in (FIRST, OTHER):
        if not Account.objects.filter(agency=agency).exists():
            accounts.create(f"agency-{agency}", name=agency, role="requester", agency=agency, password=PASSWORD)
    yield made_once
    settings.GATEHOUSE_SITE = str(SITE.root)
    store.configure(SITE.database)
