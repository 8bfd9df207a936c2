"""How often something may be tried: failures by name and by network address, calls by account.

All is counted in the database, so that all processes of a site count together. A call of the API costs one small
write that waits for no disk; where the database does not answer, nobody comes in.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from dataclasses import dataclass

from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from gatehouse.console.entrance import limit
from gatehouse.console.models import Account, Arrival, Calls, FailedSignIn
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo

BY_NAME = 8
BY_ADDRESS = 40
"""Failures in a quarter of an hour; an office behind one address has many people, but not that many mistakes."""
WINDOW = dt.timedelta(minutes=15)
HOUR = dt.timedelta(hours=1)


class TooMany(AnswerIsNo):
    """Asked too often; `wait` seconds from now it may be tried again."""

    def __init__(self, what: str, wait: int) -> None:
        super().__init__(what, remedy=f"Wait {wait} seconds, then try again")
        self.wait = wait


def address(request: HttpRequest) -> str:
    """The network address a request came from, as a keyed digest.

    It is the address that the server names. Behind a proxy the server is told whom to believe (`serve --proxy`); what
    a browser writes about itself counts for nothing.
    """
    return salted_hmac("gatehouse.address", request.META.get("REMOTE_ADDR", ""), algorithm="sha256").hexdigest()


@dataclass(frozen=True)
class Try:
    """One try at a password or a code. It counts as a failure until it is said to be none, so that tries made at the
    same instant count each other, whichever process they come to.
    """

    row: FailedSignIn

    def forgive(self) -> None:
        """It was right, or nobody can say that it was wrong: it does not count."""
        self.row.delete()


def trying(username: str, address: str = "", *, known: bool = False) -> Try | None:
    """Begin one more try by a name and from an address; None where either has failed too often.

    Somebody `known`, who is signed in already, is not held up by what others do at the same address.
    """
    since = clock.machine() - WINDOW
    FailedSignIn.objects.filter(at__lt=since).delete()
    begun = Try(FailedSignIn.objects.create(username=_key(username), address=address))
    recent = FailedSignIn.objects.filter(at__gte=since)  # the row above is there for all to count before any counts
    often = recent.filter(username=_key(username)).count() > BY_NAME
    if often or (address and not known and recent.filter(address=address).count() > BY_ADDRESS):
        begun.forgive()
        return None
    return begun


def succeeded(username: str) -> None:
    """Forget the failures of a name that has signed in wholly; those of its address still count."""
    FailedSignIn.objects.filter(username=_key(username)).update(username="")


def _key(username: str) -> str:
    """A name as a keyed digest: somebody may have typed a password in its place."""
    return salted_hmac("gatehouse.name", username.strip().lower(), algorithm="sha256").hexdigest()


_MINUTE = {
    "sqlite": "CAST(strftime('%%s', 'now') AS INTEGER) / 60",
    "postgresql": "CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT) / 60",
}
"""The running minute by the database's own clock, so that machines whose clocks differ count the same one."""
_COUNT = """
    INSERT INTO console_calls AS held (key, minute, count) VALUES (%s, {minute}, 1)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN excluded.minute > held.minute THEN 1 ELSE held.count + 1 END,
        minute = CASE WHEN excluded.minute > held.minute THEN excluded.minute ELSE held.minute END
    RETURNING minute, count
"""
_CARELESS, _CAREFUL = "PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL"


def count(key: str) -> int:
    """Add a call to a key's count of the running minute and give it: one statement, exact whoever else counts.

    The key is kept as a keyed digest. A count need not outlive a power cut, so nothing waits for the disk: in
    PostgreSQL the table is unlogged, in SQLite this one write is not synced. Raises django.db.Error where the database
    does not answer; then nobody knows how often, and the call must not be let through.
    """
    digest = salted_hmac("gatehouse.calls", key, algorithm="sha256").hexdigest()
    unsynced = connection.vendor == "sqlite" and not connection.in_atomic_block
    with connection.cursor() as cursor:
        if unsynced:
            cursor.execute(_CARELESS)
        try:
            cursor.execute(_COUNT.format(minute=_MINUTE[connection.vendor]), [digest])
            [(minute, found)] = cursor.fetchall()
        finally:
            if unsynced:
                cursor.execute(_CAREFUL)
    if found == 1:
        with contextlib.suppress(DatabaseError):  # another process may be at the same rows; the next minute will do
            Calls.objects.filter(minute__lt=minute - 1).delete()
    return int(found)


def called(account: Account) -> None:
    """Count a call of the API by an account's programs. Raises TooMany above `requests_a_minute`."""
    if count(f"account {account.pk}") > limit("requests_a_minute"):
        raise TooMany("this account's programs call too often", 60)


def called_in_vain(address: str) -> None:
    """Count a call without a valid key from an address. Raises TooMany above `failures_a_minute`."""
    if count(f"address {address}") > limit("failures_a_minute"):
        raise TooMany("too many calls without a valid key come from this address", 60)


@transaction.atomic
def uploading(account: Account) -> None:
    """Before an upload is noted, in the transaction that notes it. Raises TooMany above `uploads_an_hour`.

    Until that transaction ends no other upload of the account passes here, in whichever process: the account's row is
    locked in PostgreSQL, the whole database in SQLite. So of uploads at one instant exactly as many pass as are free.
    """
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    now, most = clock.now(), limit("uploads_an_hour")
    recent = Arrival.objects.filter(account=account, at__gt=now - HOUR)
    if recent.count() >= most:
        leaves = (recent.order_by("-at")[most - 1].at if most else now) + HOUR  # then one is free again
        wait = math.ceil((leaves - now).total_seconds())
        raise TooMany("this account handed in too many files within an hour", wait)
