"""What the entries say on which the proof of a docket rests: `received`, `docket`, `decision` and `release`.

Each is an event with exactly these fields, in exactly these types; anything else is no such entry. What is read here
was opened from the ledger's commitment by `opening`, so whoever holds one of these holds what was committed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_BATCH = re.compile(r"[0-9a-f]{32}", re.ASCII)
_MOST = 1 << 53


def is_digest(value: object) -> bool:
    """Whether this is a SHA-256 digest as text: 64 lower-case hexadecimal digits."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < _MOST


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_day(value: object) -> bool:
    return isinstance(value, str) and clock.read_date(value) is not None


def _is_instant(value: object) -> bool:
    try:
        return isinstance(value, str) and clock.stamp(read_instant(value)) == value
    except ValueError:
        return False


def _is_listing(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(is_digest(each) for each in value.values())


def _is_counts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_count, value)) and value == sorted(set(value))


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value)) and value == sorted(set(value))


def _is_selection(value: object) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"cases", "sha256"}
        and _is_count(value["cases"])
        and is_digest(value["sha256"])
    )


def read_instant(text: str) -> dt.datetime:
    """An instant as `clock.stamp` writes it, in UTC; raises ValueError for any other text."""
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)


_KINDS: Mapping[str, Callable[[object], bool]] = {
    "text": _is_text, "digest": is_digest, "count": _is_count, "day": _is_day, "instant": _is_instant,
    "listing": _is_listing, "counts": _is_counts, "texts": _is_texts, "selection": _is_selection,
    "keys": lambda value: isinstance(value, list) and all(map(_is_text, value)),
    "batch": lambda value: isinstance(value, str) and _BATCH.fullmatch(value) is not None,
    "digest or null": lambda value: value is None or is_digest(value),
    "text or null": lambda value: value is None or _is_text(value),
}  # fmt: skip


class _Entry:
    """Reading and writing of the entries below: the types of their fields stand in KINDS."""

    EVENT: ClassVar[str]
    KINDS: ClassVar[Mapping[str, str]]
    HIDDEN: ClassVar[frozenset[str]] = frozenset()
    """Fields that an opening may leave closed; they are None then."""

    def fields(self) -> dict[str, Any]:
        """The event's fields, as they are committed."""
        return {"event": self.EVENT, **{each.name: getattr(self, each.name) for each in fields(self)}}  # type: ignore[arg-type]

    @classmethod
    def of(cls, found: Mapping[str, Any], *, where: str) -> Self:
        """Take an entry from opened fields. Raises AnswerIsNo when they are not exactly those it must have."""
        needed = {"event", *cls.KINDS}
        if found.get("event") != cls.EVENT or set(found) not in (needed, needed - cls.HIDDEN):
            raise AnswerIsNo(f"this is not an entry of the kind '{cls.EVENT}'", where=where)
        for name, kind in cls.KINDS.items():
            if name in found and not _KINDS[kind](found[name]):
                raise AnswerIsNo(f"the field '{name}' of the entry '{cls.EVENT}' is not a {kind}", where=where)
        return cls(**{name: found.get(name) for name in cls.KINDS})


@dataclass(frozen=True)
class Received(_Entry):
    """A submission arrived: its exact bytes, and the one batch of determinations that directly follows."""

    docket: str
    agency: str
    submission: str
    manifest: str
    """SHA-256 of submission.json, which names the tables by digest."""
    signature: str | None
    """SHA-256 of the agency's signature over it."""
    receipt: str
    """SHA-256 of receipt.json."""
    requests: int
    batch: str
    """The batch of the determinations, 32 hexadecimal digits."""
    first: int
    """The index of the first determination: the next after this entry's own."""
    pack: str
    as_of: str

    EVENT: ClassVar = "received"
    KINDS: ClassVar = {
        "docket": "text", "agency": "text", "submission": "text", "manifest": "digest", "signature": "digest or null",
        "receipt": "digest", "requests": "count", "batch": "batch", "first": "count", "pack": "digest", "as_of": "day",
    }  # fmt: skip


@dataclass(frozen=True)
class Docketed(_Entry):
    """A docket was laid down: the SHA-256 of every file in it, by its path below the docket."""

    docket: str
    received: int
    """The index of its `received` entry."""
    files: Mapping[str, str]
    register: str | None
    """The digest of the register that was searched."""

    EVENT: ClassVar = "docket"
    KINDS: ClassVar = {"docket": "text", "received": "count", "files": "listing", "register": "text or null"}


@dataclass(frozen=True)
class Decided(_Entry):
    """An officer decided: the signed statement's digest, and which cases."""

    docket: str
    number: int
    action: str
    cases: int
    selection: str
    """The selection's digest."""
    statement: str

    EVENT: ClassVar = "decision"
    KINDS: ClassVar = {
        "docket": "text", "number": "count", "action": "text", "cases": "count", "selection": "digest",
        "statement": "digest",
    }  # fmt: skip


@dataclass(frozen=True)
class Released(_Entry):
    """A package is to be sealed: exactly what, for whom, on whose word. Committed before anything is encrypted."""

    release: str
    docket: str
    entry: int
    """The index of the docket's entry."""
    agency: str
    officer: str
    recipient: str
    selection: Mapping[str, Any]
    """How many cases, and the digest of the selection."""
    items: list[str]
    persons: str | None
    """SHA-256 of the canonical JSON `[[seq, person_id, [item, …]], …]` in row order; an officer is not shown it."""
    records: str
    """SHA-256 of 32 bytes of salt and records.csv; the salt lies in the package."""
    receipt_key: str
    terms: str
    released_at: str
    expires_on: str
    pack: str
    """The pack in force on the day."""
    as_of: str
    decisions: list[int]
    """The indexes of the decisions that the cases rest on."""

    EVENT: ClassVar = "release"
    HIDDEN: ClassVar = frozenset({"persons"})
    KINDS: ClassVar = {
        "release": "text", "docket": "text", "entry": "count", "agency": "text", "officer": "text",
        "recipient": "text", "selection": "selection", "items": "texts", "persons": "digest", "records": "digest",
        "receipt_key": "text", "terms": "digest", "released_at": "instant", "expires_on": "day", "pack": "digest",
        "as_of": "day", "decisions": "counts",
    }  # fmt: skip

    @property
    def at(self) -> dt.datetime:
        """The instant of the release."""
        return read_instant(self.released_at)


@dataclass(frozen=True)
class Adopted(_Entry):
    """A pack came into force, signed by both offices."""

    pack: str
    version: str
    digest: str
    lock: str
    proof: str
    signatures: str
    counsel: list[str]
    custodian: list[str]

    EVENT: ClassVar = "pack in force"
    KINDS: ClassVar = {
        "pack": "text", "version": "text", "digest": "digest", "lock": "digest", "proof": "digest",
        "signatures": "digest", "counsel": "keys", "custodian": "keys",
    }  # fmt: skip
