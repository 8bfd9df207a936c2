"""Whether a name is a person's: not a placeholder, and not a rank, a unit or "all officers".

The statute speaks of officers who are personally and directly engaged, and of a head of agency who asks: each is
somebody. Real names that are also ranks (`Thomas Major`, `Judge Reinhold`, `Anna Officer`) are persons'; titles, teams
and counters (`Special Agent`, `ERO El Paso`, `Officer 00012`) name nobody. `identity` says which officers are one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from gatehouse.intake import placeholders, wordlists

PERSON, PLACEHOLDER, ROLE_ONLY = "person", "placeholder", "role_only"
WHY = placeholders.WHY | {
    "absent": "no name stands here",
    "nobody": "this name stands for nobody in particular",
    "digits": "a name has no number; this is an identifier or a counter",
    "contact": "this is an address or a key, not a name",
    "title": "this is only the title",
    "role": "a rank or a function is not the name of a person",
    "unit": "a unit, a team or a group is not a person",
}
"""Why a text names no person: a stable code and its words for the requester."""


class Finding(NamedTuple):
    """A verdict and the code of `WHY` behind it; no code for a person."""

    verdict: str
    why: str | None


@functools.cache
def _words(section: str) -> frozenset[str]:
    return wordlists.words("officer_words.txt", section)


@functools.cache
def _any_of(*sections: str) -> frozenset[str]:
    return frozenset().union(*map(_words, sections))


_NOBODY = frozenset(
    {("JOHN", "DOE"), ("JANE", "DOE"), ("J", "DOE"), ("RICHARD", "ROE"), ("JANE", "ROE"), ("JOHN", "ROE")}
)
_BADGE = re.compile(
    r"(?:\b(?:BADGE|ID|STAR|SHIELD|CREDENTIAL|PIN|EID)\b\W*(?:NO|NUMBER)?\W*|#\s*)[A-Z]{0,3}-?[0-9]{3,}"
)
_ABBREVIATED = (("S/A", "SA"), ("D/O", "DO"), ("O.I.C.", "CHARGE"), ("NÉE", "NEE"))
_BESIDE = re.compile(r"\[([A-Z ]+)\]")
_PARTS = re.compile(r"[,;()/\[\]|]| [-–—] ")
_WORD = re.compile(r"[^\W\d_]+(?:['’`´‘\-‐‑.](?=[^\W\d_])[^\W\d_]+)*")


def judge(name: str | None, title: str | None = None) -> Finding:
    """Whether a name is a person's. A name that only repeats the title is the title."""
    folded = _BESIDE.sub(lambda found: " " if _known(found[1]) else found[0], placeholders.fold(name or ""))
    words = [word.replace(".", "") for word in _WORD.findall(folded)]
    hollow = (
        placeholders.finding(folded, "officer")
        if not words or "{" in folded or "<" in folded or not _known(folded)
        else None
    )
    if not hollow and not _words("template").isdisjoint(words):
        hollow = "template"
    if hollow:
        return Finding(PLACEHOLDER, hollow)
    if "@" in folded or folded.startswith("AGE1") or "HTTP" in folded:
        return Finding(PLACEHOLDER, "contact")
    if placeholders.masked(folded):
        return Finding(PLACEHOLDER, "mask")
    if _nobody(folded):
        return Finding(PLACEHOLDER, "nobody")
    if title and placeholders.compact(folded) == _compact(title):
        told = _told(folded)
        return told if told.verdict != PERSON else Finding(ROLE_ONLY, "title")
    return _told(folded)


@functools.lru_cache(maxsize=1024)  # a manifest has thousands of officers and a few titles
def _compact(title: str) -> str:
    return placeholders.compact(placeholders.fold(title))


def _known(folded: str) -> bool:
    """Whether every word says a rank, a unit or an agency."""
    known = _any_of("rank", "unit", "agency", "little")
    return all(word.replace(".", "") in known for word in _WORD.findall(folded))


def _told(folded: str) -> Finding:
    if _unknown_words(folded):
        return Finding(PERSON, None)
    for written, meant in _ABBREVIATED:
        folded = folded.replace(written, meant)
    without_badge = _BADGE.sub(" ", folded)
    parts = [_Part.read(part) for part in _PARTS.split(without_badge)]
    counted = bool(re.search(r"[0-9]", re.sub(r"\b(?:2ND|3RD|4TH|5TH)\b", "", without_badge)))
    if counted:
        roles = any(part.ranks or part.units for part in parts)
        return Finding(ROLE_ONLY, "role") if roles else Finding(PLACEHOLDER, "digits")
    if any(part.names_somebody for part in parts) or _spread(parts):
        return Finding(PERSON, None)
    return Finding(ROLE_ONLY, "unit" if any(part.units for part in parts) else "role")


def _unknown_words(folded: str) -> bool:
    """Whether the text is two words or more that no list knows, without a mark: most names are, and need no reading."""
    words = folded.split()
    plain = folded.isascii() and all(map(str.isalpha, words))
    return plain and sum(len(word) > 1 for word in words) >= 2 and _listed().isdisjoint(words)


@functools.cache
def _listed() -> frozenset[str]:
    sections = ("rank", "unit", "agency", "head", "also", "surname", "little", "aside", "template", "counter", "place")
    return _any_of(*sections, "short")


class _Part(NamedTuple):
    """The words of one part of a text, parted by what they are."""

    words: Sequence[str]
    names: Sequence[str]
    initials: int
    ranks: Sequence[str]
    units: Sequence[str]
    agencies: Sequence[str]

    @classmethod
    def read(cls, text: str) -> _Part:
        words = [word.replace(".", "") for word in _WORD.findall(text.replace('"', " "))]
        words = [word for word in words if word not in _any_of("aside", "little")]
        known = _any_of("rank", "unit", "agency", "counter")
        return cls(
            words,
            [word for word in words if len(word) > 1 and word not in known],
            sum(len(word) == 1 for word in words),
            [word for word in words if word in _words("rank") or word in _words("also")],
            [word for word in words if word in _words("unit") and word not in _words("also")],
            [word for word in words if word in _words("agency") and word not in _words("rank")],
        )

    @property
    def names_somebody(self) -> bool:
        """Whether the part by itself is a person's name, a rank and an agency beside it or not."""
        if self._given_and_surname():
            return True
        if not self.names or self._only_a_place() or (self.units and not self._behind_a_rank()):
            return False
        if len(self.names) == 1:
            return self._one_name(self.names[0])
        return True

    def _given_and_surname(self) -> bool:
        """`Ann Unit`, `Anna Officer`, `Olivia Branch`: a given name before a word of rank, and nothing else."""
        if len(self.words) != 2 or self.words[0] not in _words("given"):
            return False
        return self.words[1] in _any_of("also", "unit", "rank")

    def _behind_a_rank(self) -> bool:
        """`Field Office Director Carla Reyes`: a name of two words or more at the end, right behind a rank."""
        size = len(self.names)
        return size >= 2 and list(self.words[-size:]) == list(self.names) and self.words[-size - 1] in self.ranks

    def _only_a_place(self) -> bool:
        heads = bool(self.agencies) or not _words("head").isdisjoint(self.ranks)
        placed = all(name in _words("place") for name in self.names)
        return placed and (heads or (bool(self.ranks) and len(self.names) > 1))

    def _one_name(self, name: str) -> bool:
        """One word that may be a name: behind a rank, before a word that is also a surname, or with initials."""
        if len(name) == 2 and name not in _words("short"):
            return False
        if self.initials and len(self.words) == 1 + self.initials:
            return True
        if len(self.words) == 1:
            return False  # alone: `_spread` decides
        if self.words[0] != name:
            return True
        return name in _words("given") or (len(self.words) == 2 and self.words[1] in _words("surname"))


def _spread(parts: Sequence[_Part]) -> bool:
    """A name over several parts (`Lopez, Maria`), or one word alone that is no place of an office."""
    loose = [
        name for part in parts if not part.units and not part.agencies for name in part.names if len(part.words) == 1
    ]
    initials = sum(part.initials for part in parts)
    ranked = any(part.ranks or part.agencies or part.units for part in parts)
    told = [name for name in loose if name not in _words("place") or not ranked]
    if len(loose) + initials >= 2 and told:
        return True
    return any(len(name) >= 3 or name in _words("short") for name in told)


def _nobody(folded: str) -> bool:
    names = [word for word in _WORD.findall(folded) if word not in _words("rank") and word not in _words("aside")]
    return len(names) == 2 and (tuple(names) in _NOBODY or tuple(names[::-1]) in _NOBODY)


def folded_name(name: str) -> str:
    """The words of a name that tell people apart, sorted: folded, without ranks, counters, initials and marks.

    `LOPEZ, Maria A. 2` and `Maria Lópéz` fold to one; what is only a rank and a counter folds to nothing.
    """
    return " ".join(sorted(word for word in _telling(name) if word not in _ranked() and len(word) > 1))


@functools.lru_cache(maxsize=1024)
def folded_title(title: str) -> str:
    """The words of a title, sorted: folded, without counters and marks."""
    return " ".join(sorted(_telling(title)))


def _telling(text: str) -> list[str]:
    words = (word.replace(".", "") for word in _WORD.findall(placeholders.fold(text)))
    return [word for word in words if word not in _words("counter") and word not in _words("aside")]


@functools.cache
def _ranked() -> frozenset[str]:
    return (_words("rank") | _words("agency") | _words("unit")) - _words("also") - _words("given")
