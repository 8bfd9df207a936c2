"""Taking a role by a click: at a demonstration that only this machine reaches, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner
from django.conf import settings
from doors import SITE

from gatehouse.cli.serve import serve
from gatehouse.console import demonstration, desk


@pytest.fixture
def on(site, monkeypatch):
    """The doors' site as a demonstration, with the click switched on."""
    monkeypatch.setattr(settings, "GATEHOUSE_ONE_CLICK", True)
    marked = replace(SITE.configuration.settings, demonstration=True)
    made = replace(SITE, configuration=replace(SITE.configuration, settings=marked))
    monkeypatch.setattr(desk, "site", lambda: made)


def test_a_visitor_takes_a_role_by_a_click(on, anyone):
    page = anyone.get("/").content.decode()
    assert "choose whom you want to be" in page
    assert 'value="counsel"' in page
    taken = anyone.post("/sign-in/as/", {"username": "counsel", "next": "/law/"})
    assert taken.headers["Location"] == "/law/"
    assert anyone.get("/law/").status_code == 200


@pytest.mark.parametrize("username", ["officer1", "", "nobody"])
def test_only_the_accounts_of_a_demonstration_are_taken(on, anyone, username):
    assert anyone.post("/sign-in/as/", {"username": username}).status_code == 404


def test_not_from_another_machine(on, anyone):
    assert anyone.post("/sign-in/as/", {"username": "counsel"}, REMOTE_ADDR="192.0.2.7").status_code == 404
    assert "choose whom" not in anyone.get("/", REMOTE_ADDR="192.0.2.7").content.decode()


def test_not_where_it_is_not_switched_on_nor_at_a_real_site(site, anyone, monkeypatch):
    assert settings.GATEHOUSE_ONE_CLICK is False
    assert anyone.post("/sign-in/as/", {"username": "counsel"}).status_code == 404
    monkeypatch.setattr(settings, "GATEHOUSE_ONE_CLICK", True)
    assert SITE.demonstration is False
    assert anyone.post("/sign-in/as/", {"username": "counsel"}).status_code == 404
    assert demonstration.parts.__doc__


@pytest.mark.parametrize("host", ["127.0.0.1", "gateway.example"])
def test_a_real_site_is_not_served_so(host):
    done = CliRunner().invoke(serve, ["--site", str(SITE.root), "--one-click", "--host", host])
    assert "only for a demonstration that no other machine can reach" in str(done.exception or done.output)
