"""Finishing what somebody signed or began: whatever stopped on the way is ended without anybody pressing again.

A recall whose notices a busy ledger held up, a release whose machine was restarted, a decision, halt, order or pack
whose entry is still missing: each is taken up where it stands, and nothing is begun that nobody asked for. Whatever
cannot be ended now is left for the next time, and does not hold up the rest.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from functools import partial

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import GatehouseError
from gatehouse.pipeline import destruction, halts, orders, packs, recall, record, release, returns, withdrawal
from gatehouse.pipeline.approve import Office, commit_decisions
from gatehouse.store import jobs

_log = logging.getLogger(__name__)


def finish(place: Office, now: dt.datetime) -> int:
    """End what is unfinished at a site and can be ended now; gives how many pieces that were."""
    done = 0
    with open_workspace(memory="1GB", threads=2) as connection:
        for title, piece in _pieces(connection, place, now):
            try:
                # another process is at it, or was a moment ago; or there is no docket yet to withdraw
                busy = piece() is None and title in {"recall", "withdrawal"}
                done += not busy
            except (GatehouseError, duckdb.Error, OSError) as failed:
                _log.warning("not finished yet: %s", title, exc_info=failed)  # the formatter leaves its text out
    return done


Piece = tuple[str, Callable[[], object]]


def _pieces(connection: duckdb.DuckDBPyConnection, place: Office, now: dt.datetime) -> Iterator[Piece]:
    yield from _of_jobs(connection, place, now)
    for name in place.casebook.known():
        yield from _of_docket(connection, place, Docket(place.site.dockets / name), now)
    if record.unentered(place.site):
        yield "overseers' statements", partial(halts.enter_all, place.site, now)
    for parcel in orders.unfinished(place.site):
        yield "order", partial(orders.put_in_force, place.site, parcel, now)
    if packs.unrecorded(place.site):
        yield "packs in force", partial(packs.record_all, place.site, now)


def _of_jobs(connection: duckdb.DuckDBPyConnection, place: Office, now: dt.datetime) -> Iterator[Piece]:
    stopped = {(job.kind, job.subject) for job in jobs.failing() if job.stopped}  # these wait for a person
    for identifier in recall.unfinished():
        if (recall.KIND, identifier) not in stopped:
            yield "recall", partial(recall.finish, connection, place, identifier)
    for subject in withdrawal.waiting():
        if (withdrawal.KIND, subject) not in stopped:
            yield "withdrawal", partial(withdrawal.finish, place.site, subject, now)
    for batch, name in release.unfinished().items():
        if (release.KIND, batch) not in stopped and not _stopped(place, name):
            yield "release", partial(release.release, connection, place, name, now, only_begun=True)


def _of_docket(
    connection: duckdb.DuckDBPyConnection, place: Office, docket: Docket, now: dt.datetime
) -> Iterator[Piece]:
    if place.casebook.uncommitted(docket.id):
        yield "decisions", partial(commit_decisions, place, docket.id, now)
    if taken := returns.waiting(docket):
        yield "what came back", partial(returns.enter, place.site, docket.id, taken)
    if destruction.begun(place.site, docket):
        yield "destruction", partial(destruction.finish, connection, place, docket.id, now)


def _stopped(place: Office, name: str) -> bool:
    if withdrawal.is_withdrawn(Docket(place.site.dockets / name)):
        return True
    return halts.is_halted(place.site, agency=place.casebook.file(name).agency, docket=name)
