"""What the commands of counsel's bench share: how a pack and a day are named, and how facts are said in words."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatehouse.kernel import clock
from gatehouse.law import shipped

if TYPE_CHECKING:
    from gatehouse.law.pack import Declared

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


class _Day(click.ParamType[dt.date]):
    """A strict ISO date."""

    name = "date"

    def convert(self, value: str | dt.date, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        day = value if isinstance(value, dt.date) else clock.read_date(value)
        return day if day is not None else self.fail(f"{value!r} is not a date; write it as 2025-08-07", param, ctx)


class _PackFolder(click.ParamType[Path]):
    """A folder with a pack, or the name of a shipped one; with `:kind+kind` after it where `kinds` are allowed."""

    name = "pack"

    def __init__(self, *, kinds: bool = False) -> None:
        self.kinds = kinds

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        folder, colon, kinds = str(value).rpartition(":") if self.kinds else ("", "", "")
        if not colon or Path(value).is_dir():
            folder, colon, kinds = str(value), "", ""
        if Path(folder).exists():
            return Path(value)
        names = [path.name for path in shipped.packs()]
        if folder in names:
            return Path(f"{shipped.pack(folder)}{colon}{kinds}")
        close = difflib.get_close_matches(folder, names, n=1, cutoff=0.5)
        hint = f"Did you mean {close[0]}?" if close else f"Name a folder, or a shipped pack: {', '.join(names)}"
        return self.fail(f"there is no folder and no shipped pack {folder!r}. {hint}", param, ctx)


DAY = _Day()
PACK_FOLDER = _PackFolder()
PACK_OR_KINDS = _PackFolder(kinds=True)
PACK = click.argument("pack", type=PACK_FOLDER)
AS_OF = click.option(
    "--as-of", type=DAY, help="Use the law in force on this date, for example 2025-08-07. Default: today."
)


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON values."""
    return {name: str(value) if isinstance(value, dt.date) else value for name, value in facts.items()}


def fact_lines(facts: Mapping[str, Any], fields: Mapping[str, Declared]) -> Iterator[str]:
    """Each fact in words, with its name: `the agreement is in force: no   [agreement_in_force]`."""
    from gatehouse.law import words

    for name, says, value in words.of_facts(facts, fields):
        yield f"      {says}: {value}   [{name}]"
