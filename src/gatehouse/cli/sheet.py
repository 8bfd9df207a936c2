"""A sheet: a CSV file whose rows come out again in order, with all their columns and the columns of a verdict.

Every value is text as written; a file that does not fit its header is refused by row, and nothing is half-written.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def read(connection: duckdb.DuckDBPyConnection, file: Path) -> list[str]:
    """Make the table `given` (row_number, c0, c1, …: text as written) and return the names in the header."""
    import duckdb

    from gatehouse.intake.workspace import quoted
    from gatehouse.kernel.errors import WrongInput

    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            header = next(csv.reader(stream), [])
    except FileNotFoundError:
        raise WrongInput("there is no such file", where=str(file), remedy="Name a CSV file with a header") from None
    except UnicodeDecodeError:
        raise WrongInput("the file is not UTF-8", where=str(file), remedy="Save it as CSV in UTF-8") from None
    except (csv.Error, OSError):
        raise WrongInput("the file cannot be read as CSV", where=str(file), remedy="Name a CSV file") from None
    if not header or len({name.lower() for name in header}) != len(header):
        raise WrongInput("the header is missing or repeats a column name", where=str(file),
                         remedy="Give every column its own name")  # fmt: skip
    names = "{" + ", ".join(f"'c{position}': 'VARCHAR'" for position in range(len(header))) + "}"
    options = "header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', strict_mode = true"
    reader = f"read_csv({quoted(file)}, columns = {names}, {options}, auto_detect = false, null_padding = false)"
    try:
        connection.execute(f"CREATE TABLE given AS SELECT row_number() OVER () AS row_number, * FROM {reader}")
    except duckdb.Error:
        raise WrongInput(
            "a row does not fit the header, or is not UTF-8", where=f"{file}, {_misfit(file, len(header))}",
            remedy="Give every row one field per column, and quote fields that contain commas or line breaks",
        ) from None  # fmt: skip
    return header


def _misfit(file: Path, width: int) -> str:
    """Which row of a refused file is the first that does not fit, as far as a slow second reading can tell."""
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


def write(
    connection: duckdb.DuckDBPyConnection, header: Sequence[str], judged: str, added: Mapping[str, str], out: Path
) -> None:
    """Write the rows of `given` in order, with columns of the table `judged` (by row_number) under the names `added`.

    `added` maps the name in the file to the column of `judged`.
    """
    from gatehouse.intake.workspace import quoted
    from gatehouse.kernel import files

    columns = [f"g.c{position} AS {_identifier(name)}" for position, name in enumerate(header)]
    columns += [f"j.{column} AS {_identifier(name)}" for name, column in added.items()]
    query = f"SELECT {', '.join(columns)} FROM given g JOIN {judged} j USING (row_number) ORDER BY row_number"
    with files.replacing(out) as temporary:
        connection.execute(f"COPY ({query}) TO {quoted(temporary)} (FORMAT csv, HEADER true)")


def position(header: Sequence[str], name: str, file: Path) -> int:
    """The place of a column in the header, whatever its case. Raises WrongInput where there is none of that name."""
    from gatehouse.kernel.errors import WrongInput

    places = {each.strip().lower(): number for number, each in enumerate(header)}
    if name.strip().lower() not in places:
        raise WrongInput(f"there is no column {name}", where=str(file), remedy=f"It has {', '.join(header)}")
    return places[name.strip().lower()]


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
