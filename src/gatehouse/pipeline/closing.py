"""The end of a docket: every answer told at once, signed, on a day that does not depend on what is on file.

A request that people had to look at takes longer than one that a machine refused. Were answers told as soon as they are
known, the day would say which it was. So they are told together, when no case is open any more, and only at whole
periods counted from the day of receipt (`answer_days` of gatehouse.toml).
"""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path

import duckdb

from gatehouse.casework import approval
from gatehouse.casework.states import OPEN, State
from gatehouse.determine import answers
from gatehouse.determine.docket import Docket
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import digests, files
from gatehouse.kernel.errors import GatehouseError
from gatehouse.law.reading import load
from gatehouse.ledger.note import sign_file
from gatehouse.pipeline import keys, record
from gatehouse.pipeline.approve import Office
from gatehouse.store.shelf import Shelf


def due(place: Office, docket: Docket) -> dt.datetime | None:
    """When the answers of a docket are told; None while a case is open.

    The end of the period in which the last case was decided or released; at least one period after receipt.
    """
    board = place.casebook.board(docket.id)
    if any(board.states[state] for state in OPEN):
        return None
    received = place.casebook.file(docket.id).received_at
    period = dt.timedelta(days=place.site.answer_days)
    if not period:
        return received
    last = max(
        (
            *(approval.instant(one.statement, "decided_at") for one in place.casebook.decisions(docket.id)),
            *(one.sealed_at for one in Shelf().releases(docket.id)),
        ),
        default=received,
    )
    return received + max(1, -((received - last) // period)) * period


def answer(connection: duckdb.DuckDBPyConnection, place: Office, docket: Docket, now: dt.datetime) -> bool:
    """Tell the requester what may be told now, signed; True once the docket is closed.

    Until then `answers.csv` holds what was told on arrival, the same bytes whatever happened since. What is told at the
    close is committed to the ledger and never changes. Doing it again changes nothing.
    """
    told_on = due(place, docket)
    event = docket.root / "events" / "answered.json"
    closed = told_on is not None and (event.exists() or now >= told_on)
    if closed:
        _publish(connection, place, docket)
    if closed or not _signature(docket).is_file():
        signature = sign_file(docket.answers, keys.custodian(place.site))
        files.write(_signature(docket), signature.encode())
    if closed:
        fields = {"event": "answered", "docket": docket.id, "answers": digests.of_file(docket.answers)}
        with record.open_log(place.site) as log:
            record.event(log, event.parent, f"{docket.id}/answered", fields)
    return closed


def tell_due(place: Office, now: dt.datetime) -> int:
    """Tell the answers of every docket whose day has come and which nobody told yet; gives how many there were.

    For whatever runs by itself: the day comes without anybody doing anything. One that is busy is told the next time.
    """
    told = 0
    for name in place.casebook.known():
        docket = Docket(place.site.dockets / name)
        if (docket.root / "events" / "answered.json").exists():
            continue
        with contextlib.suppress(GatehouseError, duckdb.Error, OSError):  # the others' day comes all the same
            day = due(place, docket)
            if day is not None and now >= day:
                with open_workspace() as connection:
                    told += answer(connection, place, docket, now)
    return told


def _signature(docket: Docket) -> Path:
    return docket.answers.with_name("answers.csv.sig")


def _publish(connection: duckdb.DuckDBPyConnection, place: Office, docket: Docket) -> None:
    board = place.casebook.board(docket.id)
    out = board.states[State.RELEASED] | board.states[State.RECALLED]
    connection.read_parquet(str(docket.table("determinations"))).create_view("answer_determinations", replace=True)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE answer_released AS SELECT seq FROM answer_determinations "
        "WHERE get_bit($out::BIT, seq::INTEGER) = 1",
        {"out": out.bitstring(board.size)},
    )
    answers.publish(
        connection,
        determinations="answer_determinations",
        pack=load(docket.pack),
        path=docket.answers,
        released="answer_released",
    )
