"""Counsel's drafts: hand in a change of law or an order, see its effect, sign it in two offices, put it in force."""

from __future__ import annotations

import io
import json
import zipfile

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gatehouse.casework import reasons
from gatehouse.console import desk, drafting, enacting, signatures, steps, tasks
from gatehouse.console.drafting import Draft
from gatehouse.console.guard import account, needs, whole
from gatehouse.console.models import Step
from gatehouse.console.permissions import Permission
from gatehouse.console.views import errors
from gatehouse.console.views.decisions import with_error
from gatehouse.kernel import extras
from gatehouse.kernel.errors import GatehouseError
from gatehouse.law.folder import pack_files
from gatehouse.pipeline import orders


@needs(Permission.CUSTODIAN_LAW_READ)
@require_GET
def pack_file(request: HttpRequest, identifier: str) -> HttpResponse:
    """The pack in force as a zip, to be worked on."""
    found = desk.pack(identifier)
    if found is None:
        raise Http404
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in pack_files(found.folder):
            archive.write(path, f"{found.id}/{path.relative_to(found.folder).as_posix()}")
    answer = HttpResponse(held.getvalue(), content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.id}-{found.version}.zip"'
    return answer


@needs(Permission.CUSTODIAN_LAW_SIGN)
@require_http_methods(["GET", "POST"])
def drafts(request: HttpRequest) -> HttpResponseBase:
    """Every draft and every order entered; a form to hand in another, which is then looked at in the background."""
    problem = ""
    if request.method == "POST":
        upload, text = request.FILES.get("file"), request.FILES.get("text")
        try:
            if not drafting.solver_installed():
                problem = f"A change cannot be looked at here. {extras.remedy('prove')}."
            elif upload is None or not upload.size:
                problem = "Choose the zip file of the pack."
            else:
                draft = drafting.keep(upload, text, (text.name or "") if text else "")
                return _looking(request, draft)
        except GatehouseError as error:
            problem = f"{error.outside}."
    context = {
        "drafts": [(draft, drafting.in_force(draft)) for draft in drafting.all_drafts()],
        "entered": orders.entered(desk.site()),
        "solver": drafting.solver_installed(),
        "remedy": extras.remedy("prove"),
        "error": problem,
    }
    return render(request, "console/drafts.html", context, status=400 if problem else 200)


def _looking(request: HttpRequest, draft: Draft) -> HttpResponseBase:
    back = resolve_url("console:draft", identifier=draft.id)
    task = tasks.start(account(request), "A look at a change of law", back, lambda told: drafting.look(draft, told))
    return redirect("console:task", identifier=task.identifier)


def _draft(identifier: str) -> Draft:
    found = drafting.find(identifier)
    if found is None:
        raise Http404
    return found


@needs(Permission.CUSTODIAN_LAW_SIGN)
@require_GET
def draft(request: HttpRequest, identifier: str) -> HttpResponse:
    """One draft: what changes in words, what is newly permitted or refused, its effect on every docket, signatures."""
    found = _draft(identifier)
    texts = drafting.exact(found) if found.shown else []
    begun = steps.find(account(request), Step.Kind.ORDER, "", request.GET.get("step", ""))
    context = {
        "draft": found,
        "added": begun.told["reason"] if begun and begun.told["draft"] == found.id else "",
        "texts": texts,
        "signed": bool(texts) and all(text.counsel and text.custodian for text in texts),
        "failures": drafting.failures(found),
        "in_force": drafting.in_force(found),
        "attempts": drafting.attempts(found),
    }
    return render(request, "console/draft.html", context)


@needs(Permission.CUSTODIAN_LAW_SIGN)
@require_http_methods(["GET", "POST"])
def sign(request: HttpRequest, identifier: str) -> HttpResponseBase:
    """Show the exact texts that an office signs, and take its signatures in."""
    found = _draft(identifier)
    if not found.shown:
        raise Http404
    problem = None
    try:
        texts = drafting.exact(found)
    except GatehouseError as error:
        return errors.refused(request, error, 409)
    if request.method == "POST":
        try:
            who = drafting.sign(found, signatures.given(request, _fields(len(texts))), account(request))
            messages.success(request, f"{who} signed.")
            return redirect("console:draft", identifier=identifier)
        except GatehouseError as error:
            problem = error
    context = {
        "draft": found,
        "texts": texts,
        "sign_at": resolve_url("console:draft-sign", identifier=identifier),
        "exact": signatures.ask([text.text for text in texts]),
        "carried": [],
        "kept": False,
    }
    return with_error(request, "console/draft_sign.html", context, problem)


@needs(Permission.CUSTODIAN_LAW_SIGN)
@require_POST
def adopt(request: HttpRequest, identifier: str) -> HttpResponseBase:
    """Put a pack that both offices signed in force."""
    found = _draft(identifier)
    if not found.shown or found.is_order:
        raise Http404
    try:
        pack = enacting.adopt(found)
    except GatehouseError as error:
        return errors.refused(request, error, 409)
    messages.success(request, f"{pack.id} {pack.version} is in force, and the log says so.")
    return redirect("console:pack", identifier=pack.id)


def _order(identifier: str) -> Draft:
    found = _draft(identifier)
    if not found.is_order:
        raise Http404
    return found


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@require_POST
def enter(request: HttpRequest, identifier: str) -> HttpResponseBase:
    """Begin to enter an order: keep what the officer adds to its title, and lead on to signing."""
    step = enacting.begin(account(request), _order(identifier), request.POST.get("reason", ""))
    return redirect("console:draft-enter-sign", identifier=identifier, step=step.identifier)


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def enter_sign(request: HttpRequest, identifier: str, step: str) -> HttpResponseBase:
    """What an officer signs to enter an order: the entry, and each decision that it brings; signed, it is in force."""
    found = _order(identifier)
    kept = steps.find(account(request), Step.Kind.ORDER, "", step)
    if kept is None or kept.told["draft"] != found.id:
        raise Http404
    if request.method == "GET" or kept.done_at is not None:
        return _enter_shown(request, found, kept)
    count = min(whole(request.POST.get("texts")), enacting.MOST_TEXTS)
    texts = [request.POST.get(f"text-{number}", "") for number in range(count)]
    try:
        lines = signatures.given(request, _fields(count))
        task = enacting.enter(kept, found, texts, lines, resolve_url("console:draft", identifier=identifier))
    except GatehouseError as error:
        return _enter_shown(request, found, kept, error)
    return redirect("console:task", identifier=task.identifier)


def _fields(texts: int) -> list[str]:
    return [f"signature-{number}" for number in range(texts)]


def _enter_shown(request: HttpRequest, found: Draft, step: Step, error: GatehouseError | None = None) -> HttpResponse:
    try:
        texts = enacting.exact(step, found)
    except GatehouseError as wrong:
        return errors.refused(request, wrong, 409)
    context = {
        "draft": found,
        "step": step,
        "reason": step.told["reason"],
        "warning": reasons.warning(step.told["reason"]),
        "decisions": [json.loads(text) for text in texts[1:]],
        "sign_at": request.path,
        "exact": signatures.ask(texts),
        "carried": [("texts", len(texts))],
    }
    return with_error(request, "console/draft_enter.html", context, error)
