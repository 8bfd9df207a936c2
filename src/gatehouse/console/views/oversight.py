"""Pages of overseers: all dockets in numbers, one docket's shape, the log verified now, one case derived again."""

from __future__ import annotations

import calendar
import datetime as dt
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from gatehouse.console import charts, desk, figures, words
from gatehouse.console.guard import needs
from gatehouse.console.law import stopped_by
from gatehouse.console.permissions import Permission
from gatehouse.console.views.officer import law_of, outcome_bar
from gatehouse.kernel.errors import GatehouseError
from gatehouse.law.evaluate import evaluate
from gatehouse.law.pack import Pack
from gatehouse.ledger import policy as policies
from gatehouse.ledger.verify import Verified, verify_log

COMPARED = ("outcome", "fired", "codes", "items")
MOST_SHOWN = 20


@needs(Permission.OVERSIGHT_DOCKET_COUNT)
@require_GET
def oversight(request: HttpRequest) -> HttpResponse:
    """All dockets together: outcomes, requests by month, and how much of what each agency asked for was cleared."""
    lines = [figures.line(name, desk.docket(name)) for name in desk.shelf().names()]
    whole = figures.total(lines)
    months = Counter[str]()
    for entry in lines:
        if entry.received is not None:
            months[f"{entry.received:%Y-%m}"] += entry.requests
    agencies = sorted({entry.agency for entry in lines if entry.agency})
    context = {
        "lines": lines,
        "requests": whole.requests,
        "segments": outcome_bar(whole.outcomes),
        "months": charts.bars([(_month(month), count, "") for month, count in sorted(months.items())], whole.requests),
        "agencies": [_agency(name, lines) for name in agencies],
    }
    return render(request, "console/oversight.html", context)


def _month(text: str) -> str:
    year, month = text.split("-")
    return f"{calendar.month_name[int(month)]} {year}"


@dataclass(frozen=True)
class Asked:
    """What one agency asked for and what the machine cleared of it."""

    agency: str
    requests: int
    cleared: int
    held: int
    ratio: str


def _agency(name: str, lines: list[figures.Line]) -> Asked:
    found = figures.total(entry for entry in lines if entry.agency == name)
    cleared = found.outcomes.get("cleared", 0)
    return Asked(name, found.requests, cleared, found.outcomes.get("held", 0), charts.share(cleared, found.requests))


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
        "officers": charts.bars([(officer, count, "") for officer, count in officers], reader.counts.total),
        "officers_total": len(reader.officers),
        "missing": request.GET.get("missing", ""),
    }
    return render(request, "console/shape.html", context)


@needs(Permission.OVERSIGHT_LEDGER_VERIFY)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Verify the whole log now, on the custodian's machine, and say what was checked."""
    site = desk.site()
    began = time.monotonic()
    verified: Verified | None = None
    problem = ""
    try:
        trusted = policies.read(site.policy)
        verified = verify_log(site.ledger, trusted)
    except GatehouseError as error:
        problem = f"{error}."
    except OSError:
        problem = "The log or the policy cannot be read."
    context = {
        "verified": verified,
        "root": verified.checkpoint.root.hex() if verified else "",
        "problem": problem,
        "seconds": f"{max(time.monotonic() - began, 0.1):.1f}",
    }
    return render(request, "console/verified.html", context, status=200 if verified else 409)


@dataclass(frozen=True)
class Compared:
    """One part of a determination, as kept and as derived again."""

    name: str
    kept: str
    derived: str
    same: bool


@needs(Permission.OVERSIGHT_CASE_REPLAY)
@require_GET
def replay(request: HttpRequest, name: str) -> HttpResponse:
    """Derive one determination again from the facts and the pack kept in the docket, and compare it part by part."""
    reader = desk.docket(name)
    wanted = request.GET.get("request", "").strip()
    seq = reader.find(wanted) if wanted else None
    if seq is None:
        return render(request, "console/replay.html", {"name": name, "wanted": wanted, "missing": bool(wanted)})
    found = reader.case(seq)
    law = law_of(reader)
    if found is None or law is None:
        raise Http404
    try:
        derived = _derive(reader.folder / "facts.parquet", seq, law, found.determination["as_of"])
    except (GatehouseError, duckdb.Error):
        derived = {}
    compared = [_compare(part, found.determination[part], derived.get(part)) for part in COMPARED]
    context = {
        "name": name,
        "wanted": wanted,
        "case": found,
        "pack": law,
        "same_pack": law.digest == found.determination["pack_digest"],
        "compared": compared,
        "same": bool(derived) and all(part.same for part in compared),
        "stopped": stopped_by(law, found.determination["fired"]),
    }
    return render(request, "console/replay.html", context)


def _derive(facts: Path, seq: int, law: Pack, as_of: dt.date) -> dict[str, object]:
    with duckdb.connect(config={"threads": 1, "memory_limit": "512MB"}) as connection:
        quoted = str(facts).replace("'", "''")
        connection.execute(
            f"CREATE TABLE one_case AS SELECT * FROM read_parquet('{quoted}') WHERE seq = $seq", {"seq": seq}
        )
        evaluate(connection, law, "one_case", "derived", as_of)
        rows = connection.execute("SELECT outcome, fired, codes, items FROM derived").fetchall()
    return dict(zip(COMPARED, rows[0], strict=True)) if rows else {}


def _compare(part: str, kept: object, derived: object) -> Compared:
    def show(value: object) -> str:
        if isinstance(value, list):
            return ", ".join(str(entry) for entry in value) or "none"
        return words.plain(value) if value is not None else "could not be derived"

    return Compared(words.plain(part, {}), show(kept), show(derived), kept == derived)
