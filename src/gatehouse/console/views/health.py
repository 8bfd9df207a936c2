"""Two answers for whoever runs the site: the process lives, and it could do its work now. Neither names a person."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from gatehouse.console import desk
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
