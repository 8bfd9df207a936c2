"""Who may decide at a site: the roster as the ledger has it, and whoever was never endorsed left out.

The configuration only states who is wanted. What counts follows from every version that was entered, in order.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from gatehouse.casework import endorsement
from gatehouse.casework import roster as rosters
from gatehouse.casework.endorsement import Version
from gatehouse.casework.roster import Roster
from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger.signers import Signer
from gatehouse.pipeline import history, losses, record
from gatehouse.pipeline.site import Site


def roster(site: Site) -> Roster:
    """The roster that counts now. Raises CustodianFault where the configuration cannot be read, AnswerIsNo where a
    version on record cannot be opened.
    """
    return endorsement.admitted(versions(site), site=site.name)


def versions(site: Site) -> list[Version]:
    """Every version of the roster on record, and the one that is stated now where it differs from the last."""
    known = [
        Version(
            rosters.parse(one.fields["officers"], where=one.name),
            endorsement.of_documents(one.fields["endorsements"]),
        )
        for one in history.whole(site, {"roster"}).events
    ]
    now = Version(site.configuration.roster, endorsement.read(site.root / endorsement.FOLDER))
    same = known and known[-1].stated == now.stated and known[-1].endorsements == now.endorsements
    return known if same else [*known, now]


def endorse(site: Site, officer: str, endorser: str, signer: Signer) -> Path:
    """Let an officer endorse another as the configuration states them; gives the file of the endorsement.

    Raises WrongInput where either is not stated, the key is not the endorser's, or the entry was taken back before.
    """
    stated, counted = site.configuration.roster.get(officer), roster(site).get(endorser)
    if stated is None:
        where = site.configuration.path.name
        raise WrongInput(f"the entry of officer {officer} is missing", where=where, remedy="Add the entry first")
    if counted is None:
        raise WrongInput(f"officer {endorser} is not in effect on the roster", remedy="Another officer must endorse")
    if endorsement.is_spent(stated, versions(site), site=site.name):
        raise WrongInput(
            f"this entry of officer {officer} was taken back before, and does not count again as it was",
            where=site.configuration.path.name,
            remedy="Give the entry a later `from`, and have that endorsed",
        )
    signed = endorsement.endorse(stated, counted, signer, site=site.name)
    path = site.root / endorsement.FOLDER / f"{officer}-by-{endorser}.json"
    files.write(path, signed.encoded())
    return path


def acknowledge(site: Site, officer: str, signer: Signer, lost: range, *, reason: str, now: dt.datetime) -> bool:
    """Take in one officer's acknowledgment of a loss; True once two different people have given it and it is on record.

    Raises WrongInput where the key is not the officer's, or these entries are not lost.
    """
    known = history.read(site)
    if not any(lost.start <= one.entries.start and one.entries.stop <= lost.stop for one in known.faults):
        raise WrongInput("no entries are lost there", remedy="List the lost entries with `gatehouse check`")
    counted = roster(site)
    signed = losses.acknowledge(counted, officer, signer, lost, reason, site=site.name)
    folder = site.root / losses.FOLDER
    files.write(folder / losses.name(lost, officer), signed.encoded())
    given = losses.read(folder, lost)
    if not losses.agree(counted, given, lost, site=site.name):
        return False
    with record.open_log(site) as log:
        record.event(log, site.events, f"site/loss-{lost.start}-{len(lost)}", losses.fields(given))
        record.publish(site, log, now)
    return True
