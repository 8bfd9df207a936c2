"""The slow search: which row and which column of a file that the fast readers refused is wrong, and what to do.

Reads in constant memory, whatever the file holds. Rows count from 1 for the first request.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from gatehouse.intake.mapping import Layout
from gatehouse.intake.wire import MAX_ROW
from gatehouse.kernel.errors import WrongInput, place

_TOO_LONG = f"is longer than {MAX_ROW >> 20} MiB"
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


def find(path: Path, layout: Layout) -> WrongInput:
    """The first fault of a file that the fast readers refused, as the error to raise."""
    if path.suffix.lower() == ".parquet":
        return WrongInput("is not a Parquet file that can be read", where=path.name, remedy="Write it again")
    try:
        count(path, layout)
    except WrongInput as found:
        return found
    return WrongInput("cannot be read", where=path.name, remedy="Write it again as plain CSV (RFC 4180) in UTF-8")


def count(path: Path, layout: Layout) -> int:
    """The rows of a text file, counted one by one; raises WrongInput at the first fault."""
    if layout.fixed:
        return _search_lines(path)
    return _search_json(path, layout) if path.suffix.lower() == ".jsonl" else _search_csv(path, layout)


def header(path: Path, separator: str) -> list[str]:
    """The column names of a CSV file."""
    rows = csv.reader(_lines(path), delimiter=separator, strict=True)
    try:
        names = next(rows, None)
    except csv.Error:
        raise WrongInput("the header is not CSV", where=path.name, remedy=_HEADER) from None
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
        raise WrongInput("the first line names none of the columns", where=file, remedy=_HEADER)
    if twice:
        raise WrongInput(f"a column appears twice: {_shown(twice)}", where=file, remedy="Keep one of them")
    if missing and unknown:
        problem = f"missing columns: {_shown(missing)}; unknown columns: {_shown(unknown)}"
        raise WrongInput(problem, where=file, remedy="Rename them, or map them with columns.toml")
    if missing:
        problem, remedy = f"missing columns: {_shown(missing)}", "Add them (empty means absent)"
        raise WrongInput(problem, where=file, remedy=remedy)
    if unknown:
        problem, remedy = f"unknown columns: {_shown(unknown)}", "Remove them: nothing is read that is not asked for"
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
    raise WrongInput(f"line {line} holds a NUL byte", where=path.name, remedy="Write the file again as UTF-8 text")


def _lines(path: Path) -> Iterator[str]:
    """Lines as text with their ends, bounded in length, strictly UTF-8, with one kind of line end; raises _Broken."""
    ends = set()
    with path.open("rb") as stream:
        first = True
        while line := stream.readline(MAX_ROW + 1):
            if len(line) > MAX_ROW:
                raise _Broken(_TOO_LONG, "Close an open quotation mark, or shorten the field")
            try:
                text = (line.removeprefix(_BOM) if first else line).decode("utf-8")
            except UnicodeDecodeError:
                marked = line.decode("utf-8", errors="replace")
                raise _Broken("is not UTF-8", "Save the file as UTF-8", marked) from None
            first = False
            body = text.rstrip("\r\n")
            ends.add(text[len(body) :])
            if "\r" in body or len(ends - {""}) > 1:
                raise _Broken("mixes kinds of line ends", "Use one kind, CRLF or LF, throughout")
            yield text


def _search_lines(path: Path) -> int:
    number = 0
    try:
        for line in _lines(path):
            number += bool(line.rstrip("\r\n"))
    except _Broken as broken:
        raise broken.at(path.name, number + 1) from None
    return number


def _search_csv(path: Path, layout: Layout) -> int:
    names = header(path, layout.separator)
    csv.field_size_limit(MAX_ROW)
    rows = csv.reader(_lines(path), delimiter=layout.separator, strict=True)
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
    raise WrongInput(problem, where=where, remedy="Leave absent fields empty and keep the separators")


def _marked(line: str, names: Sequence[str], separator: str) -> str | None:
    """The column of the first field that holds bytes which could not be read, where the row is one line."""
    try:
        fields = next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return None
    marked = [name for name, value in zip(names, fields, strict=False) if "\ufffd" in value]
    return _shown(marked[:1]) if marked and len(fields) == len(names) else None


def _search_json(path: Path, layout: Layout) -> int:
    allowed = {layout.file_column(target) for target in layout.targets}
    number = 0
    try:
        for line in _lines(path):
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
        problem, remedy = "is not JSON", "Write one object a line"
        raise WrongInput(problem, where=place(file, number), remedy=remedy) from None
    if not line.lstrip().startswith("{"):
        raise WrongInput("is not an object", where=place(file, number), remedy="Write one object a line")
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise WrongInput("has a column twice", where=place(file, number), remedy="Keep one of them")
    for name, value in pairs:
        if name not in allowed:
            problem, remedy = f"unknown column {_shown([name])}", "Remove it, or map it with columns.toml"
            raise WrongInput(problem, where=place(file, number), remedy=remedy)
        if value is not None and not isinstance(value, str):
            raise WrongInput("is not text", where=place(file, number, name), remedy="Quote the value")
