"""Counsel's drafts: a change of law is shown before it is signed, takes two offices, and counts only then."""

from __future__ import annotations

import contextlib
import io
import re
import tomllib
import zipfile
from collections.abc import Iterator
from html import unescape
from types import SimpleNamespace
from urllib.parse import unquote_to_bytes

import journey_site
import pytest
from click.testing import CliRunner
from django.core.files.uploadedfile import SimpleUploadedFile
from doors import SITE

from gatehouse.casework import roster as rosters
from gatehouse.cli.main import cli
from gatehouse.console import desk, drafting, tasks
from gatehouse.console.models import Account
from gatehouse.kernel import digests, extras
from gatehouse.ledger import note
from gatehouse.ledger.signers import new_key, parse_signer, read_signer
from gatehouse.pipeline import founding

pytestmark = pytest.mark.slow

PACK = "us.irs.6103-i-2"


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Tasks run where they are begun, so that a test sees their end."""

    class Now:
        def __init__(self, target, args, **_):
            self.start = lambda: target(*args)

    monkeypatch.setattr(tasks, "threading", SimpleNamespace(Thread=Now))  # and nobody else's threads
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)


def zipped(files: dict[str, bytes]) -> SimpleUploadedFile:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return SimpleUploadedFile("pack.zip", held.getvalue())


def in_force(client) -> dict[str, bytes]:
    answer = client.get(f"/law/packs/{PACK}/pack.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(client, before: bytes, after: bytes) -> dict[str, bytes]:
    """The pack in force with a higher version and one phrase replaced throughout its law."""
    files = in_force(client)
    name = f"{PACK}/pack.toml"
    files[name] = re.sub(rb'version = "(\d+)\.', lambda m: b'version = "%d.' % (int(m[1]) + 1), files[name], count=1)
    return {name: data.replace(before, after) if "/law/" in name else data for name, data in files.items()}


def texts(client, draft: str) -> list[str]:
    page = client.get(f"/law/drafts/{draft}/sign/").content.decode()
    return [unescape(found) for found in re.findall(r'name="text-\d+" value="([^"]*)"', page)]


def signed(client, draft: str, signer) -> int:
    lines = {f"signature-{n}": note.sign_detached(text.encode(), signer) for n, text in enumerate(texts(client, draft))}
    return client.post(f"/law/drafts/{draft}/sign/", lines).status_code


@contextlib.contextmanager
def officer_is(**changed: str) -> Iterator[None]:
    """The site with its first officer's entry changed; the roster that counts is the one stated."""
    first, *others = tomllib.loads(SITE.configuration.path.read_text())["officers"]
    assert first["id"] == "do-1"
    with pytest.MonkeyPatch.context() as patch:
        stated = rosters.parse([{**first, **changed}, *others], where="test")
        patch.setattr("gatehouse.console.accounts.people.roster", lambda _: stated)
        yield


def hand_in(client, files: dict[str, bytes]) -> str:
    before = {draft.id for draft in drafting.all_drafts()}
    assert client.post("/law/drafts/", {"file": zipped(files)}).status_code == 302
    [new] = {draft.id for draft in drafting.all_drafts()} - before
    return new


def test_the_request_that_shows_a_change_is_told_by_what_its_facts_say(site, signed_in, tmp_path):
    """A bar that fires for submissions of seven requests: the words are those of the pack, the column stands beside."""
    counsel = signed_in("counsel")
    journey_site.order_zip(SITE, tmp_path / "order.zip")
    with zipfile.ZipFile(tmp_path / "order.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    order, examples = "pack/orders/2025-09-01-test.toml", "pack/examples/requests.toml"
    narrow, seven = (
        b'"toward_immigration_agency AND submission_requests = 7"',
        b"[example.with]\nsubmission_requests = 7\n",
    )
    files[order] = files[order].replace(b'"toward_immigration_agency"', narrow)
    fires = b'fired = ["order-2025-09-01-nothing"]\n'
    files[examples] = files[examples].replace(fires, fires + seven)
    page = counsel.get(f"/law/drafts/{hand_in(counsel, files)}/").content.decode()
    [told] = re.findall(r"like the first example, but:<ul[^>]*>(.*?)</ul>There it is stopped by order-2025", page)
    facts = re.findall(r"<li>(.*?)</li>", told)
    assert "requests in the submission: 7 <code>submission_requests</code>" in facts
    assert any(fact.startswith("the date of the law: 2025-09-0") and "as_of" in fact for fact in facts)


def test_a_change_is_shown_signed_by_two_offices_and_only_then_in_force(site, signed_in):
    counsel, officer = signed_in("counsel"), signed_in("officer1")
    before = desk.pack(PACK)
    phrase = before.rules[0].say.encode()
    draft = hand_in(counsel, changed(counsel, phrase, b"This is said otherwise now."))
    page = counsel.get(f"/law/drafts/{draft}/").content.decode()
    assert "This is said otherwise now." in page
    assert f"{before.rules[0].id}: changed" in page
    assert page.count("Nothing.</dd>") == 2  # nothing newly permitted, nothing newly refused
    assert desk.pack(PACK).digest == before.digest

    keys = {
        office: read_signer(founding.folder_of_offices(SITE.root) / f"{office}.key")
        for office in ("counsel", "custodian")
    }
    assert counsel.post(f"/law/drafts/{draft}/adopt/").status_code == 409
    assert signed(counsel, draft, parse_signer(new_key(keys["counsel"].name)[0])) == 409
    assert signed(counsel, draft, keys["counsel"]) == 302
    assert counsel.post(f"/law/drafts/{draft}/adopt/").status_code == 409
    assert desk.pack(PACK).digest == before.digest
    assert signed(counsel, draft, keys["custodian"]) == 409  # one person, one office, whichever keys are at hand
    assert signed(officer, draft, keys["counsel"]) == 409
    Account.objects.filter(username="officer1").update(name="COUNSEL")  # one human under two accounts
    assert signed(officer, draft, keys["custodian"]) == 409
    Account.objects.filter(username="officer1").update(name="officer1")
    for mine in ({"name": keys["counsel"].name}, {"key": keys["counsel"].verifier.text}):  # by name, or by public key
        with officer_is(**mine):
            assert signed(officer, draft, keys["custodian"]) == 409
    assert not any(text.custodian for text in drafting.exact(drafting.find(draft)))
    assert signed(officer, draft, keys["custodian"]) == 302
    assert officer.post(f"/law/drafts/{draft}/adopt/").status_code == 302
    assert desk.pack(PACK).digest == drafting.find(draft).shown["packs"][0]["digest"] != before.digest
    page = counsel.get(f"/law/packs/{PACK}/").content.decode()
    assert "Proved and signed by both offices" in page
    assert "This is said otherwise now." in unescape(page)


def uploaded(client, draft: str, *signatures: bytes):
    files = [SimpleUploadedFile(f"{number}.sig", data) for number, data in enumerate(signatures)]
    return client.post(f"/law/drafts/{draft}/sign/", {"signatures": files})


def test_an_office_signs_on_its_own_machine_and_uploads_the_signature(site, signed_in, tmp_path):
    """The page gives the exact bytes, `gatehouse key sign` signs them, and only that signature is taken."""
    counsel, officer = signed_in("counsel"), signed_in("officer1")
    before = desk.pack(PACK)
    draft, other = (
        hand_in(counsel, changed(counsel, before.rules[0].say.encode(), phrase)) for phrase in (b"One.", b"Two.")
    )
    page = counsel.get(f"/law/drafts/{draft}/sign/").content.decode()
    [(name, data)] = re.findall(r'download="([^"]+)" href="data:application/octet-stream;charset=utf-8,([^"]*)"', page)
    file = tmp_path / name
    file.write_bytes(unquote_to_bytes(data))
    assert digests.of_file(file) in page
    key = founding.folder_of_offices(SITE.root) / "counsel.key"
    done = CliRunner().invoke(cli, ["key", "sign", str(file), "--key", str(key)])
    assert done.exit_code == 0
    assert digests.of_file(file) in done.output
    right = file.with_name(f"{name}.sig").read_bytes()
    text = file.read_bytes()
    forged = note.sign_detached(text, parse_signer(new_key(read_signer(key).name)[0])).encode()
    elsewhere = note.sign_detached(texts(counsel, other)[0].encode(), read_signer(key)).encode()
    for wrong, says in (
        (forged, "with an unknown key"),
        (note.sign_detached(text, parse_signer(new_key("nobody")[0])).encode(), "with an unknown key"),
        (note.sign_detached(text + b"\n", read_signer(key)).encode(), "covers different bytes"),
        (elsewhere, "covers different bytes"),
        (b"", "contains no signature"),
        (b"\xff\xfe", "contains no signature"),
        (right * 200, "contains no signature"),
    ):
        answer = uploaded(counsel, draft, wrong)
        assert answer.status_code == 409
        assert says in unescape(answer.content.decode())
    assert not any(one.counsel for one in drafting.exact(drafting.find(draft)))
    assert {one.code for one in drafting.attempts(drafting.find(draft))} == {"signature"}
    assert "Signatures and entries that were refused" in counsel.get(f"/law/drafts/{draft}/").content.decode()

    assert uploaded(counsel, draft, elsewhere, right).status_code == 302  # whatever the order, each fits its text
    assert uploaded(counsel, draft, right).status_code == 302  # and twice is once: still one office
    assert counsel.post(f"/law/drafts/{draft}/adopt/").status_code == 409
    assert desk.pack(PACK).digest == before.digest
    custodian = note.sign_detached(text, read_signer(founding.folder_of_offices(SITE.root) / "custodian.key")).encode()
    assert uploaded(officer, draft, custodian.replace(b"\n", b"\r\n")).status_code == 302
    assert officer.post(f"/law/drafts/{draft}/adopt/").status_code == 302
    assert desk.pack(PACK).digest == drafting.find(draft).shown["packs"][0]["digest"] != before.digest


def test_a_change_that_breaks_a_property_is_never_offered_for_signing(site, signed_in):
    counsel = signed_in("counsel")
    files = in_force(counsel)
    name = next(name for name in files if name.endswith("properties.toml"))
    files[name] = files[name].replace(b"outcome = 'cleared'", b"outcome = 'refused'")
    files[f"{PACK}/pack.toml"] += b"\nnonsense = 1\n"
    draft = hand_in(counsel, files)
    assert drafting.find(draft).shown == {}
    assert "cannot be signed" in counsel.get(f"/law/drafts/{draft}/").content.decode()
    assert counsel.get(f"/law/drafts/{draft}/sign/").status_code == 404


@pytest.mark.parametrize(
    "files",
    [
        {"../pack.toml": b"x"},
        {"/etc/pack.toml": b"x"},
        {"a/b/c/d/e/pack.toml": b"x"},
        {"pack/.hidden": b"x"},
        {f"pack/{number}": b"x" for number in range(400)},
        {"pack/big": b"0" * (33 << 20)},
        {"pack": b"x", "pack/pack.toml": b"x"},
        {"pack/pack.toml": b"x", "pack": b"x"},
        {},
    ],
    ids=["climbs", "absolute", "deep", "hidden", "many", "large", "a file that is a folder", "the other way", "none"],
)
def test_a_zip_with_other_things_than_a_pack_is_refused(signed_in, files):
    assert signed_in("counsel").post("/law/drafts/", {"file": zipped(files)}).status_code == 400


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_spoiled_zip_of_a_pack_is_its_senders_fault_and_leaves_nothing(signed_in, method):
    client, before = signed_in("counsel"), len(list((SITE.root / drafting.FOLDER).glob("*")))
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        archive.writestr("p/pack.toml", bytes(range(256)) * 40)
    whole = held.getvalue()
    for first in (0, 28, 45, 60, whole.index(b"PK\1\2") + 20, len(whole) - 14):
        spoiled = whole[:first] + bytes(255 - each for each in whole[first : first + 12]) + whole[first + 12 :]
        assert client.post("/law/drafts/", {"file": SimpleUploadedFile("x.zip", spoiled)}).status_code == 400, first
    assert len(list((SITE.root / drafting.FOLDER).glob("*"))) == before


def test_what_is_no_zip_and_what_is_no_document_are_refused(signed_in):
    client, before = signed_in("counsel"), len(drafting.all_drafts())
    assert client.post("/law/drafts/").status_code == 400
    assert client.post("/law/drafts/", {"file": SimpleUploadedFile("x.zip", b"no zip")}).status_code == 400
    text = SimpleUploadedFile("order.exe", b"MZ")
    assert client.post("/law/drafts/", {"file": zipped({"p/pack.toml": b""}), "text": text}).status_code == 400
    assert len(drafting.all_drafts()) == before, "nothing is kept of what was refused"


def test_a_pack_whose_files_are_not_those_that_were_signed_is_said_to_be_so(site, signed_in):
    path = SITE.pack_for(PACK) / "pack.sig"
    kept = path.read_bytes()
    try:
        path.write_text("")
        page = signed_in("counsel").get(f"/law/packs/{PACK}/").content.decode()
        assert "This pack does not hold" in page
        assert "did not sign this pack" in page
    finally:
        path.write_bytes(kept)
    assert "Proved and signed" in signed_in("counsel").get(f"/law/packs/{PACK}/").content.decode()


def test_a_change_that_fails_its_check_shows_where_and_by_which_request(site, signed_in):
    """The page said only to run a command."""
    counsel = signed_in("counsel")
    before = desk.pack(PACK)
    files = changed(counsel, before.rules[0].say.encode(), b"Said otherwise.")
    name = next(name for name in files if name.endswith("examples/requests.toml"))
    files[name] = files[name].replace(b'outcome = "cleared"', b'outcome = "refused"', 1)
    draft = hand_in(counsel, files)
    assert drafting.failures(drafting.find(draft))
    page = unescape(counsel.get(f"/law/drafts/{draft}/").content.decode())
    assert "It does not pass its check" in page
    assert "example “" in page
    assert "The request that shows it" in page
    assert str(SITE.root) not in page
    assert counsel.get(f"/law/drafts/{draft}/sign/").status_code == 404


def test_without_a_solver_the_page_says_what_it_can_do_and_what_it_needs(site, signed_in, monkeypatch):
    monkeypatch.setattr(drafting, "solver_installed", lambda: False)
    counsel = signed_in("counsel")
    page = unescape(counsel.get("/law/drafts/").content.decode())
    assert "This installation has no solver" in page
    assert extras.remedy("prove") in page
    assert 'type="file"' not in page
    answer = counsel.post("/law/drafts/", {"file": zipped({"pack.toml": b""})})
    assert answer.status_code == 400
    assert "A change cannot be looked at here" in answer.content.decode()
