"""Pages of overseers: all dockets in numbers, one docket's shape, recalls and how far they are, halts."""

from __future__ import annotations

import calendar
from collections import Counter
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from gatehouse.casework import reasons
from gatehouse.casework.states import State
from gatehouse.console import charts, deciding, desk, figures, halting, notices, recalling, signatures, steps
from gatehouse.console.guard import account, needs
from gatehouse.console.law import Stopped, not_known, stopped_by
from gatehouse.console.models import Step
from gatehouse.console.permissions import Permission
from gatehouse.console.views import errors
from gatehouse.console.views.decisions import with_error
from gatehouse.console.views.officer import law_of, outcome_bar
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError
from gatehouse.law.pack import Pack

MOST_MONTHS = 12
MOST_NAMED = 1000
MOST_SHOWN = 12


@needs(Permission.OVERSIGHT_DOCKET_COUNT)
@require_GET
def oversight(request: HttpRequest) -> HttpResponse:
    """All dockets together: outcomes, requests by month, and how much of what each agency asked for was cleared."""
    lines = [figures.line(name, desk.docket(name)) for name in desk.dockets().names()]
    whole = figures.total(lines)
    months = Counter[str]()
    for entry in lines:
        if entry.received is not None:
            months[f"{entry.received:%Y-%m}"] += entry.requests
    agencies = sorted({entry.agency for entry in lines if entry.agency})
    context = {
        "lines": lines,
        "notices": notices.of_dockets([(entry.name, entry.agency) for entry in lines], account(request).may),
        "requests": whole.requests,
        "segments": outcome_bar(whole.outcomes),
        "months": charts.columns([(_month(month), count) for month, count in sorted(months.items())][-MOST_MONTHS:]),
        "agencies": [_agency(name, lines) for name in agencies],
        "rules": _rules(lines),
        "officers": charts.bars([(name, count, "") for name, count in _officers(lines)], whole.requests),
        "halted": len(halting.board().standing),
        "recalls": len(recalling.made([entry.name for entry in lines], clock.now())),
    }
    return render(request, "console/oversight.html", context)


def _month(text: str) -> str:
    year, month = text.split("-")
    return f"{calendar.month_abbr[int(month)]} {year}"


@dataclass(frozen=True)
class Asked:
    """What one agency asked for, what the machine cleared of it, and what was released: the answer ratio."""

    agency: str
    requests: int
    cleared: int
    released: int
    ratio: str
    segments: list[charts.Segment]


def _agency(name: str, lines: list[figures.Line]) -> Asked:
    theirs = [entry for entry in lines if entry.agency == name]
    found = figures.total(theirs)
    released = sum(_released(entry.name) for entry in theirs)
    segments = charts.stacked(
        [("Answered", "good", released), ("Not answered, or not yet", "quiet", found.requests - released)]
    )
    ratio = charts.share(released, found.requests)
    return Asked(name, found.requests, found.outcomes.get("cleared", 0), released, ratio, segments)


def _released(name: str) -> int:
    board = deciding.board(name)
    return len(board.states[State.RELEASED]) if board else 0


def _rules(lines: list[figures.Line]) -> list[tuple[Stopped, list[charts.Segment], int]]:
    """The rules that stopped most, over all dockets: each with the outcomes of the requests it stopped."""
    counted: dict[str, Counter[str]] = {}
    laws: dict[str, Pack | None] = {}
    for entry in lines:
        reader = desk.docket(entry.name)
        for rule, outcome, cases in reader.counts.rules:
            if outcome != "cleared":
                counted.setdefault(rule, Counter())[outcome] += cases
                laws.setdefault(rule, law_of(reader))
    ordered = sorted(counted.items(), key=lambda entry: (-entry[1].total(), entry[0]))[:MOST_SHOWN]
    return [(stopped_by(laws[rule], [rule])[0], outcome_bar(outcomes), outcomes.total()) for rule, outcomes in ordered]


def _officers(lines: list[figures.Line]) -> list[tuple[str, int]]:
    """The officers named in most requests, over all dockets."""
    named = Counter[str]()
    for entry in lines:
        for officer, count in desk.docket(entry.name).officers[:MOST_NAMED]:
            named[officer] += count
    return named.most_common(MOST_SHOWN)


@needs(Permission.OVERSIGHT_DOCKET_COUNT)
@require_GET
def shape(request: HttpRequest, name: str) -> HttpResponse:
    """One docket for an overseer: outcomes by rule, what each rule alone stopped, and matters per officer."""
    reader = desk.docket(name)
    law = law_of(reader)
    alone = reader.alone()
    ordered = sorted(reader.counts.stopping().items(), key=lambda entry: (-entry[1], entry[0]))
    drawn = charts.bars([(rule, count, "") for rule, count in ordered], reader.counts.total)
    officers = reader.officers[:MOST_SHOWN]
    context = {
        "name": name,
        "counts": reader.counts,
        "segments": outcome_bar(reader.counts.outcomes),
        "rules": [
            (stopped_by(law, [rule])[0], bar, alone.get(rule, 0)) for (rule, _), bar in zip(ordered, drawn, strict=True)
        ],
        "not_known": not_known(law, reader.counts.unknown),
        "officers": charts.bars([(officer, count, "") for officer, count in officers], reader.counts.total),
        "officers_total": len(reader.officers),
        "missing": request.GET.get("missing", ""),
    }
    return render(request, "console/shape.html", context)


@needs(Permission.OVERSIGHT_DOCKET_COUNT)
@require_GET
def recalls(request: HttpRequest) -> HttpResponse:
    """How far each recall has come."""
    return render(request, "console/recalls.html", {"recalls": recalling.made(desk.dockets().names(), clock.now())})


@needs(Permission.OVERSIGHT_DOCKET_COUNT)
@require_GET
def halts(request: HttpRequest) -> HttpResponse:
    """What overseers have stopped, and what waits for more signatures."""
    return _halts(request)


def _halts(request: HttpRequest, problem: str = "") -> HttpResponse:
    names = desk.dockets().names()
    before = steps.find(account(request), Step.Kind.HALT, "", request.GET.get("step", ""))
    context = {
        "board": halting.board(),
        "dockets": names,
        "agencies": sorted({name for entry in names if (name := figures.agency_of(desk.docket(entry)))}),
        "given": before.told if before is not None and request.method == "GET" else request.POST,
        "problem": problem,
    }
    return render(request, "console/halts.html", context, status=400 if problem else 200)


@needs(Permission.OVERSIGHT_HALT_SIGN)
@require_POST
def halt_check(request: HttpRequest) -> HttpResponseBase:
    """Keep what an overseer is about to say: a new statement, or one that waits for more signatures."""
    try:
        step = halting.begin(account(request), request.POST.dict())
    except GatehouseError as error:
        return _halts(request, f"{error.outside}.")
    if step is None:
        raise Http404
    return redirect("console:halt-sign", step=step.identifier)


@needs(Permission.OVERSIGHT_HALT_SIGN)
@require_http_methods(["GET", "POST"])
def halt_sign(request: HttpRequest, step: str) -> HttpResponseBase:
    """One statement to read and sign; with enough overseers' signatures the halt, or its end, is in force at once."""
    found = steps.find(account(request), Step.Kind.HALT, "", step)
    if found is None:
        raise Http404
    if request.method == "GET" or found.done_at is not None:
        return _halt_shown(request, found)
    try:
        taken = halting.sign(found, request.POST.get("text", ""), signatures.only(request, "signature"))
    except GatehouseError as error:
        return _halt_shown(request, found, error)
    messages.success(request, f"The word to {taken.said.action} {taken.said.scope} {halting.state_of(taken)}.")
    return redirect("console:halts")


def _halt_shown(request: HttpRequest, step: Step, error: GatehouseError | None = None) -> HttpResponse:
    try:
        text = halting.shown(step)
    except GatehouseError as wrong:
        return errors.refused(request, wrong)
    query = "" if "text" in step.told else f"?{urlencode({'step': step.identifier})}#new"
    context = {
        "step": step,
        "text": text.split("\n"),
        "warning": reasons.warning(text),
        "choice_at": f"{resolve_url('console:halts')}{query}",
        "sign_at": resolve_url("console:halt-sign", step=step.identifier),
        "exact": [signatures.ToSign("text", text, "signature")],
        "carried": [],
    }
    return with_error(request, "console/halt_sign.html", context, error)
