"""What an officer found in each case of a sample: `right` or `wrong`, in a file to fill in or asked one by one."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import click

from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput

RIGHT, WRONG = "right", "wrong"
_HEADER = ["request_id", "mark"]


def write(path: Path, requests: Sequence[str]) -> None:
    """Write the cases of a sample with an empty mark each. Raises WrongInput where the file is there already."""
    if path.exists():
        raise WrongInput("the file exists", where=str(path), remedy="Name a new file. Marks are not overwritten")
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_HEADER, *([request, ""] for request in requests)])
    files.write(path, text.getvalue().encode(), mode=0o600)


def read(path: Path, requests: Sequence[str]) -> int:
    """How many cases of a sample are marked wrong. Raises WrongInput unless exactly its cases are marked, each once."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.reader(stream))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise WrongInput("the marks cannot be read", where=str(path), remedy="Write CSV: request_id,mark") from None
    if not lines or lines[0] != _HEADER:
        raise WrongInput(
            "the first line is not request_id,mark", where=path.name, remedy="Fill in the file that --sample wrote"
        )
    marks: dict[str, str] = {}
    for number, line in enumerate(lines[1:], start=2):
        request, mark = (*line, "", "")[:2]
        if len(line) != len(_HEADER) or request in marks or request not in set(requests) or mark not in {RIGHT, WRONG}:
            remedy = "Write one line for each case in the sample, marked right or wrong after you looked at it"
            raise WrongInput(
                "this line is not a valid mark of a case in the sample",
                where=f"{path.name} line {number}",
                remedy=remedy,
            )
        marks[request] = mark
    if len(marks) < len(requests):
        raise WrongInput(
            f"{len(requests) - len(marks)} of {len(requests)} cases in the sample are not marked", where=path.name,
            remedy="Look at each case, and mark it right or wrong",
        )  # fmt: skip
    return sum(mark == WRONG for mark in marks.values())


def ask(requests: Sequence[str]) -> int:
    """Ask for the mark of each case on a terminal; gives how many are wrong."""
    wrong = 0
    for number, request in enumerate(requests, start=1):
        choice = click.Choice([RIGHT, WRONG])
        wrong += click.prompt(f"{number} of {len(requests)}, {request}", type=choice) == WRONG
    return wrong
