"""The front page, signing in and signing out."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from gatehouse.console import accounts
from gatehouse.console.guard import public
from gatehouse.console.models import Account
from gatehouse.console.permissions import Permission
from gatehouse.kernel.errors import GatehouseError

WELCOME = (
    (Permission.CUSTODIAN_DOCKET_READ, "console:dockets"),
    (Permission.AGENCY_SUBMISSION_READ, "console:submissions"),
    (Permission.CUSTODIAN_ACCOUNT_MANAGE, "console:accounts"),
)


@public
def home(request: HttpRequest) -> HttpResponseBase:
    """Where a signed-in person's work is; for everyone else what this place is."""
    if isinstance(request.user, Account):
        for permission, name in WELCOME:
            if request.user.may(permission):
                return redirect(name)
    return render(request, "console/home.html")


@public
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Sign in with a name and a password; too many failures close the door for a quarter of an hour."""
    onward = request.POST.get("next") or request.GET.get("next") or ""
    if request.method == "GET":
        return render(request, "console/sign_in.html", {"next": onward})
    username = request.POST.get("username", "")
    if not accounts.may_try(username):
        return _again(request, onward, "Too many attempts. Wait 15 minutes, then try again.", 429)
    account = authenticate(request, username=username, password=request.POST.get("password", ""))
    if account is None:
        accounts.failed(username)
        return _again(request, onward, "The user name or the password is not right.", 401)
    accounts.succeeded(username)
    login(request, account)
    safe = url_has_allowed_host_and_scheme(onward, {request.get_host()}, require_https=request.is_secure())
    return redirect(onward if safe else "console:home")


def _again(request: HttpRequest, onward: str, message: str, status: int) -> HttpResponse:
    return render(request, "console/sign_in.html", {"next": onward, "error": message}, status=status)


@public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the session."""
    logout(request)
    return redirect("console:home")


@public
@sensitive_post_parameters("old", "new")
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponseBase:
    """Change one's own password; other sessions of the account end."""
    if not isinstance(request.user, Account):
        return redirect("console:sign-in")
    problem = ""
    if request.method == "POST":
        try:
            accounts.change(request.user, request.POST.get("old", ""), request.POST.get("new", ""))
        except GatehouseError as error:
            problem = f"{error}."
        else:
            update_session_auth_hash(request, request.user)
            messages.success(request, "Your password is changed.")
            return redirect("console:home")
    return render(request, "console/password.html", {"error": problem}, status=400 if problem else 200)
