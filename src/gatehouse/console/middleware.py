"""Before and around every answer: no body larger than its address takes; headers without inline script or style, no
framing, no caching of what is not public.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

from gatehouse.console.views import errors

Respond = Callable[[HttpRequest], HttpResponse]

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
    """Add the content security policy and its companions; pages of a signed-in person are never stored."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = respond(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


FORM = 8 << 20
"""Bytes of a form without files."""
_TAKES_FILES = re.compile(r"/(submissions|law|api/v1/submissions)(/|$)")


def limited_body(respond: Respond) -> Respond:
    """Refuse a body that is too large for its address before anything reads it."""

    def answer(request: HttpRequest) -> HttpResponse:
        most = settings.GATEHOUSE_UPLOAD_LIMIT if _TAKES_FILES.match(request.path_info) else FORM
        try:
            announced = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            announced = most + 1
        if announced > most:
            return errors.too_large(request, most)
        return respond(request)

    return answer


def plain_text(respond: Respond) -> Respond:
    """Refuse a NUL in an address, a query or a form: no text has one, and PostgreSQL keeps none."""

    def answer(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            return errors.not_found(request, Http404())
        given = (request.GET, request.POST if request.method == "POST" else {})
        if any("\0" in text for query in given for values in dict(query).values() for text in values):
            return errors.wrong(request, ValueError())
        return respond(request)

    return answer
