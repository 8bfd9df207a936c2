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

from gatehouse.casework.records import Attempt
from gatehouse.console import accounts, deciding, desk, drafting, limits, signatures, tasks
from gatehouse.console.drafting import Draft
from gatehouse.console.guard import account, needs, whole
from gatehouse.console.permissions import Permission
from gatehouse.console.views import errors
from gatehouse.console.views.decisions import NotSigned
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError, WrongInput
from gatehouse.kernel.progress import Progress
from gatehouse.law.reading import pack_files
from gatehouse.ledger.signers import read_signer
from gatehouse.pipeline import entry, orders
from gatehouse.pipeline.recheck import By
from gatehouse.store.casebook import Casebook

MOST_ADDED = 500
"""Characters an officer may add to an order's title in each decision."""
MOST_TEXTS = 400
"""Texts that entering one order takes: the entry, and two for each docket."""


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
    try:
        texts = drafting.exact(found)
        if request.method == "POST":
            who = _signed(request, found, len(texts))
            messages.success(request, f"{who} signed.")
            return redirect("console:draft", identifier=identifier)
    except GatehouseError as error:
        return errors.refused(request, error, 409)
    context = {
        "draft": found,
        "texts": texts,
        "sign_at": resolve_url("console:draft-sign", identifier=identifier),
        "exact": signatures.ask([text.text for text in texts]),
        "carried": [],
    }
    return render(request, "console/draft_sign.html", context)


def _signed(request: HttpRequest, found: Draft, texts: int) -> str:
    """Who signed for an office; a refused signature is recorded first."""
    person = account(request)
    try:
        return drafting.sign(found, signatures.given(request, [f"signature-{number}" for number in range(texts)]))
    except GatehouseError:
        attempt = Attempt(found.id, person.officer or person.username, "sign_law", "signature", clock.now())
        Casebook().block(attempt)
        raise


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
@require_http_methods(["GET"])
def enter_check(request: HttpRequest, identifier: str) -> HttpResponse:
    """Show what an officer signs to enter an order: the entry, and each decision that it brings."""
    found, person = _order(identifier), account(request)
    reason = request.GET.get("reason", "")[:MOST_ADDED]
    try:
        parcel = orders.read(found.folder / drafting.PARCEL)
        with open_workspace(memory="1GB", threads=2) as connection:
            bodies = entry.to_sign(connection, desk.office(), parcel, person.officer, reason=reason, now=clock.now())
    except GatehouseError as error:
        return errors.refused(request, error, 409)
    context = {
        "draft": found,
        "reason": reason,
        "decisions": bodies[1:],
        "sign_at": resolve_url("console:draft-enter", identifier=identifier),
        "exact": signatures.ask([deciding.exact(body) for body in bodies]),
        "carried": [("reason", reason), ("texts", len(bodies))],
        "kept": person.local and deciding.kept_key(person.officer) is not None,
    }
    return render(request, "console/draft_enter.html", context)


def _order(identifier: str) -> Draft:
    found = _draft(identifier)
    if not found.is_order:
        raise Http404
    return found


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@sensitive_post_parameters("password")
@require_POST
def enter(request: HttpRequest, identifier: str) -> HttpResponseBase:
    """Enter a signed order: in force at once, everything open looked at again, each decision signed by the officer."""
    found, person = _order(identifier), account(request)
    try:
        by = _by(request, found)
    except NotSigned as error:
        return errors.refused(request, error, 403)
    except GatehouseError as error:
        return errors.refused(request, error, 409)

    def work(_: Progress) -> str:
        with open_workspace(memory="2GB", threads=2) as connection:
            done = orders.enter(connection, desk.office(), found.folder / drafting.PARCEL, by, clock.now())
        return f"{done.order} is in force. {' '.join(_told(done))}".strip()

    task = tasks.start(person, "An order is entered", resolve_url("console:draft", identifier=identifier), work)
    return redirect("console:task", identifier=task.identifier)


def _by(request: HttpRequest, found: Draft) -> By:
    """Who enters: with signatures made where the key is, or with the key the site keeps and the password again."""
    person = account(request)
    count = min(whole(request.POST.get("texts")), MOST_TEXTS)
    texts = [request.POST.get(f"text-{number}", "") for number in range(count)]
    lines = signatures.given(request, [f"signature-{number}" for number in range(count)])
    if lines:
        parcel = orders.read(found.folder / drafting.PARCEL)
        return entry.by(desk.office(), parcel, person.officer, texts=texts, lines=lines, now=clock.now())
    key = deciding.kept_key(person.officer)
    if key is None:
        raise WrongInput("nothing was signed, and this site keeps no key of yours", remedy="Sign with your own key")
    if not accounts.confirms(person, request.POST.get("password", ""), limits.address(request)):
        raise NotSigned("the password is not right", remedy="Nothing was changed. Go back and try again")
    return By(person.officer, read_signer(key), request.POST.get("reason", "")[:MOST_ADDED])


def _told(done: orders.Entered) -> Iterator[str]:
    for docket in sorted({*done.held, *done.recalled, *done.opened}):
        recalled, opened = len(done.recalled.get(docket, ())), len(done.opened.get(docket, ()))
        yield f"{docket}: {done.held.get(docket, 0):,} cases held, {recalled:,} packages recalled."
        if opened:
            yield f"{opened:,} packages had been opened before; a person decides about those."
