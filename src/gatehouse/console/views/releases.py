"""Letting out and taking back: an officer releases what two approved, and recalls what should not have left."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gatehouse.casework import approval
from gatehouse.casework.approval import Proposal
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action, State
from gatehouse.console import deciding, desk, recalling, signatures, tasks
from gatehouse.console.guard import account, needs, signed_in
from gatehouse.console.law import stopped_by
from gatehouse.console.permissions import Permission
from gatehouse.console.templatetags.plainly import written
from gatehouse.console.views import errors
from gatehouse.console.views.decisions import NotSigned, signed
from gatehouse.console.views.officer import law_of
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError
from gatehouse.kernel.progress import Progress
from gatehouse.pipeline import recall as taking_back
from gatehouse.pipeline import release as letting_out


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@require_POST
def release(request: HttpRequest, name: str) -> HttpResponseBase:
    """Seal and publish everything of a docket that two officers approved; a crash is finished by pressing again."""
    desk.docket(name)

    def work(progress: Progress) -> str:
        with open_workspace(memory="2GB", threads=2) as connection:
            done = letting_out.release(connection, desk.office(), name, clock.now(), progress)
        left = "".join(
            f" {count:,} approved case{'s' * (count != 1)} stayed: {why}." for why, count in done.left.items()
        )
        return f"{done.cases:,} cases left in {len(done.releases):,} sealed packages.{left}"

    return _begun(request, f"Release of {name}", name, work)


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@require_http_methods(["GET", "POST"])
def recall(request: HttpRequest, name: str) -> HttpResponse:
    """Say which released cases were wrong; then see which packages that takes back, and sign."""
    reader = desk.docket(name)
    board = deciding.board(name)
    if board is None:
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            return _shown(request, name)
        except GatehouseError as error:
            problem = f"{error}."
    context = {
        "name": name,
        "released": len(board.states[State.RELEASED]),
        "rules": stopped_by(law := law_of(reader), [rule.id for rule in law.rules] if law else []),
        "recalls": recalling.made([name], clock.now()),
        "given": request.POST,
        "problem": problem,
    }
    return render(request, "console/recall.html", context, status=400 if problem else 200)


def _shown(request: HttpRequest, name: str) -> HttpResponse:
    kind, reason = request.POST.get("kind", ""), request.POST.get("reason", "")
    about = request.POST.get("rule" if kind == "rule" else "requests", "")
    with open_workspace(memory="1GB", threads=2) as connection:
        cases = recalling.chosen(connection, desk.office(), name, kind, about)
    officer = account(request).officer
    body = deciding.statement_body(officer, Proposal(name, Action.RECALL, cases, reason))
    context = {
        "name": name,
        "body": body,
        "sign_at": resolve_url("console:recall-sign", name=name),
        "exact": [signatures.ToSign("body", deciding.exact(body), "signature")],
        "carried": [("selection", cases.text()), ("kind", kind), ("about", about if kind == "rule" else "")],
        "cases": len(cases),
        "packages": recalling.packages(name, cases),
        "title": "Take back",
        "kept": account(request).local and deciding.kept_key(officer) is not None,
        "short": len(reason.strip()) < approval.SHORTEST_REASON,
        "nothing": not cases,
    }
    return render(request, "console/sign.html", context)


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@sensitive_post_parameters("password")
@require_POST
def recall_sign(request: HttpRequest, name: str) -> HttpResponseBase:
    """Carry out a signed recall: notices, incident report, ledger."""
    desk.docket(name)
    try:
        statement = signed(request, name)
        cases = Selection.of_text(request.POST.get("selection", ""))
    except NotSigned as error:
        return errors.refused(request, error, 403)
    except GatehouseError as error:
        return errors.refused(request, error, 409)
    kind, about = request.POST.get("kind", ""), request.POST.get("about", "")
    cause = recalling.cause(kind, about, statement.text("reason"))

    def work(_: Progress) -> str:
        with open_workspace(memory="1GB", threads=2) as connection:
            done = taking_back.carry_out(connection, desk.office(), statement, cases, cause=cause, now=clock.now())
        recalled = "1 case is" if done.cases == 1 else f"{done.cases:,} cases are"
        revoked = "1 package" if len(done.notices) == 1 else f"{len(done.notices):,} packages"
        due = written(done.incident.body["report_by"])
        return f"{recalled} recalled, {revoked} revoked. The incident report is due by {due}."

    return _begun(request, f"Recall from {name}", name, work)


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
