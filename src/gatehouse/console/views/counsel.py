"""Pages of counsel: packs of law in words, as of any date, with what is known of each source."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gatehouse.console import desk, words
from gatehouse.console.guard import needs
from gatehouse.console.law import Provision, provisions
from gatehouse.console.permissions import Permission
from gatehouse.kernel import clock
from gatehouse.law.pack import Instrument, Pack, Rule


@dataclass(frozen=True)
class Line:
    """One rule as a page shows it."""

    rule: Rule
    title: str
    effect: str
    consequence: str
    certainty: str
    in_force: bool
    provisions: tuple[Provision, ...]


@dataclass(frozen=True)
class Source:
    """One instrument and its rules."""

    instrument: Instrument
    certainty: str
    lines: tuple[Line, ...]
    in_force: bool


@needs(Permission.CUSTODIAN_LAW_READ)
@require_GET
def law(request: HttpRequest) -> HttpResponse:
    """Every pack of law that this site decides under."""
    context = {
        "packs": [(pack, desk.proof(pack)) for pack in desk.packs()],
        "broken": desk.broken_packs(),
    }
    return render(request, "console/law.html", context)


@needs(Permission.CUSTODIAN_LAW_READ)
@require_GET
def pack(request: HttpRequest, identifier: str) -> HttpResponse:
    """One pack as of a date: sources in order of time, each rule with its words, dates and certainty."""
    found = desk.pack(identifier)
    if found is None:
        raise Http404
    given = request.GET.get("as-of", "")
    as_of = clock.read_date(given) if given else clock.today()
    context = {
        "pack": found,
        "as_of": as_of or clock.today(),
        "given": given,
        "wrong_date": bool(given) and as_of is None,
        "sources": _sources(found, as_of or clock.today()),
        "in_force": len(found.in_force(as_of or clock.today())),
        "proof": desk.proof(found),
    }
    return render(request, "console/pack.html", context)


def _sources(found: Pack, as_of: dt.date) -> list[Source]:
    rules: dict[str, list[Line]] = {}
    for rule in found.rules:
        rules.setdefault(rule.instrument.id, []).append(_line(found, rule, as_of))
    ordered = sorted(found.instruments, key=lambda instrument: (instrument.begins, instrument.id))
    return [
        Source(
            instrument,
            words.plain(instrument.certainty, words.CERTAINTY),
            tuple(rules.get(instrument.id, ())),
            in_force=instrument.begins <= as_of and (instrument.until is None or as_of < instrument.until),
        )
        for instrument in ordered
    ]


def _line(found: Pack, rule: Rule, as_of: dt.date) -> Line:
    return Line(
        rule,
        words.rule(rule.id),
        words.EFFECTS[rule.effect],
        words.consequence(rule.effect, rule.otherwise),
        words.plain(rule.certainty, words.CERTAINTY),
        in_force=rule.in_force(as_of),
        provisions=provisions(found, rule.id),
    )
