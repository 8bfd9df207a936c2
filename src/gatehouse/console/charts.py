"""Charts drawn on the server: plain SVG without script or style, each with the numbers as a table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH = 100.0


@dataclass(frozen=True)
class Segment:
    """One part of a bar; `tone` is the name of a colour in the style sheet. All lengths are in percent."""

    label: str
    tone: str
    count: int
    start: float
    width: float
    share: str
    link: str = ""


@dataclass(frozen=True)
class Bar:
    """One bar of a bar chart: its length in percent of the longest one."""

    label: str
    count: int
    width: float
    share: str
    tone: str = "ink"
    link: str = ""


def share(count: int, total: int) -> str:
    """A share in words that never round something to nothing, nor almost everything to everything."""
    if total == 0 or count == 0:
        return "0 %"
    percent = 100 * count / total
    if percent < 0.1:
        return "under 0.1 %"
    if 99.9 < percent < 100:
        return "over 99.9 %"
    return f"{percent:.0f} %" if percent in (100,) else f"{percent:.1f} %"


def stacked(parts: Sequence[tuple[str, str, int]]) -> list[Segment]:
    """One bar of (label, tone, count) parts that fills the width; a part that exists is at least a hair wide."""
    total = sum(count for _, _, count in parts)
    segments, start = [], 0.0
    shown = [part for part in parts if part[2]]
    least = 1.0  # with a gap beside it, still seen on a narrow screen
    spare = _WIDTH - least * len(shown)
    for label, tone, count in shown:
        width = least + spare * count / total
        segments.append(Segment(label, tone, count, round(start, 3), round(width, 3), share(count, total)))
        start += width
    return segments


def bars(parts: Sequence[tuple[str, int, str]], total: int | None = None, tone: str = "ink") -> list[Bar]:
    """Bars of (label, count, link), the longest filling the width."""
    longest = max((count for _, count, _ in parts), default=0)
    whole = sum(count for _, count, _ in parts) if total is None else total
    return [
        Bar(label, count, round(_WIDTH * count / longest, 3) if longest else 0.0, share(count, whole), tone, link)
        for label, count, link in parts
    ]


@dataclass(frozen=True)
class Column:
    """One column of a chart over time, in the chart's own units."""

    label: str
    count: int
    left: float
    top: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Where its label stands."""
        return self.left + self.width / 2


@dataclass(frozen=True)
class Columns:
    """A column chart with a scale: everything a template needs to draw it as SVG."""

    width: int
    height: int
    floor: int
    left: int
    ticks: tuple[tuple[float, int], ...]
    """Height of each line of the scale and its number."""
    columns: tuple[Column, ...]


def columns(parts: Sequence[tuple[str, int]], *, width: int = 720, height: int = 260) -> Columns:
    """A column for each (label, count), as they come; the scale ends at a round number above the highest."""
    left, room, floor = 80, 24, height - 36
    highest = _round_up(max((count for _, count in parts), default=0))
    step = (width - left) / max(len(parts), 1)
    thick = min(step * 0.7, 90)
    drawn = []
    for number, (label, count) in enumerate(parts):
        tall = (floor - room) * count / highest
        start = left + number * step + (step - thick) / 2
        drawn.append(Column(label, count, *(round(each, 1) for each in (start, floor - tall, thick, tall))))
    lines = tuple((round(floor - (floor - room) * share / 4, 1), highest * share // 4) for share in range(5))
    return Columns(width, height, floor, left, lines, tuple(drawn))


def _round_up(highest: int) -> int:
    """The next number of one digit and zeros that four steps divide evenly: 4, 8, 20, 40, 80, 200 …"""
    scale = 4
    while scale < highest:
        scale = scale * 5 // 2 if str(scale)[0] == "8" else scale * 2
    return scale
