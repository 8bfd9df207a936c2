"""The officer's log of use: every line names the one before it by digest, so that none can be changed or left out.

One line of canonical JSON an entry, in `use.log`: `number`, `at`, `action`, `by`, `matter`, `purpose`, `note`,
`previous` (SHA-256 of the line before, 64 zeros at first). A line that a crash cut short was never written.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from gatehouse.kernel import canonical, clock, digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.kernel.files import sync_folder

FILE = "use.log"
START = "0" * 64
_FIELDS = {"number", "at", "action", "by", "matter", "purpose", "note", "previous"}


class Use(StrEnum):
    """What was done with a release."""

    OPENED = "opened"
    VIEWED = "viewed"
    COPIED = "copied"
    DISCLOSED = "disclosed"
    DISPOSED = "disposed"


PURPOSES = ("preparation", "investigation", "grand_jury", "other")


@dataclass(frozen=True)
class Entry:
    """One use."""

    action: Use
    by: str
    matter: str = ""
    purpose: str = ""
    note: str = ""


def append(folder: Path, entry: Entry, now: dt.datetime) -> str:
    """Add an entry durably and give the log's new head. Raises AnswerIsNo when the log was tampered with."""
    if entry.purpose and entry.purpose not in PURPOSES:
        raise WrongInput("the purpose is unknown", remedy=f"Choose one of {', '.join(PURPOSES)}")
    path = folder / FILE
    with path.open("a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        data = stream.read()
        whole = data[: data.rfind(b"\n") + 1]
        entries, head = check(whole, where=str(path))
        if entries and now < _at(entries[-1]):
            raise WrongInput(
                "this machine's clock is earlier than the log's last entry",
                where=str(path),
                remedy="Set the clock and try again",
            )
        line = canonical.encode(_document(len(entries), entry, now, head))
        stream.truncate(len(whole))
        stream.write(line + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    sync_folder(folder)
    return digests.of_bytes(line)


def read(folder: Path) -> tuple[list[dict[str, Any]], str]:
    """All entries and the head. Raises WrongInput without a log, AnswerIsNo when the chain is broken."""
    path = folder / FILE
    try:
        data = path.read_bytes()
    except OSError:
        raise WrongInput(
            "there is no use log here", where=str(path), remedy="Name the folder of an opened release"
        ) from None
    return check(data[: data.rfind(b"\n") + 1], where=str(path))


def check(data: bytes, *, where: str) -> tuple[list[dict[str, Any]], str]:
    """Check a log's bytes line by line; gives its entries and its head."""
    lines = data.split(b"\n")[:-1]
    entries: list[dict[str, Any]] = []
    head = START
    for number, line in enumerate(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not _continues(entry, line, number, head):
            raise AnswerIsNo(f"the use log was altered at line {number + 1}", where=where)
        entries.append(entry)
        head = digests.of_bytes(line)
    return entries, head


def head_of(entries: Sequence[dict[str, Any]]) -> str:
    """The head that a list of entries leads to, or an empty text when they are not a chain."""
    try:
        lines = b"".join(canonical.encode(entry) + b"\n" for entry in entries)
        return check(lines, where="use report")[1]
    except (AnswerIsNo, TypeError):
        return ""


def _continues(entry: object, line: bytes, number: int, head: str) -> bool:
    if not isinstance(entry, dict) or set(entry) != _FIELDS or entry["number"] != number or entry["previous"] != head:
        return False
    if not all(isinstance(entry[name], str) for name in _FIELDS - {"number"}) or entry["action"] not in set(Use):
        return False
    try:
        return canonical.encode(entry) == line and clock.stamp(_at(entry)) == entry["at"]
    except (TypeError, ValueError):
        return False


def _document(number: int, entry: Entry, now: dt.datetime, head: str) -> dict[str, Any]:
    return {
        "number": number, "at": clock.stamp(now), "action": str(entry.action), "by": entry.by, "matter": entry.matter,
        "purpose": entry.purpose, "note": entry.note, "previous": head,
    }  # fmt: skip


def _at(entry: dict[str, Any]) -> dt.datetime:
    return clock.read_instant(str(entry["at"]))
