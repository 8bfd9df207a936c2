"""Durable steps: each effect once, whoever dies, whoever wakes too late."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import time
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from gatehouse.kernel.errors import CustodianFault, MachineFailed
from gatehouse.store import jobs, models_of

KIND = "test"


def effect(step: int) -> jobs.Effects:
    """An effect that shows whether it happened twice: a row without any constraint against it."""
    return lambda: models_of().Attempt.objects.create(
        docket="jobs", officer=str(step), action="effect", code="", at=timezone.now()
    )


def effects() -> list[int]:
    return sorted(int(row.officer) for row in models_of().Attempt.objects.filter(docket="jobs"))


def work(step: int, plan: Mapping[str, Any]) -> jobs.Effects:
    time.sleep(plan.get("pause", 0))
    return effect(step)


def test_every_step_once_in_order(database: str) -> None:
    jobs.begin(KIND, "a", 5, {})
    assert jobs.unfinished(KIND) == ("a",)
    assert jobs.run(KIND, "a", work)
    assert jobs.run(KIND, "a", work)
    assert effects() == [0, 1, 2, 3, 4]
    assert jobs.unfinished(KIND) == ()


def test_the_first_plan_holds(database: str) -> None:
    assert jobs.begin(KIND, "a", 2, {"cases": 1}) == {"cases": 1}
    assert jobs.begin(KIND, "a", 2, {"cases": 2}) == {"cases": 1}


def test_a_step_that_fails_has_no_effect_and_is_done_again(database: str) -> None:
    jobs.begin(KIND, "a", 2, {})

    def fails_in_effects(step: int, plan: Mapping[str, Any]) -> jobs.Effects:
        def effects() -> None:
            effect(step)()
            raise RuntimeError

        return effects

    with pytest.raises(RuntimeError):
        jobs.run(KIND, "a", fails_in_effects)
    assert effects() == []
    models_of().Job.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert jobs.run(KIND, "a", work)
    assert effects() == [0, 1]


def test_a_worker_whose_lease_was_taken_over_cannot_commit(database: str) -> None:
    jobs.begin(KIND, "a", 2, {})

    def sleeps_too_long(step: int, plan: Mapping[str, Any]) -> jobs.Effects:
        models_of().Job.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
        assert jobs.run(KIND, "a", work)  # another worker finds the lease run out, and finishes
        return effect(100 + step)

    with pytest.raises(jobs.Fenced):
        jobs.run(KIND, "a", sleeps_too_long)
    assert effects() == [0, 1]


def test_a_live_holder_is_left_alone(database: str) -> None:
    jobs.begin(KIND, "a", 1, {})

    def looks_meanwhile(step: int, plan: Mapping[str, Any]) -> jobs.Effects:
        assert not jobs.run(KIND, "a", work)
        return effect(step)

    assert jobs.run(KIND, "a", looks_meanwhile)
    assert effects() == [0]


def test_a_step_begun_too_often_needs_a_person(database: str) -> None:
    jobs.begin(KIND, "a", 1, {})
    models_of().Job.objects.update(attempts=jobs.MOST_ATTEMPTS)
    with pytest.raises(MachineFailed, match="never finished"):
        jobs.run(KIND, "a", work)
    jobs.retry(KIND, "a")
    assert jobs.run(KIND, "a", work)


def test_what_failed_is_kept_with_its_reason_until_the_step_is_done(database: str) -> None:
    jobs.begin(KIND, "a", 2, {})
    jobs.begin(KIND, "b", 1, {})

    def fails(error: Exception) -> jobs.Work:
        def step(*_: object) -> jobs.Effects:
            raise error

        return step

    ours = CustodianFault("the date is missing", where="gatehouse.toml, officer 3", remedy="Write it")
    wrapped = MachineFailed("was not carried on")
    wrapped.__cause__ = ours
    told = {
        wrapped: "gatehouse.toml, officer 3: the date is missing. Write it.",
        ours: "gatehouse.toml, officer 3: the date is missing. Write it.",
        OSError(28, "No space left on device", "/secret/path"): "OSError (No space left on device) in ",
        ValueError("a value of a record"): "ValueError in ",
    }
    for number, (error, says) in enumerate(told.items(), start=1):
        with pytest.raises(type(error)):
            jobs.run(KIND, "a", fails(error))
        [found] = jobs.failing()
        assert (found.subject, found.step, found.steps, found.attempts) == ("a", 0, 2, number)
        assert found.fault.startswith(says)
        assert "secret" not in found.fault
        assert "record" not in found.fault
        assert not found.stopped
        models_of().Job.objects.update(lease_until=None)
    models_of().Job.objects.filter(subject="b").update(attempts=jobs.MOST_ATTEMPTS)
    assert [(found.subject, found.stopped, found.fault == "") for found in jobs.failing()] == [
        ("a", False, False), ("b", True, True),
    ]  # fmt: skip
    assert jobs.run(KIND, "a", work)
    jobs.retry(KIND, "b")
    assert jobs.failing() == ()


def test_two_workers_killed_again_and_again(database: str) -> None:
    """Both workers die by kill -9 several times; the next ones take over at once, since the holder is dead."""
    chance = random.Random(7)  # noqa: S311 - instants, not secrets
    steps = 60
    jobs.begin(KIND, "a", steps, {"pause": 0.002})
    for _ in range(6):
        connections.close_all()
        children = [_child() for _ in range(2)]
        time.sleep(chance.uniform(0.05, 0.3))
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    assert jobs.run(KIND, "a", work)
    assert effects() == list(range(steps))


def _child() -> int:
    child = os.fork()
    if child == 0:
        try:
            while not jobs.run(KIND, "a", work):
                time.sleep(0.005)
        finally:
            os._exit(0)
    return child
