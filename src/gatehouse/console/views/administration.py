"""Accounts: who may sign in, as what, and for whom; and work that failed, to be set going again.

Every change is in the ledger before it is made.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from gatehouse.console import accounts as making
from gatehouse.console import arrivals, chronicle, factors, proposals, sessions, tokens
from gatehouse.console.guard import account as whose
from gatehouse.console.guard import needs, whole
from gatehouse.console.models import Account, Key, Proposal
from gatehouse.console.permissions import Permission
from gatehouse.kernel.errors import GatehouseError, WrongInput
from gatehouse.site.roles import TITLES, Role
from gatehouse.store import jobs

_WAITS = "It waits for an officer to confirm it."


@needs(Permission.CUSTODIAN_ACCOUNT_MANAGE)
@require_http_methods(["GET", "POST"])
def accounts(request: HttpRequest) -> HttpResponse:
    """All accounts, what was proposed and waits for an officer, and a form to propose a new one."""
    problem, proposed = "", None
    if request.method == "POST":
        try:
            if "withdraw" in request.POST:
                return _withdraw(request)
            proposed = _propose(request)
        except (GatehouseError, ValueError) as error:
            problem = f"{error.outside}." if isinstance(error, GatehouseError) else "Choose a role."
    context = {
        "accounts": Account.objects.order_by("role", "username"),
        "roles": [(role.value, TITLES[role]) for role in Role],
        "error": problem,
        "proposed": proposed,
        "waiting": Proposal.objects.order_by("at"),
        "given": request.POST if problem else {},
    }
    return render(request, "console/accounts.html", context, status=400 if problem else 200)


def _propose(request: HttpRequest) -> Proposal:
    given = {key: request.POST.get(key, "").strip() for key in ("name", "role", "agency", "officer")}
    return proposals.make(request.POST.get("username", "").strip(), **given, by=whose(request).username)


def _withdraw(request: HttpRequest) -> HttpResponse:
    found = Proposal.objects.filter(username=request.POST["withdraw"]).first()
    if found is None:
        raise Http404
    proposals.refuse(found, by=whose(request).username)
    messages.success(request, f"The proposal about {found.username} is withdrawn.")
    return redirect("console:accounts")


@needs(Permission.CUSTODIAN_ACCOUNT_MANAGE)
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest, username: str) -> HttpResponseBase:
    """One account: another role, closing and opening, a new password, the second factor, and keys for its programs."""
    found = Account.objects.filter(username=username).first()
    if found is None:
        raise Http404
    shown: dict[str, Any] = {}
    if request.method == "POST":
        act = _ACTS.get(request.POST.get("act", ""))
        if act is None or (found == whose(request) and act in _NEVER_ONESELF):
            raise Http404
        try:
            shown = act(request, found)
        except (GatehouseError, ValueError) as error:
            text = f"{error.outside}." if isinstance(error, GatehouseError) else "choose a role."
            messages.error(request, f"Nothing was changed: {text}")
            return redirect("console:account", username=username)
        if not shown:
            return redirect("console:account", username=username)
    context = {
        "found": found,
        "enrolled": factors.enrolled(found),
        "roles": [(role.value, TITLES[role]) for role in Role],
        "password": "",
        "key": "",
        "closing": False,
        "keys": Key.objects.filter(account=found).order_by("-created_at"),
        "scopes": tokens.possible(found),
        "longest": tokens.LONGEST,
        **shown,
    }
    return render(request, "console/account.html", context)


def _close(request: HttpRequest, found: Account) -> dict[str, Any]:
    if request.POST.get("sure") != "yes":
        return {"closing": True}
    _enter(request, "account_close", found)
    making.close(found)
    messages.success(request, f"The account {found.username} is closed, and signed out everywhere.")
    return {}


def _open(request: HttpRequest, found: Account) -> dict[str, Any]:
    proposals.reopen(found, by=whose(request).username)
    messages.success(request, f"It is proposed to open {found.username} again. {_WAITS}")
    return {}


def _reset(request: HttpRequest, found: Account) -> dict[str, Any]:
    if not found.local:
        raise WrongInput("this account has no password at this site", remedy="Ask its identity provider for a new one")
    _enter(request, "account_reset", found)
    return {"password": making.reset(found)}


def _reset_factor(request: HttpRequest, found: Account) -> dict[str, Any]:
    _enter(request, "second_factor_reset", found)
    factors.remove(found)
    sessions.end_everywhere(found)
    messages.success(request, f"{found.username} sets up a new second factor at the next sign-in.")
    return {}


def _sign_out(request: HttpRequest, found: Account) -> dict[str, Any]:
    _enter(request, "sessions_ended", found)
    sessions.end_everywhere(found)
    messages.success(request, f"{found.username} is signed out on every device.")
    return {}


def _change_role(request: HttpRequest, found: Account) -> dict[str, Any]:
    given = {key: request.POST.get(key, "").strip() for key in ("role", "agency", "officer")}
    proposed = proposals.change(found, **given, by=whose(request).username)
    messages.success(request, f"It is proposed that {found.username} be: {proposed.title}. {_WAITS}")
    return {}


def _make_key(request: HttpRequest, found: Account) -> dict[str, Any]:
    name, scopes = request.POST.get("name", "").strip(), request.POST.getlist("scope")
    days = whole(request.POST.get("days"), default=0)
    tokens.check(found, name, scopes, days)
    event = {"account": found.username, "name": name, "scopes": " ".join(sorted(set(scopes))), "days": str(days)}
    chronicle.enter("key_made", {**event, "agency": found.agency, "by": whose(request).username})
    return {"key": tokens.make(found, name, scopes, days, whose(request))}


def _end_key(request: HttpRequest, found: Account) -> dict[str, Any]:
    key = Key.objects.filter(account=found, pk=whole(request.POST.get("key"))).first()
    if key is None:
        raise Http404
    _enter(request, "key_ended", found)
    key.delete()
    messages.success(request, "The key is ended.")
    return {}


_ACTS = {
    "close": _close,
    "open": _open,
    "reset": _reset,
    "reset-factor": _reset_factor,
    "sign-out": _sign_out,
    "change-role": _change_role,
    "make-key": _make_key,
    "end-key": _end_key,
}
_NEVER_ONESELF = {_close, _change_role, _reset_factor}
"""An administrator does these to others only: the last way in must not be shut by a slip, nor a check be taken off."""


def _enter(request: HttpRequest, event: str, found: Account) -> None:
    fields = {"account": found.username, "role": found.role, "agency": found.agency, "by": whose(request).username}
    chronicle.enter(event, fields)


@needs(Permission.CUSTODIAN_WORK_RETRY)
@require_http_methods(["GET", "POST"])
def failed_work(request: HttpRequest) -> HttpResponseBase:
    """What failed, without its reason, which may name persons on file; a button sets going again what stopped."""
    found = jobs.failing()
    if request.method == "POST":
        chosen = (request.POST.get("kind"), request.POST.get("subject"))
        job = next((job for job in found if job.stopped and (job.kind, job.subject) == chosen), None)
        if job is None:
            raise Http404
        try:
            arrivals.set_going(job, whose(request).username)
        except GatehouseError as error:
            messages.error(request, f"Nothing was changed: {error.outside}.")
        else:
            messages.success(request, f"{job.subject} is set going again.")
        return redirect("console:failed-work")
    return render(request, "console/failed_work.html", {"failing": found, "most": jobs.MOST_ATTEMPTS})
