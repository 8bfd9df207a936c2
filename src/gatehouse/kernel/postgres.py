"""Addresses of PostgreSQL databases: read as `psql` reads them, named without secrets, and their failures explained.

libpq itself takes an address apart, so every form that PostgreSQL's own programs take is taken here: a URI, with or
without a host, with several hosts and parameters, and a line of keywords. No name given for a database, and no cause
given for a failure, contains a user's password.
"""

from __future__ import annotations

import re
from typing import Any

from gatehouse.kernel import extras
from gatehouse.kernel.errors import MachineFailed, WrongInput

_URI = ("postgresql://", "postgres://")
_KEYWORD = re.compile(r"\s*(?:host|hostaddr|port|dbname|user|service|passfile|sslmode)\s*=")
_SECRET = ("password", "passfile", "sslpassword")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


def is_address(text: str) -> bool:
    """Whether a text names a PostgreSQL database: a URI, or keywords such as `host=/run/postgresql dbname=records`."""
    return text.startswith(_URI) or _KEYWORD.match(text) is not None


def parts(address: str, *, where: str = "") -> dict[str, str]:
    """The parameters of an address by libpq's names (`host`, `dbname`, `user`, …), each only where it is given.

    Raises WrongInput when libpq cannot read it; the cause is told without what stands in the address, which may be a
    password. Raises MachineFailed when psycopg is not installed.
    """
    psycopg = driver()
    try:
        read = psycopg.conninfo.conninfo_to_dict(address)
    except psycopg.ProgrammingError as wrong:
        raise _unreadable(_QUOTED.sub("…", str(wrong).strip().splitlines()[0]), where) from None
    given = {name: str(value) for name, value in read.items() if value is not None}
    if not all(port.isdecimal() for port in filter(None, given.get("port", "").split(","))):
        raise _unreadable("the port is no number", where)
    return given


def _unreadable(cause: str, where: str) -> WrongInput:
    return WrongInput(
        f"this is not a PostgreSQL database address: {cause}",
        where=where,
        remedy="Write it as psql accepts it, such as postgresql://user@host/name",
    )


def apart(address: str) -> tuple[str, str]:
    """The address as keywords without its password, and the password: a command line is there for all to read."""
    read = parts(address)
    password = read.pop("password", "")
    return driver().conninfo.make_conninfo(**read), password


def name_of(address: str) -> str:
    """The address without user, password and parameters, for messages and records."""
    try:
        read = parts(address)
    except (WrongInput, MachineFailed):
        return "postgresql://…"
    host = read.get("host") or read.get("hostaddr") or ""
    return f"postgresql://{'' if host.startswith('/') else host}/{read.get('dbname') or read.get('user') or ''}"


def cause_of(failure: object, address: str) -> str:
    """The first line of what a server or a PostgreSQL program said, without any secret of the address."""
    lines = [line.strip() for line in str(failure).splitlines() if line.strip()]
    said = lines[0] if lines else "no cause was given"
    try:
        secrets = [value for name, value in parts(address).items() if name in _SECRET and value]
    except WrongInput:
        return _QUOTED.sub("…", said)
    for secret in secrets:
        said = said.replace(secret, "…")
    return said.replace(address, name_of(address)).rstrip(".")


def driver() -> Any:  # noqa: ANN401 - a module
    """The module `psycopg`. Raises MachineFailed with the remedy when the extra is not installed."""
    try:
        import psycopg
        import psycopg.conninfo
    except ImportError:
        raise MachineFailed("PostgreSQL needs the extra postgres", remedy=extras.remedy("postgres")) from None
    return psycopg
