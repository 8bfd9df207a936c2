"""Accounts: who may sign in, as what, and for whom. Every change is in the ledger before it is made."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from gatehouse.console import accounts as making
from gatehouse.console import chronicle
from gatehouse.console.guard import account as whose
from gatehouse.console.guard import needs
from gatehouse.console.models import Account
from gatehouse.console.permissions import TITLES, Permission, Role
from gatehouse.kernel.errors import GatehouseError, WrongInput


@needs(Permission.CUSTODIAN_ACCOUNT_MANAGE)
@require_http_methods(["GET", "POST"])
def accounts(request: HttpRequest) -> HttpResponse:
    """All accounts, and a form for a new one."""
    problem, made, password = "", None, ""
    if request.method == "POST":
        try:
            made, password = _make(request)
        except (GatehouseError, ValueError) as error:
            problem = f"{error}." if isinstance(error, GatehouseError) else "Choose a role."
    context = {
        "accounts": Account.objects.order_by("role", "username"),
        "roles": [(role.value, TITLES[role]) for role in Role],
        "error": problem,
        "made": made,
        "password": password,
        "given": request.POST if problem else {},
    }
    return render(request, "console/accounts.html", context, status=400 if problem else 200)


def _make(request: HttpRequest) -> tuple[Account, str]:
    given = {key: request.POST.get(key, "").strip() for key in ("username", "name", "role", "agency", "officer")}
    if Account.objects.filter(username=given["username"]).exists():
        raise WrongInput("the user name is taken", remedy="Choose another")
    making.check(given["username"], Role(given["role"]), given["agency"])
    _enter(request, "account_made", given["username"], given["role"], given["agency"])
    return making.create(
        given["username"],
        name=given["name"] or given["username"],
        role=given["role"],
        agency=given["agency"],
        officer=given["officer"],
    )


@needs(Permission.CUSTODIAN_ACCOUNT_MANAGE)
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest, username: str) -> HttpResponseBase:
    """One account: close it, open it again, or give it a new password."""
    found = Account.objects.filter(username=username).first()
    if found is None:
        raise Http404
    password = ""
    if request.method == "POST":
        act = request.POST.get("act", "")
        if act not in {"close", "open", "reset"} or (act == "close" and found == whose(request)):
            raise Http404
        try:
            _enter(request, f"account_{act}", found.username, found.role, found.agency)
        except GatehouseError as error:
            messages.error(request, f"Nothing was changed: {error}.")
            return redirect("console:account", username=username)
        if act == "reset":
            password = making.reset(found)
        else:
            found.is_active = act == "open"
            found.save(update_fields=["is_active"])
            messages.success(request, f"The account {username} is {'open' if found.is_active else 'closed'}.")
            return redirect("console:accounts")
    return render(request, "console/account.html", {"found": found, "password": password})


def _enter(request: HttpRequest, event: str, username: str, role: str, agency: str) -> None:
    chronicle.enter(event, {"account": username, "role": role, "agency": agency, "by": whose(request).username})
