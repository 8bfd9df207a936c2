"""Two agencies use the same ids: each has dockets of its own, and neither learns, holds or harms any of the other's."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import journey_site
import pytest
import server
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from world import FIRST, OTHER, World

from gatehouse.cli.main import cli
from gatehouse.console import arrivals
from gatehouse.determine.docket import Docket
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import halt
from gatehouse.ledger.signers import new_key
from gatehouse.pipeline import (
    consistency,
    dockets,
    journey,
)
from gatehouse.pipeline import determine as determining

pytestmark = pytest.mark.slow

BASE = "/api/v1/submissions"
READS = ("", "/receipt", "/answers", "/answers/file", "/answers/signature", "/releases", "/releases/rel-none")
PAGES = ("", "answers.csv", "receipt.json", "releases/rel-none/", "faults.csv")


def told(client: Client, identifier: str, reads: tuple[str, ...], base: str) -> list[tuple[int, bytes]]:
    """Every answer about an id, with the id itself taken out."""
    answers = [client.get(f"{base}/{identifier}{read}") for read in reads]
    return [(one.status_code, _TOKEN.sub(b"", _body(one).replace(identifier.encode(), b"ID"))) for one in answers]


_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')


def _body(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_an_id_of_another_agency_is_free_and_tells_nothing(world: World) -> None:
    mine = world.run(FIRST, "Q-1", "first")
    theirs = world.program(OTHER)
    assert told(theirs, "Q-1", READS, BASE) == told(theirs, "Q-none", READS, BASE)
    pages = tuple(f"/{page}" for page in PAGES)
    page = world.person(OTHER)
    assert told(page, "Q-1", pages, "/submissions") == told(page, "Q-none", pages, "/submissions")

    states = {}
    for identifier in ("Q-1", "Q-2"):  # one that the first agency has, and one that nobody has
        zipped = world.submission(OTHER, identifier, "second").read_bytes()
        upload = {"file": SimpleUploadedFile("x.zip", zipped, "application/zip")}
        answer = theirs.post(BASE, upload, headers={"idempotency-key": f"hand-in-{identifier}"})
        assert answer.status_code == 202, answer.content
        name = answer.json()["id"]
        assert arrivals.work() == 1
        sent = theirs.post(f"{BASE}/{name}/send", headers={"idempotency-key": f"send-in-{identifier}"})
        assert sent.status_code == 202
        assert arrivals.work() == 1
        found = theirs.get(f"{BASE}/{name}").json()
        assert (found["state"], found["submission"]) == ("received", identifier)
        states[identifier] = [theirs.get(f"{BASE}/{identifier}{read}").json() for read in ("/answers", "/releases", "")]
    assert states["Q-1"][:2] == states["Q-2"][:2]
    assert [one["id"] for one in theirs.get(BASE).json()["items"] if one["id"].startswith("Q-")] == ["Q-1", "Q-2"]
    assert [one["submission"] for one in world.program(FIRST).get(BASE).json()["items"]] == ["Q-1"]
    assert mine.id == "Q-1"
    assert sorted(path.name for path in world.site.dockets.glob("Q-*")) == ["Q-1", f"Q-1~{OTHER}", f"Q-2~{OTHER}"]
    ours, others = (json.loads(client.get(f"{BASE}/Q-1/receipt").json()["receipt"]) for client in
                    (world.program(FIRST), theirs))  # fmt: skip
    assert ours["digest"] != others["digest"]
    assert sorted(path.parent.name for path in world.site.inbox.rglob("*.zip")) == [f"Q-1~{OTHER}", f"Q-2~{OTHER}"]


def test_the_same_id_from_two_agencies_at_one_instant_is_two_dockets(world: World, monkeypatch) -> None:
    """Both look for a place while there is no docket of anybody's, and both are making theirs when one is done."""
    known, write_receipt, refusal_of = dockets.known, determining._write_receipt, determining._refusal_of
    monkeypatch.setattr(dockets, "known", lambda folder: [one for one in known(folder) if one.id == "R-1"])
    theirs: list[Docket] = []

    def meanwhile(*given) -> None:
        monkeypatch.setattr(determining, "_write_receipt", write_receipt)
        theirs.append(world.run(OTHER, "R-1", "second"))
        write_receipt(*given)

    monkeypatch.setattr(determining, "_write_receipt", meanwhile)
    mine = world.run(FIRST, "R-1", "first")
    [other] = theirs
    assert {mine.received.agency, other.received.agency} == {FIRST, OTHER}
    assert {mine.id, other.id} == {"R-1", f"R-1~{FIRST}"}  # who was done first has the plain name
    assert mine.read_summary()["submission_digest"] != other.read_summary()["submission_digest"]
    for docket in (mine, other):
        dockets.find(world.site, docket.id)  # every file is the one that the ledger has
    assert not [path.name for path in world.site.dockets.iterdir() if path.name.startswith(".")]

    begun: list[Path] = []

    def also_refused(out: Path, digest: str) -> Path:
        monkeypatch.setattr(determining, "_refusal_of", refusal_of)
        begun.append(refusal_of(out, digest))
        begun.append(refusal_of(out, "f" * 64))  # another's, before the first has written its receipt
        return begun[0]

    monkeypatch.setattr(determining, "_refusal_of", also_refused)
    with pytest.raises(WrongInput):
        world.run(FIRST, "R-2", "first", key=new_key("nobody")[0])
    assert len(set(begun)) == 2
    for folder in begun:
        shutil.rmtree(folder)


def test_a_refusal_replaces_nothing(world: World) -> None:
    private = new_key("nobody")[0]
    taken = world.run(OTHER, "Q-9.refused", "second")
    mine = world.run(FIRST, "Q-8.refused", "first")
    assert not mine.id.endswith(".refused")
    kept = {path: path.read_bytes() for docket in (taken, mine) for path in docket.root.glob("receipt.json*")}
    refused = []
    for agency, identifier, source in (
        (FIRST, "Q-9", "first"), (FIRST, "Q-9", "second"), (OTHER, "Q-9", "first"), (FIRST, "Q-8", "first"),
    ):  # fmt: skip
        with pytest.raises(WrongInput):
            world.run(agency, identifier, source, key=private)
        [fresh] = set(world.site.dockets.glob("*.refused")) - set(refused)
        refused.append(fresh)
    assert kept == {path: path.read_bytes() for path in kept}
    receipts = [json.loads((folder / "receipt.json").read_text()) for folder in refused]
    assert len({one["digest"] for one in receipts}) == len(refused)
    assert all(one["refusal"] for one in receipts)
    again = world.submission(FIRST, "Q-7", "first", key=private)
    for _ in range(2):  # the same again is the same refusal
        with pytest.raises(WrongInput):
            journey.run(world.site, again, now=journey_site.NOW, progress=lambda *_: None)
    assert len(set(world.site.dockets.glob("*.refused")) - set(refused)) == 1


def run(capsys, *arguments: object) -> str:
    capsys.readouterr()
    cli.main([str(argument) for argument in arguments], prog_name="gatehouse", standalone_mode=False)
    return capsys.readouterr().out


def test_people_name_a_docket_by_agency_and_id_where_two_have_it(world: World, kept_in: str, capsys) -> None:
    for agency, source in ((FIRST, "first"), (OTHER, "second")):
        world.run(agency, "Q-1", source)
    at = ("--site", world.site.root)
    with pytest.raises(WrongInput, match="several agencies have a docket named Q-1") as unclear:
        run(capsys, "approve", "Q-1", *at, "--queue", "--json")
    assert f"{OTHER}/Q-1 or {FIRST}/Q-1" in str(unclear.value)
    queues = [run(capsys, "approve", f"{agency}/Q-1", *at, "--queue", "--json") for agency in (FIRST, OTHER)]
    assert queues[0] != queues[1]
    with pytest.raises(WrongInput, match=r"no docket us\.nobody/Q-1"):
        run(capsys, "approve", "us.nobody/Q-1", *at, "--queue")

    name = dockets.resolve(world.site.dockets, f"{OTHER}/Q-1")
    package = journey_site.release_some(world.site, name)
    assert world.program(FIRST).get(f"{BASE}/Q-1/releases").json()["items"] == []
    item = world.program(OTHER).get(f"{BASE}/Q-1/releases").json()["items"][0]
    assert package.docket == name == f"Q-1~{OTHER}"
    assert world.program(FIRST).get(f"{BASE}/Q-1/releases/{item['id']}").status_code == 404
    assert world.program(OTHER).get(f"{BASE}/Q-1/releases/{item['id']}").status_code == 200

    found = json.loads(run(capsys, "report", "disclosures", *at, "--docket", f"{OTHER}/Q-1", "--format", "json"))
    assert [one["docket"] for one in found["made_from"]["dockets"]] == [name]
    journey_site.recall_one(world.site, package)
    assert world.program(FIRST).get("/api/v1/notices").json()["items"] == []
    [notice] = world.program(OTHER).get("/api/v1/notices").json()["items"]
    assert notice["submission"] == "Q-1"
    for client, shown in ((world.person(FIRST), False), (world.person(OTHER), True)):
        page = client.get("/submissions/").content.decode()
        assert ("of Q-1 recalled" in page) == shown
        assert "~" not in page
    with open_workspace() as connection:
        assert consistency.compare(connection, world.site).differences == ()
    run(capsys, "backup", *at, "--out", world.folder / "copy")
    into = ("--database", server.another(kept_in, "restored")) if kept_in else ()
    copy, restored = world.folder / "copy", world.folder / "restored"
    assert "they agree" in run(capsys, "restore", copy, restored, "--keys", world.site.keys, *into)


def test_a_halt_by_id_alone_covers_every_agency_s_docket_of_that_id() -> None:
    for text, covered in (
        ("docket Q-1", {FIRST, OTHER}), (f"docket {OTHER}/Q-1", {OTHER}), (f"docket Q-1~{OTHER}", {OTHER}),
    ):  # fmt: skip
        scope = halt.Scope.parse(text)
        names = {FIRST: "Q-1", OTHER: f"Q-1~{OTHER}"}
        assert {agency for agency, name in names.items() if scope.covers(agency, name)} == covered
        assert not scope.covers(OTHER, f"Q-2~{OTHER}")
    for text in ("docket Q-1~", "docket a/b/c", "docket ../Q-1", "docket Q~1~2", "agency a/b"):
        with pytest.raises(WrongInput):
            halt.Scope.parse(text)


def test_no_name_depends_on_another_agency_s_ids(tmp_path: Path) -> None:
    def lay(name: str, agency: str, identifier: str, at: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "summary.json").write_text(json.dumps({"agency": agency, "submission": identifier}))
        (tmp_path / name / "receipt.json").write_text(json.dumps({"received_at": at}))

    assert dockets.place(tmp_path, FIRST, "Q-1").name == "Q-1"
    lay("Q-1", FIRST, "Q-1", "2025-06-27T12:00:00Z")
    lay("Q-7", OTHER, "Q-7", "2025-06-28T12:00:00Z")  # from before names had agencies
    names = [dockets.place(tmp_path, OTHER, identifier).name for identifier in ("Q-1", "Q-2", "Q-7")]
    assert names == [f"Q-1~{OTHER}", f"Q-2~{OTHER}", "Q-7"]
    assert dockets.place(tmp_path, FIRST, "Q-7").name == f"Q-7~{FIRST}"
    assert dockets.place(tmp_path, FIRST, "Q-2.refused").name == f"Q-2.refused~{FIRST}"
    assert not dockets.place(tmp_path, "us.refused", "Q-2").name.endswith(".refused")
    long = [dockets.place(tmp_path, OTHER, "a" * 127 + end).name for end in "xy"]
    assert len(set(long)) == 2
    assert all(len(name) <= 128 for name in long)
