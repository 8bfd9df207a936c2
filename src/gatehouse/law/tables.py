"""TOML tables that know where they stand: typed reading, with file, line and remedy for every fault."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gatehouse.kernel.errors import WrongInput
from gatehouse.law.language import Kind

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
PACK_ID = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*", re.ASCII)
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,98}", re.ASCII)
RULE_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}", re.ASCII)
_TABLE = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_.\-]+)\s*\]?\]")
_KEY = re.compile(r"\s*\"?([A-Za-z0-9_\-]+)\"?\s*=")
_PYTHON = {Kind.BOOL: bool, Kind.INT: int, Kind.TEXT: str, Kind.DATE: dt.date, Kind.ITEMS: list}


class Entry:
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
        return self.lines.get(f"{self.path}.{key}".strip("."), self.lines.get(self.path, 1))

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
                close = difflib.get_close_matches(key, keys, n=1)
                raise self.wrong(
                    key, f"unknown key {key!r}", f"Did you mean {close[0]}?" if close else f"Known: {', '.join(keys)}"
                )

    def text(self, key: str, *, required: bool = True) -> str:
        """A text with outer white space removed; empty where absent and not required."""
        value = self.data.get(key)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or (required and not value.strip()):
            raise self.wrong(key, f"{key} must be a text", f'Write {key} = "…"')
        return " ".join(value.split())

    def identifier(self, key: str) -> str:
        """An id of lower-case letters, digits and hyphens."""
        value = self.text(key)
        if not RULE_ID.fullmatch(value):
            raise self.wrong(key, f"{value!r} cannot be an id", "Use lower-case letters, digits and hyphens")
        return value

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

    def values(self, fields: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
        """Facts by declared name, each of its declared type."""
        for name, value in self.data.items():
            declared = fields.get(name)
            if declared is None:
                close = difflib.get_close_matches(name, list(fields), n=1)
                raise self.wrong(
                    name, f"unknown fact {name!r}", f"Did you mean {close[0]}?" if close else "Declare it in pack.toml"
                )
            expected = _PYTHON[declared.kind]
            if not isinstance(value, expected) or (isinstance(value, bool) and expected is int):
                raise self.wrong(name, f"{name} must be {declared.kind}", "Give a value of the declared type")
            yield name, value

    def entry(self, key: str, *, required: bool = False) -> Entry:
        """A table of the document's top level."""
        return self.inner(key, required=required)

    def inner(self, key: str, *, required: bool = True) -> Entry:
        """A table inside this one; empty where absent and not required."""
        value = self.data.get(key)
        if value is None and not required:
            value = {}
        if not isinstance(value, dict):
            raise self.wrong(key, f"[{key}] is missing or is no table", f"Add a table [{key}]")
        return Entry(self.file, f"{self.path}.{key}".strip("."), value, self.lines)

    def entries(self, key: str) -> list[Entry]:
        """The tables of an array `[[key]]`, in order."""
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.wrong(key, f"[[{key}]] must be a list of tables", f"Write [[{key}]] before each")
        return [Entry(self.file, f"{key}#{number}", each, self.lines) for number, each in enumerate(value)]


def read_document(path: Path) -> Entry:
    """Read one TOML file. Raises WrongInput for bytes that are not UTF-8 or not TOML, with the line."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as broken:
        line = data[: broken.start].count(b"\n") + 1
        raise WrongInput(
            "the file is not UTF-8", where=f"{path}, line {line}", remedy="Save the whole file as UTF-8"
        ) from None
    _visible(path, text)
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        found = re.search(r"line (\d+)", str(broken))
        raise WrongInput(
            "this is not valid TOML",
            where=f"{path}, line {found[1] if found else 1}",
            remedy="Check the quotes, brackets and equal signs on that line and the line before",
        ) from None
    except RecursionError:
        raise WrongInput("the file is nested too deeply", where=f"{path}, line 1", remedy="Write flat tables") from None
    return Entry(str(path), "", parsed, _line_numbers(text))


def _visible(path: Path, text: str) -> None:
    """Refuse what cannot be seen: the law that is read must be the law that runs.

    Control characters would reach counsel's terminal; characters without width, or that turn the direction of writing,
    make one line look like another (CVE-2021-42574, "Trojan Source").
    """
    for number, line in enumerate(text.split("\n"), start=1):
        for column, character in enumerate(line.rstrip("\r"), start=1):
            if character != "\t" and not character.isprintable() and unicodedata.category(character) != "Zs":
                raise WrongInput(
                    f"the file contains an invisible character, U+{ord(character):04X}",
                    where=f"{path}, line {number}, column {column}",
                    remedy="Remove it. If it belongs to a quoted text, paraphrase the text",
                )


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
