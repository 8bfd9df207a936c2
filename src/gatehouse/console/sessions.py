"""How long a session lasts: it ends when nobody uses it, at the latest after a working day, and everywhere at once.

A session begins anew at every sign-in. The instants are kept in it; one without them has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import F
from django.http import HttpRequest, HttpResponse

from gatehouse.console.entrance import entrance
from gatehouse.console.models import Account
from gatehouse.kernel import clock

Respond = Callable[[HttpRequest], HttpResponse]
BEGAN, SEEN, FACTOR = "began", "seen", "factor"
_NOTED = 60
"""Seconds between two notes of being seen, so that reading pages does not write at every turn."""


def begin(sender: Any, request: HttpRequest | None, **given: Any) -> None:  # noqa: ANN401 - a signal's receiver
    """Note when a session began; the framework has just given it a new key."""
    if request is not None:
        request.session[BEGAN] = request.session[SEEN] = clock.machine().timestamp()


user_logged_in.connect(begin, dispatch_uid="gatehouse.sessions")


def passed_factor(session: SessionBase) -> None:
    """Note that the person gave a second factor in this session."""
    session[FACTOR] = True


def has_factor(request: HttpRequest) -> bool:
    """Whether the person gave a second factor in this session."""
    return request.session.get(FACTOR) is True


def end_everywhere(account: Account) -> None:
    """End all sessions of an account, on every device, at once."""
    Account.objects.filter(pk=account.pk).update(epoch=F("epoch") + 1)
    account.refresh_from_db(fields=["epoch"])


def keep_time(respond: Respond) -> Respond:
    """End sessions that are idle or old before any page sees them."""

    def answer(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now, session = clock.machine().timestamp(), request.session
            if _over(session, now):
                logout(request)
                request.session_ended = True  # type: ignore[attr-defined]
            elif now - session[SEEN] >= _NOTED:
                session[SEEN] = now
        return respond(request)

    return answer


def _over(session: SessionBase, now: float) -> bool:
    began, seen = session.get(BEGAN), session.get(SEEN)
    if not isinstance(began, int | float) or not isinstance(seen, int | float):
        return True
    rules = entrance()
    return now - began >= rules.absolute.total_seconds() or now - seen >= rules.idle.total_seconds()
