"""`gatehouse address check`: a verdict, a reason and the parts found, beside every row of a file of addresses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

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
    help="A column that holds a line of the address; several are its lines, in order. The contract's own names "
    f"({', '.join(CONTRACT)}) are understood without this option.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file to write, CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def check(file: Path, columns: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Write the rows of FILE in their order, all their columns, with verdict, reason and the parts of each address.

    Verdicts are complete, incomplete, not_an_address and institution. A name that FILE already uses is added with
    `address_` in front.

    \b
    Examples:
      gatehouse address check requests.csv --out judged.csv
      gatehouse address check people.csv --column street --column place --out judged.csv
    """
    from gatehouse.intake.addresses import judge
    from gatehouse.intake.workspace import open_workspace

    connection = open_workspace()
    header = _load(connection, file)
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


def _load(connection: duckdb.DuckDBPyConnection, file: Path) -> list[str]:
    """Make the table `given` (row_number, c0, c1, …: text as written) and return the names in the header."""
    import csv

    import duckdb

    from gatehouse.intake.workspace import quoted
    from gatehouse.kernel.errors import WrongInput

    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            header = next(csv.reader(stream), [])
    except FileNotFoundError:
        raise WrongInput("no such file", where=str(file), remedy="Name a CSV file with a header") from None
    except UnicodeDecodeError:
        raise WrongInput("the file is not UTF-8", where=str(file), remedy="Save it as CSV in UTF-8") from None
    except (csv.Error, OSError):
        raise WrongInput("the file cannot be read as CSV", where=str(file), remedy="Name a CSV file") from None
    if not header or len({name.lower() for name in header}) != len(header):
        raise WrongInput("the header is missing or names a column twice", where=str(file),
                         remedy="Give every column a name of its own")  # fmt: skip
    names = "{" + ", ".join(f"'c{position}': 'VARCHAR'" for position in range(len(header))) + "}"
    options = "header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', strict_mode = true"
    reader = f"read_csv({quoted(file)}, columns = {names}, {options}, auto_detect = false, null_padding = false)"
    try:
        connection.execute(f"CREATE TABLE given AS SELECT row_number() OVER () AS row_number, * FROM {reader}")
    except duckdb.Error:
        raise WrongInput(
            "a row does not fit the header, or is not UTF-8", where=f"{file}, {_misfit(file, len(header))}",
            remedy="Every row needs one field a column; quote fields that hold commas or line breaks",
        ) from None  # fmt: skip
    return header


def _misfit(file: Path, width: int) -> str:
    """Which row of a refused file is the first that does not fit, as far as a slow second reading can tell."""
    import csv

    with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        rows = csv.reader(stream)
        next(rows)
        try:
            for number, row in enumerate(rows, 1):
                if (row and len(row) != width) or any("\ufffd" in field for field in row):
                    return f"row {number}"
        except csv.Error:
            return f"line {rows.line_num}"
    return "a row"


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
        raise WrongInput("no column holds an address", where=str(file), remedy="Name its lines with --column")
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
    from gatehouse.intake.workspace import quoted
    from gatehouse.kernel import files

    taken = {name.strip().lower() for name in header}
    meant = {"verdict": "address_verdict", "reason": "address_reason", "zip_state": "zip_state"}
    given = [f"g.c{position} AS {_identifier(name)}" for position, name in enumerate(header)]
    added = [
        f"j.{meant.get(name, name)} AS {_identifier(f'address_{name}' if name in taken else name)}"
        for name in (*_ADDED, *PARTS)
    ]
    query = f"SELECT {', '.join(given + added)} FROM given g JOIN judged j USING (row_number) ORDER BY row_number"
    with files.replacing(out) as temporary:
        connection.execute(f"COPY ({query}) TO {quoted(temporary)} (FORMAT csv, HEADER true)")


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
