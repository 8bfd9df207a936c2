"""Deciding: choose, look at a sample where many cases are decided at once, check what is signed, sign."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gatehouse.casework import approval
from gatehouse.casework.approval import Proposal
from gatehouse.casework.sampling import Sample, bound
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, State
from gatehouse.console import accounts, deciding, desk, limits, signatures
from gatehouse.console.guard import account, needs, whole
from gatehouse.console.law import stopped_by
from gatehouse.console.permissions import Permission
from gatehouse.console.views import errors
from gatehouse.console.views.officer import law_of
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError, WrongInput
from gatehouse.store.casebook import Casebook


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@require_POST
def decide(request: HttpRequest, name: str) -> HttpResponseBase:
    """Take a choice about one case or a whole queue: show what will be signed, or draw the sample it needs first."""
    reader = desk.docket(name)
    board = deciding.board(name)
    if board is None:
        raise Http404
    action = _action(request)
    if "seq" in request.POST:
        selection = Selection.of([whole(request.POST["seq"])])
    else:
        selection = deciding.selected(reader, board, _state(request), request.POST.get("rule") or None)
    try:
        if approval.needs_sample(action, selection):
            sample = _draw(request, name, action, selection)
            return redirect("console:sample", name=name, identifier=sample.id)
        return _show(request, Proposal(name, action, selection, request.POST.get("reason", "")))
    except GatehouseError as error:
        return errors.refused(request, error)


def _draw(request: HttpRequest, name: str, action: Action, selection: Selection) -> Sample:
    proposal = Proposal(name, action, selection, "")
    return approval.sample(Casebook(), account(request).officer, proposal, now=clock.now())


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@require_http_methods(["GET", "POST"])
def sample(request: HttpRequest, name: str, identifier: str) -> HttpResponse:
    """The cases drawn for a bulk decision; when they were looked at, what was found and why go on to signing."""
    reader = desk.docket(name)
    drawn = Casebook().sample(identifier)
    if drawn is None or drawn.docket != name or drawn.officer != account(request).officer:
        raise Http404
    if request.method == "POST":
        try:
            if drawn.found is None:
                drawn = approval.examine(Casebook(), identifier, whole(request.POST.get("found"), default=-1))
            reason = request.POST.get("reason", "")
            return _show(request, Proposal(name, drawn.action, drawn.selection, reason, drawn))
        except GatehouseError as error:
            return errors.refused(request, error)
    law = law_of(reader)
    context = {
        "name": name,
        "sample": drawn,
        "cases": len(drawn.selection),
        "drawn": len(drawn.drawn),
        "most": bound(len(drawn.selection), len(drawn.drawn), 0),
        "rows": [(row, stopped_by(law, row["fired"])) for row in reader.lines(list(drawn.drawn))],
        "title": deciding.VERBS[drawn.action][0],
        "question": deciding.question(drawn.action),
        "seed": drawn.seed,
    }
    return render(request, "console/sample.html", context)


def _show(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    officer, selection = account(request).officer, proposal.selection
    body = deciding.statement_body(officer, proposal)
    context = {
        "name": proposal.docket,
        "body": body,
        "sign_at": resolve_url("console:sign", name=proposal.docket),
        "exact": [signatures.ToSign("body", deciding.exact(body), "signature")],
        "carried": [("selection", selection.text())],
        "cases": len(selection),
        "title": deciding.VERBS[proposal.action][0],
        "kept": account(request).local and deciding.kept_key(officer) is not None,
        "short": len(proposal.reason.strip()) < approval.SHORTEST_REASON,
    }
    return render(request, "console/sign.html", context)


@needs(Permission.CUSTODIAN_CASE_DECIDE)
@sensitive_post_parameters("password")
@require_POST
def sign(request: HttpRequest, name: str) -> HttpResponseBase:
    """Hand a signed decision in: signed in the browser, or here after the password is given again."""
    desk.docket(name)
    try:
        statement = signed(request, name)
        selection = Selection.of_text(request.POST.get("selection", ""))
        before = deciding.board(name)
        deciding.hand_in(name, statement, selection)
    except NotSigned as error:
        return errors.refused(request, error, 403)
    except GatehouseError as error:
        return errors.refused(request, error, 409)
    done = deciding.states_word(statement.text("action"))
    messages.success(request, f"{done}: {len(selection):,} case{'s' if len(selection) != 1 else ''}. It is on record.")
    if len(selection) == 1:
        seq = next(iter(selection))
        came_from = before.state_of(seq) if before else None
        return redirect(f"{resolve_url('console:case', name=name, seq=seq)}?{urlencode({'queue': came_from or ''})}")
    return redirect("console:docket", name=name)


class NotSigned(WrongInput):
    """The password that would have signed is not right."""


def signed(request: HttpRequest, name: str) -> Statement:
    """The statement that came back with a form: signed where the key is, or here after the password is given again.

    Raises NotSigned for a wrong password, WrongInput for a statement that is not this officer's about this docket.
    """
    person = account(request)
    body = deciding.read_body(request.POST.get("body", ""), person.officer, name)
    signature = signatures.only(request, "signature")
    if signature:
        return Statement(body, signature)
    if not accounts.confirms(person, request.POST.get("password", ""), limits.address(request)):
        raise NotSigned("the password is not right", remedy="Nothing was decided. Go back and try again")
    return deciding.sign_here(body, person.officer)


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
