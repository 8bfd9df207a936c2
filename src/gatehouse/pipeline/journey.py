"""One submission at a site, as far as a machine may carry it: received, determined, committed, laid before people.

Each stage is finished before the next begins, and running again takes up where a crash left it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.determine.probing import Earlier
from gatehouse.intake import manifest as manifests
from gatehouse.intake import parties as parties_file
from gatehouse.intake import reader
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import digests
from gatehouse.kernel.errors import WrongInput, own
from gatehouse.kernel.progress import Progress
from gatehouse.pipeline import approve, closing, commit, dockets, halts, history, keys, packs, record, withdrawal
from gatehouse.pipeline.determine import Law, Records, Standing, Taken, determine
from gatehouse.pipeline.site import Site
from gatehouse.release.returns import overdue
from gatehouse.store.shelf import Shelf


def run(
    site: Site,
    submission: Path,
    *,
    now: dt.datetime,
    mapping: Path | None = None,
    receiver: str = "",
    progress: Progress,
) -> Docket:
    """Carry a submission up to the approvals; returns its docket.

    `receiver` is who hands it in and may therefore not approve it. The law is that of the day, and it must verify:
    signed by both offices, proved, on record. Raises WrongInput when the submission is refused whole, its id was used
    for another one, its docket was destroyed or no law is known here for its basis; CustodianFault when a file of the
    site is wrong, AnswerIsNo when the law does not verify, MachineFailed: then nothing is decided about the submission,
    and it can be run again.
    """
    with own():
        history.whole(site)
        office = approve.office(site)
    manifest, digest = _identify(site, submission)
    with open_workspace(temporary=site.spill) as connection:
        docket = _determined(
            connection, site, submission, manifest, receiver=receiver, now=now, mapping=mapping, progress=progress
        )
        if docket.read_summary()["submission_digest"] != digest:
            raise WrongInput(
                f"the id {manifest.id} is already in use by a different submission",
                where=manifests.NAME,
                remedy="Give this submission a unique id and sign it again",
            )
        if docket.is_destroyed:
            raise WrongInput(
                "this submission was already answered, and its docket was destroyed",
                where=docket.id,
                remedy="Send a new submission with a unique id",
            )
        with own():
            progress("ledger", 0, 1)
            commit.commit_docket(connection, site, docket, now)
            progress("ledger", 1, 1)
            docket = dockets.find(site, docket.id)
            if withdrawal.waits(manifest.agency, manifest.id):  # on record before anybody can decide a case
                withdrawal.enter(site, manifest.agency, manifest.id, now)
            approve.open_docket(connection, office, docket)
            closing.answer(connection, office, docket, now)
    return docket


def _determined(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    submission: Path,
    manifest: manifests.Manifest,
    *,
    receiver: str,
    now: dt.datetime,
    mapping: Path | None,
    progress: Progress,
) -> Docket:
    """The docket of the agency's id: the one there is, else determined now, at a place that nobody took meanwhile."""
    while True:
        with own():
            docket = Docket(dockets.place(site.dockets, manifest.agency, manifest.id))
            if docket.root.exists():
                return docket
            record.refuse_closed_year(site)
        law, standing = _law(site, manifest, now), _standing(site, docket, manifest.agency, receiver, now)
        try:
            made, _ = determine(
                connection, submission, docket.root, law=law,
                records=Records(site.register, site.index, engine=site.engine), standing=standing, now=now,
                mapping=mapping, progress=progress,
            )  # fmt: skip
        except Taken:  # by another agency's submission of the same id, or by this one handed in twice
            continue
        return made


def _identify(site: Site, submission: Path) -> tuple[manifests.Manifest, str]:
    described = reader.describe(submission, place=site.spill)
    return described.manifest, digests.of_bytes(described.original)


def _law(site: Site, manifest: manifests.Manifest, now: dt.datetime) -> Law:
    """The law of the day for a submission, its adoption on record."""
    if not packs.knows(site, manifest.basis):
        raise WrongInput(
            f"the custodian does not decide requests under the basis {manifest.basis}",
            where=manifests.NAME,
            remedy="Name the basis that your agreement rests on",
        )
    with own():
        pack = packs.in_force(site, manifest.basis)
    return Law(pack, pack.folder, now.date())


@own()
def _standing(site: Site, docket: Docket, agency: str, receiver: str, now: dt.datetime) -> Standing:
    return Standing(
        parties=parties_file.read(site.parties) if site.parties.is_file() else None,
        signer=keys.custodian(site),
        halted=halts.is_halted(site, agency=agency, docket=docket.id),
        reports_overdue=overdue(Shelf(), agency, now),
        history=tuple(_earlier(site, agency)),
        receiver=receiver or None,
    )


def _earlier(site: Site, agency: str) -> Iterator[Earlier]:
    """The agency's earlier dockets, so that ceilings count across submissions."""
    for name in sorted(dockets.own(site.dockets, agency).values()):
        docket = Docket(site.dockets / name)
        if not docket.is_destroyed:
            yield Earlier(dockets.find(site, name), docket.as_of)
