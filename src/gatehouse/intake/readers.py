"""Request tables from CSV, fixed-width, JSON Lines and Parquet files, all or nothing.

The good path is DuckDB's parallel readers in their strictest setting. Only when they refuse a file is it read again,
slowly, to say in one line which row and which column is wrong; DuckDB's own messages quote the data and go nowhere.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb

from gatehouse.intake import rowfaults
from gatehouse.intake.mapping import FREE_ADDRESS, Layout
from gatehouse.intake.wire import COLUMNS, MAX_ROW
from gatehouse.intake.workspace import quoted
from gatehouse.kernel.errors import WrongInput, place

_CHUNK = 1 << 20


def digest(path: Path, layout: Layout) -> str:
    """SHA-256 of a table's bytes, made in the one pass that also looks for what the fast readers let through.

    Raises WrongInput at the first NUL byte of a text file and at a line longer than a row may be: DuckDB accepts the
    one, and reads a file with the other as if it were empty.
    """
    hashed = hashlib.sha256()
    text = path.suffix.lower() != ".parquet"
    run = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            hashed.update(chunk)
            if text and b"\0" in chunk:
                rowfaults.find_nul(path)
            first, last = chunk.find(b"\n"), chunk.rfind(b"\n")
            if text and run + (first + 1 if first >= 0 else len(chunk)) > MAX_ROW:
                raise rowfaults.find(path, layout)
            run = len(chunk) - last - 1 if last >= 0 else run + len(chunk)
    return hashed.hexdigest()


def load(connection: duckdb.DuckDBPyConnection, path: Path, layout: Layout, target: str) -> int:
    """Append a file's rows, in their order, to the table `target` of the wire's columns; return how many there were.

    Empty text is NULL. Raises WrongInput with row and column when the file is not wholly what it should be.
    """
    suffix = path.suffix.lower()
    if layout.fixed and suffix != ".parquet":
        source = _fixed(path, layout)
    elif suffix == ".csv":
        source = _csv(path, layout)
    elif suffix == ".jsonl":
        source = _json_lines(connection, path, layout)
    else:
        source = _parquet(connection, path, layout)
    try:
        before = _count(connection, target)
        connection.execute(f"INSERT INTO {target} SELECT {_select(layout)} FROM ({source})")
    except duckdb.OutOfMemoryException:
        raise WrongInput("a field is larger than memory", where=path.name, remedy="Send requests, not files") from None
    except duckdb.Error:  # whatever stopped the fast reader, its message quotes data
        raise rowfaults.find(path, layout) from None
    return _count(connection, target) - before


def create(connection: duckdb.DuckDBPyConnection, target: str) -> None:
    """Make an empty table of the wire's columns, all text."""
    connection.execute(f"CREATE OR REPLACE TABLE {target} ({', '.join(f'{column} VARCHAR' for column in COLUMNS)})")


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None  # noqa: S101 - an aggregate always has one row
    return int(row[0])


def _select(layout: Layout) -> str:
    """The wire's columns over the file's, which are named c0, c1, … in the order of `layout.targets`."""
    at = {target: f"c{number}" for number, target in enumerate(layout.targets)}
    if FREE_ADDRESS in at:
        at |= _split_address(at[FREE_ADDRESS])
    return ", ".join(f"{_trimmed(at[column])} AS {column}" if column in at else "NULL" for column in COLUMNS)


def _trimmed(text: str) -> str:
    """Without spaces at its ends, NULL if nothing remains; asking first costs less than trimming all."""
    return f"CASE WHEN {text} >= '!' AND NOT ends_with({text}, ' ') THEN {text} ELSE nullif(trim({text}), '') END"


def _split_address(text: str) -> dict[str, str]:
    """A whole address in one text, cut only where commas or line breaks say so: street, city, state ZIP.

    What does not have that form stays in the first line, where the judge of addresses finds it incomplete.
    """
    lines = f"regexp_replace({text}, '\\s*[\r\n]+\\s*', ', ', 'g')"
    flat = f"regexp_replace({lines}, '[\\s,.]*(USA|U\\.S\\.A|US)?[\\s,.]*$', '')"
    form = r"(?s)^(.*\S)\s*,\s*([^,\d]*[^,\d\s])\s*,?\s+([A-Za-z]{2})(?:[\s,]+(\d{5}(?:-?\d{4})?))?$"
    cut = {
        column: f"nullif(regexp_extract({flat}, '{form}', {group}), '')"
        for group, column in enumerate(("address_line1", "city", "state", "postal_code"), 1)
    }
    return cut | {"address_line1": f"coalesce({cut['address_line1']}, {text})"}


def _csv(path: Path, layout: Layout) -> str:
    header = rowfaults.header(path, layout.separator)
    rowfaults.check_columns(header, layout, path.name)
    wanted = {layout.file_column(target): f"c{number}" for number, target in enumerate(layout.targets)}
    columns = ", ".join(f"'{wanted[name]}': 'VARCHAR'" for name in header)
    separator = layout.separator.replace("'", "''")
    return (
        f"SELECT * FROM read_csv({quoted(path)}, columns={{{columns}}}, header=true, delim='{separator}', "
        f"quote='\"', escape='\"', auto_detect=false, strict_mode=true, nullstr='', max_line_size={MAX_ROW})"
    )


def _fixed(path: Path, layout: Layout) -> str:
    """Lines cut by position; a separator that no text may hold (a control character) keeps each line whole."""
    cuts = ", ".join(
        f"substr(line, {first}, {width}) AS c{number}" for number, (first, width) in enumerate(layout.fixed.values())
    )
    return (
        f"SELECT {cuts} FROM read_csv({quoted(path)}, columns={{'line': 'VARCHAR'}}, header=false, delim='\x1f', "
        f"quote='', escape='', auto_detect=false, strict_mode=true, max_line_size={MAX_ROW}) WHERE line IS NOT NULL"
    )


def _json_lines(connection: duckdb.DuckDBPyConnection, path: Path, layout: Layout) -> str:
    objects = f"SELECT json FROM read_ndjson_objects({quoted(path)}, maximum_object_size={MAX_ROW})"
    allowed = {layout.file_column(target) for target in layout.targets}
    try:
        shapes = connection.execute(
            f"SELECT DISTINCT unnest(json_keys(json)) AS name, json_type(json) AS whole FROM ({objects})"
        ).fetchall()
        wrong = connection.execute(
            f"SELECT count(*) FROM ({objects}) WHERE len(json_keys(json)) <> len(list_distinct(json_keys(json))) "
            "OR json_type(json) <> 'OBJECT' OR regexp_matches(json_structure(json)::VARCHAR, ?)",
            [r':\s*("(?:BIGINT|UBIGINT|HUGEINT|UHUGEINT|DOUBLE|BOOLEAN|JSON)"|[\[{])'],
        ).fetchone()
    except duckdb.Error:
        raise rowfaults.find(path, layout) from None
    if (wrong and wrong[0]) or any(name not in allowed or whole != "OBJECT" for name, whole in shapes):
        raise rowfaults.find(path, layout)
    cuts = ", ".join(
        f"json_extract_string(json, '$.\"{_json_name(layout.file_column(target))}\"') AS c{number}"
        for number, target in enumerate(layout.targets)
    )
    return f"SELECT {cuts} FROM ({objects})"


def _json_name(name: str) -> str:
    if '"' in name or "\\" in name:
        raise WrongInput("a column name holds a quotation mark or a backslash", where="columns.toml")
    return name.replace("'", "''")


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path, layout: Layout) -> str:
    if layout.fixed:
        raise WrongInput("a mapping by position is for text files", where=path.name, remedy="Use [columns] instead")
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quoted(path)})").fetchall()
    except duckdb.Error:
        raise WrongInput("is not a Parquet file that can be read", where=path.name, remedy="Write it again") from None
    types = {str(row[0]): str(row[1]) for row in described}
    rowfaults.check_columns(list(types), layout, path.name)
    cuts = []
    for number, target in enumerate(layout.targets):
        name = layout.file_column(target)
        if types[name] not in ("VARCHAR", "DATE"):
            remedy = "Every column is text on the wire"
            raise WrongInput(f"is {types[name]}", where=place(path.name, column=name), remedy=remedy)
        quoted_name = '"' + name.replace('"', '""') + '"'
        cuts.append(f"{quoted_name}::VARCHAR AS c{number}")
    return f"SELECT {', '.join(cuts)} FROM read_parquet({quoted(path)})"
