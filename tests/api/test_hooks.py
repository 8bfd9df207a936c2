"""Webhooks: signed, once each, with nothing of a case in them; a deaf or misleading address stops nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from doors import SITE

from gatehouse.kernel import clock
from gatehouse.kernel.errors import CustodianFault
from gatehouse.ledger.note import open_note
from gatehouse.ledger.signers import Verifier, read_verifier
from gatehouse.pipeline.site import current
from gatehouse.site.configuration import Configuration
from gatehouse.site.webhooks import Webhook


def carry(now: dt.datetime) -> int:
    """As the decider and the web do, one after the other."""
    from gatehouse.console import hooks

    hooks.compose(now)
    return hooks.post(now)


NOW = dt.datetime(2031, 1, 1, tzinfo=dt.UTC)
AGENCY = "us.doj.other"


@contextlib.contextmanager
def listening(status: int = 204, location: str = "") -> Iterator[tuple[str, list[bytes]]]:
    """An agency's address that keeps what it is told."""
    heard: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - as the library calls it

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/told", heard
    finally:
        server.shutdown()


@pytest.fixture
def hooked(site, monkeypatch) -> Iterator[list]:
    """The site as a demonstration, where a plain address may stand; gives the list of its webhooks."""
    from gatehouse.console.models import Call

    wanted: list[Webhook] = []
    monkeypatch.setattr(Configuration, "webhooks", property(lambda _: wanted))
    Call.objects.all().delete()
    yield wanted
    Call.objects.all().delete()


def happen(kind: str, name: str) -> None:
    from gatehouse.console.models import Account, Arrival

    account = Account.objects.get(username="stranger")
    Arrival.objects.create(identifier=name, account=account, agency=AGENCY, state="checked", submission="DOJ-2",
                           message="never told", form={"Address": {"complete": 3}})  # fmt: skip
    assert kind == "submission.checked"


def test_a_webhook_is_told_once_signed_and_nothing_of_a_case(hooked):
    from gatehouse.console.models import Arrival

    name = f"in-{clock.stamp(clock.now())}".replace(":", "")
    with listening() as (address, heard):
        hooked.append(Webhook(AGENCY, address))
        assert carry(NOW) == 0, "of what was there before it is told nothing"
        happen("submission.checked", name)
        try:
            assert carry(NOW) == 1
            assert carry(NOW) == 0
        finally:
            Arrival.objects.filter(identifier=name).delete()
    [body] = heard
    key: Verifier = read_verifier(SITE.root / "custodian.vkey")
    told = json.loads(open_note(body, [key]).text)
    assert told == {
        "format": "gatehouse-call/1", "site": SITE.name, "agency": AGENCY, "event": "submission.checked",
        "subject": name, "submission": "DOJ-2", "at": "2031-01-01T00:00:00Z",
    }  # fmt: skip


def test_a_deaf_address_is_asked_again_later_and_another_s_redirect_leads_nowhere(hooked):
    from gatehouse.console import hooks
    from gatehouse.console.models import Arrival, Call

    name = "in-redirected"
    with listening() as (inside, never), listening(302, location=inside) as (address, heard):
        hooked.append(Webhook(AGENCY, address))
        carry(NOW)
        happen("submission.checked", name)
        try:
            assert carry(NOW) == 0
            assert carry(NOW) == 0, "the next try waits"
            assert carry(NOW + dt.timedelta(minutes=1)) == 0
            for day in range(1, 40):
                carry(NOW + dt.timedelta(days=day))
        finally:
            Arrival.objects.filter(identifier=name).delete()
    assert len(heard) == hooks.MOST_TRIES
    assert never == []
    assert Call.objects.get(subject=name).done_at is None


def test_an_agency_is_told_of_its_own_alone(site):
    from gatehouse.console import hooks

    told = {(one.kind, one.submission) for one in hooks.happened(AGENCY)}
    assert ("submission.received", "DOJ-1") in told
    assert not {one for one in told if one[1].startswith("ICE")}


@pytest.mark.parametrize(
    "lines",
    [
        'agency = "us.doj.other"\naddress = "http://plain.example/"',
        'agency = "us.doj.other"\naddress = "https://user:word@x.example/"',
        'agency = "us.doj.other"\naddress = "file:///etc/passwd"',
        'agency = "us.doj.other"',
        'agency = "us.doj.other"\naddress = "https://x.example/"\nmore = "x"',
    ],
)
def test_a_webhook_that_cannot_be_used_is_the_custodian_s_to_mend(site, lines):
    text = SITE.configuration.path.read_text()
    SITE.configuration.path.write_text(f"{text}\n[[webhooks]]\n{lines}\n")
    try:
        with pytest.raises(CustodianFault, match="webhook"):
            _ = current(SITE).configuration.webhooks
    finally:
        SITE.configuration.path.write_text(text)
