"""Counsel's drafts: hand in a change of law or an order, see its effect, sign it in two offices, put it in force."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gatehouse.console import accounts, deciding, desk, drafting, limits, tasks
from gatehouse.console.drafting import Draft
from gatehouse.console.guard import account, needs
from gatehouse.console.permissions import Permission
from gatehouse.console.views import errors
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError
from gatehouse.kernel.progress import Progress
from gatehouse.law.reading import pack_files
from gatehouse.ledger.signers import read_signer
from gatehouse.pipeline import orders
from gatehouse.pipeline.recheck import By


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
            if upload is None or not upload.size:
                problem = "Choose the zip file of the pack."
            else:
                draft = drafting.keep(upload, text, (text.name or "") if text else "")
                return _looking(request, draft)
        except GatehouseError as error:
            problem = f"{error}."
    context = {
        "drafts": [(draft, drafting.in_force(draft)) for draft in drafting.all_drafts()],
        "entered": orders.entered(desk.site()),
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
    context = {
        "draft": found,
        "texts": texts,
        "signed": bool(texts) and all(text.counsel and text.custodian for text in texts),
        "in_force": drafting.in_force(found),
        "kept": account(request).local and deciding.kept_key(account(request).officer) is not None,
    }
    return render(request, "console/draft.html", context)


@needs(Permission.CUSTODIAN_LAW_SIGN)
@require_http_methods(["GET", "POST"])
def sign(request: HttpRequest, identifier: str) -> HttpResponseBase:
    """Show the exact texts that an office signs, and take its signatures in."""
    found = _draft(identifier)
    if not found.shown:
        raise Http404
    try:
        texts = drafting.exact(found)
        if request.method == "POST":
            lines = [request.POST.get(f"signature-{number}", "").strip() for number in range(len(texts))]
            who = drafting.sign(found, lines)
            messages.success(request, f"{who} signed.")
            return redirect("console:draft", identifier=identifier)
    except GatehouseError as error:
        return errors.refused(request, error, 409)
    context = {
        "draft": found,
        "texts": texts,
        "sign_at": resolve_url("console:draft-sign", identifier=identifier),
        "exact": [(f"text-{number}", text.text, f"signature-{number}") for number, text in enumerate(texts)],
        "carried": [],
    }
    return render(request, "console/draft_sign.html", context)


@needs(Permission.CUSTODIAN_LAW_SIGN)
@require_POST
def adopt(request: HttpRequest, identifier: str) -> HttpResponseBase:
    """Put a pack that both offices signed in force."""
    found = _draft(identifier)
    if not found.shown or found.is_order:
        raise Http404
    try:
        pack = drafting.adopt(found)
    except GatehouseError as error:
        return errors.refused(request, error, 409)
    messages.success(request, f"{pack.id} {pack.version} is in force, and the log says so.")
    return redirect("console:pack", identifier=pack.id)


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@sensitive_post_parameters("password")
@require_POST
def enter(request: HttpRequest, identifier: str) -> HttpResponseBase:
    """Enter a signed order: in force at once, everything open looked at again, signed with the officer's kept key."""
    found, person = _draft(identifier), account(request)
    if not found.is_order:
        raise Http404
    key = deciding.kept_key(person.officer)
    if key is None:
        return errors.show(request, "That was not done", "This site keeps no key of yours; use the command shown.", 409)
    if not accounts.confirms(person, request.POST.get("password", ""), limits.address(request)):
        return errors.show(request, "Not entered", "The password is not right. Nothing was changed.", 403)
    by = By(person.officer, read_signer(key), request.POST.get("reason", ""))

    def work(_: Progress) -> str:
        with open_workspace(memory="2GB", threads=2) as connection:
            done = orders.enter(connection, desk.office(), found.folder / drafting.PARCEL, by, clock.now())
        return f"{done.order} is in force. {' '.join(_told(done))}".strip()

    task = tasks.start(person, "An order is entered", resolve_url("console:draft", identifier=identifier), work)
    return redirect("console:task", identifier=task.identifier)


def _told(done: orders.Entered) -> Iterator[str]:
    for docket in sorted({*done.held, *done.recalled, *done.opened}):
        recalled, opened = len(done.recalled.get(docket, ())), len(done.opened.get(docket, ()))
        yield f"{docket}: {done.held.get(docket, 0):,} cases held, {recalled:,} packages recalled."
        if opened:
            yield f"{opened:,} packages had been opened before; a person decides about those."
