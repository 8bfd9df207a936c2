"""`gatehouse element check`: a verdict and why, beside every row of a file of reasons, numbers, dates or officers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.cli import sheet
from gatehouse.intake.elements import KINDS

if TYPE_CHECKING:
    import duckdb

BESIDE = ("field", "context", "title")
"""Columns that a judge reads where the file has them: which number or date it is, the row's other dates, a title."""


@click.group()
def element() -> None:
    """Judge the elements of requests on what is written alone; no record of anybody is searched.

    Example: gatehouse element check requests.csv --kind reason --column reason --out judged.csv
    """


@element.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--kind", required=True, type=click.Choice(sorted(KINDS)), help="What the column holds.")
@click.option("--column", required=True, metavar="NAME", help="The column to judge.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The CSV file to write.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def check(file: Path, kind: str, column: str, out: Path, as_json: bool) -> None:
    """Write every row and column of FILE, in order, and add `verdict` and `why`.

    If FILE has the columns `field` (which number or date a cell is), `context` (such as
    `signed_on=2025-06-27; birth_date=1970-01-01`) and `title` (an officer's), they are read too. If FILE
    already uses a column name, the new column is named with `element_` in front.

    \b
    Examples:
      gatehouse element check requests.csv --kind reason --column reason --out judged.csv
      gatehouse element check orders.csv --kind date --column final_order_date --out judged.csv
    """
    from gatehouse.intake.workspace import open_workspace

    connection = open_workspace()
    header = sheet.read(connection, file)
    _point_to_columns(connection, file, header, column)
    KINDS[kind].judge(connection, "source", "judged")
    taken = {name.strip().lower() for name in header}
    added = {f"element_{name}" if name in taken else name: name for name in ("verdict", "why")}
    sheet.write(connection, header, "judged", added, out)
    counts = dict(connection.execute("SELECT verdict, count(*) FROM judged GROUP BY ALL ORDER BY ALL").fetchall())
    if as_json:
        click.echo(json.dumps({"rows": sum(counts.values()), "verdicts": counts}))
    else:
        click.echo(", ".join(f"{number} {verdict}" for verdict, number in counts.items()) or "no rows", err=True)


def _point_to_columns(connection: duckdb.DuckDBPyConnection, file: Path, header: list[str], column: str) -> None:
    """Make the view `source` of `gatehouse.intake.elements` over the columns of the file."""
    places = {name.strip().lower(): number for number, name in enumerate(header)}
    judged = sheet.position(header, column, file)
    beside = ", ".join(
        f"c{places[name]} AS {name}" if places.get(name, judged) != judged else f"NULL::VARCHAR AS {name}"
        for name in BESIDE
    )
    connection.execute(f"CREATE VIEW source AS SELECT row_number, c{judged} AS text, {beside} FROM given")
