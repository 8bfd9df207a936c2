from __future__ import annotations

import pytest

from gatehouse import store
from gatehouse.kernel.errors import WrongInput


def test_sqlite_waits_and_writes_ahead(database: str) -> None:
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("about SQLite")
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert cursor.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert store.database(database)["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_a_postgresql_address_is_taken_apart() -> None:
    made = store.database("postgresql://clerk:p%40ss@db.example:5433/gate%2Dhouse")
    assert (made["USER"], made["PASSWORD"], made["HOST"], made["PORT"], made["NAME"]) == (
        "clerk", "p@ss", "db.example", "5433", "gate-house"
    )  # fmt: skip


@pytest.mark.parametrize("address", ["", "mysql://x/y", "postgresql://host:port/x", "sqlite:x"])
def test_another_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(WrongInput) as refusal:
        store.database(address)
    assert not address or address not in str(refusal.value)


def test_the_migrations_are_those_of_the_models(database: str) -> None:
    from django.core.management import call_command

    call_command("makemigrations", "store", check=True, dry_run=True, verbosity=0)
