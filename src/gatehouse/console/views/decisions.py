"""Deciding: choose, look at a sample where many cases are decided at once, check what is signed, sign."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gatehouse.casework import reasons
from gatehouse.casework.sampling import Sample, bound
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, State
from gatehouse.console import deciding, desk, signatures, steps
from gatehouse.console.guard import account, needs, whole
from gatehouse.console.law import for_a_fact, stopped_by
from gatehouse.console.models import Step
from gatehouse.console.permissions import Permission
from gatehouse.console.views import errors
from gatehouse.console.views.officer import law_of
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import CustodianFault, GatehouseError, WrongInput
from gatehouse.pipeline.approve import request_ids
from gatehouse.store.casebook import Casebook

MOST_NAMED = 200
"""Request ids that a page to sign names; a file names all."""


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@require_POST
def decide(request: HttpRequest, name: str) -> HttpResponseBase:
    """Take a choice about one case or a whole queue, keep it, and lead on: to signing, or to the sample it needs."""
    reader = desk.docket(name)
    board = deciding.board(name)
    if board is None:
        raise Http404
    action = _action(request)
    if "seq" in request.POST:
        seq = whole(request.POST["seq"])
        selection, told = Selection.of([seq]), {"seq": str(seq)}
    else:
        state, rule = _state(request), request.POST.get("rule", "")
        selection, told = deciding.selected(reader, board, state, rule or None), {"state": str(state), "rule": rule}
    told |= {"reason": reasons.tidy(request.POST.get("reason", ""))}
    try:
        step = deciding.begin(account(request), name, action, told, selection)
    except GatehouseError as error:
        return errors.refused(request, error)
    if not step.sample:
        return redirect("console:sign", name=name, step=step.identifier)
    return redirect("console:sample", name=name, identifier=step.sample)


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@require_http_methods(["GET", "POST"])
def sample(request: HttpRequest, name: str, identifier: str) -> HttpResponseBase:
    """The cases drawn for a bulk decision, each to be opened and marked right or wrong before it can be signed."""
    reader, drawn = desk.docket(name), _sample(request, name, identifier)
    step, marks = steps.of_sample(account(request), identifier), steps.marks(identifier)
    if request.method == "POST":
        try:
            return _marked(request, name, drawn)
        except GatehouseError as error:
            return errors.refused(request, error)
    law = law_of(reader)
    context = {
        "name": name,
        "sample": drawn,
        "step": step,
        "cases": len(drawn.selection),
        "drawn": len(drawn.drawn),
        "most": bound(len(drawn.selection), len(drawn.drawn), 0),
        "rows": [
            (row, stopped_by(law, for_a_fact(row)), marks.get(row["seq"])) for row in reader.lines(list(drawn.drawn))
        ],
        "left": len(drawn.drawn) - len(marks),
        "next": next((seq for seq in drawn.drawn if seq not in marks), None),
        "wrong": sum(marks.values()),
        "title": deciding.VERBS[drawn.action][0],
        "seed": drawn.seed,
    }
    return render(request, "console/sample.html", context)


def _sample(request: HttpRequest, name: str, identifier: str) -> Sample:
    drawn = deciding.sample(account(request), name, identifier)
    if drawn is None:
        raise Http404
    return drawn


def _marked(request: HttpRequest, name: str, drawn: Sample) -> HttpResponseBase:
    """Keep one finding and go on to the next case, or, when every case has one, record them and go on to signing."""
    here = redirect("console:sample", name=name, identifier=drawn.id)
    if "seq" in request.POST and drawn.found is None:
        seq, finding = whole(request.POST["seq"], default=-1), request.POST.get("finding")
        if seq not in drawn.drawn or finding not in {"right", "wrong"}:
            raise Http404
        steps.mark(account(request), drawn.id, name, seq, wrong=finding == "wrong", since=drawn.drawn_at)
        marks = steps.marks(drawn.id)
        after = next((each for each in drawn.drawn if each not in marks), None)
        return here if after is None else redirect(_case_of_sample(name, after, drawn.id))
    deciding.examine(drawn)
    step = steps.of_sample(account(request), drawn.id)
    return here if step is None else redirect("console:sign", name=name, step=step.identifier)


def _case_of_sample(name: str, seq: int, identifier: str) -> str:
    return f"{resolve_url('console:case', name=name, seq=seq)}?{urlencode({'sample': identifier})}"


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign(request: HttpRequest, name: str, step: str) -> HttpResponseBase:
    """One decision to check and sign: in the browser, where the key is, or here after the password is given again."""
    desk.docket(name)
    found = steps.find(account(request), Step.Kind.DECISION, name, step)
    if found is None:
        raise Http404
    if request.method == "GET" or found.done_at is not None:
        return _show(request, found)
    if "reason" in request.POST:
        steps.tell(found, reason=reasons.tidy(request.POST["reason"]))
        return redirect(request.path)
    selection = steps.selection(found)
    try:
        statement = signed(request, name)
        before = deciding.board(name)
        deciding.sign(found, statement)
    except GatehouseError as error:
        return _show(request, found, error)
    done = deciding.states_word(statement.text("action"))
    messages.success(request, f"{done}: {len(selection):,} case{'s' if len(selection) != 1 else ''}. It is on record.")
    if len(selection) == 1:
        seq = next(iter(selection))
        came_from = before.state_of(seq) if before else None
        return redirect(f"{resolve_url('console:case', name=name, seq=seq)}?{urlencode({'queue': came_from or ''})}")
    return redirect("console:docket", name=name)


def _show(request: HttpRequest, step: Step, error: GatehouseError | None = None) -> HttpResponse:
    """The page of one decision: what was asked, what is answered, which cases; and what went wrong, if anything did."""
    name, action = step.docket, Action(step.told["action"])
    drawn = Casebook().sample(step.sample) if step.sample else None
    try:
        exact = deciding.text(step)
    except GatehouseError as wrong:
        return errors.refused(request, wrong)
    context = {
        "name": name,
        "step": step,
        "title": deciding.VERBS[action][0],
        "choice_at": _choice(name, step),
        "unexamined": step.sample if drawn is not None and drawn.found is None else "",
        "sign_at": resolve_url("console:sign", name=name, step=step.identifier),
        "cases_at": resolve_url("console:sign-cases", name=name, step=step.identifier),
        **to_sign(request, step, exact),
    }
    return with_error(request, "console/sign.html", context, error)


def to_sign(request: HttpRequest, step: Step, exact: str) -> dict[str, Any]:
    """What every page that asks for an officer's signature on a step shows."""
    selection, body = steps.selection(step), json.loads(exact)
    reason = str(body["reason"])
    fault = reasons.fault(reason)
    return {
        "body": body,
        "question": deciding.question(Action(body["action"])),
        "exact": [signatures.ToSign("body", exact, "signature")],
        "carried": [],
        "cases": len(selection),
        "named": desk.docket(step.docket).lines(list(islice(selection, MOST_NAMED))),
        "more": max(0, len(selection) - MOST_NAMED),
        "warning": reasons.warning(reason),
        "fault": f"{fault[:1].upper()}{fault[1:]}." if fault else "",
        "asking": not step.done_at and (fault is not None or "answer" in request.GET),
    }


def with_error(
    request: HttpRequest, template: str, context: dict[str, Any], error: GatehouseError | None
) -> HttpResponse:
    """The same page again with what went wrong, and everything that was typed still there."""
    if error is None:
        return render(request, template, context)
    if isinstance(error, CustodianFault):
        return errors.refused(request, error)
    return render(request, template, {**context, "error": f"{error.outside}."}, status=409)


def _choice(name: str, step: Step) -> str:
    """Where the decision was chosen, with what was typed filled in."""
    query = {"step": step.identifier}
    if "seq" in step.told:
        return f"{resolve_url('console:case', name=name, seq=int(step.told['seq']))}?{urlencode(query)}#decide"
    query |= {"state": step.told["state"], "rule": step.told["rule"]}
    return f"{resolve_url('console:queue', name=name)}?{urlencode(query)}#decide"


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@require_GET
def sign_cases(request: HttpRequest, name: str, step: str) -> HttpResponse:
    """The ids of all requests that a decision is about, one a line."""
    desk.docket(name)
    found = next((one for kind in Step.Kind if (one := steps.find(account(request), kind, name, step))), None)
    if found is None:
        raise Http404
    with open_workspace(memory="512MB", threads=1) as connection:
        listed = request_ids(connection, desk.site(), name, steps.selection(found))
    answer = HttpResponse("".join(f"{one}\n" for one in listed), content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-cases.txt"'
    return answer


def signed(request: HttpRequest, name: str) -> Statement:
    """The statement that came back with a form, signed where the officer's key is.

    Raises WrongInput for a form without a signature, or a statement that is not this officer's about this docket.
    """
    body = deciding.read_body(request.POST.get("body", ""), account(request).officer, name)
    signature = signatures.only(request, "signature")
    if not signature:
        raise WrongInput("nothing was signed", remedy="Choose your key file, or upload a signature made elsewhere")
    return Statement(body, signature)


@needs(Permission.CUSTODIAN_DOCKET_READ)
@require_GET
def decisions(request: HttpRequest, name: str) -> HttpResponse:
    """Every decision about a docket, and every act that was refused."""
    desk.docket(name)
    casebook = Casebook()
    made = [
        (decision, deciding.states_word(decision.statement.text("action")), len(decision.selection))
        for decision in casebook.decisions(name)
    ]
    return render(
        request,
        "console/decisions.html",
        {"name": name, "decisions": made, "attempts": casebook.attempts(name)},
    )


def _action(request: HttpRequest) -> Action:
    given = request.POST.get("action", "")
    if given not in {str(action) for action in deciding.VERBS}:
        raise Http404
    return Action(given)


def _state(request: HttpRequest) -> State:
    given = request.POST.get("state", "")
    if given not in {str(state) for state in deciding.QUEUES}:
        raise Http404
    return State(given)
