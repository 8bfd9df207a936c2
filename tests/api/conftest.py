"""The doors' one site, as support/doors.py makes it, and a key for each agency's programs."""

from __future__ import annotations

import pytest
from doors import site
from world import kept_in, made_once, world

__all__ = ["kept_in", "made_once", "site", "world"]


@pytest.fixture
def call(site):
    """A client of the API that signs in with a new key of an account."""
    from django.test import Client

    from gatehouse.console import tokens
    from gatehouse.console.models import Account

    def as_account(username: str, scopes=None) -> Client:
        account = Account.objects.get(username=username)
        key = tokens.make(account, "tests", scopes or tokens.possible(account), 1, account)
        return Client(headers={"authorization": f"Bearer {key}"})

    return as_account
