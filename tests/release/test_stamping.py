"""Every checkpoint of a site is time-stamped; when stamps stay away for longer than is borne, nothing leaves."""

from __future__ import annotations

import datetime as dt
import http.server
import threading

import house
import pytest
from local_authority import make, openssl

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import timestamps
from gatehouse.pipeline import record, release, stamping

pytest.importorskip("rfc3161_client", reason="the timestamps extra is not installed")
pytestmark = pytest.mark.tools


class Authority:
    """An authority at an address, which can go silent."""

    def __init__(self, folder):
        folder.mkdir()
        self.root, answer, outer = folder / "root.pem", make(folder), self
        self.silent = False

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                query = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.silent:
                    self.send_error(503)
                    return
                token = answer(query)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(token)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authorities")
    both = Authority(folder / "first"), Authority(folder / "second")
    yield both
    for one in both:
        one.server.shutdown()


@pytest.fixture
def home(approved, two):
    for one in two:
        one.silent = False
    (approved.site.root / "tsa.pem").write_bytes(b"".join(one.root.read_bytes() for one in two))
    urls = ", ".join(f'"{one.url}"' for one in two)
    section = f'\n[timestamps]\nauthorities = [{urls}]\nroots = "tsa.pem"\nstop_after_hours = 24\n'
    path = approved.site.configuration.path
    path.write_text(path.read_text() + section)
    return approved


def now():
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def stamps(home):
    return {path.name for path in (home.site.ledger / "checkpoints").glob("*.tsr")}


def publish(home):
    with record.open_log(home.site) as log:
        return record.publish(home.site, log, now())


def test_every_checkpoint_is_stamped_by_whichever_answers(home, two):
    newest = publish(home)
    assert f"{newest.size}.tsr" in stamps(home)
    two[0].silent = True
    record_one(home, "more")
    again = publish(home)
    assert {f"{newest.size}.tsr", f"{again.size}.tsr"} <= stamps(home)
    name = str(home.site.ledger / f"checkpoints/{again.size}")
    command = ["ts", "-verify", "-data", name, "-in", f"{name}.tsr", "-CAfile", str(two[1].root)]
    assert b"Verification: OK" in openssl(home.site.root, *command).stdout
    assert timestamps.verify_all(home.site.ledger, home.site.root / "tsa.pem") == len(stamps(home))


def record_one(home, name):
    with record.open_log(home.site) as log:
        record.event(log, home.site.events, f"site/letter_made-{name}", {"event": "letter_made"})


def test_releases_stop_when_stamps_stay_away_and_go_on_when_they_come(home, two):
    publish(home)
    for one in two:
        one.silent = True
    record_one(home, "unstamped")
    publish(home)
    stamping.refuse(home.site, now() + dt.timedelta(hours=23))
    with pytest.raises(AnswerIsNo, match="releases are stopped: no time-stamp since"):
        stamping.refuse(home.site, now() + dt.timedelta(hours=25))
    for one in two:
        one.silent = False
    publish(home)
    stamping.refuse(home.site, now() + dt.timedelta(days=700))


def test_a_site_that_was_never_stamped_releases_nothing(home, two):
    for one in two:
        one.silent = True
    with pytest.raises(AnswerIsNo, match="no checkpoint has been time-stamped"):
        release.release(home.connection, home.office, house.NAME, house.LATER)
    assert not list(home.docket.releases.glob("*.age"))
    two[1].silent = False
    assert release.release(home.connection, home.office, house.NAME, house.LATER).cases == 9


def test_an_authority_nobody_believes_is_not_heard(home, two, tmp_path):
    (home.site.root / "tsa.pem").write_bytes(two[1].root.read_bytes())
    two[1].silent = True
    publish(home)
    assert stamps(home) == set()
    two[1].silent = False
    publish(home)
    assert timestamps.verify_all(home.site.ledger, home.site.root / "tsa.pem") == 1


@pytest.mark.parametrize("section", ["[timestamps]", "timestamps = 1", '[timestamps]\nauthorities = []\nroots = "x"'])
def test_half_a_section_is_refused(approved, section):
    path = approved.site.configuration.path
    path.write_text(section + "\n" + path.read_text() if "=" in section.split("\n")[0] else path.read_text() + section)
    with pytest.raises(WrongInput, match="timestamps"):
        _ = approved.site.configuration.timestamps


def test_a_stamp_under_an_unknown_root_is_told_as_that(home, two):
    """Both ways: an authority that answers now, and stamps that were taken under a root since exchanged."""
    roots = home.site.root / "tsa.pem"
    both = roots.read_bytes()
    roots.write_bytes(two[1].root.read_bytes())
    two[1].silent = True
    publish(home)
    with pytest.raises(AnswerIsNo, match=r"none of the given certificates is its root.*Compare the authority's root"):
        stamping.refuse(home.site, now())
    roots.write_bytes(both)
    publish(home)
    stamping.refuse(home.site, now())
    roots.write_bytes(two[1].root.read_bytes())
    with pytest.raises(AnswerIsNo, match=r"1 that it does not vouch for. Compare the authority's root"):
        stamping.refuse(home.site, now())
