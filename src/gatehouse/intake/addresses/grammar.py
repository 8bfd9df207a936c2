"""The grammar: what the shape of an address says about its parts.

A shape is one character a word (see `vocabulary.CLASSES`), so a batch of a million addresses has some thousand shapes.
Each is read once, here; the words are then picked by position, in columns. Segments between commas are read on their
own, so that a unit or a care-of line may stand before or after the street.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

LONGEST = 32  # words; a longer address is not read

PARTS = (
    "house_number", "pre_direction", "street_name", "street_type", "post_direction",
    "unit_kind", "unit_number", "unit_more", "box_number", "other_number",
)  # fmt: skip

Spans = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Reading:
    """The kind of an address and where its parts stand: `spans[part] = (first, last)`, words counted from 1.

    `core` spans the words from the house number (or box) to the end of the street: what stands outside names persons,
    buildings or institutions. A kind of None says that no street, box or route was found. `abroad` marks a reading
    (`Hauptstrasse 12`) that is an address only outside the United States.
    """

    kind: str | None
    spans: Spans = field(default_factory=dict)
    core: tuple[int, int] | None = None
    abroad: bool = False


# Pieces of patterns. A group's trailing digits only keep its name unique; see `_spans`.
_VALUE = "[#ALOHMGFnWTDd]"
_MORE = rf"(?:[UN][yN]?(?P<unit_more>{_VALUE})|OU|u|K[N]?[#A])*"
_UNIT = (
    rf"(?:(?P<unit_kind>[UN])[yN]?(?P<unit_number>{_VALUE}(?:[#LA](?![#LA]))?){_MORE}"
    rf"|(?P<unit_number2>O)(?P<unit_kind2>U){_MORE.replace('unit_more', 'unit_more2')}"
    rf"|(?P<unit_number6>#)(?P<unit_kind6>U)"
    rf"|U?(?P<unit_kind3>u)(?P<unit_number3>[#AL])?"
    rf"|(?P<unit_kind4>K)[N]?(?P<unit_number4>[#AL]))"
)
_LOOSE = r"[yN]?(?P<unit_number5>[#LAH])"  # a number at the end that no word introduces
_ENDS = rf"(?:{_UNIT}|{_LOOSE}|[UN])?"  # a unit whose number is missing says nothing
_TAIL = rf"(?P<post_direction>D|y(?![#ALH]))?{_ENDS}"
_UNITS_ONLY = _ENDS
_NUMBER = r"(?P<house_number>[#AHGd](?:F|L(?=D?[WO]+[Th]))?)"
_NAME = r"[WLOTDSMnyb#AJhkuUPRQGcd]"
_PRE = r"(?P<pre_direction>D)?"
_HIGHWAY = r"(?P<street_name>(?:W|T)?(?:J[#AOHLDMd]|h[#AOHLDMd])|Td)T?"
_SPANISH = rf"(?P<street_name>S{_NAME}+?)"
_NAMED = rf"(?P<street_name>{_NAME}+?)(?P<street_type>[Th])"
_LEAD = r"(?P<lead>[cbWLTDSPyUunhMOJR#ANk]+?(?<![hJ]))"  # `Highway 87` has a number of its own


def _all(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in patterns)


_STREETS = _all(
    rf"{_NUMBER}{_PRE}{_HIGHWAY}{_TAIL}",
    rf"{_NUMBER}(?P<street_name>[DU])(?P<street_type>T){_TAIL}",
    rf"{_NUMBER}{_PRE}{_SPANISH}{_UNITS_ONLY}",
    rf"{_NUMBER}{_PRE}(?P<street_name>#)(?P<post_direction>D){_UNITS_ONLY}",
    rf"{_NUMBER}{_PRE}{_NAMED}{_TAIL}",
    rf"{_NUMBER}{_PRE}(?P<street_name>T[LD]){_TAIL}",
    rf"{_NUMBER}{_PRE}(?P<street_name>(?!#)(?={_NAME}*[WOTSb]){_NAME}+?)(?P<post_direction>D)?(?:{_UNIT})?",
    # The road and its kilometre; a number after the street.
    rf"(?P<street_name>[SThJ][#AHW]+?D?)(?:{_NAME}*?)(?P<house_number>k[#dAH](?:k[#dA])?)(?:{_NAME})*",
    rf"(?P<street_name>S{_NAME}+?)N?y?(?P<house_number>[#AH]){_TAIL}",
)
# A person, a building or an urbanisation before the number, in one breath. A street type must follow.
_LED = _all(
    rf"(?P<unit_kind>[UN])[yN]?(?P<unit_number>[#AL]){_NUMBER}{_PRE}{_NAMED}(?P<post_direction>D)?",
    rf"{_LEAD}{_NUMBER}{_PRE}{_HIGHWAY}{_TAIL}",
    r"(?P<lead>b[WLTDS]+?)(?P<unit_kind>U)[yN]?(?P<unit_number>[#AL])(?P<street_name>S[WLTD]+?)N?(?P<house_number>[#AH])",
    rf"{_LEAD}N?{_NUMBER}{_PRE}{_SPANISH}{_UNITS_ONLY}",
    rf"{_LEAD}{_NUMBER}{_PRE}{_NAMED}{_TAIL}",
    rf"{_LEAD}(?P<street_name>[S][#AHW]+?D?)(?P<house_number>k[#dAH](?:k[#dA])?)(?:{_NAME})*",
    rf"{_LEAD}(?P<street_name>S[WLTD]+?)N?(?P<house_number>[#AH]){_TAIL}",
)
_BOXES = _all(
    r"(?:(?P<lead>[WLcT]+)P+Q?|P+Q?|LLQ|Q)[yN]?(?P<box_number>[#AHLMDd][LD]?)(?:[KU][N]?[#AL])?",
    r"(?P<box_number>[#A])(?:PQ|P)",
)
_RURAL = _all(
    r"(?:.*?)(?P<street_name>R?[Rh][yN]?[#AH])(?:[PQ][yN]?(?P<box_number>[#AHLM][LD]?))(?:K[N]?[#AL])?(?:D?[WOLT]+T)?",
    r"Q[yN]?(?P<box_number>[#AHLM][LD]?)(?P<street_name>R[yN]?[#AH])",
)
_ROUTE = _all(r"(?P<street_name>R?R[yN]?[#AH])", r"R+")
_MILITARY = _all(r"[W]*(?P<street_name>(?:[mU]N?[#A])+)Q[N]?(?P<box_number>[#AH])")
_MILITARY_ROUTE = _all(r"(?P<street_name>m[#A])")
# Puerto Rican housing projects have a building and a flat, and no street.
_PROJECT = _all(
    rf"(?P<street_name>b{_NAME}+?)(?:U|b)N?(?P<house_number>[#AL])(?P<unit_kind>U)[yN]?(?P<unit_number>[#AL])"
)
_ABROAD = _all(
    rf"(?P<street_name>{_NAME}*[WOTS]{_NAME}*?)N?y?(?P<house_number>[#AH]){_TAIL}",
    rf"(?P<street_name>{_NAME}*?[WTS])N?y?(?P<house_number>[#AH]).*",
    rf"(?P<house_number>[#AH])(?P<street_name>{_NAME}*[WTS]{_NAME}*)",
)
_KINDS = (
    ("po_box", _BOXES),
    ("military", _MILITARY),
    ("rural_route", _RURAL),
    ("rural_route", _ROUTE),
    ("military", _MILITARY_ROUTE),
    ("general_delivery", _all(r"g[#]?")),
    ("street", _PROJECT),
    ("unit", _all(_UNIT, r"[bW]*[bU]?" + _UNIT)),
    ("street", _STREETS),
    ("street", _LED),
)
_NO_NUMBER = _all(rf"{_PRE}{_NAMED}{_TAIL}", rf"{_PRE}{_SPANISH}")
_BARE_BOX = re.compile(r"(?:[bW]*)Q[yN]?(?P<box_number>[#AHLM])")


_WORDS = str.maketrans("&afoq", "WWWWW")  # words that matter to the judgment alone


def read(shape: str) -> Reading:
    """Read one shape: segment by segment, and where no segment is an address, all of them as one."""
    shape = shape.translate(_WORDS)
    kept = [position for position, class_ in enumerate(shape, 1) if class_ != ","]
    joined = shape.replace(",", "")
    reading = _moved(_first(_MILITARY, joined, 0, "military"), kept)
    if reading.kind is None:
        reading = _read_segments(shape)
    if joined != shape and (reading.kind is None or ("k" in joined and _lacks_number(reading))):
        reading = _moved(_read_segments(joined), kept)
    if _lacks_number(reading):
        trailing = _moved(_first(_ABROAD, joined, 0, "street"), kept)
        if trailing.kind:
            return replace(trailing, abroad=True)
    return reading


def _lacks_number(reading: Reading) -> bool:
    return reading.kind is None or (reading.kind == "street" and "house_number" not in reading.spans)


def _moved(reading: Reading, kept: list[int]) -> Reading:
    """A reading of a shape without its commas, with positions counted as in the shape with them."""
    spans = {part: (kept[first - 1], kept[last - 1]) for part, (first, last) in reading.spans.items()}
    core = (kept[reading.core[0] - 1], kept[reading.core[1] - 1]) if reading.core else None
    return replace(reading, spans=spans, core=core)


def _read_segments(shape: str) -> Reading:
    main, unit, numberless = Reading(None), Reading(None), Reading(None)
    for start, segment in _segments(shape):
        found = _read_segment(segment, start)
        if found.kind == "unit":
            unit = _beside(unit, found) if unit.kind else found
        elif found.kind == "po_box" and main.kind in ("rural_route", "military") and "box_number" not in main.spans:
            main = replace(main, spans=main.spans | found.spans)
        elif found.kind and (main.kind is None or _completes(main, found)):
            main = replace(found, spans=found.spans | {p: s for p, s in main.spans.items() if p == "box_number"})
        elif _is_whole(main, shape) and _is_whole(found, shape):
            main = replace(main, spans=main.spans | {"other_number": found.spans["house_number"]})
        elif found.kind is None and not numberless.kind:
            numberless = _first(_NO_NUMBER, segment, start, "street")
    if main.kind is None:
        main = numberless
    if {"unit_kind", "unit_number"} & main.spans.keys():
        return _beside(main, unit)
    return replace(main, spans=main.spans | unit.spans)


def _beside(reading: Reading, unit: Reading) -> Reading:
    """A second unit (the flat in a building) stands beside the first."""
    if "unit_more" in reading.spans or "unit_number" not in unit.spans:
        return reading
    return replace(reading, spans=reading.spans | {"unit_more": unit.spans["unit_number"]})


def _completes(main: Reading, found: Reading) -> bool:
    """Whether a later segment is the route that an earlier box belongs to (`Buzon 22`, `HC 2`)."""
    return main.kind == "po_box" and found.kind == "rural_route" and "box_number" not in found.spans


def _is_whole(reading: Reading, shape: str) -> bool:
    """Whether a segment is a street with number and type (or a highway), with nobody's name before it."""
    if not reading.core or "house_number" not in reading.spans:
        return False
    begins = reading.core[0] == 1 or shape[reading.core[0] - 2] == ","
    return begins and ("street_type" in reading.spans or shape[reading.spans["street_name"][0] - 1] in "hJ")


def objection(shape: str, reading: Reading) -> str | None:
    """Why what was read as a street is none: `two_addresses`, or `described`, or nothing.

    A place is described where words say where it lies: a crossing, a block, `2 miles N of`.
    """
    if reading.kind != "street" or not reading.core or reading.abroad:
        return None
    first, last = reading.spans.get("street_name", (1, 0))
    name, before = shape[first - 1 : last], shape[: reading.core[0] - 1].rpartition(",")[2]
    typed = "street_type" in reading.spans
    if re.search("[TDhJ#AL],?&,?[#AH][DWOTJhn]", shape) or (typed and re.search("[WO]T[#AH][WO]", name)):
        return "two_addresses"
    crossing = re.search("[#OhJ]&|&[#OhJ]|.T&", name) or (not typed and re.search("^[^c]*&", name))
    cut = name.startswith("&") and "pre_direction" not in reading.spans  # unlike `S and W Farm Rd`
    counted = (not typed and "q" in name) or re.match("q(?:D|.*[of])", name)
    beside = "f" in before or (not typed and "f" in name)
    return "described" if crossing or cut or counted or beside else None


def _segments(shape: str) -> list[tuple[int, str]]:
    found, start = [], 0
    for segment in shape.split(","):
        if segment:
            found.append((start, segment))
        start += len(segment) + 1
    return found


def _read_segment(segment: str, start: int) -> Reading:
    for kind, patterns in _KINDS:
        reading = _first(patterns, segment, start, kind)
        if reading.kind:
            return reading
    box = _BARE_BOX.fullmatch(segment)
    return _reading("po_box", box, start) if box else Reading(None)


def _first(patterns: tuple[re.Pattern[str], ...], segment: str, start: int, kind: str) -> Reading:
    for pattern in patterns:
        match = pattern.fullmatch(segment)
        if match:
            return _reading(kind, match, start)
    return Reading(None)


def _reading(kind: str, match: re.Match[str], start: int) -> Reading:
    spans: Spans = {}
    for name, value in match.groupdict().items():
        if value and name != "lead":
            first, last = match.span(name)
            spans[name.rstrip("23456")] = (start + first + 1, start + last)
    lead = match.end("lead") if "lead" in match.groupdict() else 0
    return Reading(kind, spans, (start + lead + 1, start + match.end()))
