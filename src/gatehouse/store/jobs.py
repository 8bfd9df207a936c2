"""Durable steps: work that a crash interrupts is taken up again, and each step's effect is kept exactly once.

A job is a row with a lease. A worker claims it, does one step's work outside any transaction (only to files that are
harmless to make again), and commits: one transaction moves the job to the next step, if the worker still holds it, and
writes the step's effects. The lease is renewed while the work goes on; a worker whose lease was taken over cannot
commit, however late it wakes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import socket
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q

from gatehouse.kernel import clock, ids
from gatehouse.kernel.errors import GatehouseError, MachineFailed
from gatehouse.store.deferred import Deferred

if TYPE_CHECKING:
    from gatehouse.store import models
else:
    models = Deferred("gatehouse.store.models")

LEASE = dt.timedelta(minutes=5)
MOST_ATTEMPTS = 20

Plan = Mapping[str, Any]
Effects = Callable[[], None]
"""Writes a step's effects; runs inside the step's one transaction."""
Work = Callable[[int, Mapping[str, Any]], Effects]
"""Does the work of a step, given its number and the job's plan, and returns what to write when it commits."""


class Fenced(MachineFailed):
    """Another worker holds the job now; this one must stop and has changed nothing."""


@dataclass(frozen=True)
class Failing:
    """A job whose next step was begun and not finished: how often, why it was left, and when it may be begun again."""

    kind: str
    subject: str
    step: int
    steps: int
    attempts: int
    fault: str
    """Empty where its process died without a word."""
    again_at: dt.datetime | None

    @property
    def stopped(self) -> bool:
        """Whether it was begun too often: nobody takes it up before a person says so."""
        return self.attempts >= MOST_ATTEMPTS


def begin(kind: str, subject: str, steps: int, plan: Mapping[str, Any]) -> Mapping[str, Any]:
    """Create a job, or find the one there is; gives the plan that holds, which is the first one's."""
    job, _ = models.Job.objects.get_or_create(kind=kind, subject=subject, defaults={"steps": steps, "plan": dict(plan)})
    plan_kept: Mapping[str, Any] = job.plan
    return plan_kept


def reached(kind: str, subject: str) -> int:
    """The number of the step that a job does next."""
    return int(models.Job.objects.get(kind=kind, subject=subject).next_step)


def plan(kind: str, subject: str) -> Mapping[str, Any]:
    """The plan of a job that there is."""
    kept: Mapping[str, Any] = models.Job.objects.get(kind=kind, subject=subject).plan
    return kept


def step(kind: str, subject: str) -> int:
    """How many steps of a job are done; 0 where there is no such job."""
    found = models.Job.objects.filter(kind=kind, subject=subject).values_list("next_step", flat=True).first()
    return int(found or 0)


def count(kind: str, prefix: str) -> int:
    """How many jobs of a kind were ever begun whose subject starts so."""
    return models.Job.objects.filter(kind=kind, subject__startswith=prefix).count()


def unfinished(kind: str) -> tuple[str, ...]:
    """Subjects whose job still has steps to do, oldest first."""
    rows = models.Job.objects.filter(kind=kind, next_step__lt=F("steps")).order_by("id")
    return tuple(rows.values_list("subject", flat=True))


def failing() -> tuple[Failing, ...]:
    """Unfinished jobs of every kind that failed at their next step or were begun too often, oldest first."""
    rows = models.Job.objects.filter(next_step__lt=F("steps")).filter(~Q(fault="") | Q(attempts__gte=MOST_ATTEMPTS))
    return tuple(
        Failing(job.kind, job.subject, job.next_step, job.steps, job.attempts, job.fault, job.lease_until)
        for job in rows.order_by("id")
    )


def run(kind: str, subject: str, work: Work) -> bool:
    """Do every step that is left. False when another live worker is at it; True when all is done.

    Raises Fenced, and MachineFailed when a step was begun too often without being finished: a person must look.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}:{ids.fresh('worker')}"
    while True:
        job = _claim(kind, subject, holder)
        if job is None:
            return models.Job.objects.filter(kind=kind, subject=subject, next_step__gte=F("steps")).exists()
        with _renewed(job, holder), _explained(job, holder):
            effects = work(job.next_step, job.plan)
        _commit(job, holder, effects)


def _claim(kind: str, subject: str, holder: str) -> models.Job | None:
    now = clock.machine()
    with transaction.atomic():
        rows = models.Job.objects.select_for_update().filter(kind=kind, subject=subject, next_step__lt=F("steps"))
        job = rows.first()
        if job is None or not (job.holder in {"", holder} or _lapsed(job, now)):
            return None
        if job.attempts >= MOST_ATTEMPTS:
            raise MachineFailed(
                f"step {job.next_step} of the {kind} {subject} started {job.attempts} times and never finished",
                remedy="Find the cause with `gatehouse work --failed`, correct it, then restart the work with --retry",
            )
        job.holder, job.lease_until, job.attempts = holder, now + LEASE, job.attempts + 1
        job.save(update_fields=["holder", "lease_until", "attempts"])
    return job


def _lapsed(job: models.Job, now: dt.datetime) -> bool:
    """Whether a lease ran out, or its holder was a process of this machine that is no more."""
    if job.lease_until is None or job.lease_until < now:
        return True
    host, _, process = job.holder.partition(":")
    number = process.partition(":")[0]
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@contextlib.contextmanager
def _renewed(job: models.Job, holder: str) -> Iterator[None]:
    """Renew the lease from a thread while a step is worked on, so that long work is not taken over."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(LEASE.total_seconds() / 5):
            # a database that is busy now is asked again before the lease runs out
            with contextlib.suppress(DatabaseError):
                models.Job.objects.filter(pk=job.pk, holder=holder).update(lease_until=clock.machine() + LEASE)
        connection.close()

    renewer = threading.Thread(target=renew, name=f"lease-{job.pk}", daemon=True)
    renewer.start()
    try:
        yield
    finally:
        ended.set()
        renewer.join()


@contextlib.contextmanager
def _explained(job: models.Job, holder: str) -> Iterator[None]:
    """Keep with the job why its step failed; what was kept before goes when the step is done."""
    try:
        yield
    except Exception as failed:
        with contextlib.suppress(DatabaseError):
            models.Job.objects.filter(pk=job.pk, holder=holder).update(fault=_why(failed))
        raise


def _why(failed: Exception) -> str:
    """Our own errors in full, which carry no value of a record; of any other its kind and where in the program."""
    error = failed.__cause__ if isinstance(failed, MachineFailed) and failed.__cause__ else failed
    if isinstance(error, GatehouseError):
        return f"{error}."
    told = f"{type(error).__name__} ({error.strerror})" if isinstance(error, OSError) else type(error).__name__
    *_, (frame, line) = (None, 0), *traceback.walk_tb(error.__traceback__)
    return f"{told} in {frame.f_code.co_qualname} line {line}." if frame is not None else f"{told}."


def _commit(job: models.Job, holder: str, effects: Effects) -> None:
    with transaction.atomic():
        moved = models.Job.objects.filter(pk=job.pk, holder=holder, next_step=job.next_step).update(
            next_step=F("next_step") + 1, attempts=0, fault="", lease_until=clock.machine() + LEASE
        )
        if not moved:
            raise Fenced("another worker took this job over", remedy="Nothing was changed; look at its result")
        effects()


def forget(kind: str, subject: str) -> None:
    """Remove a job that came to nothing, before any of its effects left the house."""
    models.Job.objects.filter(kind=kind, subject=subject).delete()


def retry(kind: str, subject: str) -> None:
    """Let a job that was begun too often be begun again; its lease and its plan stay as they are."""
    models.Job.objects.filter(kind=kind, subject=subject).update(attempts=0)
