"""`gatehouse address check`: a verdict, a reason and the parts found, beside every row of a file of addresses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.cli import sheet

if TYPE_CHECKING:
    import duckdb

CONTRACT = ("address_line1", "address_line2", "city", "state", "postal_code", "country")
_ADDED = ("verdict", "reason", "zip_state")


@click.group()
def address() -> None:
    """Judge whether addresses are real, on what is written and public postal facts alone.

    Example: gatehouse address check requests.csv --out judged.csv
    """


@address.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME",
    help="A column that holds a line of the address. Repeat for several lines, in order. The contract's column "
    f"names ({', '.join(CONTRACT)}) need no option.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The CSV file to write.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def check(file: Path, columns: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Write every row and column of FILE, in order, and add a verdict, a reason and the parts of each address.

    The verdicts are complete, incomplete, not_an_address and institution. If FILE already uses a column name, the
    new column is named with `address_` in front.

    \b
    Examples:
      gatehouse address check requests.csv --out judged.csv
      gatehouse address check people.csv --column street --column place --out judged.csv
    """
    from gatehouse.intake.addresses import judge
    from gatehouse.intake.workspace import open_workspace

    connection = open_workspace()
    header = sheet.read(connection, file)
    _point_to_columns(connection, file, header, columns)
    judge(connection, "source", "judged", "row_number")
    _write(connection, header, out)
    counts = dict(
        connection.execute("SELECT address_verdict, count(*) FROM judged GROUP BY ALL ORDER BY ALL").fetchall()
    )
    if as_json:
        click.echo(json.dumps({"rows": sum(counts.values()), "verdicts": counts}))
    else:
        click.echo(", ".join(f"{number} {verdict}" for verdict, number in counts.items()) or "no rows", err=True)


def _point_to_columns(
    connection: duckdb.DuckDBPyConnection, file: Path, header: list[str], columns: tuple[str, ...]
) -> None:
    """Make the view `source`: the contract's address columns over the columns of the file."""
    from gatehouse.kernel.errors import WrongInput

    position = {name.strip().lower(): number for number, name in enumerate(header)}
    missing = [name for name in columns if name.strip().lower() not in position]
    if missing:
        raise WrongInput(f"there is no column {missing[0]}", where=str(file), remedy=f"It has {', '.join(header)}")
    lines = [f"c{position[name.strip().lower()]}" for name in columns if name.strip().lower() not in CONTRACT]
    wanted = [name.strip().lower() for name in columns] or list(CONTRACT)
    known = {name: f"c{position[name]}" for name in CONTRACT if name in wanted and name in position}
    if not lines and not known:
        raise WrongInput("no column holds an address", where=str(file), remedy="Name the address columns with --column")
    lines = [*lines, *(known[name] for name in CONTRACT[:2] if name in known)]
    # Lines stay lines: a line break parts them, as it does inside a field.
    joined = f"concat_ws(chr(10), {', '.join(lines)})" if lines else "NULL"
    rest = ", ".join(f"{known.get(name, 'NULL::VARCHAR')} AS {name}" for name in CONTRACT[2:])
    connection.execute(
        f"CREATE VIEW source AS SELECT row_number, {joined} AS address_line1, NULL::VARCHAR AS address_line2, {rest} "
        "FROM given"
    )


def _write(connection: duckdb.DuckDBPyConnection, header: list[str], out: Path) -> None:
    from gatehouse.intake.addresses import PARTS

    taken = {name.strip().lower() for name in header}
    meant = {"verdict": "address_verdict", "reason": "address_reason", "zip_state": "zip_state"}
    added = {f"address_{name}" if name in taken else name: meant.get(name, name) for name in (*_ADDED, *PARTS)}
    sheet.write(connection, header, "judged", added, out)
