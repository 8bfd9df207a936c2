"""Before and around every answer: no body larger than its address takes; headers without inline script or style, no
framing, no caching of what is not public.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from gatehouse.console import bodies, guard
from gatehouse.console.guard import OWN
from gatehouse.console.views import errors

Respond = Callable[[HttpRequest], HttpResponse]
View = Any
"""A view, which its door has marked with its audience; one without a mark keeps its own door (the API)."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


def security_headers(respond: Respond) -> Respond:
    """Add the content security policy and its companions; what is not for everybody is never stored."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not _is_public(request, response):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def _is_public(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether an answer is a page or a file that anybody may open, shown to somebody who is not signed in."""
    if getattr(request, "user", None) is not None and request.user.is_authenticated:
        return False
    found = request.resolver_match
    marked = getattr(found.func, "permission", OWN) is None if found is not None else False
    return response.status_code == 200 and (marked or request.path_info.startswith("/api/v1/ledger"))


def limited_body(respond: Respond) -> Respond:
    """Refuse a body that is too large for its address before anything reads it."""

    def answer(request: HttpRequest) -> HttpResponse:
        return _too_large(request, bodies.most(request.path_info)) or respond(request)

    return answer


def _too_large(request: HttpRequest, most: int) -> HttpResponse | None:
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        announced = most + 1
    return errors.too_large(request, most) if announced > most else None


def known_first(respond: Respond) -> Respond:
    """Let nothing of a body be parsed before it is known who sends it: the page's own door is asked first.

    To stand before whatever reads a form. A form that anybody may send is small.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        return respond(request)

    def before_view(request: HttpRequest, view: View, *_: object) -> HttpResponseBase | None:
        if request.method in {"GET", "HEAD"} or not hasattr(view, "permission"):
            return None
        if view.permission is None and not request.user.is_authenticated:
            return _too_large(request, bodies.STRANGER)
        return guard.refusal(request, view.permission)

    answer.process_view = before_view  # type: ignore[attr-defined]
    return answer


def plain_text(respond: Respond) -> Respond:
    """Refuse a NUL in an address, a query or a form: no text has one, and PostgreSQL keeps none."""

    def answer(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            return errors.not_found(request, Http404())
        return errors.wrong(request, ValueError()) if _has_nul(request.GET) else respond(request)

    def before_view(request: HttpRequest, view: View, *_: object) -> HttpResponse | None:
        form = request.POST if request.method == "POST" and hasattr(view, "permission") else {}
        return errors.wrong(request, ValueError()) if _has_nul(form) else None

    answer.process_view = before_view  # type: ignore[attr-defined]
    return answer


def _has_nul(given: Mapping[str, object]) -> bool:
    return any("\0" in str(text) for values in dict(given).values() for text in cast("list[object]", values))


def form_only(respond: Respond) -> Respond:
    """Say in words that an address only takes a form, where the answer would be a bare 405."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        api = request.path_info.startswith("/api/")  # which answers with problems of its own
        if response.status_code == 405 and not api and not response.content:
            return errors.form_only(request, response)
        return response

    return answer
