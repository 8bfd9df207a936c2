"""Citations of the United States Code: many spellings, one text (`8 U.S.C. § 1253(a)(1)` → `8 USC 1253(a)(1)`).

A reading is all or nothing: what is not wholly understood is unreadable, and two citations that differ are no
citation. Sections of the Immigration and Nationality Act are read as the sections of title 8 that codify them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_LIMIT = 300  # characters; a citation is short
_CODE = re.compile(
    r"""(?:title\s*)?(?P<title>[1-9][0-9]?) ,?\s*
        (?:u\.?\s*s\.?\s*(?:c\.?\s*a\.?|c\.?|code)|united\s+states\s+code) ,?\s*
        (?:§+|sections?|sec\.?)? \s*
        (?P<section>[1-9][0-9]*[a-z]*(?:-[0-9]+[a-z]*)?) \s*
        (?P<below>(?:\(\s*[a-z0-9]{1,5}\s*\)\s*)*) \.?""",
    re.X | re.I | re.A,
)
_ACT = r"(?:i\.?\s*n\.?\s*a\.?|(?:the\s+)?immigration\s+and\s+nationality\s+act)"
_NUMBER = r"(?P<section>[1-9][0-9]*[a-z]*) \s* (?P<below>(?:\(\s*[a-z0-9]{1,5}\s*\)\s*)*)"
_INA = (
    re.compile(rf"{_ACT} ,?\s* (?:§+|sections?|sec\.?)? \s* {_NUMBER} \.?", re.X | re.I | re.A),
    re.compile(rf"(?:§+|sections?|sec\.?) \s* {_NUMBER} \s* (?:of)? \s* (?:the)? \s* {_ACT} \.?", re.X | re.I | re.A),
)
_LEVEL = re.compile(r"[A-Za-z0-9]+")
_CAPITAL_TITLES = frozenset({18, 26, 28, 31})
"""Titles whose section numbers carry capital letters (18 USC 1028A); elsewhere they are small (8 USC 1324a)."""


@dataclass(frozen=True)
class Citation:
    """A section of the Code and the levels below it, in the Code's own letter case."""

    title: int
    section: str
    below: tuple[str, ...]

    @property
    def text(self) -> str:
        """The one spelling: `8 USC 1253(a)(1)`."""
        return self.down_to(len(self.below))

    def down_to(self, levels: int) -> str:
        """The text without what stands more than so many levels below the section: what this citation lies within."""
        return f"{self.title} USC {self.section}" + "".join(f"({level})" for level in self.below[:levels])

    @property
    def state(self) -> str:
        """`pinpoint` with at least one level below the section, else `section_only`."""
        return "pinpoint" if self.below else "section_only"


@cache
def act_sections() -> Mapping[str, str]:
    """Sections of the Immigration and Nationality Act and the sections of title 8 that codify them.

    From the source credits of title 8 as the Office of the Law Revision Counsel publishes them (release point 119-100),
    in ina_parallel.tsv. A section of the Act that two sections of title 8 claim is read as neither.
    """
    content = files("gatehouse.intake").joinpath("ina_parallel.tsv").read_text(encoding="utf-8")
    pairs = [line.split("\t")[:2] for line in content.splitlines()[1:]]
    claims = Counter(section for _, section in pairs)
    return {section: codified for codified, section in pairs if claims[section] == 1}


def read(text: str) -> Citation | None:
    """Read one citation, or several that say the same; None when any part of the text is not understood."""
    if len(text) > _LIMIT:
        return None
    plain = text.replace("\u00a0", " ").strip()
    found = {_read_part(part) for part in _split(plain)}
    return found.pop() if len(found) == 1 else None


def _split(text: str) -> list[str]:
    """`INA 243(a)(1) (8 USC 1253(a)(1))`, `INA 243(a)(1), 8 USC 1253(a)(1)` → the two citations."""
    whole = re.fullmatch(r"(?P<first>.*\S)\s*[(\[]\s*(?P<second>\d+\s*u.*)[)\]]", text, re.I)
    if whole and whole["second"].count("(") == whole["second"].count(")"):
        return [whole["first"].strip(" ,;"), whole["second"].strip()]
    parts = [part.strip() for part in re.split(r"[;=/]|,\s*codified (?:at|as)|,(?=\s*(?:INA|\d))", text, flags=re.I)]
    return parts if all(parts) else [text]


def _read_part(text: str) -> Citation | None:
    code = _CODE.fullmatch(text)
    if code:
        title = int(code["title"])
        return Citation(title, _section(code["section"], title), _levels(code["below"]))
    for form in _INA:
        act = form.fullmatch(text)
        codified = act_sections().get(act["section"].upper()) if act else None
        if act and codified:
            return Citation(8, codified, _levels(act["below"]))
    return None


def _section(number: str, title: int) -> str:
    return number.upper() if title in _CAPITAL_TITLES else number.lower()


def _levels(text: str) -> tuple[str, ...]:
    """The levels in the Code's letter case: (a)(1)(A)(i)(I), whatever case they came in."""
    found = _LEVEL.findall(text)
    first = 0 if not found or found[0].isalpha() else 1
    cased = (str.lower, str.lower, str.upper, str.lower, str.upper)
    return tuple(
        cased[min(first + depth, len(cased) - 1)](level) if level.isalpha() else level
        for depth, level in enumerate(found)
    )
