"""How often something may be tried: failures by name and by network address, calls by account.

Failed sign-ins are counted in the database, so that all processes of a site count together. Calls of the API are
counted in each process for itself: the limit guards the machine, and is not worth a write for each read.
"""

from __future__ import annotations

import datetime as dt
import threading
import time

from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from gatehouse.console.entrance import limit
from gatehouse.console.models import Account, Arrival, FailedSignIn
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo

BY_NAME = 8
BY_ADDRESS = 40
"""Failures in a quarter of an hour; an office behind one address has many people, but not that many mistakes."""
WINDOW = dt.timedelta(minutes=15)
_MOST_KEYS = 10_000


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


def may_try(username: str, address: str = "") -> bool:
    """Whether another sign-in may be tried by a name and from an address."""
    recent = FailedSignIn.objects.filter(at__gte=timezone.now() - WINDOW)
    if recent.filter(username=_key(username)).count() >= BY_NAME:
        return False
    return not address or recent.filter(address=address).count() < BY_ADDRESS


def failed(username: str, address: str = "") -> None:
    """Remember a failed sign-in, and forget those that no longer count."""
    FailedSignIn.objects.filter(at__lt=timezone.now() - WINDOW).delete()
    FailedSignIn.objects.create(username=_key(username), address=address)


def succeeded(username: str) -> None:
    """Forget the failures of a name that has signed in wholly; those of its address still count."""
    FailedSignIn.objects.filter(username=_key(username)).update(username="")


def _key(username: str) -> str:
    return username.strip().lower()[:64]


class Meter:
    """Counts by key within the running minute, in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = -1
        self._counts: dict[str, int] = {}

    def count(self, key: str, *, by: int = 1) -> int:
        """Add to a key's count and give it; too many different keys share one."""
        minute = int(time.monotonic() // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._counts = minute, {}
            known = key if key in self._counts or len(self._counts) < _MOST_KEYS else ""
            self._counts[known] = self._counts.get(known, 0) + by
            return self._counts[known]


_calls = Meter()


def called(account: Account) -> None:
    """Count a call of the API by an account's programs. Raises TooMany above `requests_a_minute`."""
    if _calls.count(f"account {account.pk}") > limit("requests_a_minute"):
        raise TooMany("this account's programs call too often", 60)


def called_in_vain(address: str) -> None:
    """Count a call without a valid key from an address. Raises TooMany above `failures_a_minute`."""
    if _calls.count(f"address {address}") > limit("failures_a_minute"):
        raise TooMany("too many calls without a valid key come from this address", 60)


def uploading(account: Account) -> None:
    """Before an upload is kept. Raises TooMany above `uploads_an_hour` of the account."""
    since = clock.now() - dt.timedelta(hours=1)
    if Arrival.objects.filter(account=account, at__gt=since).count() >= limit("uploads_an_hour"):
        raise TooMany("this account handed in too many files within an hour", 3600)
