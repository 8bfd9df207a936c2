"""The custodian's people: who may decide, from when until when, in whose stead, and about whom not.

The site's configuration states them under `[[officers]]`; the officers' side reads the same facts from the signed
`officers.json` of its trust folder. Whoever is not listed, or not on that day, has no authority.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gatehouse.kernel import clock, ids
from gatehouse.kernel.errors import WrongInput
from gatehouse.kernel.ids import folded
from gatehouse.ledger.signers import Verifier

DECIDING_ROLES = ("disclosure_officer", "disclosure_manager")
"""Roles whose holders may decide cases; every other role reads only."""

_FIELDS = {"id", "name", "role", "key", "from", "until", "revoked_on", "delegated_by", "delegation", "conflicts"}


@dataclass(frozen=True)
class Officer:
    """One person. `start` is the first day of authority, `until` the first day no longer; None is without end."""

    id: str
    name: str
    role: str
    key: Verifier
    start: dt.date
    until: dt.date | None = None
    revoked_on: dt.date | None = None
    delegated_by: str | None = None
    """The officer in whose stead this one acts; that officer needs the authority too."""
    delegation: str | None = None
    """Where the delegation is written down, for example the number of the delegation order."""
    conflicts: tuple[str, ...] = ()
    """Agencies about whose requests this person may not decide."""

    @cached_property
    def marks(self) -> frozenset[str]:
        """By what this entry alone is known as a human's."""
        return marks(self.id, self.name, keys=[self.key])

    def document(self) -> dict[str, Any]:
        """The same facts as JSON, dates as ISO text, absent ones left out."""
        facts: dict[str, Any] = {
            "id": self.id, "name": self.name, "role": self.role, "key": self.key.text,
            "from": self.start.isoformat(),
            "until": self.until and self.until.isoformat(),
            "revoked_on": self.revoked_on and self.revoked_on.isoformat(),
            "delegated_by": self.delegated_by, "delegation": self.delegation,
            "conflicts": list(self.conflicts) or None,
        }  # fmt: skip
        return {name: value for name, value in facts.items() if value is not None}


@dataclass(frozen=True)
class Roster:
    """Everyone the custodian lists, by id."""

    officers: Mapping[str, Officer]
    unendorsed: frozenset[str] = frozenset()
    """Ids that are listed and do not count, because two officers of the roster before have not endorsed them."""

    def get(self, officer: str) -> Officer | None:
        """The person of that id, with authority or without."""
        return self.officers.get(officer)

    def why_not(self, officer: str, on: dt.date) -> str | None:
        """Why someone may not decide on a day; None when they may. Unknown people may not."""
        person = self.officers.get(officer)
        if person is None:
            unendorsed = "is on the roster, but two officers who stood on it before have not endorsed the entry"
            return unendorsed if officer in self.unendorsed else "is not on the custodian's roster"
        if person.role not in DECIDING_ROLES:
            return f"has the role {person.role}, which decides nothing"
        if person.revoked_on is not None and on >= person.revoked_on:
            return f"lost the authority on {person.revoked_on}"
        if on < person.start:
            return f"has authority only from {person.start}"
        if person.until is not None and on >= person.until:
            what = "a delegation that ended" if person.delegated_by else "an authority that ended"
            return f"has {what} on {person.until}"
        return self._why_not_delegated(person, on)

    def _why_not_delegated(self, person: Officer, on: dt.date) -> str | None:
        if person.delegated_by is None:
            return None
        lender = self.officers.get(person.delegated_by)
        if lender is None or lender.delegated_by is not None:
            return "acts for someone who holds no authority of their own"
        return None if self.why_not(lender.id, on) is None else "acts for someone without authority on that day"

    def people(self, officer: str) -> frozenset[str]:
        """The persons that one signature stands for: the officer and, under a delegation, the one who lent it.

        Two approvals count as four eyes only when these sets are apart, so that nobody approves beside their own
        delegate. Entries that share an id or a name, folded, or a key are one human: whoever stands there twice still
        has one voice.
        """
        person = self.officers.get(officer)
        lender = person.delegated_by if person else None
        ids = {officer} | ({lender} if lender else set())
        own = frozenset(mark for one in ids if one in self.officers for mark in self.officers[one].marks)
        return frozenset(ids | {one.id for one in self.officers.values() if one.marks & own})

    def apart(self, officers: Iterable[str]) -> int:
        """How many different humans these officers are, each together with whoever lent them authority."""
        known: list[frozenset[str]] = []
        for people in map(self.people, sorted(officers)):
            if not any(people & other for other in known):
                known.append(people)
        return len(known)

    def marks(self, officer: str) -> frozenset[str]:
        """By what one signature is known as a human's: the ids, names and public keys that `people` joins."""
        joined = self.people(officer)
        listed = [self.officers[one].marks for one in joined if one in self.officers]
        return marks(*joined).union(*listed)

    def document(self) -> list[dict[str, Any]]:
        """All officers as JSON, sorted by id."""
        return [self.officers[officer].document() for officer in sorted(self.officers)]


def marks(*texts: str, keys: Iterable[Verifier] = ()) -> frozenset[str]:
    """What two voices are compared by, wherever two are asked for: accounts, ids and names, folded, and public keys.

    Two that share one mark are one human, as far as a site can know.
    """
    return frozenset({folded(text) for text in texts if text} | {f"key:{key.public.hex()}" for key in keys})


def parse(sections: object, *, where: str, line: Callable[[int, str], int] | None = None) -> Roster:
    """Read `[[officers]]` (or the same as JSON). Raises WrongInput naming the entry and field at fault.

    `line` says on which line a field of the officer of a number stands, where the document has lines.
    """
    if not isinstance(sections, list):
        raise WrongInput(
            "officers must be a list of tables", where=where, remedy="Write each officer under [[officers]]"
        )
    people: dict[str, Officer] = {}
    for number, section in enumerate(sections, start=1):
        place = _Place(where, number, line)
        person = _officer(section, place)
        if person.id in people:
            raise WrongInput(
                f"two officers have the id {person.id}", where=place.of("id"), remedy="Give each officer a unique id"
            )
        if any(person.key.public == other.key.public for other in people.values()):
            remedy = "Have each officer make their own key"
            raise WrongInput("two officers share one key", where=place.of("key"), remedy=remedy)
        people[person.id] = person
    return Roster(people)


@dataclass(frozen=True)
class _Place:
    """Where one officer's entry stands."""

    file: str
    number: int
    line: Callable[[int, str], int] | None

    def of(self, key: str = "") -> str:
        """The place of a field, for messages; of the entry where no field is named."""
        line = f"line {self.line(self.number, key)}" if self.line else ""
        return ", ".join(filter(None, (self.file, line, f"officer {self.number}", key)))


def _officer(section: object, place: _Place) -> Officer:
    if not isinstance(section, dict):
        raise WrongInput("each officer must be a table", where=place.of())
    unknown = sorted(set(section) - _FIELDS)
    if unknown:
        close = difflib.get_close_matches(unknown[0], sorted(_FIELDS), n=1)
        remedy = f"Did you mean {close[0]}?" if close else "See docs/casework.md"
        raise WrongInput(f"the key {unknown[0]!r} is unknown", where=place.of(unknown[0]), remedy=remedy)
    identifier = _text(section, "id", place)
    if not ids.is_name(identifier):
        raise WrongInput("an id may contain only letters, digits, dots, dashes and underscores", where=place.of("id"))
    start = _date(section, "from", place)
    if start is None:
        raise WrongInput("the date is missing", where=place.of("from"), remedy="Write from = 2025-01-01")
    person = Officer(
        identifier,
        _text(section, "name", place),
        _text(section, "role", place),
        Verifier.parse(_text(section, "key", place), where=place.of("key")),
        start,
        _date(section, "until", place),
        _date(section, "revoked_on", place),
        _text(section, "delegated_by", place) if "delegated_by" in section else None,
        _text(section, "delegation", place) if "delegation" in section else None,
        _texts(section.get("conflicts", []), place.of("conflicts")),
    )
    if person.delegated_by is not None and (person.until is None or person.delegation is None):
        raise WrongInput(
            "a delegation needs an end date (until) and the document that grants it (delegation)",
            where=place.of("delegated_by"),
            remedy='Add until = 2026-12-31 and delegation = "order number"',
        )
    return person


def _text(section: Mapping[str, object], key: str, place: _Place) -> str:
    value = section.get(key)
    if not isinstance(value, str) or not value.strip():
        raise WrongInput("the text is missing", where=place.of(key), remedy=f'Write {key} = "…"')
    return value


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise WrongInput("this must be a list of strings", where=where)
    return tuple(value)


def _date(section: Mapping[str, object], key: str, place: _Place) -> dt.date | None:
    value = section.get(key)
    if value is None:
        return None
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    day = clock.read_date(value) if isinstance(value, str) else None
    if day is None:
        raise WrongInput("this is not a date", where=place.of(key), remedy="Write it as 2025-01-31")
    return day
