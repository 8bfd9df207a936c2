from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import server

from gatehouse import store


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with server.postgres() as address:
        yield address


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind, ready to use."""
    from django.core.management import call_command
    from django.db import connections

    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'gatehouse.sqlite3'}"
        store.configure(address)
    else:
        address = request.getfixturevalue("postgres_server")
        store.configure(address)
        call_command("flush", interactive=False, verbosity=0)
    yield address
    connections.close_all()
