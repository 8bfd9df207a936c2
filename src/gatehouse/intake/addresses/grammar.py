"""The grammar: what the shape of an address says about its parts.

A shape is one character a word (see `vocabulary.CLASSES`), so a batch of a million addresses has some thousand shapes.
Each is read once, here; the words are then picked by position, in columns. Segments between commas are read on their
own, so that a unit or a care-of line may stand before or after the street.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LONGEST = 32  # words; a longer address is not read

PARTS = (
    "house_number", "pre_direction", "street_name", "street_type", "post_direction",
    "unit_kind", "unit_number", "box_number",
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """The kind of an address and where its parts stand: `spans[part] = (first, last)`, words counted from 1.

    `left` is the number of words that no part took. A kind of None says that no street, box or route was found.
    """

    kind: str | None
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    left: int = 0


_UNIT_NUMBER = r"[#ALOHMGFnWTDd]"
_UNIT = (
    rf"(?:(?P<unit_kind>[UN])[yN]?(?P<unit_number>{_UNIT_NUMBER}[#AL]?)(?:[UN][yN]?{_UNIT_NUMBER})*"
    rf"|(?P<unit_kind2>u)(?P<unit_number2>[#AL])?)"
)
_NUMBER = r"(?P<house_number>[#AHGM](?:F|L(?=D?[WO]+T))?)"
_NAME = r"[WLOTDSMnyb#JhkuUAHRPQ]"
_TAIL = rf"(?P<post_direction>D)?(?:{_UNIT}|(?P<unit_number3>[#LA]))?"

_STREETS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_NUMBER}(?P<street_name>[DU])(?P<street_type>T){_TAIL}",
        rf"{_NUMBER}(?P<pre_direction>D)?(?P<street_name>J[#AOHL]|h[#AOHLW]|Th[#AL]){_TAIL}",
        rf"{_NUMBER}(?P<pre_direction>D)?(?P<street_name>S{_NAME}+?){_TAIL}",
        rf"{_NUMBER}(?P<pre_direction>D)?(?P<street_name>{_NAME}+?)(?P<street_type>[Th]){_TAIL}",
        rf"{_NUMBER}(?P<pre_direction>D)?(?P<street_name>TL){_TAIL}",
        rf"{_NUMBER}(?P<pre_direction>D)?(?P<street_name>{_NAME}+?)(?P<post_direction>D)?(?:{_UNIT})?",
    )
)
_UNITS = re.compile(_UNIT)
_BOX = re.compile(r"(?:PQ|P|LLQ|Q)[yN]?(?P<box_number>[#AHLM]L?)(?:K[N]?[#AL])?")
_RURAL = re.compile(r"(?P<street_name>R[yN]?[#AH])(?:[,]?Q[yN]?(?P<box_number>[#AHLM]))?")
_MILITARY = re.compile(r"(?P<street_name>(?:[mU]N?[#A])+)Q[N]?(?P<box_number>[#AH])|(?P<street_name2>m[#A])")
_GENERAL = re.compile(r"g")
_KILOMETRE = re.compile(
    rf"(?P<street_name>(?:S|T|J)[#AHW]+?[D]?)(?:{_NAME}*?)(?P<house_number>k[#dAH](?:k[#dA])?)(?:{_NAME})*"
)
_PREFIX_NUMBERED = re.compile(rf"(?P<street_name>S{_NAME}+?)[N]?(?P<house_number>[#AH]){_TAIL}")
_NO_NUMBER = re.compile(rf"(?P<pre_direction>D)?(?P<street_name>{_NAME}+?)(?P<street_type>T){_TAIL}")
_ADDRESSEE = re.compile(rf"(?:c|W|L|T|D|&|M)[WLTDuUPbyS]*?(?=[#AHG])")


def read(shape: str) -> Reading:
    """Read one shape: segment by segment, and where no segment is an address, all of them as one."""
    reading = _read_segments(shape)
    if reading.kind is None and "," in shape:
        kept = [position for position, class_ in enumerate(shape, 1) if class_ != ","]
        joined = _read_segments(shape.replace(",", ""))
        if joined.kind:
            moved = {part: (kept[first - 1], kept[last - 1]) for part, (first, last) in joined.spans.items()}
            return Reading(joined.kind, moved, joined.left)
    return reading


def _read_segments(shape: str) -> Reading:
    kind: str | None = None
    spans: dict[str, tuple[int, int]] = {}
    left = 0
    numberless: dict[str, tuple[int, int]] = {}
    for start, segment in _segments(shape):
        found = _read_segment(segment)
        if found is None:
            unnumbered = _NO_NUMBER.fullmatch(segment)
            if unnumbered and not numberless:
                numberless = _spans(unnumbered, start)
            left += len(segment.replace(" ", ""))
            continue
        segment_kind, match = found
        here = _spans(match, start + match.pos)
        if segment_kind == "unit":
            if "unit_number" not in spans and "unit_kind" not in spans:
                spans |= here
        elif kind is None:
            kind = segment_kind
            spans |= here
        else:
            left += len(segment)
    if kind is None and numberless:
        return Reading("street", spans | numberless, left)
    return Reading(kind, spans, left)


def _segments(shape: str) -> list[tuple[int, str]]:
    found, start = [], 0
    for segment in shape.split(","):
        if segment:
            found.append((start, segment))
        start += len(segment) + 1
    return found


def _read_segment(segment: str) -> tuple[str, re.Match[str]] | None:
    for kind, pattern in (
        ("po_box", _BOX),
        ("rural_route", _RURAL),
        ("military", _MILITARY),
        ("general_delivery", _GENERAL),
        ("unit", _UNITS),
        ("street", _KILOMETRE),
        *(("street", street) for street in _STREETS),
        ("street", _PREFIX_NUMBERED),
    ):
        match = pattern.fullmatch(segment)
        if match:
            return kind, match
    return None


def _spans(match: re.Match[str], start: int) -> dict[str, tuple[int, int]]:
    spans = {}
    for name, value in match.groupdict().items():
        if value:
            first, last = match.span(name)
            spans[name.rstrip("23")] = (start + first + 1, start + last)
    return spans
