"""What the officer's side believes, and nothing else: a folder handed over once, outside the exchange.

`log.vkey` (the ledger's key), `witnesses.policy` (who cosigns and how many must), `custodian.vkey` (signs notices and
both lists), `officers.json` (every version of who may approve, with the endorsements that a new officer needs) and
`agencies.json` (with which keys agencies sign), both signed by the custodian's key, and `notices/` (recall notices
received).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatehouse.casework import endorsement
from gatehouse.casework import roster as rosters
from gatehouse.casework import statement as statements
from gatehouse.casework.endorsement import Version
from gatehouse.casework.roster import Roster
from gatehouse.casework.statement import Statement
from gatehouse.intake.parties import Agency, Key, Span
from gatehouse.kernel import clock, files
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import policy as policies
from gatehouse.ledger.policy import Policy
from gatehouse.ledger.signers import Signer, Verifier, read_verifier

ROSTER_FORM = "gatehouse-officers/2"
_STATED_ONCE = "gatehouse-officers/1"
AGENCIES_FORM = "gatehouse-agencies/1"
NOTICE_FORM = "gatehouse-recall-notice/1"
NOTICES = "notices"


@dataclass(frozen=True)
class Trust:
    """Keys and people that a certificate is checked against."""

    policy: Policy
    custodian: Verifier
    roster: Roster
    agencies: Mapping[str, tuple[Key, ...]] = field(default_factory=dict)
    """The agencies' public keys, by agency."""
    versions: tuple[Version, ...] = ()
    """Every version of the roster since the ledger began; `roster` is whom they admit."""

    def agency_keys(self, agency: str, day: dt.date) -> tuple[Verifier, ...]:
        """The keys with which an agency may sign on a day."""
        return tuple(key.verifier for key in self.agencies.get(agency, ()) if key.span.holds(day))


def read(folder: Path) -> Trust:
    """Read a trust folder. Raises WrongInput when a file is missing, AnswerIsNo when the roster is forged."""
    custodian = read_verifier(folder / "custodian.vkey")
    policy = policies.read(folder / "witnesses.policy")
    versions = _versions(folder / "officers.json", custodian)
    roster = endorsement.admitted(versions, site=policy.logs[0].name if policy.logs else "")
    listed = folder / "agencies.json"  # a folder from before it has none: then no submission's signature counts
    agencies = _agencies(_signed(listed, custodian, AGENCIES_FORM, "agencies")) if listed.exists() else {}
    return Trust(policy, custodian, roster, agencies, versions)


def _versions(path: Path, custodian: Verifier) -> tuple[Version, ...]:
    """Every version of the roster; a folder from before versions has the one that it states."""
    where = path.name
    signed = _statement(path)
    if signed.body.get("format") == _STATED_ONCE:
        statements.verify(signed, [custodian], form=_STATED_ONCE, where=where)
        return (Version(rosters.parse(signed.body.get("officers"), where=where)),)
    statements.verify(signed, [custodian], form=ROSTER_FORM, where=where)
    listed = signed.body.get("versions")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise WrongInput("the versions of the roster must be a list", where=where)
    return tuple(
        Version(
            rosters.parse(one.get("officers"), where=f"{where}, version {number}"),
            endorsement.of_documents(one.get("endorsements") or []),
        )
        for number, one in enumerate(listed)
    )


def _signed(path: Path, custodian: Verifier, form: str, name: str) -> object:
    """What the custodian's key signed in a file of this form."""
    signed = _statement(path)
    statements.verify(signed, [custodian], form=form, where=path.name)
    return signed.body.get(name)


def _statement(path: Path) -> Statement:
    try:
        data = path.read_bytes()
    except OSError:
        raise WrongInput(
            "a file of the trust folder is missing", where=str(path), remedy="Ask the custodian for a new copy"
        ) from None
    return statements.parse(data, where=path.name)


def _agencies(listed: object) -> dict[str, tuple[Key, ...]]:
    where = "agencies.json"
    if not isinstance(listed, list):
        raise WrongInput("the agencies must be a list", where=where)
    found: dict[str, tuple[Key, ...]] = {}
    for each in listed:
        if not isinstance(each, dict) or set(each) != {"id", "keys"} or not isinstance(each["keys"], list):
            raise WrongInput("an agency must have an id and keys", where=where)
        if not isinstance(each["id"], str) or each["id"] in found:
            raise WrongInput("each agency must be listed only once", where=where)
        found[each["id"]] = tuple(_key(key, where) for key in each["keys"])
    return found


def _key(each: object, where: str) -> Key:
    if not isinstance(each, dict) or set(each) != {"key", "from", "until"}:
        raise WrongInput("an agency's key must have a first day, and may have an end", where=where)
    begins, ends = (clock.read_date(str(each[name])) for name in ("from", "until"))
    if begins is None or (ends is None and each["until"] is not None):
        raise WrongInput("a day of an agency's key is not a date", where=where)
    return Key(Verifier.parse(str(each["key"]), where=where), Span(begins, ends))


def write(
    folder: Path,
    *,
    log_vkey: str,
    policy: str,
    custodian: Signer,
    versions: Iterable[Version],
    agencies: Iterable[Agency],
) -> None:
    """Make the folder that a custodian hands to an agency; files that are there are replaced."""
    files.write(folder / "log.vkey", f"{log_vkey}\n".encode())
    files.write(folder / "witnesses.policy", policy.encode())
    files.write(folder / "custodian.vkey", f"{custodian.key_text}\n".encode())
    files.write(folder / "officers.json", statements.sign(roster_list(versions), custodian).encoded())
    files.write(folder / "agencies.json", statements.sign(agencies_list(agencies), custodian).encoded())


def roster_list(versions: Iterable[Version]) -> dict[str, Any]:
    """The body of `officers.json`."""
    return {"format": ROSTER_FORM, "versions": [one.document() for one in versions]}


def agencies_list(agencies: Iterable[Agency]) -> dict[str, Any]:
    """The body of `agencies.json`."""
    keyed = [
        {"id": one.id, "keys": [
            {"key": key.verifier.text, "from": key.span.begins and key.span.begins.isoformat(),
             "until": key.span.ends and key.span.ends.isoformat()} for key in one.keys]}
        for one in sorted(agencies, key=lambda one: one.id)
    ]  # fmt: skip
    return {"format": AGENCIES_FORM, "agencies": keyed}


def notices(folder: Path, custodian: Verifier) -> Iterator[Statement]:
    """The recall notices received, those of the custodian's key only. A file that is no notice stops the reading.

    A notice nobody can read must not be passed over: it might be the one that counts.
    """
    for path in sorted((folder / NOTICES).glob("*.json")):
        notice = statements.parse(path.read_bytes(), where=path.name)
        statements.verify(notice, [custodian], form=NOTICE_FORM, where=path.name)
        yield notice
