"""A small writer of accessible SVG bar charts: text is text, every bar has its number beside it, nothing moves.

Colours keep a contrast of 3:1 against white (WCAG 2.2, 1.4.11) and the pair is told apart by lightness alone. A table
with the same numbers belongs beside every chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LABEL, _NUMBER = 960, 330, 150
_ROW, _GAP = 30, 34
_PALE, _DARK, _INK = "#6b9ac4", "#14365c", "#1b1b1b"


@dataclass(frozen=True)
class Bar:
    """One row: a label, a long value, and a part of it drawn darker."""

    label: str
    value: int
    part: int = 0


@dataclass(frozen=True)
class Panel:
    """Bars that share one scale, under a heading; `part_means` names the darker part, if any is drawn."""

    heading: str
    bars: Sequence[Bar]
    value_means: str
    part_means: str = ""


def draw(title: str, description: str, panels: Sequence[Panel]) -> str:
    """An SVG 1.1 document with `title` and `desc`; panels are stacked, each on a scale of its own from zero."""
    y, body = 60, [_text(16, 34, title, size=20, bold=True)]
    for panel in panels:
        y = _panel(body, panel, y)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 8}" width="{_WIDTH}" height="{y + 8}" '
        'role="img" aria-labelledby="chart-title chart-desc" font-family="system-ui, sans-serif">'
    )
    about = f'<title id="chart-title">{escape(title)}</title><desc id="chart-desc">{escape(description)}</desc>'
    paper = f'<rect width="{_WIDTH}" height="{y + 8}" fill="#ffffff"/>'
    return "\n".join([head, about, paper, *body, "</svg>"]) + "\n"


def _panel(body: list[str], panel: Panel, y: int) -> int:
    body.append(_text(16, y + 16, panel.heading, size=16, bold=True))
    y += 26
    body.append(_key(16, y, panel))
    y += 18
    scale = (_WIDTH - _LABEL - _NUMBER) / max(1, *(bar.value for bar in panel.bars))
    for bar in panel.bars:
        length, part = bar.value * scale, bar.part * scale
        # A bar that stands for something is never invisible; zero draws nothing.
        length, part = (max(1.5, length) if bar.value else 0), (max(1.5, part) if bar.part else 0)
        body.append(_text(_LABEL - 10, y + 20, bar.label, anchor="end"))
        body.append(f'<rect x="{_LABEL}" y="{y + 5}" width="{length:.1f}" height="20" fill="{_PALE}"/>')
        if part:
            body.append(f'<rect x="{_LABEL}" y="{y + 5}" width="{part:.1f}" height="20" fill="{_DARK}"/>')
        number = f"{bar.value:,}" + (f" ({bar.part:,})" if panel.part_means else "")
        body.append(_text(int(_LABEL + length + 8), y + 20, number))
        y += _ROW
    return y + _GAP


def _key(x: int, y: int, panel: Panel) -> str:
    parts = [f'<rect x="{x}" y="{y}" width="12" height="12" fill="{_PALE}"/>', _text(x + 18, y + 11, panel.value_means)]
    if panel.part_means:
        at = x + 40 + 7 * len(panel.value_means)
        parts += [f'<rect x="{at}" y="{y}" width="12" height="12" fill="{_DARK}"/>']
        parts += [_text(at + 18, y + 11, f"{panel.part_means} (in brackets)")]
    return "".join(parts)


def _text(x: int, y: int, text: str, *, size: int = 14, bold: bool = False, anchor: str = "start") -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}"{weight} text-anchor="{anchor}" fill="{_INK}">{escape(text)}</text>'
    )
