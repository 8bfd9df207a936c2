"""From one database address to a ready Django: SQLite in WAL mode with immediate transactions, or PostgreSQL."""

from __future__ import annotations

import getpass
from typing import Any

from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.kernel.postgres import cause_of, is_address, parts

APP = "gatehouse.store"
_WAIT_SECONDS = 30
_SQLITE = "sqlite:///"
_WHERE = "gatehouse.toml, database"
_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
_OF_ONE = {"ENGINE", "NAME", "HOST", "PORT"}
_OF_THE_ADDRESS: dict[str, Any] = {
    "ENGINE": "", "NAME": "", "USER": "", "PASSWORD": "", "HOST": "", "PORT": "", "OPTIONS": {}, "CONN_MAX_AGE": 0,
}  # fmt: skip


def database(url: str) -> dict[str, Any]:
    """Django's `DATABASES["default"]` for `sqlite:///path` or any address of PostgreSQL that `psql` takes.

    SQLite takes its write lock when a transaction begins, so two writers wait for each other instead of failing when
    they commit. Raises WrongInput on any other address; the address itself is never quoted, it may hold a password.
    """
    if url.startswith(_SQLITE):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix(_SQLITE),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": _WAIT_SECONDS,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
            },
        }
    if not is_address(url):
        raise WrongInput(
            "the database address is neither SQLite nor PostgreSQL",
            where=_WHERE,
            remedy="Write sqlite:///gatehouse.sqlite3 or postgresql://user@host/name",
        )
    given = parts(url, where=_WHERE)
    named = {django: given.pop(own, "") for own, django in _NAMES.items()}
    if not named["NAME"] and "service" not in given:
        named["NAME"] = named["USER"] or getpass.getuser()  # as libpq does
    # what is left (sslmode, service, target_session_attrs, …) says how to connect, and is handed on as it stands
    return {"ENGINE": "django.db.backends.postgresql", **named, "OPTIONS": given, "CONN_MAX_AGE": 60}


def configure(url: str) -> None:
    """Ready Django for the store alone, and bring its tables up to date.

    Where Django is configured already (the console does), only the database is checked to be the same one.
    Raises WrongInput when this process already works on another database.
    """
    import django
    from django.conf import settings

    wanted = database(url)
    if not settings.configured:
        settings.configure(
            DATABASES={"default": wanted},
            INSTALLED_APPS=[APP],
            USE_TZ=True,
            TIME_ZONE="UTC",
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        )
        django.setup()
    else:
        _switch(wanted)
    migrate(url)


def _switch(wanted: dict[str, Any]) -> None:
    """Point an already configured process at another database: tests and the demo work on several sites in turn."""
    from django.db import connections

    current, connection = connections.settings["default"], connections["default"]
    # a connection of another context (an event loop of this thread) may still be of the database before
    held = connection.settings_dict
    if all(current.get(key) == value == held.get(key) for key, value in wanted.items() if key in _OF_ONE):
        return
    if connection.in_atomic_block:
        raise WrongInput("this process already uses another database", remedy="Run one site at a time")
    connection.close()
    kept = {key: value for key, value in current.items() if key not in _OF_THE_ADDRESS}
    connections.settings["default"] = kept | _OF_THE_ADDRESS | wanted
    connections["default"] = connections.create_connection("default")


def migrate(url: str = "") -> None:
    """Bring the tables up to date; nothing to do is done in a few milliseconds.

    Raises MachineFailed with the server's own cause; `url` is the address, whose secrets are kept out of it.
    """
    from django.core.management import call_command
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as failure:
        raise MachineFailed(
            f"the database cannot be reached or brought up to date: {cause_of(failure, url)}",
            where=_WHERE,
            remedy="Check that the database is running and that its disk has room",
        ) from failure


def models_of() -> Any:  # noqa: ANN401 - a module
    """The models, once Django is configured: they cannot be imported before."""
    from gatehouse.store import models

    return models
