"""The custodian's people: who may decide, from when until when, in whose stead, and about whom not.

Read from the site's gatehouse.toml, section `[[officers]]`; the officers' side reads the same facts from the signed
`officers.json` of its trust folder. Whoever is not listed, or not on that day, has no authority.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatehouse.kernel import clock, ids
from gatehouse.kernel.errors import WrongInput, own
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

    def get(self, officer: str) -> Officer | None:
        """The person of that id, with authority or without."""
        return self.officers.get(officer)

    def why_not(self, officer: str, on: dt.date) -> str | None:
        """Why someone may not decide on a day; None when they may. Unknown people may not."""
        person = self.officers.get(officer)
        if person is None:
            return "is not on the custodian's roster"
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
        delegate.
        """
        person = self.officers.get(officer)
        lender = person.delegated_by if person else None
        return frozenset({officer} | ({lender} if lender else set()))

    def document(self) -> list[dict[str, Any]]:
        """All officers as JSON, sorted by id."""
        return [self.officers[officer].document() for officer in sorted(self.officers)]


def parse(sections: object, *, where: str) -> Roster:
    """Read `[[officers]]` (or the same as JSON). Raises WrongInput naming the entry and field at fault."""
    if not isinstance(sections, list):
        raise WrongInput("officers must be a list of tables", where=where, remedy="Write each one under [[officers]]")
    people: dict[str, Officer] = {}
    for number, section in enumerate(sections, start=1):
        place = f"{where}, officer {number}"
        person = _officer(section, place)
        if person.id in people:
            raise WrongInput(f"the id {person.id} is given twice", where=place, remedy="Give each person one id")
        if any(person.key.public == other.key.public for other in people.values()):
            raise WrongInput("two officers share one key", where=place, remedy="Each person makes a key of their own")
        people[person.id] = person
    return Roster(people)


@own()
def read(configuration: Path) -> Roster:
    """Read the roster from a gatehouse.toml; one without officers gives an empty roster, and nobody may decide.

    Raises CustodianFault as `parse` raises WrongInput.
    """
    try:
        parsed = tomllib.loads(configuration.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise WrongInput(f"not readable as TOML: {wrong}", where=str(configuration), remedy="Mend that line") from None
    except OSError as error:
        raise WrongInput(f"cannot be read ({error.strerror})", where=str(configuration)) from None
    return parse(parsed.get("officers", []), where=configuration.name)


def _officer(section: object, where: str) -> Officer:
    if not isinstance(section, dict):
        raise WrongInput("an officer is a table", where=where)
    unknown = sorted(set(section) - _FIELDS)
    if unknown:
        raise WrongInput(f"the key {unknown[0]!r} is not known", where=where, remedy="See docs/casework.md")
    identifier = _text(section, "id", where)
    if not ids.is_name(identifier):
        raise WrongInput("an id is letters, digits, dot, dash and underscore", where=f"{where}, id")
    start = _date(section, "from", where)
    if start is None:
        raise WrongInput("the date is missing", where=f"{where}, from", remedy="Write from = 2025-01-01")
    person = Officer(
        identifier,
        _text(section, "name", where),
        _text(section, "role", where),
        Verifier.parse(_text(section, "key", where), where=f"{where}, key"),
        start,
        _date(section, "until", where),
        _date(section, "revoked_on", where),
        _text(section, "delegated_by", where) if "delegated_by" in section else None,
        _text(section, "delegation", where) if "delegation" in section else None,
        _texts(section.get("conflicts", []), f"{where}, conflicts"),
    )
    if person.delegated_by is not None and (person.until is None or person.delegation is None):
        raise WrongInput(
            "a delegation needs an end (until) and where it is written down (delegation)",
            where=where,
            remedy='Add until = 2026-12-31 and delegation = "order number"',
        )
    return person


def _text(section: Mapping[str, object], key: str, where: str) -> str:
    value = section.get(key)
    if not isinstance(value, str) or not value.strip():
        raise WrongInput("the text is missing", where=f"{where}, {key}", remedy=f'Write {key} = "…"')
    return value


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise WrongInput("a list of texts is expected", where=where)
    return tuple(value)


def _date(section: Mapping[str, object], key: str, where: str) -> dt.date | None:
    value = section.get(key)
    if value is None:
        return None
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    day = clock.read_date(value) if isinstance(value, str) else None
    if day is None:
        raise WrongInput("this is no date", where=f"{where}, {key}", remedy="Write it as 2025-01-31")
    return day
