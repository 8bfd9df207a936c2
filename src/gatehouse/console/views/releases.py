"""Letting out and taking back: an officer releases what two approved, and recalls what should not have left."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gatehouse.casework import reasons
from gatehouse.casework.states import State
from gatehouse.console import deciding, desk, recalling, steps, tasks
from gatehouse.console.guard import account, needs, signed_in
from gatehouse.console.law import stopped_by
from gatehouse.console.models import Step
from gatehouse.console.permissions import Permission
from gatehouse.console.views import errors
from gatehouse.console.views.decisions import signed, to_sign, with_error
from gatehouse.console.views.officer import law_of
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError
from gatehouse.kernel.progress import Progress
from gatehouse.pipeline import errands


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@require_POST
def release(request: HttpRequest, name: str) -> HttpResponseBase:
    """Seal and publish everything of a docket that two officers approved; a crash is finished by pressing again."""
    desk.docket(name)

    def work(progress: Progress) -> str:
        done = errands.let_out(desk.office(), name, clock.now(), progress)
        left = "".join(
            f" {count:,} approved case{'s' * (count != 1)} stayed: {why}." for why, count in done.left.items()
        )
        return f"{done.cases:,} cases left in {done.packages:,} sealed packages.{left}"

    return _begun(request, f"Release of {name}", name, work)


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@require_http_methods(["GET", "POST"])
def recall(request: HttpRequest, name: str) -> HttpResponseBase:
    """Say which released cases were wrong; then see which packages that takes back, and sign."""
    reader = desk.docket(name)
    board = deciding.board(name)
    if board is None:
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            return _kept(request, name)
        except GatehouseError as error:
            problem = f"{error.outside}."
    before = steps.find(account(request), Step.Kind.RECALL, name, request.GET.get("step", ""))
    context = {
        "name": name,
        "released": len(board.states[State.RELEASED]),
        "rules": stopped_by(law := law_of(reader), [rule.id for rule in law.rules] if law else []),
        "recalls": recalling.made([name], clock.now()),
        "given": before.told if before is not None and request.method == "GET" else request.POST,
        "problem": problem,
    }
    return render(request, "console/recall.html", context, status=400 if problem else 200)


def _kept(request: HttpRequest, name: str) -> HttpResponseBase:
    step = recalling.begin(account(request), name, request.POST.dict())
    return redirect("console:recall-sign", name=name, step=step.identifier)


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def recall_sign(request: HttpRequest, name: str, step: str) -> HttpResponseBase:
    """One recall to check and sign; signed, it is carried out: notices, incident report, ledger."""
    desk.docket(name)
    found = steps.find(account(request), Step.Kind.RECALL, name, step)
    if found is None:
        raise Http404
    if request.method == "GET" or found.done_at is not None:
        return _shown(request, found)
    if "reason" in request.POST:
        steps.tell(found, reason=reasons.tidy(request.POST["reason"]))
        return redirect(request.path)
    try:
        statement = signed(request, name)
    except GatehouseError as error:
        steps.look_again(found)
        return _shown(request, found, error)
    task = recalling.sign(found, statement, resolve_url("console:docket", name=name))
    return redirect("console:task", identifier=task.identifier)


def _shown(request: HttpRequest, step: Step, error: GatehouseError | None = None) -> HttpResponse:
    name, cases = step.docket, steps.selection(step)
    try:
        exact = recalling.text(step)
    except GatehouseError as wrong:
        return errors.refused(request, wrong)
    context = {
        "name": name,
        "step": step,
        "title": "Take back",
        "choice_at": f"{resolve_url('console:recall', name=name)}?{urlencode({'step': step.identifier})}",
        "sign_at": resolve_url("console:recall-sign", name=name, step=step.identifier),
        "cases_at": resolve_url("console:sign-cases", name=name, step=step.identifier),
        "packages": recalling.packages(name, cases),
        "nothing": not cases,
        **to_sign(request, step, exact),
    }
    return with_error(request, "console/sign.html", context, error)


def _begun(request: HttpRequest, title: str, name: str, work: tasks.Work) -> HttpResponseBase:
    task = tasks.start(account(request), title, resolve_url("console:docket", name=name), work)
    return redirect("console:task", identifier=task.identifier)


@signed_in
@require_GET
def task(request: HttpRequest, identifier: str) -> HttpResponse:
    """One's own task, while it runs and when it is done."""
    found = tasks.find(account(request), identifier)
    if found is None:
        raise Http404
    return render(request, "console/task.html", {"task": found})
