"""Answers for machines: the process lives, it could work now, this caller may send a body. None names a person."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from gatehouse.console import bodies, desk, limits
from gatehouse.console.guard import public
from gatehouse.pipeline import readiness


@public
@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@public
@require_GET
def ready(request: HttpRequest) -> HttpResponse:
    """Whether database, ledger, law, register and disk are ready: 200, or 503 and which of them is not."""
    found = readiness.check(desk.site())
    status = 200 if all(found.values()) else 503
    return JsonResponse({"ready": status == 200, "checks": found}, status=status, headers={"Cache-Control": "no-store"})


@public
@require_GET
def may_send(request: HttpRequest) -> HttpResponse:
    """Whether the caller may send a body to the address in X-Original-URI, for a server that has not yet taken it."""
    path = urlsplit(request.headers.get("X-Original-URI", "")).path
    try:
        status = bodies.may_send(request, path)
    except limits.TooMany:
        status = 403
    return HttpResponse(status=status, headers={"Cache-Control": "no-store"})
