"""An agency takes its submission back, whatever is being done with it; nothing of it is released meanwhile."""

from __future__ import annotations

import datetime as dt

import journey_site
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from world import FIRST, World

from gatehouse.console import arrivals
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed
from gatehouse.pipeline import approve, dockets, finishing, history, journey, record, release, withdrawal
from gatehouse.store import jobs, models

pytestmark = pytest.mark.slow

BASE = "/api/v1/submissions"


def handed_in(world: World, identifier: str) -> tuple[Client, str]:
    """A submission of the first agency on its way in, and its program."""
    upload = {"file": SimpleUploadedFile("x.zip", world.submission(FIRST, identifier, "first").read_bytes())}
    program = world.program(FIRST)
    return program, program.post(BASE, upload, headers={"idempotency-key": f"hand-in-{identifier}"}).json()["id"]


def withdrawn(program: Client, name: str) -> tuple[int, dict]:
    answer = program.post(f"{BASE}/{name}/withdraw", headers={"idempotency-key": f"withdraw-{name}"})
    return answer.status_code, answer.json()


def test_what_is_being_checked_is_withdrawn_at_once(world: World, monkeypatch) -> None:
    program, name = handed_in(world, "W-1")
    find, told = arrivals.shape.find, []

    def meanwhile(*given):
        told.append(withdrawn(program, name))
        return find(*given)

    monkeypatch.setattr(arrivals.shape, "find", meanwhile)
    arrivals.work()
    assert told == [(200, {"id": name})]
    assert program.get(f"{BASE}/{name}").status_code == 404
    assert not list(world.site.inbox.glob(f"{name}*"))
    assert jobs.unfinished(arrivals.CHECK) == ()


def test_what_waits_to_be_decided_is_withdrawn_and_not_decided(world: World) -> None:
    program, name = handed_in(world, "W-2")
    arrivals.work()
    page = world.person(FIRST)
    assert page.post(f"/submissions/{name}/", {}).status_code == 302  # sent
    asked = page.post(f"/submissions/{name}/", {"act": "withdraw"}, follow=True)
    assert "Withdraw this submission?" in asked.content.decode()
    said = page.post(f"/submissions/{name}/", {"act": "withdraw", "sure": "yes"}, follow=True).content.decode()
    assert "It goes on record as soon as the step ends that it is at" in said
    assert "Withdraw it…" not in said
    assert withdrawn(program, name) == (202, {"id": name, "waits": True})
    arrivals.work()
    told = program.get(f"{BASE}/{name}").json()
    assert (told["state"], told["withdrawn"]) == ("withdrawn", True)
    assert "No record was searched" in page.get(f"/submissions/{name}/").content.decode()
    assert "W-2" not in dockets.own(world.site.dockets, FIRST)
    assert not list(world.site.inbox.glob(f"{name}*"))
    assert withdrawal.waiting() == ()
    again = world.run(FIRST, "W-2", "first")  # the id is free, and what is handed in now is not withdrawn
    assert not withdrawal.is_withdrawn(again)


def test_what_is_being_decided_is_withdrawn_before_anybody_can_decide_a_case(world: World, monkeypatch) -> None:
    program, name = handed_in(world, "W-3")
    arrivals.work()
    program.post(f"{BASE}/{name}/send", headers={"idempotency-key": "send-W-3-now"})
    commit, opened, told = journey.commit.commit_docket, journey.approve.open_docket, []

    def meanwhile(*given):
        told.append(withdrawn(program, name))
        told.append(program.get(f"{BASE}/{name}").json()["withdrawn"])
        return commit(*given)

    def after(connection, office, docket):
        assert withdrawal.asked(docket), "on record before a case can be decided"
        return opened(connection, office, docket)

    monkeypatch.setattr(journey.commit, "commit_docket", meanwhile)
    monkeypatch.setattr(journey.approve, "open_docket", after)
    arrivals.work()
    assert told == [(202, {"id": name, "waits": True}), True]
    found = program.get(f"{BASE}/{name}").json()
    assert (found["state"], found["withdrawn"]) == ("received", True)
    called = dockets.own(world.site.dockets, FIRST)["W-3"]
    [said] = history.whole(world.site, {withdrawal.EVENT}).of(withdrawal.EVENT, scope=called)
    assert said.text("by") == f"agency-{FIRST}"
    with open_workspace() as connection, pytest.raises(AnswerIsNo, match="withdrew"):
        release.release(connection, approve.office(world.site), called, journey_site.NOW)


def test_a_withdrawal_that_meets_a_busy_ledger_is_kept_and_bars_a_release(world: World, monkeypatch) -> None:
    docket = world.run(FIRST, "W-4", "first")

    def busy(_site):
        raise MachineFailed("the ledger is held")

    with monkeypatch.context() as held:
        held.setattr(record, "open_log", busy)
        page = world.person(FIRST)
        said = page.post("/submissions/W-4/", {"act": "withdraw", "sure": "yes"}, follow=True).content.decode()
    assert "W-4 is withdrawn" in said
    assert not withdrawal.asked(docket)
    office = approve.office(world.site)
    with open_workspace() as connection, pytest.raises(AnswerIsNo, match="withdrew"):
        release.release(connection, office, docket.id, journey_site.NOW)
    models.Job.objects.update(lease_until=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert finishing.finish(office, journey_site.NOW) == 1
    assert withdrawal.asked(docket)
    status, told = withdrawn(world.program(FIRST), "W-4")
    assert (status, told["id"]) == (200, "W-4")
    assert told["entry"] > 0
