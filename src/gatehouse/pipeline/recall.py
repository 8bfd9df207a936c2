"""The stage that takes back: from a corrected rule or named requests to signed notices, within minutes.

Which cases: those named, those that the pack now in force would stop on the date they were decided, or those of them
that one rule stops. The officer's signed decision moves them, then every release that holds one is recalled whole. The
notices and the incident report hold no taxpayer data; the list of persons stays in the docket, readable by its owner.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.casework import approval
from gatehouse.casework import statement as statements
from gatehouse.casework.approval import Proposal
from gatehouse.casework.board import Blocked
from gatehouse.casework.records import Attempt
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, State
from gatehouse.determine.docket import Docket
from gatehouse.intake.workspace import quoted, write_parquet
from gatehouse.kernel import clock, digests, files, ids
from gatehouse.kernel.errors import AnswerIsNo, BeingFinished, MachineFailed, WrongInput, following
from gatehouse.law.reading import load
from gatehouse.ledger.signers import Signer
from gatehouse.pipeline import keys, lawful, packs, record, subject
from gatehouse.pipeline.approve import Office, commit_decisions, docket_of, manifest_of, request_ids, take
from gatehouse.release import recall as recalls
from gatehouse.release.recall import Cause
from gatehouse.release.returns import ReleaseRecord
from gatehouse.release.trust import NOTICES
from gatehouse.store import jobs
from gatehouse.store.shelf import Shelf

KIND = "recall"


@dataclass(frozen=True)
class Recalled:
    """What a recall came to, for one docket."""

    id: str
    docket: str
    cases: int
    persons: int
    notices: tuple[Statement, ...]
    incident: Statement
    folder: Path


@dataclass(frozen=True)
class Concerned:
    """What a recall would take back of one docket."""

    docket: str
    cases: Selection
    releases: tuple[tuple[ReleaseRecord, Selection], ...]
    """Each release with the cases of it that are meant."""
    persons: int


def stopped(
    connection: duckdb.DuckDBPyConnection,
    place: Office,
    name: str,
    *,
    rule: str | None = None,
    as_of: dt.date | None = None,
) -> Selection:
    """Released cases of a docket that the pack now in force stops; only those of one rule, if it is given.

    The law is asked as of the date they were decided (a mistake is corrected) or as of another day (an order has come
    into force, and open releases are checked again). What the machine cleared must be cleared again; what a person
    cleared from being held may be held again by the same rules.
    """
    docket = docket_of(place.site, name)
    released = place.casebook.board(name).states[State.RELEASED]
    if not released:
        return released
    pack = packs.in_force(place.site, manifest_of(docket).basis)
    if rule is not None and rule not in pack.by_id:
        raise WrongInput(f"the pack in force has no rule {rule}", remedy="List the rules with `gatehouse law explain`")
    passing = lawful.then(connection, docket, released, pack, as_of)
    if rule is None:
        return released - passing.cases
    rows = connection.execute(
        "SELECT seq FROM lawful_decided WHERE list_contains(fired, $rule)", {"rule": rule}
    ).fetchall()
    return Selection.of(row[0] for row in rows)


def concerned(connection: duckdb.DuckDBPyConnection, place: Office, name: str, cases: Selection) -> Concerned:
    """Which releases of a docket hold any of these cases, and whom they are about; nothing is changed.

    Leaves the table `recall_list`: `person_id`, `request_id`, `release`, `officer`.
    """
    docket = docket_of(place.site, name)
    found = recalls.affected(Shelf().releases(docket.id), cases)
    _list_persons(connection, docket, cases, [release for release, _ in found])
    return Concerned(docket.id, cases, tuple(found), _count_persons(connection, "recall_list"))


def write_private(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write a table of persons that only its owner may read."""
    write_parquet(connection, query, path)
    path.chmod(0o600)


def recall(
    connection: duckdb.DuckDBPyConnection,
    place: Office,
    name: str,
    cases: Selection,
    *,
    cause: Cause,
    officer: str,
    signer: Signer,
    now: dt.datetime,
) -> Recalled:
    """Sign the decision to recall released cases of one docket, and carry it out. Raises as `carry_out` does."""
    if not cases:
        raise AnswerIsNo("no released case is affected", where=name)
    proposal = Proposal(name, Action.RECALL, cases, cause.reason)
    about = subject.of(docket_of(place.site, name), cases)
    signed = approval.propose(place.casebook, place.roster, proposal, about, officer=officer, signer=signer, now=now)
    return carry_out(connection, place, signed, cases, cause=cause, now=now)


def carry_out(
    connection: duckdb.DuckDBPyConnection,
    place: Office,
    signed: Statement,
    cases: Selection,
    *,
    cause: Cause,
    now: dt.datetime,
) -> Recalled:
    """Recall released cases by a signed decision: decision, notices, incident report, persons to be told, ledger.

    One officer suffices: taking back needs no second person. Raises Blocked as any decision does, AnswerIsNo when
    nothing released is concerned, WrongInput for a statement of another kind. Raises BeingFinished when the decision
    stands and the rest could not be done now: `finish`, which whatever works by itself calls, ends it.
    """
    docket = docket_of(place.site, signed.text("docket"))
    if signed.text("action") != Action.RECALL:
        raise WrongInput("this statement is not a recall", where=docket.id, remedy="Sign the recall that was shown")
    if not cases:
        raise AnswerIsNo("no released case is affected", where=docket.id)
    plan = {
        "docket": docket.id, "cases": cases.text(), "cause": cause.document(), "statement": signed.document(),
        "at": clock.stamp(now),
    }  # fmt: skip
    identifier = ids.fresh("recall")
    jobs.begin(KIND, identifier, len(_Work.steps), plan)
    try:
        return _run(connection, place, identifier, plan)
    except MachineFailed:
        if not jobs.step(KIND, identifier):
            raise
        with following(f"the cases are recalled ({len(cases)}), and their notices are being made", where=docket.id):
            raise


def _run(connection: duckdb.DuckDBPyConnection, place: Office, identifier: str, plan: Mapping[str, Any]) -> Recalled:
    work = _Work(connection, place, identifier, plan)
    try:
        if not jobs.run(KIND, identifier, work):
            raise BeingFinished("another process is carrying out this recall", where=str(plan["docket"]))
    except Blocked as refusal:
        jobs.forget(KIND, identifier)
        officer = statements.of_document(plan["statement"]).text("officer")
        place.casebook.block(Attempt(str(plan["docket"]), officer, str(Action.RECALL), refusal.code, _instant(plan)))
        raise
    return work.result()


def unfinished() -> tuple[str, ...]:
    """The recalls that were begun and not carried out to the end, oldest first."""
    return jobs.unfinished(KIND)


def finish(connection: duckdb.DuckDBPyConnection, place: Office, identifier: str) -> Recalled | None:
    """Carry one begun recall to its end; None where another process is at it. Raises as `carry_out` does."""
    try:
        return _run(connection, place, identifier, jobs.plan(KIND, identifier))
    except BeingFinished:
        return None


def resume(connection: duckdb.DuckDBPyConnection, place: Office) -> list[Recalled]:
    """Finish every recall that a crash interrupted; one that another process is at is left to it."""
    done = [finish(connection, place, identifier) for identifier in unfinished()]
    return [one for one in done if one is not None]


class _Work:
    """The steps of one recall; each makes the same bytes when it is done again, for signatures are deterministic."""

    steps = ("decide", "write", "commit", "hand_over")

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, place: Office, identifier: str, plan: Mapping[str, Any]
    ) -> None:
        self._connection = connection
        self._place = place
        self._id = identifier
        self._docket = docket_of(place.site, str(plan["docket"]))
        self._cases = Selection.of_text(str(plan["cases"]))
        self._cause = Cause(**plan["cause"])
        self._statement = statements.of_document(plan["statement"])
        self._now = _instant(plan)
        self._folder = self._docket.root / "recalls" / identifier

    def __call__(self, step: int, _: Mapping[str, Any]) -> jobs.Effects:
        """Do one step's work; what it returns is written in the step's one transaction."""
        effects: jobs.Effects = getattr(self, f"_{self.steps[step]}")()
        return effects

    def result(self) -> Recalled:
        """What the recall came to, once its files are written."""
        persons = _count_persons(self._connection, f"read_parquet({quoted(self._folder / 'persons.parquet')})")
        notices, report = self._statements()
        return Recalled(self._id, self._docket.id, len(self._cases), persons, notices, report, self._folder)

    def _decide(self) -> jobs.Effects:
        def effects() -> None:
            take(self._place, self._statement, self._cases, self._now)

        return effects

    def _affected(self) -> list[tuple[ReleaseRecord, Selection]]:
        return recalls.affected(Shelf().releases(self._docket.id), self._cases)

    def _statements(self) -> tuple[tuple[Statement, ...], Statement]:
        custodian = keys.custodian(self._place.site)
        affected = self._affected()
        notices = tuple(
            recalls.notice(
                self._id,
                release,
                request_ids(self._connection, self._place.site, self._docket.id, held),
                cause=self._cause,
                custodian=custodian,
                now=self._now,
            )
            for release, held in affected
        )
        sealed = [release.sealed_at for release, _ in affected]
        occurred = (min(sealed), max(sealed))
        wording = load(self._docket.pack).wording
        report = recalls.incident(
            self._id, notices, cause=self._cause, occurred=occurred, custodian=custodian, now=self._now, wording=wording
        )
        return notices, report

    def _write(self) -> jobs.Effects:
        notices, report = self._statements()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.sweep(self._folder)
        for notice in notices:
            files.write(self._folder / f"{notice.body['release']}.json", notice.encoded())
        files.write(self._folder / "incident.json", report.encoded())
        releases = [release for release, _ in self._affected()]
        _list_persons(self._connection, self._docket, self._cases, releases)
        write_private(self._connection, "SELECT * FROM recall_list", self._folder / "persons.parquet")
        return lambda: Shelf().recalled([release.id for release in releases], self._now)

    def _commit(self) -> jobs.Effects:
        commit_decisions(self._place, self._docket.id, self._now)
        notices, report = self._statements()
        fields = {
            "event": "recall", "recall": self._id, "docket": self._docket.id, "cases": len(self._cases),
            "selection": self._cases.digest(), "notices": [notice.digest for notice in notices],
            "incident": report.digest, "persons": digests.of_file(self._folder / "persons.parquet"),
        }  # fmt: skip
        with record.open_log(self._place.site) as log:
            record.event(log, self._docket.root / "events", f"{self._docket.id}/{self._id}", fields)
            record.publish(self._place.site, log, self._now)
        return lambda: None

    def _hand_over(self) -> jobs.Effects:
        """Lay the notices into the trust folder that agencies fetch, beside those of earlier recalls of a package."""
        folder = self._place.site.root / "trust" / NOTICES
        files.sweep(folder)
        for notice in self._statements()[0]:
            first = folder / f"{notice.body['release']}.json"
            taken = first.exists() and first.read_bytes() != notice.encoded()
            files.write(first.with_name(f"{first.stem}.{self._id}.json") if taken else first, notice.encoded())
        return lambda: None


def _instant(plan: Mapping[str, Any]) -> dt.datetime:
    return clock.read_instant(str(plan["at"]))


def _list_persons(
    connection: duckdb.DuckDBPyConnection, docket: Docket, cases: Selection, releases: Sequence[ReleaseRecord]
) -> None:
    """Make `recall_list` (`person_id`, `request_id`, `release`, `officer`): whom 26 USC 7431(e) may concern."""
    connection.execute("CREATE OR REPLACE TEMP TABLE recall_releases (release VARCHAR, officer VARCHAR, seq BIGINT)")
    for one in releases:
        connection.execute(
            "INSERT INTO recall_releases SELECT $release, $officer, unnest($cases::BIGINT[])",
            {"release": one.id, "officer": one.officer, "cases": list(one.cases & cases)},
        )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE recall_list AS "
        "SELECT evidence.person_id, decided.request_id, release, officer FROM recall_releases "
        f"JOIN read_parquet({quoted(docket.table('determinations'))}) decided USING (seq) "
        f"JOIN read_parquet({quoted(docket.table('evidence'))}) evidence USING (seq) "
        "WHERE evidence.agrees ORDER BY person_id, release, request_id"
    )


def _count_persons(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    [(persons,)] = connection.sql(f"SELECT count(DISTINCT person_id) FROM {table}").fetchall()
    return int(persons)
