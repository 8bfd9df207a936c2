"""One submission at a site, as far as a machine may carry it: received, determined, committed, laid before people.

Each stage is finished before the next begins, and running again takes up where a crash left it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

from gatehouse.determine.docket import Docket
from gatehouse.determine.probing import Earlier
from gatehouse.intake import manifest as manifests
from gatehouse.intake import parcel
from gatehouse.intake import parties as parties_file
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import digests
from gatehouse.kernel.errors import WrongInput, own
from gatehouse.kernel.progress import Progress
from gatehouse.ledger.signers import read_signer
from gatehouse.pipeline import approve, closing, commit, halts, packs, record
from gatehouse.pipeline.determine import Law, Records, Standing, determine
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
        office = approve.office(site)
    manifest, digest = _identify(submission)
    docket = Docket(site.dockets / manifest.id)
    with open_workspace(temporary=site.root / "spill") as connection:
        if not docket.root.exists():
            law, standing = _law(site, manifest, now), _standing(site, manifest, receiver, now)
            docket, _ = determine(
                connection,
                submission,
                docket.root,
                law=law,
                records=Records(site.register, site.index, engine=site.engine),
                standing=standing,
                now=now,
                mapping=mapping,
                progress=progress,
            )
        elif docket.read_summary()["submission_digest"] != digest:
            raise WrongInput(
                f"the id {manifest.id} was used for another submission",
                where=manifests.NAME,
                remedy="Give this one an id of its own and sign again",
            )
        if docket.is_destroyed:
            raise WrongInput(
                "this submission was answered before, and its docket destroyed",
                where=docket.id,
                remedy="Hand in a new submission under an id of its own",
            )
        with own():
            progress("ledger", 0, 1)
            commit.commit_docket(connection, site, docket, now)
            progress("ledger", 1, 1)
            approve.open_docket(connection, office, docket)
            closing.answer(connection, office, docket, now)
    return docket


def _identify(submission: Path) -> tuple[manifests.Manifest, str]:
    with parcel.opened(submission) as folder:
        data = parcel.member(folder, manifests.NAME).read_bytes()
    return manifests.parse(data), digests.of_bytes(data)


def _law(site: Site, manifest: manifests.Manifest, now: dt.datetime) -> Law:
    """The law of the day for a submission, its adoption on record."""
    if not packs.knows(site, manifest.basis):
        raise WrongInput(
            f"the custodian decides nothing under the basis {manifest.basis}",
            where=manifests.NAME,
            remedy="Name the basis that your agreement rests on",
        )
    with own():
        pack = packs.in_force(site, manifest.basis)
        with record.open_log(site) as log:
            packs.on_record(site, log)
    return Law(pack, pack.folder, now.date())


@own()
def _standing(site: Site, manifest: manifests.Manifest, receiver: str, now: dt.datetime) -> Standing:
    return Standing(
        parties=parties_file.read(site.parties) if site.parties.is_file() else None,
        signer=read_signer(site.custodian_key),
        halted=halts.is_halted(site, agency=manifest.agency, docket=manifest.id),
        reports_overdue=overdue(Shelf(), manifest.agency, now),
        history=tuple(_earlier(site, manifest.agency)),
        receiver=receiver or None,
    )


def _earlier(site: Site, agency: str) -> Iterator[Earlier]:
    """The agency's earlier dockets, so that ceilings count across submissions."""
    for path in sorted(site.dockets.glob("*/summary.json")):
        summary = json.loads(path.read_bytes())
        if summary["agency"] == agency and not Docket(path.parent).is_destroyed:
            yield Earlier(Docket(path.parent), dt.date.fromisoformat(summary["as_of"]))
