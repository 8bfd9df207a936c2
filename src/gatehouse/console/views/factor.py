"""One's own second factor: set it up, and make new recovery codes."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from gatehouse.console import accounts, chronicle, factors, limits, sessions
from gatehouse.console.guard import account as whose
from gatehouse.console.guard import needs_factor, signed_in
from gatehouse.console.models import Account
from gatehouse.kernel.errors import GatehouseError, MachineFailed, WrongInput


@signed_in
@sensitive_post_parameters("code", "password")
@require_http_methods(["GET", "POST"])
def factor(request: HttpRequest) -> HttpResponseBase:
    """What stands, and the next step: scan and confirm, or new recovery codes for a code.

    Setting up asks for the password again, so that an open browser left alone gives no lasting way in.
    """
    person = whose(request)
    if not person.local:
        raise Http404
    if request.method == "GET":
        return _page(request, person)
    try:
        if factors.enrolled(person):
            return _renew(request, person)
        if "code" in request.POST:
            return _confirm(request, person)
        return _begin(request, person)
    except WrongInput as error:
        return _page(request, person, f"{error.outside}.", 400)
    except GatehouseError as error:
        return _page(request, person, f"{error.outside}.", 503)


def _begin(request: HttpRequest, person: Account) -> HttpResponse:
    if not accounts.confirms(person, request.POST.get("password", ""), limits.address(request)):
        return _page(request, person, "The password is not right. Try again.", 400)
    request.session["enrolling"] = True
    return _page(request, person)


def _confirm(request: HttpRequest, person: Account) -> HttpResponseBase:
    if not request.session.get("enrolling"):
        return redirect("console:factor")
    attempt = _trying(request, person)
    event = {"account": person.username, "by": person.username}
    code = request.POST.get("code", "")
    try:
        factors.confirm(person, code, lambda: chronicle.enter("second_factor_enrolled", event))
    except MachineFailed:
        attempt.forgive()
        raise
    attempt.forgive()
    del request.session["enrolling"]
    request.session.cycle_key()
    sessions.passed_factor(request.session)
    return _codes(request, person)


def _renew(request: HttpRequest, person: Account) -> HttpResponseBase:
    attempt = _trying(request, person)
    if not factors.check(person, request.POST.get("code", "")):
        raise WrongInput("the code is wrong, or it was already used", remedy="Wait for the next code")
    attempt.forgive()
    return _codes(request, person)


def _trying(request: HttpRequest, person: Account) -> limits.Try:
    attempt = limits.trying(person.username, limits.address(request), known=True)
    if attempt is None:
        raise WrongInput("too many attempts", remedy="Wait 15 minutes, then try again")
    return attempt


def _codes(request: HttpRequest, person: Account) -> HttpResponse:
    messages.success(request, "Your second factor is set up.")
    return render(request, "console/recovery.html", {"codes": factors.renew_recovery(person)})


def _page(request: HttpRequest, person: Account, error: str = "", status: int = 200) -> HttpResponse:
    enrolled = factors.enrolled(person)
    enrolling = not enrolled and request.session.get("enrolling")
    context = {
        "enrolled": enrolled,
        "enrolment": factors.begin(person) if enrolling else None,
        "left": factors.left(person),
        "owed": needs_factor(person) and not enrolled,
        "error": error,
    }
    return render(request, "console/factor.html", context, status=status)
