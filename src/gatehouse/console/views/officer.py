"""Pages of the disclosure officer: dockets, the queue of cases that stopped, and one case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from gatehouse.console import charts, desk, words
from gatehouse.console.guard import account, needs, whole
from gatehouse.console.law import explained, stopped_by
from gatehouse.console.models import Opening
from gatehouse.console.permissions import Permission
from gatehouse.console.reading import Reader
from gatehouse.console.record import Comparison, compare

OUTCOMES = (("cleared", "good"), ("held", "wait"), ("incomplete", "back"), ("refused", "stop"))
QUEUES = {"held": "Held for a person", "cleared": "Cleared for approval"}
DOCKETS_A_PAGE = 20


@dataclass(frozen=True)
class Line:
    """One docket in the list."""

    name: str
    agency: str
    received: str
    total: int
    waiting: int
    segments: Sequence[charts.Segment]
    determined: bool


@needs(Permission.CUSTODIAN_DOCKET_READ)
@require_GET
def dockets(request: HttpRequest) -> HttpResponse:
    """Every docket, newest first, with how its cases came out."""
    names = desk.shelf().names()
    start = whole(request.GET.get("from"))
    lines = [_line(name) for name in names[start : start + DOCKETS_A_PAGE]]
    onward = start + DOCKETS_A_PAGE if start + DOCKETS_A_PAGE < len(names) else None
    return render(request, "console/dockets.html", {"lines": lines, "total": len(names), "next": onward})


def _line(name: str) -> Line:
    reader = desk.docket(name)
    counts, receipt = reader.counts, reader.receipt
    return Line(
        name=name,
        agency=str(receipt.get("agency", "")),
        received=str(receipt.get("received_at", "")),
        total=counts.total or int(receipt.get("requests") or 0),
        waiting=counts.outcomes.get("held", 0) + counts.outcomes.get("cleared", 0),
        segments=outcome_bar(counts.outcomes),
        determined=reader.determined,
    )


def outcome_bar(outcomes: Mapping[str, int]) -> list[charts.Segment]:
    """The bar of outcomes, always in the same order."""
    return charts.stacked([(words.plain(outcome), tone, outcomes.get(outcome, 0)) for outcome, tone in OUTCOMES])


@needs(Permission.CUSTODIAN_DOCKET_READ)
@require_GET
def docket(request: HttpRequest, name: str) -> HttpResponse:
    """One docket: what was asked, how it came out, and which rules stopped how many."""
    reader = desk.docket(name)
    counts = reader.counts
    law = _pack(reader)
    rules: dict[str, int] = {}
    for rule, outcome, cases in counts.rules:
        if outcome != "cleared":
            rules[rule] = rules.get(rule, 0) + cases
    ordered = sorted(rules.items(), key=lambda entry: (-entry[1], entry[0]))
    context = {
        "name": name,
        "reader": reader,
        "receipt": reader.receipt,
        "counts": counts,
        "segments": outcome_bar(counts.outcomes),
        "codes": charts.bars(
            [(words.plain(code, words.CODES), n, "") for code, n in counts.codes.items()], counts.total
        ),
        "rules": [
            (stopped, bar)
            for (rule, cases), bar in zip(
                ordered, charts.bars([(rule, n, "") for rule, n in ordered], counts.total), strict=True
            )
            for stopped in stopped_by(law, [rule])
        ],
        "pack": law,
        "queues": [(outcome, title, counts.outcomes.get(outcome, 0)) for outcome, title in QUEUES.items()],
    }
    return render(request, "console/docket.html", context)


def _pack(reader: Reader) -> Any:  # noqa: ANN401 - law.pack.Pack or None
    basis = str(reader.receipt.get("basis") or reader.summary.get("basis") or "us.irs.6103-i-2")
    return desk.pack(basis)


@needs(Permission.CUSTODIAN_CASE_READ)
@require_GET
def queue(request: HttpRequest, name: str) -> HttpResponseBase:
    """Cases that wait for a person, by why they stopped; a request id in `find` opens its case."""
    reader = desk.docket(name)
    wanted = request.GET.get("find", "").strip()
    missing = False
    if wanted:
        seq = reader.find(wanted)
        if seq is not None:
            return redirect("console:case", name=name, seq=seq)
        missing = True
    outcome = request.GET.get("outcome", "held")
    if outcome not in QUEUES:
        raise Http404
    rule = request.GET.get("rule") or None
    law = _pack(reader)
    reasons = [
        (stopped, cases) for entry, cases in reader.counts.stopped_by(outcome) for stopped in stopped_by(law, [entry])
    ]
    page = reader.page(outcome=outcome, rule=rule, after=whole(request.GET.get("after"), -1, -1))
    context = {
        "name": name,
        "reader": reader,
        "outcome": outcome,
        "queues": [(key, title, reader.counts.outcomes.get(key, 0)) for key, title in QUEUES.items()],
        "rule": rule,
        "reasons": reasons,
        "page": page,
        "rows": [(row, stopped_by(law, row["fired"])) for row in page.rows],
        "missing": missing,
        "wanted": wanted,
    }
    template = "console/_cases.html" if request.headers.get("HX-Request") else "console/queue.html"
    return render(request, template, context)


@dataclass(frozen=True)
class Particular:
    """One thing the request states, under its plain name."""

    label: str
    value: str


@needs(Permission.CUSTODIAN_CASE_READ)
@require_GET
def case(request: HttpRequest, name: str, seq: int) -> HttpResponse:
    """One case: request and record side by side, why it stopped with the law's words, and what happened since."""
    reader = desk.docket(name)
    found = reader.case(seq)
    if found is None:
        raise Http404
    Opening.objects.create(account=account(request), docket=name, seq=seq)
    chosen = min(whole(request.GET.get("candidate"), 1, 1), max(1, len(found.candidates)))
    comparison: Comparison = compare(found, chosen)
    law = _pack(reader)
    as_of = found.determination["as_of"]
    stopped = explained(law, found.determination["fired"], found.facts, as_of)
    context = {
        "name": name,
        "case": found,
        "comparison": comparison,
        "candidates": range(1, len(found.candidates) + 1),
        "chosen": chosen,
        "stopped": stopped,
        "particulars": [
            Particular(label, str(found.request[key]))
            for key, label in words.PARTICULARS.items()
            if found.request.get(key)
        ],
        "missing": [
            label for key, label in words.PARTICULARS.items() if key in found.request and not found.request[key]
        ],
        "address_verdict": words.plain(found.request.get("address_verdict"), words.VERDICTS),
        "facts": [(words.plain(key, {}), value) for key, value in found.facts.items() if key != "seq"],
        "openings": Opening.objects.filter(docket=name, seq=seq).select_related("account").order_by("-at")[:20],
    }
    return render(request, "console/case.html", context)
