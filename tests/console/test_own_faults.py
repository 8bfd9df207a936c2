"""A mistake in the custodian's own files is no fault of a submission: through the console, the API and the worker.

The agency reads that its submission waits; whoever looks after the site reads which file is at fault and where in it;
and once that is mended, the submission goes on by itself.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import journey_site
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from doors import PASSWORD, SITE

from gatehouse import store
from gatehouse.console import accounts, arrivals, tokens
from gatehouse.console.models import Account, Arrival
from gatehouse.kernel.errors import CustodianFault
from gatehouse.ledger.signers import new_key
from gatehouse.pipeline import halts
from gatehouse.pipeline.site import Site
from gatehouse.store import jobs, models_of

BASE = "/api/v1"


def _append(name: str, text: str) -> Callable[[Path], Path]:
    def change(root: Path) -> Path:
        path = root / name
        path.write_bytes((path.read_bytes() if path.exists() else b"") + text.encode("latin-1"))
        return path

    return change


def _write(name: str, text: str) -> Callable[[Path], Path]:
    def change(root: Path) -> Path:
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode("latin-1"))
        return path

    return change


def _without_counsel(root: Path) -> Path:
    path = root / "gatehouse.toml"
    path.write_text(path.read_text().replace("\ncounsel = [", "\n# counsel = ["))
    return path


def _pack(root: Path) -> Path:
    path = next(root.glob("packs/*/pack.toml"))
    path.write_text(path.read_text() + "\n[nonsense]\n")
    return path


FAULTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a policy of oversight that is none": (_append("oversight.policy", "nonsense\n"), "oversight.policy line 5"),
    "a policy of oversight that is no text": (_append("oversight.policy", "\xff\n"), "oversight.policy"),
    "a halt that is none": (_write("halts/one.halt", "nonsense"), "one.halt"),
    "a person on the roster without a day": (_append("gatehouse.toml", '\n[[officers]]\nid = "do-3"\n'), "officer 3"),
    "no office of counsel": (_without_counsel, "[offices]"),
    "a key of the custodian that is none": (_write("keys/custodian.key", "nonsense\n"), "custodian.key"),
    "a pack that does not read": (_pack, "pack.toml"),
    "a list of law in force that does not read": (_write("packs/pinned.json", "{"), "pinned.json"),
    "parties that do not read": (_append("parties.toml", "\n[agencies.secret]\n"), "parties.toml"),
    "a policy of witnesses that is none": (_append("witnesses.policy", "nonsense\n"), "line 3"),
}
"""What is done to a site, and what tells its keeper where."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Site:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEHOUSE_NOW", "2025-08-07T14:00:00Z")
        return journey_site.build(tmp_path_factory.mktemp("own"), persons=300, requests=20)


@pytest.fixture
def real(site, made: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site with a register, in this process for the length of a test; it leaves its work to the test."""
    monkeypatch.setattr(settings, "GATEHOUSE_WORKS", False)
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-08-07T14:00:00Z")
    settings.GATEHOUSE_SITE = str(made.root)
    store.configure(made.database)
    if not Account.objects.filter(username="agency").exists():
        accounts.create("agency", name="An Agency", role="requester", agency="us.dhs.ice", password=PASSWORD)
    yield made
    settings.GATEHOUSE_SITE = str(SITE.root)
    store.configure(SITE.database)


@contextlib.contextmanager
def broken(site: Site, name: str) -> Iterator[str]:
    """One fault for the length of a block; gives what tells its place."""
    change, place = FAULTS[name]
    before = {path: path.read_bytes() for path in site.root.rglob("*") if path.is_file() and path.suffix != ".sqlite3"}
    path = change(site.root)
    try:
        yield place
    finally:
        if path in before:
            path.write_bytes(before[path])
        else:
            path.unlink()


def again() -> int:
    """Work as if every lease had run out."""
    models_of().Job.objects.update(lease_until=None)
    return arrivals.work()


def programs() -> Client:
    account = Account.objects.get(username="agency")
    return Client(
        headers={"authorization": f"Bearer {tokens.make(account, 'tests', tokens.possible(account), 1, account)}"}
    )


def people() -> Client:
    client = Client()
    client.force_login(Account.objects.get(username="agency"))
    return client


@pytest.mark.slow
def test_no_fault_of_the_custodians_refuses_a_submission(real: Site, said: io.StringIO, capsys) -> None:
    by_hand, by_program = people(), programs()
    zips = [(real.root.parent / f"{name}.zip").read_bytes() for name in ("first", "second")]
    by_hand.post("/submissions/new/", {"file": SimpleUploadedFile("x.zip", zips[0], "application/zip")})
    upload = {"file": SimpleUploadedFile("x.zip", zips[1], "application/zip")}
    answer = by_program.post(f"{BASE}/submissions", upload, headers={"idempotency-key": "own-faults-1"})
    assert answer.status_code == 202, answer.content
    first, second = Arrival.objects.order_by("pk")

    with broken(real, "parties that do not read"):
        assert again() == 0, "the form cannot be checked either"
        assert by_program.get(f"{BASE}/submissions/{second.identifier}").json()["state"] == "failed"
    assert again() == 2
    by_hand.post(f"/submissions/{first.identifier}/")
    path = f"{BASE}/submissions/{second.identifier}/send"
    assert by_program.post(path, headers={"idempotency-key": "own-faults-2"}).status_code == 202

    for name in FAULTS:
        with broken(real, name) as place:
            assert again() == 0, name
            kept = jobs.failing()
            assert [job.subject for job in kept] == [first.identifier, second.identifier], name
            assert all(place in job.fault for job in kept), (name, kept)
            for arrival in (first, second):
                arrival.refresh_from_db()
                assert (arrival.state, arrival.message) == (Arrival.State.FAILED, arrivals.NOT_READY), name
        told = by_program.get(f"{BASE}/submissions/{second.identifier}").json()
        assert (told["state"], told["message"]) == ("failed", arrivals.NOT_READY), name
        page = by_hand.get(f"/submissions/{first.identifier}/").content.decode()
        assert "Nothing is wrong with your submission" in page, name
        assert all(text not in page + json.dumps(told) for text in (place, str(real.root.parent))), name
    assert not list(real.dockets.glob("*.refused")), "no refusal of a submission was signed"
    assert "oversight.policy line 5" in said.getvalue()
    assert str(real.root.parent) not in said.getvalue()

    assert again() == 2
    assert jobs.failing() == ()
    assert {arrival.state for arrival in Arrival.objects.all()} == {Arrival.State.DONE}


def test_a_basis_that_the_custodian_decides_nothing_under_is_the_submissions(real: Site, tmp_path: Path) -> None:
    private, public = new_key("us.dhs.ice")
    whole = real.parties.read_text()
    real.parties.write_text(re.sub(r"us\.dhs\.ice\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+", lambda _: public, whole))
    folder = tmp_path / "other"
    shutil.copytree(real.root.parent / "second", folder)
    text = (folder / "submission.json").read_text()
    manifest = json.loads(text)
    manifest |= {"basis": "us.example.other", "id": "ICE-OTHER-1"}
    (folder / "submission.json").write_text(json.dumps(manifest))
    (folder / "submission.json.sig").unlink()
    journey_site.pack_up(folder, tmp_path / "other.zip", private)
    by_program = programs()
    upload = {"file": SimpleUploadedFile("x.zip", (tmp_path / "other.zip").read_bytes(), "application/zip")}
    name = by_program.post(f"{BASE}/submissions", upload, headers={"idempotency-key": "other-basis-1"}).json()["id"]
    assert again() == 1
    by_program.post(f"{BASE}/submissions/{name}/send", headers={"idempotency-key": "other-basis-2"})
    try:
        assert again() == 1
        told = by_program.get(f"{BASE}/submissions/{name}").json()
        assert told["state"] == "refused"
        assert "us.example.other" in told["message"]
        assert str(real.root.parent) not in told["message"]
    finally:
        real.parties.write_text(whole)


@pytest.mark.parametrize("name", ["a person on the roster without a day", "a policy of witnesses that is none"])
def test_a_page_or_a_call_that_meets_a_fault_says_only_that_it_waits(real: Site, said: io.StringIO, name: str) -> None:
    """Statements given back need the roster; the witnesses' list needs its policy: each its own door."""
    [docket, *_] = [path.parent.name for path in real.dockets.glob("*/summary.json")] or [
        journey_site.carry(real, real.root.parent / "first.zip")
    ]
    with broken(real, name) as place:
        if place == "officer 3":
            file = SimpleUploadedFile("receipt.json", b"{}", "application/json")
            answer = people().post(f"/submissions/{docket}/returns/", {"file": file})
        else:
            answer = Client().get(f"{BASE}/ledger/witnesses")
        text = answer.content.decode()
        assert answer.status_code == 503
        assert "nothing is wrong with what you sent" in text
        assert not any(word in text for word in (place, "policy", "gatehouse.toml", str(real.root)))
        assert place in said.getvalue()


def test_limits_that_cannot_be_read_let_nobody_in_and_blame_nobody(real: Site) -> None:
    whole = real.configuration.path.read_text()
    by_program = programs()
    try:
        real.configuration.path.write_text(whole + '\n[limits]\nrequests_a_minute = "many"\n')
        answer = by_program.get(f"{BASE}/submissions")
        assert answer.status_code == 503
        assert "requests_a_minute" not in answer.content.decode()
        assert int(answer.headers["Retry-After"]) > 0
    finally:
        real.configuration.path.write_text(whole)


def test_the_command_line_tells_all_of_it(real: Site) -> None:
    with broken(real, "a policy of oversight that is none"), pytest.raises(CustodianFault, match="line 5"):
        halts.is_halted(real, agency="us.dhs.ice", docket="x")
