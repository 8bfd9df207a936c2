"""The vocabulary of reasons: lists in plain text, and the one pattern that each becomes.

A pattern is tried on a folded sentence, ` < WORDS BETWEEN SINGLE SPACES > `. RE2 does not backtrack, so every one of
them is linear in the length of the text, whatever the text is.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from gatehouse.kernel import documents

_GAP = " (?:[A-Z0$]+ ){0,4}"


@functools.lru_cache(maxsize=2)
def read(name: str) -> Mapping[str, Any]:
    """One file of lists, `civil` or `evidence`."""
    text = files("gatehouse.intake.reasons").joinpath(f"data/{name}.toml").read_text("utf-8")
    return documents.parse(text, f"{name}.toml").data


def phrases() -> tuple[str, ...]:
    """Every phrase of both files, as written, and the words that are listed without being patterns."""
    lists = [lists for name in ("civil", "evidence") for lists in read(name).values()]
    return tuple(phrase for each in lists for named in each.values() for phrase in _listed(named))


def _listed(named: str | list[str]) -> list[str]:
    return [named] if isinstance(named, str) else named


def kinds() -> tuple[str, ...]:
    """The kinds of purpose that are no criminal proceeding, in the order in which they are told apart."""
    return tuple(read("civil"))


@functools.cache
def words(section: str, name: str = "words") -> str:
    """The pattern of one list of `evidence`."""
    return pattern(read("evidence")[section][name])


@functools.cache
def civil(name: str, *only: str) -> str:
    """The pattern of `words`, `acts`, or `bare` (the words that decide where nothing else is said), of these kinds."""
    every = read("civil")
    chosen = [every[kind] for kind in only or every]
    return pattern(phrase for kind in chosen for phrase in kind.get(name, kind["words"]))


def pattern(phrases: Iterable[str]) -> str:
    """One RE2 pattern that finds any of the phrases as whole words."""
    return " (?:" + "|".join(_phrase(each) for each in phrases) + ") "


def _phrase(phrase: str) -> str:
    text = re.sub(r" ?~ ?\?? ?", _GAP, phrase).removesuffix(_GAP)
    text = re.sub(r"(?<=[A-Z])\*", "[A-Z]*", text)
    text = re.sub(r"\((?!\?)", "(?:", text)
    text = re.sub(r"^\^", "< ", text).replace("|^|", "|<|")
    return re.sub(r"(?<!\\)\$$", " >", text)
