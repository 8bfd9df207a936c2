"""The slow search: which row and which column of a file that the fast readers refused is wrong, and what to do.

Reads in constant memory, whatever the file holds. Rows count from 1 for the first request.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from gatehouse.intake.mapping import Layout
from gatehouse.intake.wire import MAX_ROW
from gatehouse.kernel.errors import WrongInput, place

_TOO_LONG = f"the row is longer than {MAX_ROW >> 10} KiB"
TOO_MANY_LINES = "holds far more lines than the requests stated in the manifest"
_HEADER = "Name the columns in the first line"
_COLUMN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,39}", re.ASCII)
_BOM = b"\xef\xbb\xbf"


class _Broken(Exception):  # noqa: N818 - becomes a WrongInput once the row is known
    """A line that is no text: what is wrong, what to do, and the line with marks where bytes could not be read."""

    def __init__(self, problem: str, remedy: str, line: str = "") -> None:
        super().__init__(problem)
        self.problem, self.remedy, self.line = problem, remedy, line

    def at(self, file: str, row: int, column: str | None = None) -> WrongInput:
        where = place(file, row, column) if row else f"{file}, the header"
        return WrongInput(self.problem, where=where, remedy=self.remedy)


def find(path: Path, layout: Layout, lines: int = sys.maxsize) -> WrongInput | None:
    """The first fault of a text file that the fast readers refused, as the error to raise; None where there is none.

    More than so many `lines` are one, so that the search ends.
    """
    if path.suffix.lower() == ".parquet":
        return None
    try:
        count(path, layout, lines)
    except WrongInput as found:
        return found
    return None


def count(path: Path, layout: Layout, lines: int = sys.maxsize) -> int:
    """The rows of a text file, counted one by one; raises WrongInput at the first fault, as after so many `lines`."""
    quoting = not layout.fixed and path.suffix.lower() == ".csv"
    text = _lines(path, lines, quoting=quoting)
    if layout.fixed:
        return _search_lines(path, text)
    return _search_json(path, layout, text) if path.suffix.lower() == ".jsonl" else _search_csv(path, layout, text)


def header(path: Path, separator: str) -> list[str]:
    """The column names of a CSV file."""
    rows = csv.reader(_lines(path, quoting=True), delimiter=separator, strict=True)
    try:
        names = next(rows, None)
    except csv.Error:
        raise WrongInput("the header is not valid CSV", where=path.name, remedy=_HEADER) from None
    except _Broken as broken:
        raise broken.at(path.name, 0) from None
    if not names:
        raise WrongInput("the file is empty", where=path.name, remedy=_HEADER)
    return names


def check_columns(names: Sequence[str], layout: Layout, file: str) -> None:
    """Raise WrongInput unless a file has exactly the columns of its layout, each once."""
    wanted = [layout.file_column(target) for target in layout.targets]
    twice = [name for name, count in Counter(names).items() if count > 1]
    missing = [name for name in wanted if name not in names]
    unknown = [name for name in names if name not in wanted]
    if len(missing) == len(wanted):
        raise WrongInput("the first line names none of the contract's columns", where=file, remedy=_HEADER)
    if twice:
        raise WrongInput(f"a column appears twice: {_shown(twice)}", where=file, remedy="Keep only one of them")
    if missing and unknown:
        problem = f"missing columns: {_shown(missing)}; unknown columns: {_shown(unknown)}"
        raise WrongInput(problem, where=file, remedy="Rename them, or map them with columns.toml")
    if missing:
        problem, remedy = f"missing columns: {_shown(missing)}", "Add them (empty means absent)"
        raise WrongInput(problem, where=file, remedy=remedy)
    if unknown:
        problem, remedy = f"unknown columns: {_shown(unknown)}", "Remove them. Only the contract's columns are read"
        raise WrongInput(problem, where=file, remedy=remedy)


def _shown(names: Sequence[str]) -> str:
    # What stands in a header may still be data: only what looks like a column's name is repeated.
    plain = [name if _COLUMN_NAME.fullmatch(name) else "(not a column name)" for name in names]
    more = f" and {len(plain) - 6} more" if len(plain) > 6 else ""
    return ", ".join(dict.fromkeys(plain[:6])) + more


def find_nul(path: Path) -> NoReturn:
    """Raise WrongInput naming the line that holds a NUL byte."""
    line = 1
    with path.open("rb") as stream:
        while chunk := stream.read(MAX_ROW):
            at = chunk.find(b"\0")
            if at >= 0:
                line += chunk.count(b"\n", 0, at)
                break
            line += chunk.count(b"\n")
    raise WrongInput(f"line {line} contains a NUL byte", where=path.name, remedy="Write the file again as UTF-8 text")


def _lines(path: Path, most: int = sys.maxsize, *, quoting: bool = False) -> Iterator[str]:
    """Lines as text with their ends, bounded in length, strictly UTF-8, with one kind of line end; raises _Broken.

    With `quoting` what stands between quotation marks may hold any line ends: spreadsheets end rows with CRLF and break
    lines within a cell with LF.
    """
    ends = set()
    quoted = False
    with path.open("rb") as stream:
        first = True
        while line := stream.readline(MAX_ROW + 1):
            most -= 1
            if most < 0:
                raise WrongInput(TOO_MANY_LINES, where=path.name, remedy="Remove blank lines and line breaks")
            if len(line) > MAX_ROW:
                raise _Broken(_TOO_LONG, "Close an open quotation mark, or shorten the field")
            try:
                text = (line.removeprefix(_BOM) if first else line).decode("utf-8")
            except UnicodeDecodeError:
                marked = line.decode("utf-8", errors="replace")
                raise _Broken("is not UTF-8", "Save the file as UTF-8", marked) from None
            first = False
            outside = text
            if quoting:
                parts = text.split('"')
                outside, quoted = "".join(parts[quoted::2]), quoted ^ (len(parts) % 2 == 0)
            body = outside.rstrip("\r\n")
            ends.add(outside[len(body) :] if not quoted else "")
            if "\r" in body or len(ends - {""}) > 1:
                raise _Broken("mixes kinds of line ends", "Use one kind, CRLF or LF, throughout")
            yield text


def _search_lines(path: Path, text: Iterator[str]) -> int:
    number = 0
    try:
        for line in text:
            number += bool(line.rstrip("\r\n"))
    except _Broken as broken:
        raise broken.at(path.name, number + 1) from None
    return number


def _search_csv(path: Path, layout: Layout, text: Iterator[str]) -> int:
    names = header(path, layout.separator)
    csv.field_size_limit(MAX_ROW)
    rows = csv.reader(text, delimiter=layout.separator, strict=True)
    next(rows)
    number = 0
    while True:
        try:
            fields = next(rows, None)
        except _Broken as broken:
            raise broken.at(path.name, number + 1, _marked(broken.line, names, layout.separator)) from None
        except csv.Error as error:
            raise _quoting(error).at(path.name, number + 1) from None
        if fields is None:
            return number
        if fields:
            number += 1
            _check_width(fields, names, path.name, number)
            if sum(map(len, fields)) > MAX_ROW:
                raise _Broken(_TOO_LONG, "Shorten the fields").at(path.name, number)


def _quoting(error: csv.Error) -> _Broken:
    if "field larger" in str(error):
        return _Broken(_TOO_LONG, "Close an open quotation mark, or shorten the field")
    return _Broken("a quotation mark is not closed, or text follows a closed one", 'Write " inside as ""')


def _check_width(fields: Sequence[str], names: Sequence[str], file: str, number: int) -> None:
    if len(fields) == len(names):
        return
    problem = f"{len(fields)} fields instead of {len(names)}"
    if len(fields) > len(names):
        remedy = "Quote fields that hold the separator"
        raise WrongInput(problem, where=place(file, number, "after the last"), remedy=remedy)
    where = place(file, number, _shown([names[len(fields)]]))
    raise WrongInput(problem, where=where, remedy="Leave missing fields empty, and keep the separators")


def _marked(line: str, names: Sequence[str], separator: str) -> str | None:
    """The column of the first field that holds bytes which could not be read, where the row is one line."""
    try:
        fields = next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return None
    marked = [name for name, value in zip(names, fields, strict=False) if "\ufffd" in value]
    return _shown(marked[:1]) if marked and len(fields) == len(names) else None


def _search_json(path: Path, layout: Layout, text: Iterator[str]) -> int:
    allowed = {layout.file_column(target) for target in layout.targets}
    number = 0
    try:
        for line in text:
            if line.strip():
                number += 1
                _check_object(line, number, path.name, allowed)
    except _Broken as broken:
        raise broken.at(path.name, number + 1) from None
    return number


def _check_object(line: str, number: int, file: str, allowed: set[str]) -> None:
    try:
        pairs = json.loads(line, object_pairs_hook=list)
    except (ValueError, RecursionError):
        problem, remedy = "is not JSON", "Write one object per line"
        raise WrongInput(problem, where=place(file, number), remedy=remedy) from None
    if not line.lstrip().startswith("{"):
        raise WrongInput("the line is not a JSON object", where=place(file, number), remedy="Write one object per line")
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise WrongInput("the object repeats a column", where=place(file, number), remedy="Keep only one of them")
    for name, value in pairs:
        if name not in allowed:
            problem, remedy = f"unknown column {_shown([name])}", "Remove it, or map it with columns.toml"
            raise WrongInput(problem, where=place(file, number), remedy=remedy)
        if value is not None and not isinstance(value, str):
            raise WrongInput("the value is not text", where=place(file, number, name), remedy="Quote the value")
