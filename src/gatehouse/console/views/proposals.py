"""Accounts that were proposed: an officer reads what is to be done, and confirms it with a signature or refuses it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_GET, require_http_methods

from gatehouse.casework.statement import Statement
from gatehouse.console import deciding, proposals, signatures
from gatehouse.console.guard import account, needs
from gatehouse.console.models import Proposal
from gatehouse.console.permissions import Permission
from gatehouse.console.views.decisions import with_error
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError, WrongInput


@needs(Permission.CUSTODIAN_ACCOUNT_CONFIRM)
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """Every proposal that waits for an officer."""
    return render(request, "console/proposals.html", {"waiting": Proposal.objects.order_by("at")})


@needs(Permission.CUSTODIAN_ACCOUNT_CONFIRM)
@require_http_methods(["GET", "POST"])
def confirm(request: HttpRequest, username: str) -> HttpResponseBase:
    """One proposal to read and sign, or to refuse."""
    found = Proposal.objects.filter(username=username).first()
    if found is None:
        raise Http404
    if request.method == "GET":
        return _shown(request, found)
    try:
        if request.POST.get("act") == "refuse":
            proposals.refuse(found, by=account(request).username)
            said = f"Refused: nothing was changed about {username}."
        else:
            made = proposals.confirm(found, _signed(request), clock.now())
            said = f"Confirmed: {made.username}, {made.title.lower()}. It is on record."
    except GatehouseError as error:
        return _shown(request, found, error)
    messages.success(request, said)
    return redirect("console:proposals")


def _signed(request: HttpRequest) -> Statement:
    signature = signatures.only(request, "signature")
    if not signature:
        raise WrongInput("nothing was signed", remedy="Choose your key file, or upload a signature made elsewhere")
    return Statement(proposals.read_body(request.POST.get("body", ""), account(request).officer), signature)


def _shown(request: HttpRequest, found: Proposal, error: GatehouseError | None = None) -> HttpResponse:
    """The page of one proposal; whoever may not confirm it reads why, and may still refuse it."""
    exact, bar = [], error
    try:
        body = proposals.statement_body(found, account(request).officer, clock.now())
        exact = [signatures.ToSign("body", deciding.exact(body), "signature")]
    except GatehouseError as wrong:
        bar = error or wrong
    context = {
        "found": found,
        "sign_at": resolve_url("console:proposal", username=found.username),
        "exact": exact,
        "carried": [],
        "error": f"{bar.outside}." if bar is not None else "",
    }
    return with_error(request, "console/proposal.html", context, error)
