"""Pages of the disclosure officer: dockets, the queue of cases that stopped, and one case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Max
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from gatehouse.casework.states import State
from gatehouse.console import charts, deciding, desk, figures, notices, steps, words
from gatehouse.console.guard import account, needs, whole
from gatehouse.console.law import Why, explained, for_a_fact, granting, not_known, stopped_by, why
from gatehouse.console.models import Opening, Step
from gatehouse.console.permissions import Permission
from gatehouse.console.reading import Case, Reader
from gatehouse.console.record import Comparison, compare
from gatehouse.intake import reasons as judged_reasons
from gatehouse.law.pack import Pack
from gatehouse.store.casebook import Casebook

OUTCOMES = (("cleared", "good"), ("held", "wait"), ("incomplete", "back"), ("refused", "stop"))
DOCKETS_A_PAGE = 20
QUEUE_KEYS = (
    ("j, k", "next and previous case in the list"), ("Enter", "open the case"), ("m", "more cases"),
    ("/", "find a request by its id"), ("1 to 7", "choose a decision"), ("w", "write why"), ("s", "check and sign"),
)  # fmt: skip
CASE_KEYS = (
    ("n, p", "next and previous case of the queue"), ("u", "back to the list"), ("1 to 7", "choose a decision"),
    ("w", "write why"), ("s", "check and sign"),
)  # fmt: skip


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
    names = desk.dockets().names()
    start = whole(request.GET.get("from"))
    lines = [_line(name) for name in names[start : start + DOCKETS_A_PAGE]]
    onward = start + DOCKETS_A_PAGE if start + DOCKETS_A_PAGE < len(names) else None
    context = {
        "lines": lines,
        "total": len(names),
        "next": onward,
        "notices": notices.of_dockets([(line.name, line.agency) for line in lines], account(request).may),
    }
    return render(request, "console/dockets.html", context)


def _line(name: str) -> Line:
    reader = desk.docket(name)
    counts, receipt = reader.counts, reader.receipt
    return Line(
        name=name,
        agency=figures.agency_of(reader),
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
    board = deciding.board(name)
    law = law_of(reader)
    ordered = sorted(counts.stopping().items(), key=lambda entry: (-entry[1], entry[0]))
    context = {
        "name": name,
        "notices": notices.of_dockets([(name, figures.agency_of(reader))], account(request).may),
        "reader": reader,
        "agency": figures.agency_of(reader),
        "received": figures.received_at(reader),
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
        "not_known": not_known(law, counts.unknown),
        "pack": law,
        "queues": [
            (state, _waiting(reader, board, state))
            for state in deciding.QUEUES
            if board or state in {"held", "cleared"}
        ],
        "approved": len(board.states[State.APPROVED_TWICE]) if board else 0,
        "released": len(board.states[State.RELEASED]) if board else 0,
        "board": [(state, count) for state, count in board.counts().items() if count] if board else [],
    }
    return render(request, "console/docket.html", context)


def law_of(reader: Reader) -> Pack | None:
    """The pack that decided a docket: the copy it keeps, else the site's pack for its basis."""
    kept = desk.kept_pack(reader.folder)
    return kept or desk.pack(str(reader.summary.get("basis") or reader.receipt.get("basis") or "us.irs.6103-i-2"))


@needs(Permission.CUSTODIAN_CASE_READ)
@require_GET
def queue(request: HttpRequest, name: str) -> HttpResponseBase:
    """Cases that wait for a person, by why they stopped; a request id in `find` opens its case."""
    reader = desk.docket(name)
    wanted = request.GET.get("find", "").strip()
    if wanted:
        seq = reader.find(wanted)
        if seq is not None:
            return redirect("console:case", name=name, seq=seq)
    board = deciding.board(name)
    state = _state(request.GET.get("state", State.HELD))
    rule = request.GET.get("rule") or None
    law = law_of(reader)
    members = deciding.members(board, state)
    reasons = reader.reasons(members, state)
    page = reader.page(
        outcome=None if board else state, rule=rule, members=members, after=whole(request.GET.get("after"), -1, -1)
    )
    cases = dict(reasons).get(rule, 0) if rule else _waiting(reader, board, state)
    context = {
        "name": name,
        "notices": notices.of_dockets([(name, figures.agency_of(reader))], account(request).may),
        "state": state,
        "queues": [
            (key, _waiting(reader, board, key)) for key in deciding.QUEUES if board or key in {"held", "cleared"}
        ],
        "rule": rule,
        "about": next(iter(stopped_by(law, [rule])), None) if rule else None,
        "reasons": [(stopped, count) for entry, count in reasons for stopped in stopped_by(law, [entry])],
        "page": page,
        "rows": [(row, stopped_by(law, for_a_fact(row))) for row in page.rows],
        "missing": bool(wanted),
        "wanted": wanted,
        "open": board is not None,
        "choices": deciding.choices(state) if board else [],
        "cases": cases,
        "given": _typed(request, name),
        "shortcuts": QUEUE_KEYS,
    }
    return render(request, "console/queue.html", context)


def _state(text: str) -> State:
    if text not in {str(state) for state in deciding.QUEUES}:
        raise Http404
    return State(text)


def _queue_of(given: str, state: State | None, found: Case) -> State:
    """The queue a case is looked at in: the one come from, else where it stands, else where the machine put it."""
    for name in (given, state, found.determination["outcome"]):
        if name in {str(each) for each in deciding.QUEUES}:
            return State(str(name))
    return State.HELD


def _typed(request: HttpRequest, name: str) -> Mapping[str, str]:
    """What was typed in a step that somebody came back to change."""
    found = steps.find(account(request), Step.Kind.DECISION, name, request.GET.get("step", ""))
    return found.told if found is not None else {}


def _waiting(reader: Reader, board: deciding.Standing | None, state: State) -> int:
    return len(board.states[state]) if board else reader.counts.outcomes.get(state, 0)


@dataclass(frozen=True)
class Particular:
    """One thing the request states, under its plain name."""

    label: str
    value: str


def _said(key: str, value: object) -> str:
    """A particular as people read it; items and the kind of proceeding are codes, everything else is as given."""
    text = str(value)
    if key == "items":
        return ", ".join(words.plain(item.strip(), {}) for item in text.split(";"))
    return words.plain(text, {}) if key == "proceeding" else text


@dataclass(frozen=True)
class Looking:
    """A case looked at as one of a sample: which one of how many, and what was found so far."""

    sample: str
    number: int
    drawn: int
    wrong: bool | None


def _looking(request: HttpRequest, name: str, seq: int) -> Looking | None:
    drawn = Casebook().sample(request.GET.get("sample", "")[:128])
    if drawn is None or (drawn.docket, drawn.officer) != (name, account(request).officer) or seq not in drawn.drawn:
        return None
    return Looking(drawn.id, list(drawn.drawn).index(seq) + 1, len(drawn.drawn), steps.marks(drawn.id).get(seq))


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
    comparison: Comparison = compare(found, chosen, docket=name, seq=seq, officer=account(request).officer)
    law = law_of(reader)
    as_of = found.determination["as_of"]
    cleared = found.determination["outcome"] == "cleared"
    reasons = (
        Why(explained(law, granting(law, as_of), found.facts, as_of), [], [], 0)
        if cleared and not found.determination["fired"]
        else why(law, found.determination, found.facts)
    )
    board = deciding.board(name)
    state = board.state_of(seq) if board else None
    waiting = reader.waiting(seq)
    queue = _queue_of(request.GET.get("queue", ""), state, found)
    before, after = (
        reader.neighbours(waiting.position, outcome=queue, members=deciding.members(board, queue))
        if waiting
        else (None, None)
    )
    context = {
        "name": name,
        "case": found,
        "state": state or found.determination["outcome"],
        "queue": queue,
        "before": before,
        "after": after,
        "shortcuts": CASE_KEYS,
        "choices": deciding.choices(state) if state else [],
        "given": _typed(request, name),
        "looking": _looking(request, name, seq),
        "clearable": waiting is not None and waiting.clearable,
        "acts": deciding.acts(name, seq) if board else [],
        "comparison": comparison,
        "candidates": range(1, len(found.candidates) + 1),
        "chosen": chosen,
        "why": reasons,
        "particulars": [
            Particular(label, _said(key, found.request[key]))
            for key, label in words.PARTICULARS.items()
            if found.request.get(key)
        ],
        "missing": [
            label for key, label in words.PARTICULARS.items() if key in found.request and not found.request[key]
        ],
        "address_verdict": words.plain(found.request.get("address_verdict"), words.VERDICTS),
        "reason_judged": judged_reasons.explain(
            *(found.request.get(f"reason_{part}") for part in ("state", "purpose", "why"))
        )
        if found.request.get("reason_state")
        else None,
        "facts": [(words.plain(key, {}), value) for key, value in found.facts.items() if key != "seq"],
        "openings": Opening.objects.filter(docket=name, seq=seq)
        .values(name=F("account__name"))
        .annotate(times=Count("pk"), last=Max("at"))
        .order_by("-last")[:20],
    }
    return render(request, "console/case.html", context)
