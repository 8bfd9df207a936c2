"""The door of every page: who may come in, checked before the page's own code runs.

A view is wrapped by exactly one of `public`, `needs` and `signed_in`; a test walks all addresses and fails on one that
is not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.http import urlencode

from gatehouse.console.models import Account
from gatehouse.console.permissions import Permission

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def public(view: View[P]) -> View[P]:
    """Mark a view that anybody may open."""
    view.permission = None  # type: ignore[attr-defined]
    return view


def needs(permission: Permission) -> Callable[[View[P]], View[P]]:
    """Let in only signed-in accounts that hold a permission; others sign in, or are told no."""

    def wrap(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': request.get_full_path()})}")
            if not account(request).may(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return cast("View[P]", guarded)

    return wrap


def signed_in(view: View[P]) -> View[P]:
    """Let in whoever is signed in, for pages that show a person only their own things."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': request.get_full_path()})}")
        return view(request, *args, **kwargs)

    guarded.permission = "own"  # type: ignore[attr-defined]
    return cast("View[P]", guarded)


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
