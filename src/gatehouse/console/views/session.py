"""The front page, signing in with a password and a one-time code, and signing out."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gatehouse.console import accounts, demonstration, factors, limits, sessions
from gatehouse.console.entrance import entrance
from gatehouse.console.guard import account as whose
from gatehouse.console.guard import public, signed_in
from gatehouse.console.models import Account, Proposal
from gatehouse.console.permissions import Permission
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError

# In this order: where a role's own work is comes before what it may also read.
WELCOME = (
    (Permission.CUSTODIAN_CASE_DECIDE, "console:dockets"),
    (Permission.AGENCY_SUBMISSION_READ, "console:submissions"),
    (Permission.CUSTODIAN_LAW_SIGN, "console:law"),
    (Permission.CUSTODIAN_ACCOUNT_MANAGE, "console:accounts"),
    (Permission.OVERSIGHT_DOCKET_COUNT, "console:oversight"),
)
WAITING = "waiting"
WAIT = 300
"""Seconds between the password and the code."""
TOO_MANY = "Too many attempts. Wait 15 minutes, then try again."


@public
def home(request: HttpRequest) -> HttpResponseBase:
    """Where a signed-in person's work is; for everyone else what this place is."""
    if isinstance(request.user, Account):
        for permission, name in WELCOME:
            if request.user.may(permission):
                return redirect(name)
    return render(request, "console/home.html", {"parts": demonstration.parts(request)})


@public
@require_POST
def enter_as(request: HttpRequest) -> HttpResponseBase:
    """Take a role of a demonstration by a click; anywhere else this address is not there."""
    wanted = request.POST.get("username", "")
    if wanted not in {part.username for part in demonstration.parts(request)}:
        raise Http404
    login(request, Account.objects.get(username=wanted), backend="gatehouse.console.backends.Local")
    return _go_on(request, request.POST.get("next", ""))


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Sign in with a name and a password; too many failures close the door for a quarter of an hour."""
    onward = request.POST.get("next") or request.GET.get("next") or ""
    if request.method == "GET":
        return _form(request, onward)
    if not entrance().passwords:
        raise Http404
    username, address = request.POST.get("username", ""), limits.address(request)
    attempt = limits.trying(username, address)
    if attempt is None:
        return _form(request, onward, TOO_MANY, 429)
    account = authenticate(request, username=username, password=request.POST.get("password", ""))
    if not isinstance(account, Account):
        return _form(request, onward, "The user name or the password is not right.", 401)
    attempt.forgive()
    if factors.enrolled(account):
        request.session.flush()
        since = clock.machine().timestamp()
        request.session[WAITING] = {"account": account.pk, "epoch": account.epoch, "since": since, "next": onward}
        return redirect("console:code")
    limits.succeeded(username)
    login(request, account)
    return _go_on(request, onward)


def _form(request: HttpRequest, onward: str, message: str = "", status: int = 200) -> HttpResponse:
    rules = entrance()
    context = {
        "next": onward,
        "error": message,
        "provider": rules.provider,
        "passwords": rules.passwords,
        "parts": demonstration.parts(request),
    }
    answer = render(request, "console/sign_in.html", context, status=status)
    if status == 429:
        answer.headers["Retry-After"] = str(int(limits.WINDOW.total_seconds()))
    return answer


@public
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponseBase:
    """The second step: a one-time code or a recovery code. A code works once, and failures count as for passwords."""
    waiting = request.session.get(WAITING) or {}
    account = Account.objects.filter(pk=waiting.get("account"), epoch=waiting.get("epoch"), is_active=True).first()
    if account is None or clock.machine().timestamp() - waiting["since"] > WAIT or not entrance().passwords:
        messages.warning(request, "That took too long. Begin again with your password.")
        return redirect("console:sign-in")
    if request.method == "GET":
        return render(request, "console/code.html")
    attempt = limits.trying(account.username, limits.address(request))
    if attempt is None:
        return render(request, "console/code.html", {"error": TOO_MANY}, status=429)
    try:
        right = factors.check(account, request.POST.get("code", ""))
    except GatehouseError as error:
        attempt.forgive()
        return render(request, "console/code.html", {"error": f"{error.outside}."}, status=503)
    if not right:
        message = "The code is not right, or it was used before. Wait for the next code."
        return render(request, "console/code.html", {"error": message}, status=401)
    attempt.forgive()
    limits.succeeded(account.username)
    del request.session[WAITING]
    login(request, account, backend="gatehouse.console.backends.Local")
    sessions.passed_factor(request.session)
    return _go_on(request, waiting["next"])


def _go_on(request: HttpRequest, onward: str) -> HttpResponseBase:
    safe = url_has_allowed_host_and_scheme(onward, {request.get_host()}, require_https=request.is_secure())
    return redirect(onward if safe else "console:home")


@public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End this session."""
    logout(request)
    return redirect("console:home")


@signed_in
@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponseBase:
    """End all sessions of this account, this one too."""
    sessions.end_everywhere(whose(request))
    logout(request)
    messages.success(request, "You are signed out on every device.")
    return redirect("console:sign-in")


@public
@require_GET
def sso_out(request: HttpRequest) -> HttpResponseBase:
    """To the identity provider, where the site has one."""
    if entrance().provider is None:
        raise Http404
    from gatehouse.console.sso import Out

    try:
        return cast("HttpResponseBase", Out.as_view()(request))
    except GatehouseError as error:
        return _form(request, "", f"{error.outside}.", 503)


@public
@require_GET
def sso_back(request: HttpRequest) -> HttpResponseBase:
    """Back from the identity provider."""
    if entrance().provider is None:
        raise Http404
    from gatehouse.console.sso import Back

    return cast("HttpResponseBase", Back.as_view()(request))


@public
@require_GET
@cache_control(no_store=True)
def sso_waiting(request: HttpRequest) -> HttpResponseBase:
    """What an identity provider proposed for whoever came back with this browser, and how it stands."""
    if entrance().provider is None:
        raise Http404
    from gatehouse.console.sso import PROPOSED

    username = request.session.get(PROPOSED)
    if username is None:
        return redirect("console:sign-in")
    context = {
        "found": Proposal.objects.filter(username=username).first(),
        "made": Account.objects.filter(username=username, is_active=True).exclude(role="").exists(),
        "username": username,
        "provider": entrance().provider,
    }
    return render(request, "console/waiting.html", context)


@signed_in
@sensitive_post_parameters("old", "new")
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponseBase:
    """Change one's own password; other sessions of the account end."""
    person = whose(request)
    if not person.local:
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            accounts.change(person, request.POST.get("old", ""), request.POST.get("new", ""))
        except GatehouseError as error:
            problem = f"{error.outside}."
        else:
            update_session_auth_hash(request, person)
            messages.success(request, "Your password is changed.")
            return redirect("console:home")
    context = {"error": problem, "owed": person.must_change_password}
    return render(request, "console/password.html", context, status=400 if problem else 200)
