"""A report's numbers asked again: from the same dockets and ledger, as of the same checkpoint, by our own queries.

Nothing is run that the file says: it only names the report and what it was asked. Its queries are compared as text.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.oversight import counted, reports, sources
from gatehouse.oversight.report import FORM
from gatehouse.oversight.sources import Period, Sources

_COMPARED = ("title", "law", "made_from", "facts", "figures", "paragraphs")


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild found: how many numbers were asked again, and every difference as a line."""

    report: str
    values: int
    differences: tuple[str, ...]
    destroyed: tuple[str, ...] = ()
    """The dockets destroyed on record after the report was made: what it counted of them cannot be asked again."""


def rebuild(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    given: Sources,
    *,
    progress: Progress = silent,
) -> Rebuilt:
    """Make the report in a JSON file again and compare every value.

    Raises WrongInput when the file is no report, AnswerIsNo when dockets and ledger themselves do not verify or the
    checkpoint is not this ledger's.
    """
    stated = _parse(path)
    made_from = stated["made_from"]
    size = int(made_from["checkpoint"]["size"])
    record = sources.verify(connection, given, period=_period(made_from["period"]), size=size, progress=progress)
    if record.checkpoint.root.hex() != made_from["checkpoint"]["root"]:
        raise AnswerIsNo("the report's checkpoint does not belong to this ledger", where=path.name)
    record = record.only(made_from["refused_receipts"])
    counted.gather(connection, record)
    again = reports.make(connection, record, stated["report"], stated["asked"]).document(connection)
    again = json.loads(json.dumps(again))
    differences = list(_differences(stated, again))
    values = sum(len(row) for table in again["tables"] for row in table["rows"]) + len(again["figures"])
    destroyed = tuple(
        f"{one.docket.id} was destroyed on {one.at[:10]} (entry {one.entry}), after this report was made: {one.reason}"
        for one in record.destroyed
        if one.entry >= size
    )
    return Rebuilt(stated["report"], values, tuple(differences), destroyed)


def _parse(path: Path) -> dict[str, Any]:
    wrong = WrongInput("this is not a JSON report", where=path.name, remedy="Make one with --format json")
    try:
        stated = json.loads(path.read_bytes())
        made_from = stated["made_from"]
        rows = [row for table in stated["tables"] for row in table["rows"]]
        whole = (
            stated["format"] == FORM
            and set(_COMPARED) <= set(stated)
            and type(made_from["checkpoint"]["size"]) is int
            and all(isinstance(one, str) for one in (stated["report"], made_from["checkpoint"]["root"]))
            and all(isinstance(one, str) for one in made_from["refused_receipts"])
            and all(isinstance(day, str | None) for day in (made_from["period"]["from"], made_from["period"]["to"]))
            and all(isinstance(one, dict) for one in (stated["asked"], *stated["figures"], *rows))
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise wrong from None
    if not whole:
        raise wrong
    assert isinstance(stated, dict)  # noqa: S101 - it has the keys of one
    return stated


def _period(stated: Mapping[str, str | None]) -> Period:
    def day(name: str) -> dt.date | None:
        text = stated.get(name)
        found = clock.read_date(text) if text else None
        if text and found is None:
            raise WrongInput("the report's period is not valid")
        return found

    return Period(day("from"), day("to"))


def _differences(stated: Mapping[str, Any], again: Mapping[str, Any]) -> Iterator[str]:
    figures = {one["name"]: one for one in again["figures"]}
    for one in stated["figures"]:
        mine = figures.pop(one.get("name"), None)
        if mine is None:
            yield f"the figure {one.get('name')} is none of this report"
        elif mine["value"] != one.get("value"):
            yield f"{mine['name']}: the report says {one.get('value')}, the record says {mine['value']}"
        elif mine != one:
            yield f"{mine['name']}: the report names another query"
    yield from (f"{name}: the report leaves it out" for name in figures)
    for name in sorted(set(_COMPARED) - {"figures"}):
        if stated[name] != again[name]:
            yield f"{name}: the report says something else than the record"
    theirs = {table.get("name"): table for table in stated["tables"]}
    for table in again["tables"]:
        yield from _of_table(theirs.pop(table["name"], None), table)
    yield from (f"the table {name} is none of this report" for name in theirs)


def _of_table(stated: Mapping[str, Any] | None, again: Mapping[str, Any]) -> Iterator[str]:
    name = again["name"]
    if stated is None:
        yield f"{name}: the report leaves the table out"
        return
    if stated.get("query") != again["query"]:
        yield f"{name}: the report names another query"
    theirs, mine = stated.get("rows", []), again["rows"]
    if len(theirs) != len(mine):
        yield f"{name}: the report has {len(theirs)} rows, the record {len(mine)}"
    differing = [(at, one, two) for at, (one, two) in enumerate(zip(theirs, mine, strict=False)) if one != two]
    for at, one, two in differing[:20]:
        columns = sorted(key for key in {*one, *two} if one.get(key) != two.get(key))
        yield f"{name}, row {at + 1}: {', '.join(columns)} differ"
    if len(differing) > 20:
        yield f"{name}: and {len(differing) - 20} more rows differ"
