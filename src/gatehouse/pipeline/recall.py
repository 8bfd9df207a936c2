"""The stage that takes back: from a corrected rule or named requests to signed notices, within minutes.

Which cases: those named, those that the pack now in force would stop on the date they were decided, or those of them
that one rule stops. The officer's signed decision moves them, then every release that holds one is recalled whole. The
notices and the incident report hold no taxpayer data; the list of persons stays in the docket, readable by its owner.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.casework.approval import Proposal
from gatehouse.casework.selection import Selection
from gatehouse.casework.statement import Statement
from gatehouse.casework.states import Action, State
from gatehouse.determine.docket import Docket
from gatehouse.intake.workspace import quoted, write_parquet
from gatehouse.kernel import files, ids
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law.evaluate import evaluate
from gatehouse.law.pack import load
from gatehouse.ledger.signers import Signer, read_signer
from gatehouse.pipeline import record
from gatehouse.pipeline.approve import Office, decide, docket_of, manifest_of, request_ids
from gatehouse.release import recall as recalls
from gatehouse.release.recall import Cause
from gatehouse.release.returns import ReleaseRecord
from gatehouse.release.trust import NOTICES
from gatehouse.store.shelf import Shelf

_IN = "seq < length($cases) AND get_bit($cases::BIT, seq::INTEGER) = 1"


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
    cleared from being held may be held again.
    """
    docket = docket_of(place.site, name)
    released = place.casebook.board(name).states[State.RELEASED]
    if not released:
        return released
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE recall_asked AS SELECT * FROM read_parquet($file) WHERE {_IN}",
        {"file": str(docket.table("facts")), "cases": released.bitstring(1)},
    )
    pack = load(place.site.pack_for(manifest_of(docket).basis))
    if rule is not None and rule not in pack.by_id:
        raise WrongInput(f"the pack in force has no rule {rule}", remedy="`gatehouse law explain` lists them")
    connection.read_parquet(str(docket.table("determinations"))).create_view("recall_before", replace=True)
    [(decided_on,)] = connection.sql("SELECT any_value(as_of) FROM recall_before").fetchall()
    evaluate(connection, pack, "recall_asked", "recall_decided", as_of or decided_on)
    condition = (
        "list_contains(recall_decided.fired, $rule)"
        if rule
        else "recall_decided.outcome <> 'cleared' AND (recall_decided.outcome <> 'held' OR before.outcome <> 'held')"
    )
    rows = connection.execute(
        f"SELECT seq FROM recall_decided JOIN recall_before before USING (seq) WHERE {condition}",
        {"rule": rule} if rule else None,
    ).fetchall()
    return Selection.of(row[0] for row in rows)


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
    """Recall released cases of one docket: decision, notices, incident report, persons to be told, ledger.

    One officer suffices: taking back needs no second person. Raises Blocked as any decision does, AnswerIsNo when
    nothing released is concerned.
    """
    docket = docket_of(place.site, name)
    if not cases:
        raise AnswerIsNo("no released case is concerned", where=name)
    shelf = Shelf()
    decide(place, officer, Proposal(name, Action.RECALL, cases, cause.reason), signer=signer, now=now)
    affected = recalls.affected(shelf.releases(name), cases)
    custodian = read_signer(place.site.custodian_key)
    identifier = ids.fresh("recall")
    notices = tuple(
        recalls.notice(
            identifier,
            release,
            request_ids(connection, place.site, name, held),
            cause=cause,
            custodian=custodian,
            now=now,
        )
        for release, held in affected
    )
    releases = [release for release, _ in affected]
    occurred = (min(one.sealed_at for one in releases), max(one.sealed_at for one in releases))
    report = recalls.incident(identifier, notices, cause=cause, occurred=occurred, custodian=custodian, now=now)
    folder = docket.root / "recalls" / identifier
    persons = _write(connection, docket, folder, cases, releases, notices=notices, report=report)
    _commit(place, docket, identifier, cases, notices=notices, report=report, now=now)
    shelf.recalled([one.id for one in releases], now)
    _hand_over(place, notices)
    return Recalled(identifier, name, len(cases), persons, notices, report, folder)


def _write(
    connection: duckdb.DuckDBPyConnection,
    docket: Docket,
    folder: Path,
    cases: Selection,
    releases: Sequence[ReleaseRecord],
    *,
    notices: Sequence[Statement],
    report: Statement,
) -> int:
    """Write notices, the incident report and, for the custodian's eyes, whom 26 USC 7431(e) may concern."""
    folder.mkdir(parents=True, exist_ok=True)
    for notice in notices:
        files.write(folder / f"{notice.body['release']}.json", notice.encoded())
    files.write(folder / "incident.json", report.encoded())
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE recall_persons AS SELECT decided.seq, decided.request_id, evidence.person_id "
        f"FROM read_parquet({quoted(docket.table('determinations'))}) decided "
        f"JOIN read_parquet({quoted(docket.table('evidence'))}) evidence USING (seq) "
        f"WHERE evidence.agrees AND {_IN}",
        {"cases": cases.bitstring(1)},
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE recall_releases (release VARCHAR, officer VARCHAR, bits VARCHAR)")
    connection.executemany(
        "INSERT INTO recall_releases VALUES (?, ?, ?)",
        [[one.id, one.officer, one.cases.bitstring(1)] for one in releases],
    )
    path = folder / "persons.parquet"
    write_parquet(
        connection,
        "SELECT person_id, request_id, release, officer FROM recall_persons JOIN recall_releases "
        "ON seq < length(bits) AND get_bit(bits::BIT, seq::INTEGER) = 1 ORDER BY person_id, release",
        path,
    )
    path.chmod(0o600)
    [(persons,)] = connection.sql("SELECT count(DISTINCT person_id) FROM recall_persons").fetchall()
    return int(persons)


def _commit(
    place: Office,
    docket: Docket,
    identifier: str,
    cases: Selection,
    *,
    notices: Sequence[Statement],
    report: Statement,
    now: dt.datetime,
) -> None:
    fields = {
        "event": "recall", "recall": identifier, "docket": docket.id, "cases": len(cases),
        "selection": cases.digest(), "notices": [notice.digest for notice in notices], "incident": report.digest,
    }  # fmt: skip
    with record.open_log(place.site) as log:
        record.event(log, docket.root / "events", f"{docket.id}/{identifier}", fields)
        record.publish(place.site, log, now)


def _hand_over(place: Office, notices: Sequence[Statement]) -> None:
    """Lay the notices into the trust folder that agencies fetch."""
    for notice in notices:
        files.write(place.site.root / "trust" / NOTICES / f"{notice.body['release']}.json", notice.encoded())
