"""What an agency takes back after it was sent: kept at once, on record as soon as its docket stands, and from then on
nothing of it is released.

A withdrawal that comes while the docket is still being decided, or while the ledger is busy, is kept as durable work;
whoever ends that step enters it, and no release begins meanwhile. Officers mark the open cases withdrawn, each decision
signed as any other; what was released before stays released, and is the custodian's to recall.
"""

from __future__ import annotations

import datetime as dt

from gatehouse.determine.docket import Docket
from gatehouse.kernel import clock, digests
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger.opening import Opening
from gatehouse.pipeline import dockets, record
from gatehouse.pipeline.approve import docket_of
from gatehouse.pipeline.site import Site
from gatehouse.store import jobs

EVENT = "withdrawal"
KIND = "withdrawal"
"""The kind of durable work; one piece of it is about one submission of one agency."""
_LONGEST = 128  # characters of a subject, which the database keeps


def keep(agency: str, identifier: str, by: str) -> None:
    """Keep that an agency withdrew a submission of its own, until `finish` has it on record or `drop` forgets it."""
    plan = {"agency": agency, "submission": identifier, "by": by}
    jobs.begin(KIND, _subject(agency, identifier), 1, plan)


def drop(agency: str, identifier: str) -> None:
    """Forget a withdrawal of what came to nothing: there is no docket that it could stop."""
    jobs.forget(KIND, _subject(agency, identifier))


def waits(agency: str, identifier: str) -> bool:
    """Whether a withdrawal is kept and not on record yet."""
    return _subject(agency, identifier) in waiting()


def waiting() -> tuple[str, ...]:
    """The subjects of withdrawals that are kept and not on record yet."""
    return jobs.unfinished(KIND)


def _subject(agency: str, identifier: str) -> str:
    full = f"{agency}/{identifier}"
    return full if len(full) <= _LONGEST else digests.of_bytes(full.encode())


def enter(site: Site, agency: str, identifier: str, now: dt.datetime) -> int | None:
    """Put a withdrawal that is kept on record; gives the entry's index, or None while there is no committed docket to
    withdraw, or another process is at it. Raises MachineFailed while the ledger is held.
    """
    name = dockets.own(site.dockets, agency).get(identifier)
    if name is None or not dockets.is_committed(site, name):
        return None
    if asked(Docket(site.dockets / name)) and not waits(agency, identifier):
        return ask(site, name, "", now)  # once is enough: it is the entry of the first time
    entered: list[int] = []

    def step(_number: int, plan: jobs.Plan) -> jobs.Effects:
        entered.append(ask(site, name, str(plan["by"]), now))
        return lambda: None

    jobs.run(KIND, _subject(agency, identifier), step)
    return entered[0] if entered else None


def finish(site: Site, subject: str, now: dt.datetime) -> int | None:
    """Put one of those `waiting` on record, as `enter` does."""
    plan = jobs.plan(KIND, subject)
    return enter(site, str(plan["agency"]), str(plan["submission"]), now)


def ask(site: Site, name: str, by: str, now: dt.datetime) -> int:
    """Enter that the agency withdrew a docket; gives the entry's index. Again, it is the same entry.

    Raises MachineFailed while the ledger is held by another process; then nothing is on record.
    """
    docket = docket_of(site, name)
    with record.open_log(site) as log:
        kept = docket.events / f"{EVENT}.json"
        fields = {"event": EVENT, "docket": name, "agency": docket.received.agency, "by": by, "at": clock.stamp(now)}
        if asked(docket):
            fields = dict(Opening.parse(kept.read_bytes(), where=f"{name}, events/{kept.name}").fields())
        index = record.event(log, docket.events, f"{name}/{EVENT}", fields)
        record.publish(site, log, now)
    return index


def asked(docket: Docket) -> bool:
    """Whether it is on record that the agency withdrew a docket."""
    return (docket.events / f"{EVENT}.json").is_file()


def refuse(docket: Docket) -> None:
    """Raise AnswerIsNo where the agency withdrew a docket, on record or not yet."""
    if is_withdrawn(docket):
        raise AnswerIsNo(
            "the agency withdrew this submission",
            where=docket.id,
            remedy="Mark its open cases as withdrawn: gatehouse approve --decision withdraw",
        )


def is_withdrawn(docket: Docket) -> bool:
    """Whether the agency withdrew a docket, on record or not yet: nothing of it is released."""
    if asked(docket) or not waiting():
        return asked(docket)
    summary = docket.read_summary()
    return waits(str(summary.get("agency", "")), str(summary.get("submission", "")))
