"""Pages that need no account: statistics, the public log, and the documented exchange of August 2025."""

from __future__ import annotations

import csv
import datetime as dt
import io
from functools import lru_cache

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_safe

from gatehouse.console import august, charts, desk, figures, log, words
from gatehouse.console.guard import public, whole
from gatehouse.console.law import stopped_by
from gatehouse.kernel import clock

GROUND_TONES = {
    "sets forth no address of the taxpayer": "stop",
    "nobody on file, or more than one, agrees": "back",
    "name and address alone: held for a person": "wait",
    "left for two officers to approve": "good",
}
TONES = {"cleared": "good", "held": "wait", "incomplete": "back", "refused": "stop"}
_MOST_COUNTED = 4096
TOLD_TONES = {"answered": "good", "not_answered": "quiet"}


def _tone(ground: august.Ground) -> str:
    return GROUND_TONES.get(ground.ground, "ink")


def _published() -> tuple[list[figures.Line], dt.timedelta]:
    delay = dt.timedelta(0) if desk.site().demonstration else figures.DELAY
    dockets = desk.dockets()
    head = log.head(desk.site().ledger)
    counted = [_counted(str(desk.site().root), name, dockets.identity(name)) for name in dockets.names()]
    lines = [line for line, entries in counted if line is not None and _in_log(entries, head)]
    return figures.published(lines, clock.now(), delay), delay


@lru_cache(maxsize=_MOST_COUNTED)
def _counted(_site: str, name: str, _identity: object) -> tuple[figures.Line | None, range | None]:
    """What one docket's requester was told, and where the log holds it: counted once for each state of its files.

    Kept apart from the open dockets, which are few: this page asks about all of them each time.
    """
    reader = desk.docket(name)
    line = figures.told(name, reader)
    return line, reader.committed if line is not None else None


def _in_log(entries: range | None, head: log.Head | None) -> bool:
    """Whether every determination of a docket has its entry below the newest checkpoint: nothing else is counted."""
    return head is not None and entries is not None and entries.stop <= head.size


@public
@require_GET
def statistics(request: HttpRequest) -> HttpResponse:
    """How many requests were made and what was answered, as it was told: delayed, rounded, without small counts."""
    lines, delay = _published()
    whole_line = figures.total(lines)
    context = {
        "requests": figures.rounded(whole_line.requests),
        "dockets": len(lines),
        "delay": delay.days,
        "counted_at": figures.hour(clock.now()),
        "outcomes": [
            (words.plain(outcome), tone, figures.rounded(whole_line.outcomes.get(outcome, 0)))
            for outcome, tone in TOLD_TONES.items()
        ],
        "segments": charts.stacked(
            [
                (words.plain(outcome), tone, _floor(whole_line.outcomes.get(outcome, 0)))
                for outcome, tone in TOLD_TONES.items()
            ]
        ),
        "codes": [
            (words.plain(code, words.CODES), figures.rounded(count))
            for code, count in sorted(whole_line.codes.items(), key=lambda entry: (-entry[1], entry[0]))
        ],
        "agencies": _agencies(lines),
    }
    return render(request, "console/statistics.html", context)


def _floor(count: int) -> int:
    return 0 if count < figures.SMALLEST else count // figures.SMALLEST * figures.SMALLEST


def _agencies(lines: list[figures.Line]) -> list[tuple[str, str, str]]:
    names = sorted({entry.agency for entry in lines if entry.agency})
    grouped = [(name, figures.total(entry for entry in lines if entry.agency == name)) for name in names]
    return [
        (name, figures.rounded(found.requests), figures.rounded(found.outcomes.get("answered", 0)))
        for name, found in grouped
    ]


@public
@require_GET
def statistics_file(request: HttpRequest) -> HttpResponse:
    """The same figures as CSV."""
    lines, _ = _published()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["received_hour", "requests", *figures.TOLD])
    for entry in sorted(lines, key=lambda found: str(found.received)):
        received = clock.stamp(figures.hour(entry.received)) if entry.received else ""
        counts = [figures.rounded(entry.outcomes.get(outcome, 0)) for outcome in figures.TOLD]
        writer.writerow([received, figures.rounded(entry.requests), *counts])
    answer = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="statistics.csv"'
    return answer


@public
@require_GET
def ledger(request: HttpRequest) -> HttpResponse:
    """The public log: its newest checkpoint, one entry, and how to verify all of it elsewhere."""
    folder = desk.site().ledger
    head = log.head(folder)
    index = whole(request.GET.get("entry"), 0, -1) if "entry" in request.GET else None
    data = log.entry(folder, head.size, index) if head is not None and index is not None else None
    key = desk.site().root / "log.vkey"
    context = {
        "head": head,
        "index": index,
        "entry": data.hex() if data is not None else None,
        "length": len(data) if data is not None else 0,
        "vkey": key.read_text(encoding="utf-8").strip() if key.is_file() else "",
        "last": head.size - 1 if head is not None else 0,
    }
    return render(request, "console/ledger.html", context)


@public
@require_safe
def ledger_file(request: HttpRequest, name: str) -> HttpResponseBase:
    """A file of the log as C2SP names it; tiles never change, the checkpoint does."""
    path = log.file(desk.site().ledger, name)
    if path is None:
        raise Http404
    kind = "text/plain; charset=utf-8" if name.startswith("checkpoint") and not name.endswith(".tsr") else None
    answer = FileResponse(path.open("rb"), content_type=kind or "application/octet-stream")
    answer.headers["Cache-Control"] = "no-cache" if name == "checkpoint" else "public, max-age=31536000, immutable"
    return answer


@public
@require_GET
def august_2025(request: HttpRequest) -> HttpResponse:
    """The documented exchange of August 2025 beside Gatehouse's replay."""
    replay = august.read()
    single = [rule for rule in replay.rules if rule.id not in august.BATCH_RULES]
    drawn = charts.bars([(rule.id, rule.stops, "") for rule in single], replay.requests)
    law = desk.pack("us.irs.6103-i-2")
    context = {
        "replay": replay,
        "scenarios": [
            (name, [(words.plain(outcome), TONES[outcome], counts[outcome]) for outcome in figures.OUTCOMES])
            for name, counts in replay.scenarios
        ],
        "batch": [stopped_by(law, [rule.id])[0] for rule in replay.rules if august.stops_the_batch(rule, replay)],
        "unknown": list(replay.unknown.items()),
        "rules": [
            (stopped_by(law, [rule.id])[0], bar, rule.alone_batch_aside)
            for rule, bar in zip(single, drawn, strict=True)
        ],
        "outcomes": [words.plain(outcome) for outcome in figures.OUTCOMES],
        "grounds": [(ground, _tone(ground)) for ground in replay.grounds],
        "all_of_them": charts.stacked([(each.ground, _tone(each), each.requests) for each in replay.grounds]),
        "answered": charts.stacked([(each.ground, _tone(each), each.answered) for each in replay.grounds]),
    }
    return render(request, "console/august.html", context)
