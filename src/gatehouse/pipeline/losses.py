"""Losses that two officers acknowledge: entries of the ledger that the site can no longer open, and says so for good.

A restored backup, or a disk that lost an opening, leaves entries that nothing explains, and work stops. It goes on once
two different people have signed for exactly these entries and the ledger holds their word; reports name the loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from gatehouse.casework import endorsement, statement
from gatehouse.casework import roster as rosters
from gatehouse.casework.endorsement import Version
from gatehouse.casework.roster import DECIDING_ROLES, Roster
from gatehouse.casework.statement import Statement
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger.signers import Signer
from gatehouse.pipeline.event import Event

FORM = "gatehouse-loss/1"
FOLDER = "losses"
"""Folder of a site where officers' acknowledgments wait until there are enough of one loss."""
NEEDED = 2


def acknowledge(roster: Roster, officer: str, signer: Signer, lost: range, reason: str, *, site: str) -> Statement:
    """One officer's signed word that some entries are lost. Raises WrongInput where the key is not the officer's."""
    person = roster.get(officer)
    if person is None or signer.verifier != person.key:
        raise WrongInput(
            f"this is not the key that the roster lists for officer {officer}", remedy="Sign with your own key"
        )
    if not reason.strip():
        raise WrongInput("the reason is missing", remedy="State what was lost and how")
    body = {
        "format": FORM, "site": site, "first": lost.start, "count": len(lost), "reason": reason.strip(),
        "officer": officer,
    }  # fmt: skip
    return statement.sign(body, signer)


def fields(statements: Sequence[Statement]) -> dict[str, object]:
    """The event of a loss that enough officers have acknowledged."""
    body = statements[0].body
    signed = [one.document() for one in statements]
    return {"event": "loss", "first": body["first"], "count": body["count"], "statements": signed}


def acknowledged(events: Iterable[Event], *, site: str) -> list[range]:
    """The entries that two different people of the roster of that time have acknowledged as lost."""
    versions: list[Version] = []
    found: list[range] = []
    for one in events:
        if one.kind == "roster":
            stated = rosters.parse(one.fields["officers"], where=one.name)
            versions.append(Version(stated, endorsement.of_documents(one.fields["endorsements"])))
        elif one.kind == "loss":
            lost = range(one.fields["first"], one.fields["first"] + one.fields["count"])
            signed = [statement.of_document(each, where=one.name) for each in one.fields["statements"]]
            if agree(endorsement.admitted(versions, site=site), signed, lost, site=site):
                found.append(lost)
    return found


def agree(roster: Roster, statements: Iterable[Statement], lost: range, *, site: str) -> bool:
    """Whether two different people of a roster have signed for exactly these entries."""
    given: set[str] = set()
    for signed in statements:
        person = roster.get(str(signed.body.get("officer")))
        about = (signed.body.get("site"), signed.body.get("first"), signed.body.get("count"))
        if person is None or person.role not in DECIDING_ROLES or about != (site, lost.start, len(lost)):
            continue
        try:
            statement.verify(signed, [person.key], form=FORM)
        except (AnswerIsNo, WrongInput):
            continue
        given.add(person.id)
    return roster.apart(given) >= NEEDED


def read(folder: Path, lost: range) -> list[Statement]:
    """The acknowledgments of one loss that lie in a folder."""
    named = [statement.parse(path.read_bytes(), where=path.name) for path in sorted(folder.glob("*.json"))]
    return [one for one in named if (one.body.get("first"), one.body.get("count")) == (lost.start, len(lost))]


def name(lost: range, officer: str) -> str:
    """The name of the file of one acknowledgment."""
    return f"{lost.start}-{len(lost)}-by-{officer}.json"
