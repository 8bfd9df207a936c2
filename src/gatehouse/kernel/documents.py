"""TOML documents: parsed in one place, as tables that know on which line each key stands.

What a key holds is asked for by its type; a fault is refused with file, line, key and remedy.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from gatehouse.kernel.errors import WrongInput

_TABLE = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.\-]+)\s*\]?\]")
_KEY = re.compile(r"\s*\"?([A-Za-z0-9_\-]+)\"?\s*=")

_MISSPELLED = 0.8
"""How like a known key an unknown one is, from 0 to 1, to be a slip of the pen and not somebody's own."""


class Table:
    """One table of a TOML file, with the line on which it and its keys stand."""

    def __init__(self, file: str, path: str, data: Mapping[str, Any], lines: Mapping[str, int]) -> None:
        self.file = file
        self.path = path
        self.data = data
        self.lines = lines

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def line(self, key: str = "") -> int:
        """The line of a key, or of the table where the key is not there; 1 where neither is known."""
        known = (self.at(key), f"{self.at(key)}#0", self.path, self.path.partition("#")[0])
        return next((self.lines[name] for name in known if name in self.lines), 1)

    def at(self, key: str) -> str:
        """The path of a key in the document."""
        return f"{self.path}.{key}".strip(".")

    def place(self, key: str = "") -> str:
        """File and line for messages."""
        return f"{self.file}, line {self.line(key)}"

    def wrong(self, key: str, what: str, remedy: str) -> WrongInput:
        """An error about one key."""
        return WrongInput(what, where=self.place(key), remedy=remedy)

    def only(self, *keys: str) -> None:
        """Refuse keys that mean nothing here: a mistyped key must not be passed over."""
        for key in self.data:
            if key not in keys:
                raise self._unknown(key, difflib.get_close_matches(key, keys, n=1), f"Known: {', '.join(keys)}")

    def spelled(self, *keys: str) -> None:
        """Refuse an unknown key that is like one of `keys`; any other may be somebody's own."""
        for key in self.data:
            close = [] if key in keys else difflib.get_close_matches(key, keys, n=1, cutoff=_MISSPELLED)
            if close:
                raise self._unknown(key, close)

    def _unknown(self, key: str, close: Sequence[str], known: str = "") -> WrongInput:
        name = self.path.partition("#")[0]
        within = "" if not name else f" in [[{name}]]" if "#" in self.path else f" in [{name}]"
        return self.wrong(key, f"unknown key {key!r}{within}", f"Did you mean {close[0]}?" if close else known)

    def written(self, key: str, default: str | None = None) -> str:
        """A text exactly as it is written; the default where absent. It may be empty only where the default is."""
        value = self.data.get(key, default)
        if key not in self.data and default is None:
            raise self.wrong(key, f"{self.at(key)} is missing", f'Write {key} = "…"')
        if not isinstance(value, str) or not (value or default == ""):
            raise self.wrong(key, f"{self.at(key)} must be a text", f'Write {key} = "…"')
        return value

    def truth(self, key: str, *, default: bool) -> bool:
        """True or false; the default where absent."""
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, f"{self.at(key)} must be true or false", f"Write {key} = {str(default).lower()}")
        return value

    def whole(self, key: str, default: int, *, least: int, most: int) -> int:
        """A whole number within bounds; the default where absent."""
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            bounds = f"{least:,} to {most:,}"
            raise self.wrong(key, f"{self.at(key)} must be a whole number from {bounds}", f"Write {key} = {default}")
        return value

    def text(self, key: str, *, required: bool = True) -> str:
        """A text with outer white space removed; empty where absent and not required."""
        value = self.data.get(key)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or (required and not value.strip()):
            raise self.wrong(key, f"{key} must be a text", f'Write {key} = "…"')
        return " ".join(value.split())

    def choice(self, key: str, known: Sequence[str], default: str | None = None) -> str:
        """One of several words."""
        if default is not None and key not in self.data:
            return default
        value = self.text(key)
        if value not in known:
            raise self.wrong(key, f"{key} is {value!r}", f"Use one of {', '.join(known)}")
        return value

    def date(self, key: str, *, required: bool = False) -> dt.date | None:
        """A calendar date; None where absent."""
        value = self.data.get(key)
        if value is None and not required:
            return None
        if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
            raise self.wrong(key, f"{key} must be a date", f"Write {key} = 2025-04-07, without quotes")
        return value

    def number(self, key: str) -> int | None:
        """A whole number; None where absent."""
        value = self.data.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise self.wrong(key, f"{key} must be a whole number", f"Write {key} = 1")
        return value

    def text_list(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty where absent."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(key, f"{key} must be a list of texts", f'Write {key} = ["…", "…"]')
        return tuple(value)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every key with its text."""
        for key in self.data:
            yield key, self.text(key)

    def entry(self, key: str, *, required: bool = False) -> Self:
        """A table of the document's top level."""
        return self.inner(key, required=required)

    def inner(self, key: str, *, required: bool = True) -> Self:
        """A table inside this one; empty where absent and not required."""
        value = self.data.get(key)
        if value is None and not required:
            value = {}
        if not isinstance(value, dict):
            raise self.wrong(key, f"[{key}] is missing or is no table", f"Add a table [{key}]")
        return type(self)(self.file, f"{self.path}.{key}".strip("."), value, self.lines)

    def entries(self, key: str) -> list[Self]:
        """The tables of an array `[[key]]`, in order."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.wrong(key, f"[[{key}]] must be a list of tables", f"Write [[{key}]] before each")
        return [type(self)(self.file, f"{key}#{number}", each, self.lines) for number, each in enumerate(value)]


def decode(data: bytes, where: str) -> str:
    """The text of a document. Raises WrongInput naming the line of bytes that are not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as broken:
        line = data[: broken.start].count(b"\n") + 1
        raise WrongInput(
            "the file is not UTF-8", where=f"{where}, line {line}", remedy="Save the whole file as UTF-8"
        ) from None


def parse(text: str, where: str) -> Table:
    """Parse the text of a TOML document. Raises WrongInput with the line of what is not TOML."""
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        found = re.search(r"line (\d+)", str(broken))
        line = int(found[1]) if found else text.count("\n") + 1
        raise WrongInput(
            "this is not valid TOML",
            where=f"{where}, line {line}",
            remedy="Check the quotes, brackets and equal signs on that line and the line before",
        ) from None
    except RecursionError:
        where = f"{where}, line 1"
        raise WrongInput("the file is nested too deeply", where=where, remedy="Write flat tables") from None
    return Table(where, "", parsed, _line_numbers(text))


def _line_numbers(text: str) -> dict[str, int]:
    """The line of each table (`rule#0`, `fields`) and of each key in it (`rule#0.when`), the first of its name."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _TABLE.match(line):
            name = header[1]
            if line.lstrip().startswith("[["):
                counts[name] = counts.get(name, -1) + 1
                table = f"{name}#{counts[name]}"
            else:
                head, _, tail = name.partition(".")
                table = f"{head}#{counts[head]}.{tail}" if tail and head in counts else name
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault(f"{table}.{key[1]}".strip("."), number)
    return lines
