"""What the officer's side believes, and nothing else: a folder handed over once, outside the exchange.

`log.vkey` (the ledger's key), `witnesses.policy` (who cosigns and how many must), `custodian.vkey` (signs notices and
the roster), `officers.json` (who may approve, signed by the custodian's key), `notices/` (recall notices received).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gatehouse.casework import roster as rosters
from gatehouse.casework import statement as statements
from gatehouse.casework.roster import Roster
from gatehouse.casework.statement import Statement
from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import policy as policies
from gatehouse.ledger.policy import Policy
from gatehouse.ledger.signers import Signer, Verifier, read_verifier

ROSTER_FORM = "gatehouse-officers/1"
NOTICE_FORM = "gatehouse-recall-notice/1"
NOTICES = "notices"


@dataclass(frozen=True)
class Trust:
    """Keys and people that a certificate is checked against."""

    policy: Policy
    custodian: Verifier
    roster: Roster


def read(folder: Path) -> Trust:
    """Read a trust folder. Raises WrongInput when a file is missing, AnswerIsNo when the roster is forged."""
    custodian = read_verifier(folder / "custodian.vkey")
    path = folder / "officers.json"
    try:
        data = path.read_bytes()
    except OSError:
        raise WrongInput("the custodian's roster is missing", where=str(path), remedy="Ask the custodian") from None
    signed = statements.parse(data, where=path.name)
    statements.verify(signed, [custodian], form=ROSTER_FORM, where=path.name)
    roster = rosters.parse(signed.body.get("officers"), where=path.name)
    return Trust(policies.read(folder / "witnesses.policy"), custodian, roster)


def write(folder: Path, *, log_vkey: str, policy: str, custodian: Signer, roster: Roster) -> None:
    """Make the folder that a custodian hands to an agency; files that are there are replaced."""
    body = {"format": ROSTER_FORM, "officers": roster.document()}
    files.write(folder / "log.vkey", f"{log_vkey}\n".encode())
    files.write(folder / "witnesses.policy", policy.encode())
    files.write(folder / "custodian.vkey", f"{custodian.key_text}\n".encode())
    files.write(folder / "officers.json", statements.sign(body, custodian).encoded())


def notices(folder: Path, custodian: Verifier) -> Iterator[Statement]:
    """The recall notices received, those of the custodian's key only. A file that is no notice stops the reading.

    A notice nobody can read must not be passed over: it might be the one that counts.
    """
    for path in sorted((folder / NOTICES).glob("*.json")):
        notice = statements.parse(path.read_bytes(), where=path.name)
        statements.verify(notice, [custodian], form=NOTICE_FORM, where=path.name)
        yield notice
