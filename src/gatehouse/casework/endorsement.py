"""Who vouches for whom: a roster grows only by the word of two officers who stood on it before.

Whoever may write the site's configuration, or holds the custodian's key, could otherwise add an officer of their own
and approve in that name. The custodian names the first two officers; from then on a new person, a new key, or more
authority counts once two officers have signed for it. Taking authority away needs nobody's word, and an entry that was
taken back never counts again as it was: words that were given for it once do not give it back. Where fewer than two
officers are left, nobody can be added: the next ledger (`init --after`) begins with a roster of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gatehouse.casework import statement as statements
from gatehouse.casework.roster import DECIDING_ROLES, Officer, Roster, marks
from gatehouse.casework.statement import Statement
from gatehouse.kernel import canonical, digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger.signers import Signer

FORM = "gatehouse-endorsement/1"
FOLDER = "endorsements"
"""Folder of a site in which officers' endorsements lie, one file each."""
NEEDED = 2


@dataclass(frozen=True)
class Version:
    """A roster as it was stated at one time, and the endorsements that lay beside it."""

    stated: Roster
    endorsements: tuple[Statement, ...] = ()

    def document(self) -> dict[str, Any]:
        """The version as JSON, as its entry in the ledger and the officers' side have it."""
        signed = [one.document() for one in self.endorsements]
        return {"officers": self.stated.document(), "endorsements": signed}

    @property
    def digest(self) -> str:
        """SHA-256 of its canonical JSON."""
        return digests.of_bytes(canonical.encode(self.document()))


def endorse(officer: Officer, endorser: Officer, signer: Signer, *, site: str) -> Statement:
    """One officer's signed word that another, as written down, is to be on the roster of a site.

    Raises WrongInput where the key is not the endorser's own or both are one person.
    """
    if signer.verifier != endorser.key:
        raise WrongInput(f"this key is not the key of officer {endorser.id}", remedy="Sign with your own key")
    if marks(officer.id, officer.name) & marks(endorser.id, endorser.name):
        raise WrongInput("officers cannot endorse themselves", remedy="Two other officers must sign")
    body = {"format": FORM, "site": site, "officer": officer.document(), "endorser": endorser.id}
    return statements.sign(body, signer)


def read(folder: Path) -> tuple[Statement, ...]:
    """Every endorsement in a folder, in the order of their names. Raises WrongInput where a file is none."""
    found = []
    for path in sorted(folder.glob("*.json")):
        signed = statements.parse(path.read_bytes(), where=path.name)
        if signed.body.get("format") != FORM:
            raise WrongInput("this is not an endorsement", where=path.name, remedy="Remove the file from the folder")
        found.append(signed)
    return tuple(found)


def admitted(versions: Sequence[Version], *, site: str) -> Roster:
    """The roster that counts after these versions, the earliest first: stated last, less whoever was never endorsed.

    Those who are stated and do not count are in `Roster.unendorsed`.
    """
    return _follow(versions, site)[0]


def is_spent(officer: Officer, versions: Sequence[Version], *, site: str) -> bool:
    """Whether this entry once counted and was taken back, so that no endorsement makes it count again."""
    return _said(officer) in _follow(versions, site)[1]


def admitted_at(versions: Sequence[Version], entered: Version, *, site: str) -> Roster:
    """The roster that counted with a version that the ledger holds: after those up to it, or after all if it is new."""
    known = list(versions)
    at = len(known) - known[::-1].index(entered) if entered in known else None
    return admitted(known[:at] if at is not None else [*known, entered], site=site)


def _follow(versions: Sequence[Version], site: str) -> tuple[Roster, set[str]]:
    """The roster that counts after these versions, and every entry that was taken back on the way."""
    standing, begun, spent = Roster({}), False, set[str]()
    for version in versions:
        stated = version.stated.officers
        spent |= {_said(one) for one in standing.officers.values() if stated.get(one.id) != one}
        standing = _admit(standing, version, site, free=not begun, spent=spent)
        begun = begun or standing.apart(one.id for one in _deciding(standing)) >= NEEDED
    return standing, spent


def _admit(before: Roster, version: Version, site: str, *, free: bool, spent: Collection[str]) -> Roster:
    admitted = {
        officer.id: officer
        for officer in version.stated.officers.values()
        if free
        or keeps_within(before.officers.get(officer.id), officer)
        or (_said(officer) not in spent and _endorsed(before, officer, version, site))
    }
    return replace(
        version.stated, officers=admitted, unendorsed=frozenset(version.stated.officers) - frozenset(admitted)
    )


def _said(officer: Officer) -> str:
    """An entry as an endorsement names it."""
    return digests.of_bytes(canonical.encode(officer.document()))


def _deciding(roster: Roster) -> list[Officer]:
    """Officers who may endorse: those with a deciding role whose authority was not revoked and is their own."""
    return [
        officer
        for officer in roster.officers.values()
        if officer.role in DECIDING_ROLES and officer.revoked_on is None and officer.delegated_by is None
    ]


def keeps_within(before: Officer | None, now: Officer) -> bool:
    """Whether an officer is the one who stood there before, with no more authority than then."""
    if before is None:
        return False
    same = (before.id, before.name, before.role, before.key, before.delegated_by, before.delegation) == (
        now.id, now.name, now.role, now.key, now.delegated_by, now.delegation,
    )  # fmt: skip
    ends = [
        (after is not None and (earlier is None or after <= earlier)) or after == earlier
        for earlier, after in ((before.until, now.until), (before.revoked_on, now.revoked_on))
    ]
    return same and all(ends) and now.start >= before.start and set(before.conflicts) <= set(now.conflicts)


def _endorsed(before: Roster, officer: Officer, version: Version, site: str) -> bool:
    """Whether two different people of the roster before, neither of them the officer, have signed for this entry."""
    asked = {"format": FORM, "site": site, "officer": officer.document()}
    own = marks(officer.id, officer.name, keys=[officer.key])
    signed = {
        endorser.id
        for endorser in _deciding(before)
        if not before.marks(endorser.id) & own and any(_is_by(each, endorser, asked) for each in version.endorsements)
    }
    return before.apart(signed) >= NEEDED


def _is_by(statement: Statement, endorser: Officer, asked: Mapping[str, object]) -> bool:
    if dict(statement.body) != {**asked, "endorser": endorser.id}:
        return False
    try:
        statements.verify(statement, [endorser.key], form=FORM)
    except (AnswerIsNo, WrongInput):
        return False
    return True


def of_documents(documents: Iterable[object]) -> tuple[Statement, ...]:
    """Endorsements from their documents. Raises WrongInput where one is no signed statement."""
    return tuple(map(statements.of_document, documents))
