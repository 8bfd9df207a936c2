"""Reading a typed document (JSON or TOML) strictly: every fault is found and named by its path in the document.

A reader walks the document, notes what does not fit, and goes on; `finish` refuses with all faults at once. Messages
name paths and expectations, never the values found there.
"""

from __future__ import annotations

import codecs
import datetime as dt
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from gatehouse.kernel import clock, documents
from gatehouse.kernel.errors import WrongInput

SHOWN = 5
"""How many faults one line names before it only counts the rest."""


class Faults:
    """The faults of one document, in the order found."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.found: list[str] = []

    def add(self, path: str, problem: str) -> None:
        """Note that what stands at `path` has a `problem`."""
        self.found.append(f"{path} {problem}")

    def finish(self, remedy: str) -> None:
        """Raise WrongInput naming the faults, if there are any."""
        if not self.found:
            return
        more = len(self.found) - SHOWN
        tail = f"; and {more} more" if more > 0 else ""
        raise WrongInput("; ".join(self.found[:SHOWN]) + tail, where=self.where, remedy=remedy)


class Section:
    """One object or table of a document. Each reader returns a value of its type, whatever was found there."""

    def __init__(self, value: object, path: str, faults: Faults, known: Collection[str] = ()) -> None:
        self.path = path
        self.faults = faults
        self.value: Mapping[str, Any] = {}
        if isinstance(value, dict):
            self.value = value
        else:
            faults.add(path or "the document", "must be an object")
        for key in self.value:
            if known and key not in known:
                # A key's name comes from the document: it is shown only if it is plain.
                faults.add(self.at(key if key.isidentifier() else "?"), "is not a known key")

    def at(self, key: str) -> str:
        """The path of a key in the document."""
        return f"{self.path}.{key}" if self.path else key

    def text(self, key: str, *, among: Collection[str] = (), optional: bool = False) -> str:
        """A text that is not empty; one of `among` where that is given; `""` where absent and optional."""
        value = self.value.get(key)
        if optional and value in (None, ""):
            return ""
        if not isinstance(value, str) or not value.strip():
            self.faults.add(self.at(key), "must be text" if key in self.value else "is missing")
            return ""
        if not value.isprintable():
            self.faults.add(self.at(key), "must hold no control characters")
        elif among and value not in among:
            self.faults.add(self.at(key), f"must be one of {', '.join(among)}")
        return value

    def truth(self, key: str) -> bool:
        """A boolean that must be there."""
        value = self.value.get(key)
        if not isinstance(value, bool):
            self.faults.add(self.at(key), "must be true or false" if key in self.value else "is missing")
        return value is True

    def count(self, key: str, *, optional: bool = False) -> int | None:
        """A whole number, not negative; None where absent and optional, or wrong."""
        value = self.value.get(key)
        if value is None and optional:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            problem = "must be a whole number, not negative" if key in self.value else "is missing"
            self.faults.add(self.at(key), problem)
            return None
        return value

    def date(self, key: str, *, optional: bool = False) -> dt.date | None:
        """A calendar date: ISO text, or a TOML date. None where absent and optional, or wrong."""
        value = self.value.get(key)
        if value is None and optional:
            return None
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        read = clock.read_date(value) if isinstance(value, str) else None
        if read is None:
            problem = "must be a date such as 2025-06-27" if key in self.value else "is missing"
            self.faults.add(self.at(key), problem)
        return read

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self.value.get(key)
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            self.faults.add(self.at(key), "must be a list of texts" if key in self.value else "is missing")
            return ()
        return tuple(value)

    def section(self, key: str, known: Collection[str]) -> Section:
        """An object below this one."""
        return Section(self.value.get(key), self.at(key), self.faults, known)

    def sections(self, key: str, known: Collection[str], *, optional: bool = False) -> list[Section]:
        """A list of objects below this one."""
        value = self.value.get(key, [] if optional else None)
        if not isinstance(value, list):
            self.faults.add(self.at(key), "must be a list")
            return []
        return [Section(each, f"{self.at(key)}[{number}]", self.faults, known) for number, each in enumerate(value)]

    def named(self, key: str, known: Collection[str]) -> dict[str, Section]:
        """An object of named objects; an absent one is empty."""
        outer = Section(self.value.get(key, {}), self.at(key), self.faults)
        return {name: Section(each, f'{outer.path}."{name}"', self.faults, known) for name, each in outer.value.items()}


def read_json(data: bytes, where: str) -> object:
    """Parse JSON strictly: UTF-8 (a byte order mark is tolerated), no key twice, no NaN. Raises WrongInput."""
    remedy = "Make it again with `gatehouse submission new`"

    def distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise WrongInput("an object has a duplicate key", where=where, remedy="Keep only one of them")
        return dict(pairs)

    def refuse(_: str) -> object:
        raise WrongInput("NaN and Infinity are not JSON", where=where, remedy=remedy)

    parse: Callable[[str], object] = json.JSONDecoder(object_pairs_hook=distinct, parse_constant=refuse).decode
    try:
        return parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise WrongInput("the file is not UTF-8 text", where=where, remedy="Save it as UTF-8") from None
    except json.JSONDecodeError as wrong:
        problem = f"is not JSON (line {wrong.lineno}, character {wrong.colno}: {wrong.msg.lower()})"
        raise WrongInput(problem, where=where, remedy="Correct that line") from None
    except (RecursionError, ValueError):
        raise WrongInput("the file is not valid JSON", where=where, remedy=remedy) from None


def read_toml(data: bytes, where: str) -> object:
    """Parse TOML (UTF-8; a byte order mark is tolerated). Raises WrongInput naming the line."""
    return documents.parse(documents.decode(data.removeprefix(codecs.BOM_UTF8), where), where).data
