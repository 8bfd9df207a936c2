"""Addresses of PostgreSQL: what `psql` takes is taken, and neither a name nor a cause gives a password away."""

from __future__ import annotations

import pytest

from gatehouse import store
from gatehouse.kernel import postgres
from gatehouse.kernel.errors import WrongInput

pytest.importorskip("psycopg", reason="the postgres extra is not installed")


@pytest.mark.parametrize(
    ("address", "named", "django"),
    [
        ("postgresql:///gatehouse", "postgresql:///gatehouse", {"NAME": "gatehouse", "HOST": ""}),
        ("postgres://db.example", "postgresql://db.example/", {"HOST": "db.example"}),
        (
            "postgresql://clerk@/gatehouse?host=/run/postgresql",
            "postgresql:///gatehouse",
            {"NAME": "gatehouse", "HOST": "/run/postgresql", "USER": "clerk"},
        ),
        (
            "postgresql://clerk:hidden@one:5432,two:5433/gatehouse?sslmode=verify-full&target_session_attrs=read-write",
            "postgresql://one,two/gatehouse",
            {
                "HOST": "one,two", "PORT": "5432,5433", "PASSWORD": "hidden",
                "OPTIONS": {"sslmode": "verify-full", "target_session_attrs": "read-write"},
            },
        ),
        (
            "host=/run/postgresql dbname=gatehouse user=clerk password='hid den'",
            "postgresql:///gatehouse",
            {"NAME": "gatehouse", "HOST": "/run/postgresql", "PASSWORD": "hid den"},
        ),
        ("service=gatehouse", "postgresql:///", {"NAME": "", "OPTIONS": {"service": "gatehouse"}}),
    ],
)  # fmt: skip
def test_an_address_that_psql_takes_is_taken(address: str, named: str, django: dict[str, object]) -> None:
    assert postgres.is_address(address)
    assert postgres.name_of(address) == named
    made = store.database(address)
    assert {key: made[key] for key in django} == django


@pytest.mark.parametrize("path", ["register", "/srv/records", "./host", "records=2025", "sqlite:///x"])
def test_a_folder_is_no_address(path: str) -> None:
    assert not postgres.is_address(path)


@pytest.mark.parametrize(
    "address", ["postgresql://clerk:hid den@host/x", "postgresql://h:hidden/x", "host=a nonsense=1"]
)
def test_what_libpq_cannot_read_is_refused_with_the_cause_and_without_the_secret(address: str) -> None:
    with pytest.raises(WrongInput, match="this is not a PostgreSQL database address: ") as refused:
        postgres.parts(address)
    assert "hid" not in str(refused.value)
    assert "hid" not in postgres.name_of(address)


def test_a_cause_is_one_line_without_the_password() -> None:
    said = "\npg_restore: error: connection to postgresql://a:hidden@h/d failed: no password hidden\nmore"
    cause = postgres.cause_of(said, "postgresql://a:hidden@h/d")
    assert cause.startswith("pg_restore: error: connection to ")
    assert "hidden" not in cause
    assert postgres.cause_of("", "postgresql:///d") == "no cause was given"


def test_a_password_leaves_the_command_line() -> None:
    plain, password = postgres.apart("postgresql://clerk:hidden@h:5433/d?sslmode=require")
    assert password == "hidden"
    assert "hidden" not in plain
    assert postgres.parts(plain) == {"host": "h", "port": "5433", "user": "clerk", "dbname": "d", "sslmode": "require"}
