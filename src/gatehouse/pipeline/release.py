"""The stage that lets data out: what two people approved, sealed for each named officer, once, whatever crashes.

The steps of one job: commit to the ledger what each package will hold and have that witnessed, seal an officer's
package and record its digest (one step an officer), mark the cases released, commit the digests, publish exactly those
packages. Whatever is stopped before the cases are marked leaves nothing but its entries, and one that says that it was
not sealed. A release that a crash left behind is judged as of the day on which it goes on.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.casework.board import Blocked
from gatehouse.casework.records import Attempt
from gatehouse.casework.selection import Selection
from gatehouse.casework.states import Action, Actor, State
from gatehouse.intake import parties
from gatehouse.kernel import clock, digests, files, ids
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.pipeline import closing, halts, history, keys, packs, people, planning, record, stamping, withdrawal
from gatehouse.pipeline.approve import Office, commit_decisions, docket_of, manifest_of, open_docket
from gatehouse.pipeline.certifying import Certifying
from gatehouse.pipeline.dockets import Placed
from gatehouse.pipeline.parts import Part, asked
from gatehouse.pipeline.planning import STAGING, Share
from gatehouse.pipeline.sealing import Own, Sealer, refuse_changed
from gatehouse.release import accounting, trust
from gatehouse.release.returns import ReleaseRecord
from gatehouse.store import jobs
from gatehouse.store.shelf import Shelf

KIND = "release"
_AFTER_SEALING = ("mark", "ledger", "publish")
_STEPS = 1 + len(_AFTER_SEALING)
"""Steps of a job besides one an officer; the first commits the plan."""


@dataclass(frozen=True)
class Released:
    """What a release came to."""

    batch: str
    releases: tuple[ReleaseRecord, ...]
    cases: int
    left: Mapping[str, int]
    """Approved cases that were not released, by reason; they wait for a person."""


def unfinished() -> dict[str, str]:
    """The releases that were begun and not carried out to the end: the docket of each batch, oldest first."""
    return {batch: batch.rpartition("-r")[0] for batch in jobs.unfinished(KIND)}


def release(
    connection: duckdb.DuckDBPyConnection,
    place: Office,
    name: str,
    now: dt.datetime,
    progress: Progress = silent,
    *,
    only_begun: bool = False,
) -> Released:
    """Release everything of a docket that two people approved; finishes first what a crash interrupted.

    With `only_begun` nothing new is begun: for whatever works by itself, which never releases of its own accord.

    Raises AnswerIsNo when nothing is approved twice, when a case was decided otherwise meanwhile, or when a proof does
    not hold; then nothing has left, and the attempt is on record. MachineFailed: trying again is safe.
    """
    history.whole(place.site)
    docket = docket_of(place.site, name)
    if docket.is_drill:
        raise AnswerIsNo("this docket is a drill with known cases, and is never released", where=name)
    file = open_docket(connection, place, docket)
    halts.refuse(place.site, agency=file.agency, docket=docket.id)
    withdrawal.refuse(docket)
    commit_decisions(place, docket.id, now)
    left: Mapping[str, int] = {}
    begun = _begun(place, docket, now)
    if begun:
        _show(place, now)
        batch, plan = begun
    elif only_begun:
        raise AnswerIsNo("no release of this docket is unfinished", where=docket.id)
    else:
        batch, plan, left = _plan(connection, place, docket, now)
    jobs.begin(KIND, batch, len(plan["officers"]) + _STEPS, plan)
    try:
        with _sealer(connection, place, docket, now) as sealer:
            work = _Work(connection, place, docket, batch, sealer, now=now, progress=progress)
            finished = jobs.run(KIND, batch, work)
    except AnswerIsNo as refusal:
        _abandon(place, docket, batch, refusal.code if isinstance(refusal, Blocked) else "proof", now)
        raise
    if not finished:
        raise AnswerIsNo("another process is releasing this docket", where=docket.id, remedy="Wait for it")
    cases = Selection.of_text(plan["cases"])
    return Released(batch, tuple(Shelf().sealed(batch)), len(cases), left)


@contextlib.contextmanager
def _sealer(connection: duckdb.DuckDBPyConnection, place: Office, docket: Placed, now: dt.datetime) -> Iterator[Sealer]:
    """Whoever seals: a process of its own where the site has one, else this one."""
    socket = place.site.parts.of(Part.SEALER) if place.site.parts else None
    if socket is None:
        yield Own(connection, place.site, place.roster, now.date(), docket.releases / STAGING)
        return
    with asked.Sealer(socket) as sealer:
        yield sealer


def _begun(place: Office, docket: Placed, now: dt.datetime) -> tuple[str, Mapping[str, Any]] | None:
    """The release of this docket that a crash left, if it may go on.

    One whose cases are not marked yet is planned anew on another day, and where it was being withdrawn: nothing of it
    has left, and it would rest on the law, the reports and the people of a day that is over.
    """
    for batch in jobs.unfinished(KIND):
        if batch.rpartition("-r")[0] != docket.id:
            continue
        plan = jobs.plan(KIND, batch)
        marked = jobs.reached(KIND, batch) > 1 + len(plan["officers"])
        withdrawn = any(planning.is_withdrawn(docket.events, one["release"]) for one in plan["officers"])
        if not marked and (withdrawn or planning.instant(plan).date() != now.date()):
            _abandon(place, docket, batch, "another_day", now)
            continue
        return batch, plan
    return None


def _plan(
    connection: duckdb.DuckDBPyConnection, place: Office, docket: Placed, now: dt.datetime
) -> tuple[str, dict[str, Any], Mapping[str, int]]:
    """Fix, before anything is sealed, which cases go to which officers; nothing of it changes on a retry."""
    board = place.casebook.board(docket.id)
    approved = board.states[State.APPROVED_TWICE]
    if not approved:
        raise AnswerIsNo(
            "no case has approvals from two officers",
            where=docket.id,
            remedy="Two officers must run `gatehouse approve` first",
        )
    again = approved & planning.released_before(docket)
    if again:
        raise AnswerIsNo(
            f"{len(again)} of these cases were already released, according to the ledger", where=docket.id,
            remedy="The database is older than the ledger. Restore a newer one",
        )  # fmt: skip
    _show(place, now)
    with _sealer(connection, place, docket, now) as sealer:
        looked = sealer.look(docket, approved)
    if not looked.cases or not looked.officers:
        told = ", ".join(f"{count} {reason}" for reason, count in looked.left.items())
        raise AnswerIsNo(f"none of the approved cases may be released: {told}", where=docket.id)
    plan = {
        "cases": looked.cases.text(),
        "officers": [{"id": officer, "release": ids.fresh("rel")} for officer in looked.officers],
        "released_at": clock.stamp(now),
        "pack": packs.in_force(place.site, manifest_of(docket).basis).digest,
    }
    return f"{docket.id}-r{jobs.count(KIND, f'{docket.id}-r')}", plan, looked.left


def _show(place: Office, now: dt.datetime) -> None:
    """Publish the ledger as it stands, and stop where time-stamps have stayed away."""
    with record.open_log(place.site) as log:
        record.publish(place.site, log, now)
    stamping.refuse(place.site, now)


class _Work:
    """The steps of one release job."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        place: Office,
        docket: Placed,
        batch: str,
        sealer: Sealer,
        *,
        now: dt.datetime,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._place = place
        self._docket = docket
        self._batch = batch
        self._now = now
        self._progress = progress
        self._shelf = Shelf()
        self._sealer = sealer
        self._ready: tuple[Certifying, dict[str, Share]] | None = None

    def __call__(self, step: int, plan: Mapping[str, Any]) -> jobs.Effects:
        """Do one step's work; what it returns is written in the step's one transaction."""
        officers = plan["officers"]
        self._progress("release", step, len(officers) + _STEPS)
        if step == 0:
            return self._commit_plan(plan)
        if step <= len(officers):
            return self._seal(officers[step - 1], plan)
        return {"mark": self._mark, "ledger": self._commit, "publish": self._publish}[
            _AFTER_SEALING[step - len(officers) - 1]
        ](plan)

    def _prepared(self, plan: Mapping[str, Any]) -> tuple[Certifying, dict[str, Share]]:
        """What every certificate shares, and what each package will hold, by release."""
        if self._ready is None:
            shares = {share.release: share for share in self._sealer.prepare(self._docket, plan)}
            decisions = self._place.casebook.decisions(self._docket.id)
            site = self._place.site
            self._ready = Certifying.prepare(self._connection, site, self._docket, decisions, plan), shares
        return self._ready

    def _commit_plan(self, plan: Mapping[str, Any]) -> jobs.Effects:
        """Put into the ledger what every package will hold, and have it witnessed before one is sealed."""
        (certifying, shares), docket = self._prepared(plan), self._docket
        with record.open_log(self._place.site) as log:
            self._refuse_overtaken(plan)
            for share in shares.values():
                resting = planning.resting_on(certifying.decisions, share.cases, where=docket.id)
                planning.put_on_record(log, docket, share, planning.entry(docket, plan, share, resting))
            record.publish(self._place.site, log, self._now)
        self._ready = certifying.witnessed(), shares
        return lambda: None

    def _refuse_overtaken(self, plan: Mapping[str, Any]) -> None:
        """Raise AnswerIsNo where something entered since the plan was made forbids it; asked while nobody can enter."""
        site, docket = self._place.site, self._docket
        halts.refuse(site, agency=docket.received.agency, docket=docket.id)
        withdrawal.refuse(docket)
        if packs.in_force(site, manifest_of(docket).basis).digest != plan["pack"]:
            raise Blocked("changed", "the law changed while a release was planned", remedy="Run it again")

    def _seal(self, officer: Mapping[str, str], plan: Mapping[str, Any]) -> jobs.Effects:
        certifying, shares = self._prepared(plan)
        share, docket = shares[officer["release"]], self._docket
        done = self._sealer.seal(share.release, certifying.certificate(share))
        package, proof = digests.of_bytes(done.package), digests.of_bytes(done.certificate)
        files.write(docket.releases / STAGING / f"{proof}.json", done.certificate)
        files.write(docket.releases / STAGING / f"{package}.age", done.package)
        sealed = ReleaseRecord(
            share.release, docket.id, docket.received.agency, share.officer, package, proof, share.receipt_key,
            share.cases, share.matters, docket.received.pack, planning.instant(plan), share.expires_on,
        )  # fmt: skip
        return lambda: self._shelf.add(self._batch, sealed)

    def _mark(self, plan: Mapping[str, Any]) -> jobs.Effects:
        cases = Selection.of_text(plan["cases"])
        halts.refuse(self._place.site, agency=self._place.casebook.file(self._docket.id).agency, docket=self._docket.id)
        withdrawal.refuse(self._docket)
        # Sealing takes a while: an order entered meanwhile must stop what was sealed before it.
        refuse_changed(cases, self._sealer.look(self._docket, cases))

        def effects() -> None:
            with self._place.casebook.deciding(self._docket.id) as desk:
                desk.keep(desk.board.move(Action.RELEASE, cases, actor=Actor.SEALER, people=frozenset()))

        return effects

    def _commit(self, plan: Mapping[str, Any]) -> jobs.Effects:
        """Put the digest of each package into the ledger: sealed once, and exactly these bytes are published."""
        with record.open_log(self._place.site) as log:
            for one in self._shelf.sealed(self._batch):
                fields = {
                    "event": "sealed", "release": one.id, "docket": one.docket, "package": one.digest,
                    "certificate": one.certificate,
                }  # fmt: skip
                record.event(log, self._docket.events, f"{self._docket.id}/sealed-{one.id}", fields)
            record.publish(self._place.site, log, planning.instant(plan))
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
        closing.answer(self._connection, self._place, self._docket, planning.instant(plan))
        return lambda: self._shelf.published(self._batch, planning.instant(plan))


def _install(staged: Path, target: Path, digest: str) -> None:
    """Move exactly the recorded bytes into place; done already, nothing happens."""
    if not staged.exists():
        if not target.exists() or digests.of_file(target) != digest:
            raise AnswerIsNo(
                "a sealed package is missing or was altered", where=target.name, remedy="Recall the release"
            )
        return
    if digests.of_file(staged) != digest:
        raise AnswerIsNo("a sealed package was altered before it was published", where=target.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(target)
    files.sync_folder(target.parent)


def _abandon(place: Office, docket: Placed, batch: str, code: str, now: dt.datetime) -> None:
    """Withdraw a batch that was stopped before its cases were marked released; the ledger says that it was."""
    releases = [one["release"] for one in jobs.plan(KIND, batch)["officers"]]
    planning.withdraw(place, docket, releases, code, now)
    Shelf().forget(batch)
    for orphan in (docket.releases / STAGING).glob("*"):
        orphan.unlink()
    jobs.forget(KIND, batch)
    place.casebook.block(Attempt(docket.id, "", str(Action.RELEASE), code, now))


def write_trust(place: Office) -> Path:
    """Write the site's `trust/` folder: what an agency needs to check this custodian, and nothing secret."""
    folder = place.site.root / "trust"
    files.sweep(folder)
    trust.write(
        folder,
        log_vkey=(place.site.root / "log.vkey").read_text(encoding="utf-8").strip(),
        policy=place.site.policy.read_text(encoding="utf-8"),
        custodian=keys.custodian(place.site),
        versions=people.versions(place.site),
        agencies=parties.read(place.site.parties).agencies.values() if place.site.parties.is_file() else (),
    )
    return folder


def retry(name: str) -> None:
    """Let a release that was begun too often be begun again. Raises WrongInput when none is unfinished."""
    begun = [batch for batch in jobs.unfinished(KIND) if batch.rpartition("-r")[0] == name]
    if not begun:
        raise WrongInput("no release of this docket is unfinished", where=name)
    jobs.retry(KIND, begun[0])
