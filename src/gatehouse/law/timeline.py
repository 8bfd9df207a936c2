"""The law in force on a date, and the dates on which it changes, as a lawyer reads them."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Iterator

from gatehouse.law.explain import sentence
from gatehouse.law.pack import Instrument, Pack, Rule

CERTAIN = {
    "primary": "text read in the original",
    "secondary": "known from accounts of it",
    "inference": "a reading, not a text",
    "memory": "from memory, to be checked",
    "uncertain": "uncertain",
}


def change_days(pack: Pack) -> list[dt.date]:
    """Every day on which some rule begins or ends, sorted."""
    days = {rule.begins for rule in pack.rules} | {rule.until for rule in pack.rules if rule.until}
    return sorted(days)


def ordered(pack: Pack) -> list[Instrument]:
    """The instruments as counsel cites them: statutes first, then by the day they were made."""
    order = ("statute", "regulation", "agreement", "policy", "order", "opinion")
    return sorted(pack.instruments, key=lambda each: (order.index(each.kind), each.made, each.id))


def instruments_at(pack: Pack, as_of: dt.date) -> Iterator[tuple[Instrument, list[Rule]]]:
    """Each instrument in force on a date with its rules in force."""
    for instrument in ordered(pack):
        rules = [rule for rule in pack.in_force(as_of) if rule.instrument is instrument]
        known = instrument.begins <= as_of and (instrument.until is None or as_of < instrument.until)
        if rules or (instrument.kind == "opinion" and known):
            yield instrument, sorted(rules, key=lambda rule: (rule.file, rule.line))


def law_at(pack: Pack, as_of: dt.date) -> str:
    """The law in force on a date as plain text."""
    lines = [pack.title, f"as in force on {as_of}, pack {pack.id} {pack.version}, digest {pack.digest[:16]}…", ""]
    lines += [pack.says, "", "Without a rule that permits, nothing is disclosed.", ""]
    for instrument, rules in instruments_at(pack, as_of):
        lines += [f"{instrument.title.upper()}", *_heading(instrument)]
        for rule in rules:
            lines += ["", f"  {rule.cite}   [{rule.id}; {CERTAIN[rule.certainty]}]"]
            lines.append(f"    “{rule.quote}”" if rule.exact else f"    In other words: {rule.quote}")
            lines.append(f"    {sentence(rule)}: {rule.text}")
            lines.append(f"    Told to the requester: {rule.say}")
        lines.append("")
    return "\n".join(_wrapped(line) for line in lines + _calendar(pack, as_of)) + "\n"


def _wrapped(line: str) -> str:
    """A line within a page's width, its continuation indented as it is."""
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(line, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or ""


def _heading(instrument: Instrument) -> list[str]:
    until = f", until {instrument.until}" if instrument.until else ""
    lines = [f"  {instrument.cite}; made {instrument.made}, in force from {instrument.begins}{until}"]
    lines[0] += f"; {CERTAIN[instrument.certainty]}"
    if instrument.note:
        lines.append(f"  Note: {instrument.note}")
    return lines


def _calendar(pack: Pack, as_of: dt.date) -> list[str]:
    lines = ["WHEN THE LAW OF THIS PACK CHANGES"]
    for day in change_days(pack):
        begun = sorted({rule.instrument.cite for rule in pack.rules if rule.begins == day})
        ended = sorted({rule.instrument.cite for rule in pack.rules if rule.until == day})
        parts = [*(f"begins: {cite}" for cite in begun), *(f"ends: {cite}" for cite in ended)]
        lines.append(f"  {day}{' (later)' if day > as_of else ''}  {'; '.join(parts)}")
    return lines
