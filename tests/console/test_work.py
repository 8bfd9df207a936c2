"""Submissions handed in are carried on by whichever worker is free: in this process, or in one of its own."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from doors import PASSWORD, SITE

from gatehouse import store
from gatehouse.console import access, accounts, arrivals, desk
from gatehouse.console.models import Account, Arrival
from gatehouse.kernel import clock
from gatehouse.kernel.errors import CustodianFault
from gatehouse.pipeline import events, inbox, record
from gatehouse.pipeline.site import Site
from gatehouse.store import jobs, models_of

pytestmark = pytest.mark.slow

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
    assert left.message == arrivals.NOT_READY
    models_of().Job.objects.filter(subject=left.identifier).update(lease_until=None)
    assert arrivals.work() == 1
    assert state(left) == Arrival.State.REFUSED


@pytest.fixture
def real(site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site with a register, in this process for the length of a test; it leaves its work to the test."""
    import journey_site

    monkeypatch.setattr(settings, "GATEHOUSE_WORKS", False)
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-08-07T14:00:00Z")
    made = journey_site.build(tmp_path, persons=300, requests=20)
    monkeypatch.setattr(settings, "GATEHOUSE_SITE", str(made.root))
    store.configure(made.database)
    yield made
    store.configure(SITE.database)


def again(arrival: Arrival) -> int:
    """Work as if the lease had run out."""
    models_of().Job.objects.filter(subject=arrival.identifier).update(lease_until=None)
    return arrivals.work()


def sent(site: Site) -> Arrival:
    account, _ = accounts.create("agency", name="An Agency", role="requester", agency="us.dhs.ice", password=PASSWORD)
    zipped = site.root.parent / "first.zip"
    arrival = arrivals.keep(SimpleUploadedFile("first.zip", zipped.read_bytes()), account)
    arrivals.check(arrival)
    arrivals.work()
    assert state(arrival) == Arrival.State.CHECKED
    arrivals.send(arrival)
    return arrival


def test_the_form_check_shows_the_rows_that_the_command_names(real: Site, signed_in) -> None:
    """Its totals stood under "whole and signed" while the command named every fault by row and column."""
    from gatehouse.intake import form
    from gatehouse.intake.submission import receive
    from gatehouse.intake.workspace import open_workspace

    zipped = real.root.parent / "first.zip"
    with open_workspace() as connection:
        received = receive(connection, zipped, None, unsigned=True)
        law = desk.pack(received.manifest.basis)
        asked = form.Asked(law.wording.form, law.wording.proceedings)
        wanted = list(form.find(connection, "requests", received.manifest, asked))
    assert wanted
    account, _ = accounts.create("agency", name="An Agency", role="requester", agency="us.dhs.ice", password=PASSWORD)
    arrival = arrivals.keep(SimpleUploadedFile("first.zip", zipped.read_bytes()), account)
    arrivals.check(arrival)
    arrivals.work()
    page = signed_in("agency").get(f"/submissions/{arrival.identifier}/").content.decode()
    assert f"{len(wanted)} fault{'s' * (len(wanted) != 1)} of form" in page
    for fault in wanted[:50]:
        assert f"<code>{fault.column}</code>" in page
        assert fault.request_id in page
    file = signed_in("agency").get(f"/submissions/{arrival.identifier}/faults.csv")
    lines = b"".join(file.streaming_content).decode().splitlines()
    assert lines[0] == "row,request_id,column,problem"
    assert [line.split(",")[:3] for line in lines[1:]] == [
        [str(fault.row), fault.request_id, fault.column] for fault in wanted
    ]
    accounts.create("others", name="Others", role="requester", agency="us.doj.other", password=PASSWORD)
    assert signed_in("others").get(f"/submissions/{arrival.identifier}/faults.csv").status_code == 404
    arrivals.send(arrival)
    arrivals.work()
    assert not arrivals.faults(arrival).exists()


def test_a_fault_of_the_register_is_not_shown_to_the_agency(real: Site, said: io.StringIO) -> None:
    table = Path(real.register) / "addresses.parquet"
    whole = table.read_bytes()
    copy = f"SELECT * FROM read_parquet('{table}')"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE twice AS {copy} UNION ALL ({copy} WHERE last_known LIMIT 1)")
        connection.execute(f"COPY twice TO '{table}' (FORMAT parquet)")
    arrival = sent(real)
    assert arrivals.work() == 0
    assert (state(arrival), arrival.message) == (Arrival.State.FAILED, arrivals.NOT_READY)
    assert "CustodianFault in " in said.getvalue()
    assert not any(word in said.getvalue() for word in ("person_id", "last known", str(real.root.parent)))
    assert again(arrival) == 0, "nothing was mended"
    table.write_bytes(whole)
    assert again(arrival) == 1
    assert (state(arrival), arrival.message) == (Arrival.State.DONE, "")


def test_a_fault_of_the_custodians_parties_is_not_shown_to_the_agency(real: Site) -> None:
    arrival, whole = sent(real), real.parties.read_bytes()
    real.parties.write_bytes(whole + b"\n[agencies.secret]\n")
    assert arrivals.work() == 0
    assert (state(arrival), arrival.message) == (Arrival.State.FAILED, arrivals.NOT_READY)
    real.parties.write_bytes(whole)
    assert again(arrival) == 1
    assert state(arrival) == Arrival.State.DONE


def asked(*options: str) -> subprocess.CompletedProcess[str]:
    """What the command says of what failed."""
    command = [sys.executable, "-m", "gatehouse", "work", "--site", str(SITE.root), *options]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def stopped(left: Arrival, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arrival]:
    """An arrival that failed for as often as it is tried by itself, and what was wrong is mended."""

    def fail(*_: object) -> None:
        raise CustodianFault("is missing", where="/srv/site/parties.toml", remedy="Restore it")

    job = models_of().Job.objects.filter(subject=left.identifier)
    with monkeypatch.context() as patch:
        patch.setattr(arrivals, "_own", fail)
        for _ in range(jobs.MOST_ATTEMPTS):
            assert arrivals.work() == 0
            job.update(lease_until=None)
        assert arrivals.work() == 0
    assert arrivals.work() == 0, "mended, but nobody takes it up"
    yield left
    job.delete()


def test_what_stopped_is_told_with_its_place_and_set_going_again_on_record(stopped: Arrival) -> None:
    told = asked("--failed")
    assert told.returncode == 1, told.stderr
    assert f"check-arrival {stopped.identifier}: begun {jobs.MOST_ATTEMPTS} times, stopped" in told.stdout
    assert "/srv/site/parties.toml: is missing. Restore it." in told.stdout
    [found] = json.loads(asked("--failed", "--json").stdout)
    assert (found["subject"], found["stopped"], found["again_at"]) == (stopped.identifier, True, None)

    unknown = asked("--retry", "in-nowhere")
    assert (unknown.returncode, "no stopped work has the name in-nowhere" in unknown.stderr) == (2, True)
    assert state(stopped) == Arrival.State.FAILED

    before = {act.at for act in access.acts() if act.what == events.WORDS["work_set_going"]}
    again = asked("--retry", stopped.identifier)
    assert (again.returncode, "set going again" in again.stdout) == (0, True), again.stderr
    [act] = [act for act in access.acts() if act.what == events.WORDS["work_set_going"] and act.at not in before]
    assert act.by.endswith(", gatehouse work")
    assert dict(act.more) == {"work": "check-arrival", "of": stopped.identifier, "tries": str(jobs.MOST_ATTEMPTS)}
    assert arrivals.work() == 1
    assert state(stopped) == Arrival.State.REFUSED, "it is no zip, and now somebody has looked"
    assert asked("--failed").returncode == 0


def test_nothing_is_set_going_that_cannot_be_put_on_record(stopped: Arrival) -> None:
    with record.open_log(SITE):
        again = asked("--retry", "all")
    assert again.returncode == 3, "the ledger is in use"
    assert jobs.failing()[0].stopped


def test_the_administrator_sets_it_going_on_a_page_that_shows_no_reason(stopped: Arrival, signed_in) -> None:
    client = signed_in("administrator")
    page = client.get("/failed-work/").content.decode()
    assert stopped.identifier in page
    assert "parties.toml" not in page
    chosen = {"kind": arrivals.CHECK, "subject": stopped.identifier}
    assert client.post("/failed-work/", {**chosen, "subject": "in-nowhere"}).status_code == 404
    with record.open_log(SITE):
        busy = client.post("/failed-work/", chosen, follow=True)
    assert "Nothing was changed" in busy.content.decode()
    assert jobs.failing()[0].stopped
    assert "is set going again" in client.post("/failed-work/", chosen, follow=True).content.decode()
    assert any(act.by == "administrator" and ("of", stopped.identifier) in act.more for act in access.acts())
    assert arrivals.work() == 1
    assert "Nothing failed" in client.get("/failed-work/").content.decode()
    assert client.post("/failed-work/", chosen).status_code == 404, "what runs is left alone"


def test_what_comes_to_nothing_is_removed(left: Arrival) -> None:
    """Refused, never sent, or of no arrival: none of them waits for anybody."""
    path = inbox.waiting(SITE, left.identifier)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    arrivals.work()
    assert state(left) == Arrival.State.REFUSED
    assert not path.exists()

    unsent = arrivals.keep(SimpleUploadedFile("x.zip", b"whole"), left.account)
    Arrival.objects.filter(pk=unsent.pk).update(state=Arrival.State.CHECKED)
    stray, young = inbox.waiting(SITE, "in-stray"), inbox.waiting(SITE, "in-young")
    for each in (stray, young):
        each.write_bytes(b"x")
    old = (clock.now() - arrivals.STRAY).timestamp() - 60
    os.utime(stray, (old, old))
    arrivals.tidy(clock.now())
    assert inbox.waiting(SITE, unsent.identifier).exists()
    assert (stray.exists(), young.exists()) == (False, True)
    arrivals.tidy(clock.now() + arrivals.UNSENT + dt.timedelta(minutes=1))
    assert not inbox.waiting(SITE, unsent.identifier).exists()
    assert state(unsent) == Arrival.State.REFUSED
    assert "was not sent within 30 days" in unsent.message


def test_what_an_older_release_left_is_laid_with_its_docket(left: Arrival) -> None:
    path = inbox.waiting(SITE, left.identifier)
    Arrival.objects.filter(pk=left.pk).update(state=Arrival.State.DONE, submission="ICE-1")
    arrivals.tidy(clock.now())
    assert not path.exists()
    assert inbox.find(SITE, left.identifier) == SITE.inbox / "ICE-1" / path.name
    inbox.find(SITE, left.identifier).unlink()
