"""The stage that lets data out: what two people approved, sealed for each named officer, once, whatever crashes.

The steps of one job: seal an officer's package and record its digest (one step an officer), mark the cases released,
commit every package to the ledger, publish exactly those packages. Until its digest is recorded a package is nothing
and is thrown away; from then on no other is ever made. Nothing is published before the ledger has it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.casework.board import Blocked
from gatehouse.casework.records import Attempt
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action, Actor, State
from gatehouse.determine.docket import Docket
from gatehouse.kernel import clock, digests, files, ids
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.ledger.signers import read_signer
from gatehouse.pipeline import closing, halts, record, stamping
from gatehouse.pipeline.approve import Office, commit_decisions, docket_of, manifest_of, open_docket
from gatehouse.pipeline.sealing import STAGING, Sealing, eligible, permitted, still_permitted
from gatehouse.release import accounting, trust
from gatehouse.release.returns import ReleaseRecord
from gatehouse.store import jobs
from gatehouse.store.shelf import Shelf

KIND = "release"
_AFTER_SEALING = ("mark", "ledger", "publish")


@dataclass(frozen=True)
class Released:
    """What a release came to."""

    batch: str
    releases: tuple[ReleaseRecord, ...]
    cases: int
    left: Mapping[str, int]
    """Approved cases that were not released, by reason; they wait for a person."""


def release(
    connection: duckdb.DuckDBPyConnection, place: Office, name: str, now: dt.datetime, progress: Progress = silent
) -> Released:
    """Release everything of a docket that two people approved; finishes first what a crash interrupted.

    Raises AnswerIsNo when nothing is approved twice, when a case was decided otherwise meanwhile, or when a proof does
    not hold; then nothing has left, and the attempt is on record. MachineFailed: trying again is safe.
    """
    docket = docket_of(place.site, name)
    file = open_docket(connection, place, docket)
    halts.refuse(place.site, agency=file.agency, docket=docket.id)
    commit_decisions(place, docket.id)
    shelf = Shelf()
    begun = [batch for batch in jobs.unfinished(KIND) if batch.rpartition("-r")[0] == docket.id]
    left: Mapping[str, int] = {}
    if begun:
        _show(place, now)
        batch, plan = begun[0], jobs.plan(KIND, begun[0])
    else:
        batch, plan, left = _plan(connection, place, docket, now)
    work = _Work(connection, place, docket, batch, progress)
    jobs.begin(KIND, batch, len(plan["officers"]) + len(_AFTER_SEALING), plan)
    try:
        finished = jobs.run(KIND, batch, work)
    except Blocked as refusal:
        _abandon(place, docket, batch, refusal, now)
        raise
    except AnswerIsNo:
        place.casebook.block(Attempt(docket.id, "", str(Action.RELEASE), "proof", now))
        raise
    if not finished:
        raise AnswerIsNo("another process is releasing this docket", where=docket.id, remedy="Wait for it")
    cases = Selection.of_text(plan["cases"])
    return Released(batch, tuple(shelf.sealed(batch)), len(cases), left)


def _plan(
    connection: duckdb.DuckDBPyConnection, place: Office, docket: Docket, now: dt.datetime
) -> tuple[str, dict[str, Any], Mapping[str, int]]:
    """Fix, before anything is sealed, which cases go to which officers; nothing of it changes on a retry."""
    board = place.casebook.board(docket.id)
    approved = board.states[State.APPROVED_TWICE]
    if not approved:
        raise AnswerIsNo(
            "nothing is approved by two officers", where=docket.id, remedy="`gatehouse approve` comes first, twice"
        )
    _show(place, now)
    cases, left = permitted(connection, place.site, docket, approved, now.date())
    officers = eligible(connection, manifest_of(docket))
    if not cases or not officers:
        told = ", ".join(f"{count} {reason}" for reason, count in left.items())
        raise AnswerIsNo(f"none of the approved cases may be released: {told}", where=docket.id)
    plan = {
        "cases": cases.text(),
        "officers": [{"id": officer, "release": ids.fresh("rel")} for officer in officers],
        "released_at": clock.stamp(now),
    }
    return f"{docket.id}-r{jobs.count(KIND, f'{docket.id}-r')}", plan, left


def _show(place: Office, now: dt.datetime) -> None:
    """Publish the ledger as it stands, and stop where time-stamps have stayed away."""
    with record.open_log(place.site) as log:
        record.publish(place.site, log, now)
    stamping.refuse(place.site, now)


class _Work:
    """The steps of one release job."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, place: Office, docket: Docket, batch: str, progress: Progress
    ) -> None:
        self._connection = connection
        self._place = place
        self._docket = docket
        self._batch = batch
        self._progress = progress
        self._shelf = Shelf()
        self._sealing: Sealing | None = None

    def __call__(self, step: int, plan: Mapping[str, Any]) -> jobs.Effects:
        """Do one step's work; what it returns is written in the step's one transaction."""
        officers = plan["officers"]
        self._progress("release", step, len(officers) + len(_AFTER_SEALING))
        if step < len(officers):
            return self._seal(officers[step], plan)
        return {"mark": self._mark, "ledger": self._commit, "publish": self._publish}[
            _AFTER_SEALING[step - len(officers)]
        ](plan)

    def _seal(self, officer: Mapping[str, str], plan: Mapping[str, Any]) -> jobs.Effects:
        if self._sealing is None:
            self._sealing = Sealing.prepare(self._connection, self._place, self._docket, plan)
        sealed = self._sealing.seal(officer["id"], officer["release"])
        return lambda: self._shelf.add(self._batch, sealed)

    def _mark(self, plan: Mapping[str, Any]) -> jobs.Effects:
        cases = Selection.of_text(plan["cases"])
        halts.refuse(self._place.site, agency=self._place.casebook.file(self._docket.id).agency, docket=self._docket.id)
        # Sealing takes a while: an order entered meanwhile must stop what was sealed before it.
        still_permitted(self._connection, self._place.site, self._docket, cases, _instant(plan).date())

        def effects() -> None:
            with self._place.casebook.deciding(self._docket.id) as desk:
                desk.keep(desk.board.move(Action.RELEASE, cases, actor=Actor.SEALER, people=frozenset()))

        return effects

    def _commit(self, plan: Mapping[str, Any]) -> jobs.Effects:
        with record.open_log(self._place.site) as log:
            for one in self._shelf.sealed(self._batch):
                fields = {
                    "event": "release", "release": one.id, "docket": one.docket, "officer": one.officer,
                    "package": one.digest, "certificate": one.certificate, "cases": len(one.cases),
                    "released_at": plan["released_at"], "expires_on": one.expires_on.isoformat(),
                }  # fmt: skip
                record.event(log, self._docket.root / "events", f"{self._docket.id}/release-{one.id}", fields)
            record.publish(self._place.site, log, _instant(plan))
        return lambda: None

    def _publish(self, plan: Mapping[str, Any]) -> jobs.Effects:
        staging = self._docket.releases / STAGING
        for one in self._shelf.sealed(self._batch):
            if one.recalled_at is None:  # recalled before it was published, it never is; its record stays all the same
                _install(staging / f"{one.digest}.age", self._docket.releases / f"{one.id}.age", one.digest)
            certificate = self._docket.certificates / f"{one.id}.json"
            _install(staging / f"{one.certificate}.json", certificate, one.certificate)
            made = accounting.record(certificate.read_bytes(), one.digest, where=certificate.name)
            files.sweep(self._docket.root / accounting.FOLDER, f"{one.id}.json")
            files.write(self._docket.root / accounting.FOLDER / f"{one.id}.json", accounting.encode(made))
        files.sweep(self._docket.root, "answers.csv*")
        for orphan in staging.iterdir():
            orphan.unlink()
        write_trust(self._place)
        closing.answer(self._connection, self._place, self._docket, _instant(plan))
        return lambda: self._shelf.published(self._batch, _instant(plan))


def _instant(plan: Mapping[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(str(plan["released_at"]).replace("Z", "+00:00"))


def _install(staged: Path, target: Path, digest: str) -> None:
    """Move exactly the recorded bytes into place; done already, nothing happens."""
    if not staged.exists():
        if not target.exists() or digests.of_file(target) != digest:
            raise AnswerIsNo("a sealed package is missing or was altered", where=target.name, remedy="Recall it")
        return
    if digests.of_file(staged) != digest:
        raise AnswerIsNo("a sealed package was altered before it was published", where=target.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(target)
    files.sync_folder(target.parent)


def _abandon(place: Office, docket: Docket, batch: str, refusal: Blocked, now: dt.datetime) -> None:
    """Forget packages of a batch whose cases were decided otherwise before they were marked released."""
    Shelf().forget(batch)
    jobs.forget(KIND, batch)
    for orphan in (docket.releases / STAGING).glob("*"):
        orphan.unlink()
    place.casebook.block(Attempt(docket.id, "", str(Action.RELEASE), refusal.code, now))


def write_trust(place: Office) -> Path:
    """Write the site's `trust/` folder: what an agency needs to check this custodian, and nothing secret."""
    folder = place.site.root / "trust"
    files.sweep(folder)
    trust.write(
        folder,
        log_vkey=read_signer(place.site.log_key).key_text,
        policy=place.site.policy.read_text(encoding="utf-8"),
        custodian=read_signer(place.site.custodian_key),
        roster=place.roster,
    )
    return folder


def retry(name: str) -> None:
    """Let a release that was begun too often be begun again. Raises WrongInput when none is unfinished."""
    begun = [batch for batch in jobs.unfinished(KIND) if batch.rpartition("-r")[0] == name]
    if not begun:
        raise WrongInput("no release of this docket is unfinished", where=name)
    jobs.retry(KIND, begun[0])
