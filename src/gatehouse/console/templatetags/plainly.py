"""Template filters: numbers with commas, dates written out, codes in words."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path

from django import template

from gatehouse.console import desk, words
from gatehouse.intake import parties
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError

register = template.Library()


@register.filter
def number(value: object) -> str:
    """1280000 as 1,280,000."""
    return f"{value:,}" if isinstance(value, int) else str(value)


_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


@register.filter
def in_words(value: int) -> str:
    """A small number as text writes it: five; larger ones in figures."""
    return _SMALL[value] if 0 <= value < len(_SMALL) else number(value)


@register.filter
def written(value: object) -> str:
    """A date as 7 August 2025, an instant as 7 August 2025 at 12:00 UTC, and text in ISO form the same."""
    if isinstance(value, str):
        day = clock.read_date(value)
        if day is not None:
            value = day
        else:
            try:
                value = clock.read_instant(value)
            except ValueError:
                return str(value)
    if isinstance(value, dt.datetime):
        instant = value.astimezone(dt.UTC)
        return f"{instant.day} {instant:%B %Y} at {instant:%H:%M} UTC"
    if isinstance(value, dt.date):
        return f"{value.day} {value:%B %Y}"
    return "" if value is None else str(value)


@register.filter
def outcome(value: object) -> str:
    """An outcome or the state of a case in words."""
    return words.plain(value)


@register.filter
def code(value: object) -> str:
    """A reason code in words."""
    return words.plain(value, words.CODES)


@register.filter
def compared(value: object) -> str:
    """A comparison in words."""
    return words.plain(value, words.COMPARISONS)


@register.filter
def why(value: object) -> str:
    """Why a candidate won or lost, in words."""
    return words.plain(value, words.WHY)


@register.filter
def form(value: object) -> str:
    """The state of a part of a request's form, in words."""
    return words.plain(value, words.FORM)


@register.filter
def plain(value: object) -> str:
    """Any stable code with spaces and a capital."""
    return words.plain(value, {})


@register.filter
def items(value: object) -> str:
    """A list of codes as words with commas."""
    return ", ".join(words.plain(entry, {}) for entry in value) if isinstance(value, list | tuple) else ""


@register.filter
def of(segments: object, label: str) -> int:
    """The count of the part of a bar with this label; 0 where there is none."""
    parts = segments if isinstance(segments, list) else []
    return next((segment.count for segment in parts if segment.label == label), 0)


_MESES = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip
_DATOS = {"last_known_address": "última dirección conocida"}


@register.filter
def fecha(value: object) -> str:
    """A date in Spanish: 7 de agosto de 2025."""
    return f"{value.day} de {_MESES[value.month - 1]} de {value.year}" if isinstance(value, dt.date) else str(value)


@register.filter
def dato(value: object) -> str:
    """The names of items in Spanish, or as they are where no Spanish name is known."""
    return ", ".join(_DATOS.get(item, item) for item in str(value).split(","))


@register.filter
def party(agency: str) -> str:
    """An agency by its name in parties.toml, or by its id where it stands there no more."""
    path = desk.site().parties
    try:
        return _parties(path, path.stat().st_mtime_ns).get(agency, agency)
    except (OSError, GatehouseError):
        return agency


@lru_cache(maxsize=2)
def _parties(path: Path, _changed: int) -> dict[str, str]:
    return {name: found.name for name, found in parties.read(path).agencies.items()}
