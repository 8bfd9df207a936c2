"""The tables of a pack: TOML documents whose every character can be seen, with facts of their declared types."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gatehouse.kernel import documents
from gatehouse.kernel.documents import Table
from gatehouse.kernel.errors import WrongInput
from gatehouse.law.language import Kind

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
PACK_ID = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*", re.ASCII)
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,98}", re.ASCII)
RULE_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}", re.ASCII)
_PYTHON = {Kind.BOOL: bool, Kind.INT: int, Kind.TEXT: str, Kind.DATE: dt.date, Kind.ITEMS: list}


def identifier(table: Table, key: str) -> str:
    """An id of lower-case letters, digits and hyphens."""
    value = table.text(key)
    if not RULE_ID.fullmatch(value):
        raise table.wrong(key, f"{value!r} cannot be an id", "Use lower-case letters, digits and hyphens")
    return value


def facts(table: Table, fields: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Facts by declared name, each of its declared type."""
    for name, value in table.data.items():
        declared = fields.get(name)
        if declared is None:
            close = difflib.get_close_matches(name, list(fields), n=1)
            raise table.wrong(
                name, f"unknown fact {name!r}", f"Did you mean {close[0]}?" if close else "Declare it in pack.toml"
            )
        expected = _PYTHON[declared.kind]
        if not isinstance(value, expected) or (isinstance(value, bool) and expected is int):
            raise table.wrong(name, f"{name} must be {declared.kind}", "Give a value of the declared type")
        yield name, value


def read_document(path: Path) -> Table:
    """Read one file of a pack. Raises WrongInput as `documents.parse` does, and for what cannot be seen."""
    text = documents.decode(path.read_bytes(), str(path))
    _visible(path, text)
    return documents.parse(text, str(path))


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
