"""Forgeries of a certificate: those that have names, and any field left out, doubled, swapped or changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

HOSTILE = sorted((Path(__file__).parents[1] / "hostile" / "releases").glob("*.json"))


def named(whole: dict[str, Any], file: Path) -> dict[str, Any]:
    """A certificate with one named change."""
    change, document = json.loads(file.read_text()), copy.deepcopy(whole)
    *way, last = change["path"]
    place = _at(document, way)
    if change["set"] == "DELETE":
        del place[last]
    elif change["set"] == "COPY":
        place[last] = copy.deepcopy(_at(whole, change["from"]))
    else:
        assert place[last] != change["set"]
        place[last] = change["set"]
    return document


def drawn(data: st.DataObject, whole: dict[str, Any]) -> dict[str, Any]:
    """A certificate with one field or element left out, doubled, swapped with another, or changed."""
    document, ways = copy.deepcopy(whole), list(_ways(whole))
    *way, last = data.draw(st.sampled_from(ways))
    place = _at(document, way)
    before = copy.deepcopy(place[last])
    match data.draw(st.sampled_from(["leave out", "double", "swap", "other type", "change"])):
        case "leave out":
            del place[last]
        case "double" if isinstance(place, list):
            place.insert(last, before)
        case "swap":
            place[last] = copy.deepcopy(_at(whole, data.draw(st.sampled_from(ways))))
        case "change" if isinstance(before, int) and not isinstance(before, bool):
            place[last] = before + data.draw(st.sampled_from([-1, 1, 1 << 40]))
        case "change" if isinstance(before, str) and before:
            at = data.draw(st.integers(0, len(before) - 1))
            place[last] = before[:at] + ("A" if before[at] != "A" else "B") + before[at + 1 :]
        case _:
            place[last] = data.draw(st.sampled_from([None, True, 0, "", [], {}]))
    assume(document != whole)
    # With fewer earlier checkpoints the witnesses say less about when, and nothing else changes.
    assume(document != {**whole, "earlier": _fewer(document.get("earlier"), whole["earlier"])})
    return document


def _fewer(found: Any, whole: list[Any]) -> list[Any] | None:
    """A list that only leaves out elements of the whole one; None for any other."""
    return found if isinstance(found, list) and found == [one for one in whole if one in found] else None


def _at(document: Any, way: list[Any] | tuple[Any, ...]) -> Any:
    for step in way:
        document = document[step]
    return document


def _ways(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field and element of a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield (*way, key)
        yield from _ways(each, (*way, key))
