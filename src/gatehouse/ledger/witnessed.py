"""Witnesses' time: between which two instants an entry of a ledger was first seen outside. Pure.

A checkpoint that does not cover an entry, and one that does, frame it. Whoever dates something outside of its frame is
refused, whatever keys the custodian holds, because the times are the witnesses' and each is under their signatures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import cosignature
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.policy import Policy
from gatehouse.ledger.signers import Verifier

SKEW = dt.timedelta(minutes=10)
"""How far a stated time may lie outside of its frame, for clocks that differ."""
LAG = dt.timedelta(hours=72)
"""How long before the cosignature above it a stated time may lie: the longest silence of witnesses that is borne.

Whatever waited longer is stated anew, so that a quiet week of the ledger does not give a week to choose a date from.
"""
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Frame:
    """The quorum's times around one entry, in UTC; None where no checkpoint is known on that side."""

    after: dt.datetime | None
    """A quorum had cosigned a state of the ledger without the entry by then."""
    before: dt.datetime | None
    """A quorum had cosigned a state with the entry by then."""

    def why_not(self, stated: dt.date) -> str | None:
        """Why a stated instant (or day, in UTC) does not lie in the frame; None where it does."""
        first, last = _extent(stated)
        if self.before is not None and first > self.before + SKEW:
            return f"witnesses had seen it by {clock.stamp(self.before)}"
        if self.after is not None and last < self.after - SKEW:
            return f"witnesses had not seen it at {clock.stamp(self.after)}"
        if self.before is not None and last < self.before - LAG:
            hours = LAG // dt.timedelta(hours=1)
            return f"witnesses first saw it by {clock.stamp(self.before)}, more than {hours} hours later"
        return None


def cosigned_at(checkpoint: Checkpoint, policy: Policy) -> dt.datetime | None:
    """The earliest instant by which cosigners that make the policy's quorum had signed a checkpoint, in UTC.

    None under `quorum none`. Fewer witnesses than a quorum cannot move it. Raises AnswerIsNo where a known witness's
    signature is wrong or the quorum is not met.
    """
    if policy.quorum == "none":
        return None
    lines = checkpoint.note.signed_by((witness.verifier for witness in policy.witnesses), where="checkpoint")
    dated = sorted((cosignature.timestamp(line.signature), at, key) for at, (key, line) in enumerate(lines.items()))
    counted: set[Verifier] = set()
    for time, _, key in dated:
        counted.add(key)
        if policy.is_met(counted):
            return dt.datetime.fromtimestamp(time, dt.UTC)
    raise AnswerIsNo("the witnesses' quorum is not met", where=f"checkpoint of size {checkpoint.size}")


def frame(index: int, checkpoints: Iterable[Checkpoint], policy: Policy) -> Frame:
    """The tightest frame around the entry at `index` that these checkpoints of one ledger give.

    The caller has shown that each checkpoint is accepted by the policy and that they are of one history.
    """
    after: dt.datetime | None = None
    before: dt.datetime | None = None
    for checkpoint in checkpoints:
        time = cosigned_at(checkpoint, policy)
        if time is None:
            continue
        if checkpoint.size > index:
            before = time if before is None else min(before, time)
        else:
            after = time if after is None else max(after, time)
    return Frame(after, before)


def said(stated: dt.date, framed: Frame, what: str) -> str:
    """One line for a person: what was stated, and what witnesses say of when."""
    seen = [
        f"{word} {clock.stamp(time)}"
        for word, time in (("not yet seen at", framed.after), ("seen by", framed.before))
        if time is not None
    ]
    return f"{what}, {_written(stated)}: {', '.join(seen) or 'no witness says when'}"


def refuse(stated: dt.date, framed: Frame, what: str, *, where: str) -> None:
    """Raise AnswerIsNo when a stated instant or day lies outside of the frame. `what` names it: `the decision`."""
    why = framed.why_not(stated)
    if why is not None:
        raise AnswerIsNo(f"{what} is dated {_written(stated)}, but {why}", where=where)


def _written(stated: dt.date) -> str:
    return clock.stamp(stated) if isinstance(stated, dt.datetime) else stated.isoformat()


def _extent(stated: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """First and last instant of what was stated: a day has both."""
    if isinstance(stated, dt.datetime):
        return stated, stated
    first = dt.datetime.combine(stated, dt.time.min, dt.UTC)
    return first, first + _DAY
