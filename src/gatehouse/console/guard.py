"""The door of every page: who may come in, checked before the page's own code runs.

A view is wrapped by exactly one of `public`, `needs` and `signed_in`; a test walks all addresses and fails on one that
is not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.http import urlencode

from gatehouse.console import sessions
from gatehouse.console.entrance import entrance
from gatehouse.console.models import Account
from gatehouse.console.permissions import Permission
from gatehouse.site.roles import Role

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def public(view: View[P]) -> View[P]:
    """Mark a view that anybody may open."""
    view.permission = None  # type: ignore[attr-defined]
    return view


OWN = "own"
"""The audience of pages that show a person only their own things."""


def signed_in(view: View[P]) -> View[P]:
    """Let in whoever is signed in, for pages that show a person only their own things."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return refusal(request, OWN) or view(request, *args, **kwargs)

    guarded.permission = OWN  # type: ignore[attr-defined]
    return cast("View[P]", guarded)


def needs(permission: Permission) -> Callable[[View[P]], View[P]]:
    """Let in only signed-in accounts that hold a permission; others sign in, or are told no.

    Whoever owes a step (a password of their own, a second factor) is led there first.
    """

    def wrap(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            return refusal(request, permission) or view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return cast("View[P]", guarded)

    return wrap


def refusal(request: HttpRequest, permission: str | None) -> HttpResponseBase | None:
    """What keeps a caller out of a page with this audience, asked before anything of a body is read; None for nothing.

    Raises PermissionDenied for somebody who is signed in and may not.
    """
    if permission is None:
        return None
    if not request.user.is_authenticated:
        return _to_sign_in(request)
    if permission == OWN:
        return None
    if not account(request).may(Permission(permission)):
        raise PermissionDenied
    owed = _owed(request)
    return redirect(owed) if owed else None


def _owed(request: HttpRequest) -> str | None:
    person = account(request)
    if person.local and person.must_change_password:
        return "console:password"
    if needs_factor(person) and not sessions.has_factor(request):
        return "console:factor"
    return None


def needs_factor(person: Account) -> bool:
    """Whether the site wants a second factor of this local account."""
    return person.local and bool(person.role) and Role(person.role) in entrance().second_factor


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """To the sign-in page and back; what a form sent is not done, and its page is where to go on."""
    onward = request.get_full_path()
    if request.method not in {"GET", "HEAD"}:
        onward = _page_before(request)
        messages.warning(request, "You are not signed in. What you sent was not done: sign in and do it again.")
    elif getattr(request, "session_ended", False):
        messages.warning(request, "Your session has ended. Sign in to go on.")
    address = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': onward})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)


def _page_before(request: HttpRequest) -> str:
    before = urlsplit(request.headers.get("Referer", ""))
    return before.path if before.netloc == request.get_host() else ""


def account(request: HttpRequest) -> Account:
    """The account behind a guarded request."""
    return cast("Account", request.user)


def own(agency: str, request: HttpRequest) -> None:
    """Answer `not found`, as for something that does not exist, unless the account belongs to the agency."""
    if account(request).agency != agency:
        raise Http404


def whole(text: Any, least: int = 0, default: int = 0) -> int:  # noqa: ANN401 - anything a query string holds
    """A whole number from a query string, or the default: a bad page number is no reason for an error page."""
    try:
        number = int(text)
    except (TypeError, ValueError):
        return default
    return number if least <= number < 1 << 31 else default
