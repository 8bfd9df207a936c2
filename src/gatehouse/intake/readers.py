"""Request tables from CSV, fixed-width, JSON Lines and Parquet files, all or nothing.

The good path is DuckDB's parallel readers in their strictest setting. Only when they refuse a file is it read again,
slowly, to say in one line which row and which column is wrong; DuckDB's own messages quote the data and go nowhere.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import duckdb

from gatehouse.intake import columnar, placeholders, rowfaults
from gatehouse.intake.faults import short_of
from gatehouse.intake.mapping import FREE_ADDRESS, Layout
from gatehouse.intake.wire import COLUMNS, MAX_ROW
from gatehouse.intake.workspace import open_workspace, quoted
from gatehouse.kernel.errors import GatehouseError, WrongInput, place

_CHUNK = 1 << 20


def digest(path: Path, layout: Layout, *, lines: int) -> str:
    """SHA-256 of a table's bytes, made in the one pass that also looks for what the fast readers let through.

    Raises WrongInput at the first NUL byte of a text file, at a line longer than a row may be (DuckDB accepts the one,
    and reads a file with the other as if it were empty) and where there are more than so many `lines`.
    """
    hashed = hashlib.sha256()
    text = path.suffix.lower() != ".parquet"
    run = passed = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            hashed.update(chunk)
            if not text:
                continue
            if b"\0" in chunk:
                rowfaults.find_nul(path)
            passed += chunk.count(b"\n")
            if passed > lines:
                raise rowfaults.find(path, layout, lines) or _unreadable(path)
            run = _longest_open_line(chunk, run, path, layout)
    return hashed.hexdigest()


def _longest_open_line(chunk: bytes, run: int, path: Path, layout: Layout) -> int:
    """The bytes of the line that goes on after a chunk; `run` are those before it. Raises WrongInput above a row's."""
    first, last = chunk.find(b"\n"), chunk.rfind(b"\n")
    if run + (first + 1 if first >= 0 else len(chunk)) > MAX_ROW or len(chunk) - last - 1 > MAX_ROW:
        raise rowfaults.find(path, layout) or _unreadable(path)
    return len(chunk) - last - 1 if last >= 0 else run + len(chunk)


def load(connection: duckdb.DuckDBPyConnection, path: Path, layout: Layout, target: str) -> int:
    """Append a file's rows, in their order, to the table `target` of the wire's columns; return how many there were.

    Empty text is NULL. Raises WrongInput with row and column when the file is not wholly what it should be, and
    MachineFailed when the file can be read and not kept.
    """
    source = _source(connection, path, layout)
    before = _count(connection, target)
    try:
        connection.execute(f"INSERT INTO {target} SELECT {_select(layout)} FROM ({source})")
    except duckdb.Error as stopped:  # its message quotes data
        raise _whose_fault(path, layout, source, len(layout.targets), stopped) from None
    return _count(connection, target) - before


def _source(connection: duckdb.DuckDBPyConnection, path: Path, layout: Layout) -> str:
    suffix = path.suffix.lower()
    if layout.fixed and suffix != ".parquet":
        return _fixed(path, layout)
    if suffix == ".csv":
        return _csv(path, layout)
    return _json_lines(connection, path, layout) if suffix == ".jsonl" else _parquet(connection, path, layout)


def _whose_fault(path: Path, layout: Layout, source: str, columns: int, stopped: duckdb.Error) -> GatehouseError:
    """The fault of the file that stopped a fast reader, or else the machine's.

    It is the file's only where the slow search finds it, or where the same rows cannot be read even when nothing of
    them is kept, and neither memory nor the disk is what was missing.
    """
    found = rowfaults.find(path, layout)
    if found is not None:
        return found
    try:
        with open_workspace("1GB", threads=1) as alone:
            read = ", ".join(f"max(strlen(c{number}))" for number in range(columns))
            alone.execute(f"SELECT {read} FROM ({source})").fetchall()
    except (duckdb.OutOfMemoryException, duckdb.IOException):
        return short_of(stopped)
    except duckdb.Error as again:
        line = _LINE.search(str(again))
        return _unreadable(path, f"line {line[1]} " if line else "")
    return short_of(stopped)


_LINE = re.compile(r"\bLine: ([0-9]{1,12})\b")


def _unreadable(path: Path, what: str = "") -> WrongInput:
    remedy = "Write it again as plain CSV (RFC 4180) in UTF-8"
    return WrongInput(f"{what}cannot be read", where=path.name, remedy=remedy)


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
    # An id is an identity: nothing is cut out of it, and one with an invisible character is refused with its row.
    trim = {"request_id": lambda text: f"nullif(trim({text}), '')"}
    cut = {column: trim.get(column, placeholders.visible)(at[column]) for column in COLUMNS if column in at}
    return ", ".join(f"{cut[column]} AS {column}" if column in cut else "NULL" for column in COLUMNS)


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
    except duckdb.Error as stopped:
        raise _whose_fault(path, layout, f"SELECT json AS c0 FROM ({objects})", 1, stopped) from None
    if (wrong and wrong[0]) or any(name not in allowed or whole != "OBJECT" for name, whole in shapes):
        raise rowfaults.find(path, layout) or _unreadable(path)
    cuts = ", ".join(
        f"json_extract_string(json, '$.\"{_json_name(layout.file_column(target))}\"') AS c{number}"
        for number, target in enumerate(layout.targets)
    )
    return f"SELECT {cuts} FROM ({objects})"


def _json_name(name: str) -> str:
    if '"' in name or "\\" in name:
        raise WrongInput("a column name contains a quotation mark or a backslash", where="columns.toml")
    return name.replace("'", "''")


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path, layout: Layout) -> str:
    if layout.fixed:
        raise WrongInput(
            "a mapping by position works only for text files", where=path.name, remedy="Use [columns] instead"
        )
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quoted(path)})").fetchall()
    except duckdb.OutOfMemoryException as stopped:
        raise short_of(stopped) from None
    except duckdb.Error:
        raise columnar.unreadable(path) from None
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
