"""The page of the administrative record."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gatehouse.console import access as found
from gatehouse.console.guard import needs
from gatehouse.console.models import Account
from gatehouse.console.permissions import Permission


@needs(Permission.OVERSIGHT_ACCESS_READ)
@require_GET
def access(request: HttpRequest) -> HttpResponse:
    """Who may come in, what was changed about it, and who looked at records."""
    context = {
        "acts": found.acts(),
        "lookers": found.lookers(),
        "accounts": Account.objects.order_by("role", "username"),
    }
    return render(request, "console/access.html", context)
