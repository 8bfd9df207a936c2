"""What `gatehouse bench console` measures: every page of a served site, with a docket of the size wanted in it.

The site is made by the journey itself and kept. Its own server runs as a process beside; pages are asked for over HTTP
on loopback, one after the other at random places, then by many users at once who pause between pages as readers do.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from benchmarks.journey import NOW, Stages
from gatehouse.kernel import clock
from gatehouse.kernel.errors import MachineFailed

TARGET_MS = 150
DOCKET_OFFICERS = ("do-1", "do-2")
ROLES = {
    "disclosure_officer": ("bench-officer", "do-1"), "requester": ("bench-agency", ""),
    "counsel": ("bench-counsel", ""), "inspector": ("bench-inspector", ""),
    "administrator": ("bench-administrator", ""),
}  # fmt: skip
AGENCY = "us.dhs.ice"
Somewhere = Callable[[random.Random], str]


@dataclass(frozen=True)
class Docket:
    """What pages are asked about: the docket, its size, and rules and requests to ask for."""

    name: str
    requests: int
    ids: tuple[str, ...]
    rules: tuple[str, ...]
    waiting: int


@dataclass(frozen=True)
class Page:
    """One page: its name in the table, its address's name in the console, who asks, and where."""

    title: str
    route: str
    role: str
    path: Somewhere


def pages(docket: Docket) -> list[Page]:
    """Every page that only reads, at random places where it has many."""
    at = f"/dockets/{docket.name}/"
    over = f"/oversight/dockets/{docket.name}/"
    officer, agency, counsel, inspector = "disclosure_officer", "requester", "counsel", "inspector"

    def fixed(path: str) -> Somewhere:
        return lambda _: path

    def after(chance: random.Random) -> int:
        return chance.randrange(max(docket.waiting, 1))

    return [
        Page("front page", "home", "", fixed("/")),
        Page("sign in", "sign-in", "", fixed("/sign-in/")),
        Page("health", "health", "", fixed("/health/")),
        Page("readiness", "ready", "", fixed("/ready/")),
        Page("your record", "own-record", "", fixed("/your-record/")),
        Page("the same in Spanish", "own-record-es", "", fixed("/es/su-registro/")),
        Page("public statistics", "statistics", "", fixed("/statistics/")),
        Page("the same as CSV", "statistics-file", "", fixed("/statistics.csv")),
        Page("August 2025", "august-2025", "", fixed("/august-2025/")),
        Page("public log, one entry", "ledger", "", lambda c: f"/ledger/?entry={c.randrange(docket.requests)}"),
        Page("checkpoint", "ledger-file", "", fixed("/ledger/checkpoint")),
        Page("dockets", "dockets", officer, fixed("/dockets/")),
        Page("one docket", "docket", officer, fixed(at)),
        Page("queue, held, anywhere", "queue", officer, lambda c: f"{at}queue/?state=held&after={after(c)}"),
        Page("queue by rule, anywhere", "queue", officer,
             lambda c: f"{at}queue/?state=held&rule={quote(c.choice(docket.rules))}&after={after(c)}"),
        Page("queue, cleared, anywhere", "queue", officer, lambda c: f"{at}queue/?state=cleared&after={after(c)}"),
        Page("one case", "case", officer, lambda c: f"{at}cases/{c.randrange(docket.requests)}/"),
        Page("find by id, then its case", "queue", officer, lambda c: f"{at}queue/?find={c.choice(docket.ids)}"),
        Page("decisions", "decisions", officer, fixed(f"{at}decisions/")),
        Page("recall", "recall", officer, fixed(f"{at}recall/")),
        Page("letters", "letters", officer, fixed("/letters/")),
        Page("submissions", "submissions", agency, fixed("/submissions/")),
        Page("hand in", "submission-new", agency, fixed("/submissions/new/")),
        Page("one submission", "submission", agency, fixed(f"/submissions/{docket.name}/")),
        Page("one answer", "submission", agency, lambda c: f"/submissions/{docket.name}/?find={c.choice(docket.ids)}"),
        Page("keys", "keys", agency, fixed("/keys/")),
        Page("law", "law", counsel, fixed("/law/")),
        Page("one pack", "pack", counsel, fixed("/law/packs/us.irs.6103-i-2/")),
        Page("changes of law", "drafts", counsel, fixed("/law/drafts/")),
        Page("oversight", "oversight", inspector, fixed("/oversight/")),
        Page("halts", "halts", inspector, fixed("/oversight/halts/")),
        Page("reports", "reports", inspector, fixed("/oversight/reports/")),
        Page("recalls", "recalls", inspector, fixed("/oversight/recalls/")),
        Page("the log explained", "explore", inspector,
             lambda c: f"/oversight/log/?entry={c.randrange(docket.requests)}"),
        Page("rules and officers", "shape", inspector, fixed(over)),
        Page("spot check, drawn", "spot-check", inspector, lambda c: f"{over}spot-check/?draw={c.randrange(1, 999)}"),
        Page("derive one case again", "replay", inspector, lambda c: f"{over}replay/?request={c.choice(docket.ids)}"),
        Page("accounts", "accounts", "administrator", fixed("/accounts/")),
        Page("one account", "account", "administrator", fixed("/accounts/bench-counsel/")),
        Page("failed work", "failed-work", "administrator", fixed("/failed-work/")),
    ]  # fmt: skip


def make_site(stages: Stages, database: str) -> Path:
    """Carry the synthetic submission to a docket open for decisions, or take the site that is there; gives its folder.

    The database is the one named, whatever the site had before.
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import approve, journey
    from gatehouse.pipeline.site import open_site

    root = stages.root / f"console-{stages.persons}-{stages.requests}"
    if not root.exists():
        _found(stages, root)
    if not list((root / "dockets").glob("*/summary.json")):
        journey.run(open_site(root), stages.agency, now=NOW, progress=lambda *_: None)
    configuration = root / "gatehouse.toml"
    text = re.sub(r'(?m)^database = "[^"]*"', f'database = "{database}"', configuration.read_text())
    configuration.write_text(text)
    place = approve.office(open_site(root))
    with open_workspace(temporary=root / "spill") as connection:
        for folder in sorted(place.site.dockets.iterdir()):
            approve.open_docket(connection, place, approve.docket_of(place.site, folder.name))
            _tell(folder)
    return root


def _tell(folder: Path) -> None:
    """Let the public figures count the docket: it is answered only when nothing waits, and then the queue is empty.

    Its answers are as they are, 1.28 million lines that mostly say `pending`; the pages' work is the same.
    """
    (folder / "events").mkdir(exist_ok=True)
    (folder / "events" / "answered.json").write_text("{}")


def _found(stages: Stages, root: Path) -> None:
    from gatehouse.law import shipped
    from gatehouse.ledger.note import sign_detached
    from gatehouse.ledger.signers import new_key, parse_signer
    from gatehouse.pipeline import founding
    from gatehouse.pipeline.site import Founding
    from gatehouse.synthetic.parties import invent

    private, public = new_key(AGENCY)
    parties = stages.root / "console-parties.toml"
    parties.write_text(invent(public, usual_requests=stages.requests))
    manifest = stages.agency / "submission.json"
    (stages.agency / "submission.json.sig").write_text(sign_detached(manifest.read_bytes(), parse_signer(private)))
    beginning = Founding("bench.example/console", str(stages.register), parties, demonstration=True)
    site = founding.found(root, beginning, [shipped.pack("us-irs-6103-i-2")], NOW, shipped=True)
    roster = "".join(
        f'\n[[officers]]\nid = "{one}"\nname = "{one}"\nrole = "disclosure_officer"\nkey = "{new_key(one)[1]}"\n'
        "from = 2025-01-01\n"
        for one in DOCKET_OFFICERS
    )
    site.configuration.path.write_text(site.configuration.path.read_text() + roster)
    if stages.index.is_dir():  # built by `gatehouse bench journey`; content-addressed, so a wrong one is not used
        site.index.symlink_to(stages.index)


def sessions(root: Path) -> dict[str, str]:
    """An account for each role at the site, signed in: the session's cookie by role."""
    from gatehouse.cli import web
    from gatehouse.pipeline.site import open_site

    web.configure(open_site(root))
    from django.conf import settings
    from django.test import Client

    from gatehouse.console import accounts, sessions

    assert sessions.BEGAN  # noqa: S101 - imported before anyone signs in: a session begins only where it is watched
    settings.ALLOWED_HOSTS = ["*"]
    found = {"": ""}
    for role, (username, officer) in ROLES.items():
        agency = AGENCY if role == "requester" else ""
        account, _ = accounts.create(username, name=username, role=role, agency=agency, officer=officer)
        client = Client()
        client.force_login(account)
        found[role] = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    return found


def look(root: Path) -> Docket:
    """The one docket of the site, and a thousand of its requests."""
    from gatehouse.intake.workspace import open_workspace, quoted

    [folder] = [path for path in (root / "dockets").iterdir() if path.is_dir()]
    table = f"read_parquet({quoted(folder / 'determinations.parquet')})"
    with open_workspace() as connection:
        ids = connection.sql(f"SELECT request_id FROM {table} USING SAMPLE 1000 ROWS (reservoir, 1)").fetchall()
        rules = connection.sql(
            f"SELECT DISTINCT unnest(fired) AS rule FROM {table} WHERE outcome = 'held' ORDER BY rule"
        ).fetchall()
        [(requests, waiting)] = connection.sql(
            f"SELECT count(*), count(*) FILTER (outcome IN ('held', 'cleared')) FROM {table}"
        ).fetchall()
    return Docket(folder.name, requests, tuple(one for (one,) in ids), tuple(one for (one,) in rules), waiting)


@contextlib.contextmanager
def served(root: Path) -> Iterator[str]:
    """The site's own server, in a process of its own on a free port; gives `host:port`."""
    environment = os.environ | {"GATEHOUSE_NOW": clock.stamp(NOW)}
    command = [sys.executable, "-m", "gatehouse", "serve", "--site", str(root), "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for line in process.stdout:
            if found := re.search(r"http://[^/]+:(\d+)/", line):
                break
        else:
            raise MachineFailed("the server did not start", where=str(root))
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield f"127.0.0.1:{found[1]}"
    finally:
        process.terminate()
        process.wait()


class Reader:
    """One reader's connection: asks for a page as a browser with a session would, following one redirection."""

    def __init__(self, place: str, cookies: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection(place, timeout=60)
        self._cookies = cookies

    def ask(self, role: str, path: str, *, again: bool = True) -> int:
        """Fetch one page whole; gives its status."""
        self._connection.request("GET", path, headers={"Cookie": self._cookies[role], "Host": "localhost"})
        answer = self._connection.getresponse()
        answer.read()
        if answer.status in {301, 302} and again:
            target = urlsplit(answer.headers["Location"])
            if target.path == "/sign-in/":
                return 401  # the session did not hold: what follows would be another page than the one asked for
            return self.ask(role, f"{target.path}?{target.query}", again=False)
        return answer.status


@dataclass
class Timed:
    """One page's times in milliseconds: the first, which opens files and counts, and the others."""

    page: Page
    first: float = 0.0
    others: list[float] = field(default_factory=list)
    errors: int = 0

    def cells(self) -> tuple[str, str, str, str]:
        """Median, 95th percentile, slowest, first."""
        ordered = sorted(self.others)
        figures = (statistics.median(ordered), percentile(ordered), ordered[-1], self.first)
        return tuple(f"{each:.0f}" for each in figures)  # type: ignore[return-value]


def percentile(ordered: list[float], share: float = 0.95) -> float:
    """The smallest value that so large a share does not exceed."""
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * share // 1) - 1))]


def one_by_one(place: str, cookies: dict[str, str], docket: Docket, samples: int) -> list[Timed]:
    """Ask for every page, first once and then `samples` times at random places, one after the other."""
    reader, found = Reader(place, cookies), []
    for page in pages(docket):
        chance = random.Random(page.title)  # noqa: S311 - places to read, no secret
        timed = Timed(page)
        for number in range(samples + 1):
            path = page.path(chance)
            began = time.perf_counter()
            timed.errors += reader.ask(page.role, path) >= 400
            spent = (time.perf_counter() - began) * 1000
            if number:
                timed.others.append(spent)
            else:
                timed.first = spent
        found.append(timed)
    return found


@dataclass
class Crowd:
    """What many users at once met: times in milliseconds and what went wrong."""

    times: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def at_once(place: str, cookies: dict[str, str], docket: Docket, users: int, seconds: float, pause: float) -> Crowd:
    """Let many users read pages at random for some time, each pausing between pages."""
    crowd, asked = Crowd(), pages(docket)
    ends = time.monotonic() + seconds

    def read(number: int) -> None:
        chance, reader = random.Random(number), Reader(place, cookies)  # noqa: S311 - places to read, no secret
        time.sleep(chance.random() * pause)
        while time.monotonic() < ends:
            page = chance.choice(asked)
            path, began = page.path(chance), time.perf_counter()
            try:
                status = reader.ask(page.role, path)
            except (OSError, http.client.HTTPException) as failure:
                crowd.errors.append(f"{page.title}: {type(failure).__name__}")
                reader = Reader(place, cookies)
            else:
                crowd.times.append((time.perf_counter() - began) * 1000)
                if status >= 400:
                    crowd.errors.append(f"{page.title}: {status}")
            time.sleep(pause * (0.5 + chance.random()))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return crowd
