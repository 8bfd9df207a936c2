"""Submissions handed in are carried on by whichever worker is free: in this process, or in one of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from doors import SITE

from gatehouse.console import arrivals
from gatehouse.console.models import Account, Arrival
from gatehouse.store import jobs, models_of

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def left(site, monkeypatch: pytest.MonkeyPatch) -> Arrival:
    """An arrival that this process leaves to others."""
    monkeypatch.setattr(settings, "GATEHOUSE_WORKS", False)
    account = Account.objects.get(username="requester")
    arrival = arrivals.keep(SimpleUploadedFile("x.zip", b"this is no zip"), account)
    arrivals.check(arrival)
    return arrival


def worker(*options: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-m", "gatehouse", "work", "--site", str(SITE.root), *options]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)


def state(arrival: Arrival) -> str:
    arrival.refresh_from_db()
    return arrival.state


def test_a_process_that_leaves_the_work_leaves_it(left: Arrival) -> None:
    time.sleep(0.2)
    assert state(left) == Arrival.State.CHECKING
    assert jobs.unfinished(arrivals.CHECK) == (left.identifier,)


def test_a_worker_of_its_own_carries_it_on(left: Arrival) -> None:
    assert worker("--once").wait(60) == 0
    assert state(left) == Arrival.State.REFUSED
    assert jobs.unfinished(arrivals.CHECK) == ()


def test_what_a_dead_worker_left_another_takes_up(left: Arrival) -> None:
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    import socket

    from django.utils import timezone

    models_of().Job.objects.filter(subject=left.identifier).update(
        holder=f"{socket.gethostname()}:{dead.pid}:worker-x", lease_until=timezone.now() + jobs.LEASE, attempts=1
    )
    assert worker("--once").wait(60) == 0
    assert state(left) == Arrival.State.REFUSED


def test_a_worker_that_is_told_to_stop_stops(site) -> None:
    process = worker()
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"Carrying on")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_what_fails_here_is_said_and_tried_again(left: Arrival, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(arrivals, "_own", fail)
        assert arrivals.work() == 0
    assert state(left) == Arrival.State.FAILED
    assert "the disk" not in left.message
    models_of().Job.objects.filter(subject=left.identifier).update(lease_until=None)
    assert arrivals.work() == 1
    assert state(left) == Arrival.State.REFUSED
