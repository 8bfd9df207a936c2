"""Limits on calling hold for a site as a whole: however many processes, on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import server
import serving
from django.db import connection

from gatehouse.cli import web
from gatehouse.console import accounts, arrivals, limits, tokens
from gatehouse.console.models import Arrival, Calls, FailedSignIn
from gatehouse.kernel import clock
from gatehouse.pipeline import founding
from gatehouse.pipeline.site import Founding, Site, open_site
from gatehouse.store import models_of

pytestmark = pytest.mark.slow

PACK = Path(__file__).parents[2] / "packs" / "us-irs-6103-i-2"
MOST, IN_VAIN = 40, 10


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Iterator[tuple[str, contextlib.ExitStack]]:
    """An address, and what stops its server before the test ends."""
    with contextlib.ExitStack() as running:
        sqlite = request.param == "sqlite"
        yield "sqlite:///gatehouse.sqlite3" if sqlite else running.enter_context(server.postgres()), running


@pytest.fixture
def limited(site, database, tmp_path: Path) -> Iterator[Site]:
    """A site of its own with low limits, in this process for the length of a test."""
    opened = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    made = founding.found(tmp_path / "site", Founding("gateway.example/limits"), [PACK], opened, shipped=True)
    text = made.configuration.path.read_text().replace("sqlite:///gatehouse.sqlite3", database[0])
    text += f"\n[limits]\nrequests_a_minute = {MOST}\nfailures_a_minute = {IN_VAIN}\n"
    made.configuration.path.write_text(text)
    found = open_site(made.root)
    web.configure(found)
    yield found
    connection.close()


def statuses(addresses: list[str], key: str, each: int) -> Counter[int]:
    """What several programs at once are answered, by status; asked again where the minute ended meanwhile."""

    def ask(number: int) -> int:
        address = f"{addresses[number % len(addresses)]}/api/v1/submissions"
        return requests.get(address, headers={"Authorization": f"Bearer {key}"}, timeout=60).status_code

    while True:
        minute = time.time() // 60
        with ThreadPoolExecutor(8) as programs:
            found = Counter(programs.map(ask, range(each * len(addresses))))
        if time.time() // 60 == minute:
            return found


def test_two_processes_give_no_more_than_one(limited: Site, database) -> None:
    account, _ = accounts.create("programs", name="Programs", role="requester", agency="us.dhs.ice")
    key = tokens.make(account, "tests", tokens.possible(account), 1, account)
    with contextlib.ExitStack() as serve:
        addresses = [serve.enter_context(serving.gatehouse(limited.root, serving.free_port())) for _ in range(2)]
        assert statuses(addresses, key, MOST) == {200: MOST, 429: MOST}
        assert statuses(addresses, "gk_guess", IN_VAIN) == {401: IN_VAIN, 429: IN_VAIN}
        if database[0].startswith("postgresql"):
            connection.close()
            database[1].close()
            answer = requests.get(
                f"{addresses[0]}/api/v1/submissions", headers={"Authorization": f"Bearer {key}"}, timeout=60
            )
            assert answer.status_code == 503, "where nobody can count, nobody comes in"
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert int(answer.headers["Retry-After"]) > 0
            assert "127.0.0.1" not in answer.text


def test_passwords_tried_at_one_instant_in_two_processes_count_each_other(limited: Site) -> None:
    """A password takes a third of a second to check: what is tried meanwhile must not slip through."""
    accounts.create("somebody", name="Somebody", role="auditor", password="seven quiet herons")
    with contextlib.ExitStack() as serve:
        addresses = [serve.enter_context(serving.gatehouse(limited.root, serving.free_port())) for _ in range(2)]

        def guess(number: int) -> int:
            address = f"{addresses[number % 2]}/sign-in/"
            with requests.Session() as browser:
                browser.get(address, timeout=60)
                form = {"username": "somebody", "password": f"guess {number}"}
                form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
                start.wait()
                return browser.post(address, form, headers={"Referer": address}, timeout=60).status_code

        start = threading.Barrier(16)
        with ThreadPoolExecutor(16) as guessers:
            found = Counter(guessers.map(guess, range(16)))
        assert 1 <= found[401] <= limits.BY_NAME
        assert found[401] + found[429] == 16
    kept = FailedSignIn.objects.values_list("username", flat=True)
    assert len(kept) == found[401]
    assert "somebody" not in kept


def test_uploads_at_one_instant_count_each_other_and_refused_ones_count_for_nothing(limited: Site, monkeypatch) -> None:
    """While one file is being written the others come: no more are kept than are free, and no fewer."""
    account, _ = accounts.create("sender", name="Sender", role="requester", agency="us.dhs.ice")
    free, senders = 3, 8
    monkeypatch.setattr(limits, "limit", lambda name: free)
    start = threading.Barrier(senders)

    class Meanwhile:
        def chunks(self) -> Iterator[bytes]:
            start.wait(60)
            yield b"zip"

    def send(_: int) -> str | int:
        try:
            return arrivals.keep(Meanwhile(), account).identifier
        except limits.TooMany as refused:
            return refused.wait
        finally:
            connection.close()

    with ThreadPoolExecutor(senders) as pool:
        found = list(pool.map(send, range(senders)))
    kept = sorted(one for one in found if isinstance(one, str))
    assert len(kept) == free
    assert sorted(Arrival.objects.values_list("identifier", flat=True)) == kept
    assert sorted(path.name for path in (limited.root / "inbox").iterdir()) == [f"{name}.zip" for name in kept]

    oldest = Arrival.objects.order_by("at")[0]
    now = oldest.at + dt.timedelta(hours=1, seconds=-30)
    monkeypatch.setattr(clock, "now", lambda: now)
    with pytest.raises(limits.TooMany) as refused:
        limits.uploading(account)
    assert refused.value.wait == 30, "it need not wait an hour when one is free again before"
    now += dt.timedelta(seconds=30)
    limits.uploading(account)


def test_counts_begin_anew_each_minute_and_old_ones_go(limited: Site) -> None:
    while time.time() % 60 > 55:
        time.sleep(1)
    assert [limits.count("a") for _ in range(3)] == [1, 2, 3]
    assert limits.count("b") == 1
    old = Calls.objects.order_by("-count").first()
    assert old is not None
    Calls.objects.filter(pk=old.pk).update(minute=old.minute - 1)
    assert limits.count("a") == 1
    Calls.objects.filter(pk=old.pk).update(minute=old.minute - 2)
    assert limits.count("c") == 1
    assert Calls.objects.count() == 2, "what is older than the minute before is forgotten"


def test_a_count_names_nobody(limited: Site) -> None:
    limits.count("account 17")
    limits.count("address 192.0.2.7")
    kept = list(Calls.objects.values_list("key", flat=True))
    assert len(kept) == 2
    assert all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in kept)


def test_other_writes_still_wait_for_the_disk(limited: Site) -> None:
    """Counting is the one write that is not synced; a decision, a session or a job is."""
    limits.count("a")
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone() == (2,)
        else:
            cursor.execute("SELECT relname FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'")
            assert cursor.fetchall() == [("console_calls",)]
            assert models_of().Job._meta.db_table == "store_job"
