"""What people sign over the API: the console's own steps, permissions and two-person rules, and never a key."""

from __future__ import annotations

from types import SimpleNamespace

import journey_site
import pytest
from django.test import Client
from doors import PASSWORD, SITE, receive
from world import OTHER, World

from gatehouse.casework.states import State
from gatehouse.console import accounts, halting, tasks, tokens
from gatehouse.console.models import Account
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock
from gatehouse.ledger import note
from gatehouse.ledger.signers import KeySigner, new_key, parse_signer, read_signer
from gatehouse.pipeline import approve, founding, halts, release

BASE = "/api/v1"
DOCKET = "DOJ-2"
"""A docket of this file's own: bulk decisions leave no case of a state to whoever comes next."""
REASON = "I compared the file with the request and both name the same person."


def lines(step: dict, signer: KeySigner) -> dict[str, list[str]]:
    """What is handed in for a step: its texts, and a line for each as `gatehouse key sign` writes it."""
    texts = [one["text"] for one in step["texts"]]
    return {"texts": texts, "signatures": [note.sign_detached(text.encode(), signer) for text in texts]}


@pytest.fixture(autouse=True)
def received(site) -> None:
    if not (site.dockets / DOCKET).exists():
        receive(DOCKET, "us.doj.other")


def key(officer: str) -> KeySigner:
    return read_signer(SITE.root.parent / f"{officer}.key")


@pytest.fixture
def overseers(site):
    """Two overseers, one of whom can halt; both must sign to resume."""
    signers = [parse_signer(new_key(name)[0]) for name in ("ig.example", "court.example")]
    (SITE.root / halts.POLICY).write_text(
        "".join(f"key {one.verifier.text}\n" for one in signers) + "halt 1\nresume 2\n"
    )
    yield signers
    for path in (SITE.root / halts.WAITING).glob("*"):
        path.unlink()


def test_many_cases_at_once_take_a_sample_that_was_read_and_marked(call):
    client = call("officer1")
    docket = f"{BASE}/dockets/{DOCKET}"
    told = {"action": "refuse", "state": "held", "reason": "Nobody on file is the person named here."}
    nothing = client.post(f"{docket}/decisions/bulk", {**told, "rule": "no-such-rule"})
    assert (nothing.status_code, "no case is meant" in nothing.json()["detail"]) == (409, True)
    refused = client.post(f"{docket}/decisions/bulk", told).json()
    assert refused["state"] == "sign", "towards no release, no sample"

    told = {"action": "approve", "state": "cleared", "reason": REASON}
    begun = client.post(f"{docket}/decisions/bulk", told)
    assert begun.status_code == 201, begun.json()
    step = begun.json()
    assert (step["state"], step["texts"]) == ("sample", [])
    at = f"{BASE}/steps/{step['id']}"
    assert client.post(f"{at}/signatures", {"texts": ["{}"], "signatures": ["none"]}).status_code == 409
    first = step["sample"]["drawn"][0]
    assert client.post(f"{at}/marks", {"seq": first, "finding": "right"}).status_code == 409  # not opened yet
    for seq in step["sample"]["drawn"]:
        assert client.get(f"{docket}/cases/{seq}").status_code == 200
        step = client.post(f"{at}/marks", {"seq": seq, "finding": "right"}).json()
    assert step["state"] == "sign"
    assert client.post(f"{at}/signatures", lines(step, key("do-2"))).status_code == 409
    assert call("officer2").get(at).status_code == 404, "a step is its account's own"
    assert call("officer1", ["custodian:case:read"]).get(at).status_code == 403
    step = client.get(at).json()
    assert client.post(f"{at}/signatures", lines(step, key("do-1"))).json()["state"] == "done"
    assert client.post(f"{at}/signatures", lines(step, key("do-1"))).json()["state"] == "done"  # twice is once
    states = client.get(docket).json()["states"]
    assert states["approved_once"] == step["cases"]
    assert states.get("approved_twice", 0) == 0
    again = client.post(f"{docket}/decisions/bulk", {**told, "state": "approved_once"}).json()
    for seq in again["sample"]["drawn"]:
        client.get(f"{docket}/cases/{seq}")
        again = client.post(f"{BASE}/steps/{again['id']}/marks", {"seq": seq, "finding": "right"}).json()
    mine = client.post(f"{BASE}/steps/{again['id']}/signatures", lines(again, key("do-1")))
    assert mine.status_code == 409, "the second approval is another officer's"


@pytest.mark.parametrize("reason", ["", "ok", "\u3164" * 9 + " \u3164", "An answer\u202e of more words."])
def test_nobody_is_given_a_text_to_sign_with_a_reason_that_is_none(call, reason):
    """It was refused only after it had been signed."""
    client, docket = call("officer1"), f"{BASE}/dockets/{DOCKET}"
    [first, *_] = client.get(f"{docket}/queue", {"state": "held"}).json()["items"]
    told = {"action": "refuse", "state": "held", "reason": reason}
    assert client.post(f"{docket}/decisions/bulk", told).status_code == 409
    one = {"action": "refuse", "requests": [first["request_id"]], "reason": reason}
    assert client.post(f"{docket}/decisions/draft", one).status_code == 409
    taken = {"kind": "requests", "requests": [first["request_id"]], "reason": reason}
    answer = client.post(f"{docket}/recalls", taken)
    assert answer.status_code == 409
    assert "reason" in answer.json()["detail"]


def test_a_halt_and_its_end_take_as_many_overseers_as_the_policy_says(call, overseers):
    ig, court = overseers
    client = call("inspector")
    told = {"action": "halt", "scope": "agency us.doj.other", "reason": "A finding of 8 June."}
    assert client.post(f"{BASE}/halts", {**told, "scope": "agency ../x"}).status_code == 409
    step = client.post(f"{BASE}/halts", told).json()
    stranger = parse_signer(new_key("ig.example")[0])
    at = f"{BASE}/steps/{step['id']}/signatures"
    assert client.post(at, lines(step, stranger)).status_code == 409
    step = client.get(f"{BASE}/steps/{step['id']}").json()
    assert client.post(at, lines(step, ig)).json()["state"] == "in_force"
    assert halts.is_halted(SITE, agency="us.doj.other", docket=DOCKET)
    assert [one["scope"] for one in client.get(f"{BASE}/halts").json()["items"]] == ["agency us.doj.other"]

    step = client.post(f"{BASE}/halts", {**told, "action": "resume", "reason": "The finding is closed."}).json()
    assert client.post(f"{BASE}/steps/{step['id']}/signatures", lines(step, ig)).json()["state"] == "waits"
    [waiting] = client.get(f"{BASE}/halts/waiting").json()["items"]
    assert (waiting["signed"], waiting["needed"]) == (["ig.example"], 2)
    second = client.post(f"{BASE}/halts", {"waiting": waiting["name"]}).json()
    mine = client.post(f"{BASE}/steps/{second['id']}/signatures", lines(second, court))
    assert mine.status_code == 409, "one person is one overseer, whichever key is at hand"
    assert halts.is_halted(SITE, agency="us.doj.other", docket=DOCKET)
    accounts.create("clara-api", name="Clara Voss-Api", role="inspector", password=PASSWORD)
    clara = call("clara-api")
    second = clara.post(f"{BASE}/halts", {"waiting": waiting["name"]}).json()
    assert clara.post(f"{BASE}/steps/{second['id']}/signatures", lines(second, court)).json()["state"] == "in_force"
    assert not halts.is_halted(SITE, agency="us.doj.other", docket=DOCKET)
    assert halting.board().waiting == ()


@pytest.mark.parametrize(
    "text",
    ['{"officer": "do-1", "docket": "ICE-1", "reason": "\\ud800"}', '{"officer": "do-1", "x": ' + "[" * 99_999, "\x00"],
)
def test_no_text_that_comes_back_is_a_failure_of_ours(call, text):
    """Surrogates, nested values, no JSON: refused as not what was shown, at every place that takes a signed text."""
    client = call("officer1")
    told = {"action": "refuse", "state": "held", "reason": "Nobody on file is the person named here."}
    step = client.post(f"{BASE}/dockets/ICE-1/decisions/bulk", told).json()
    line = note.sign_detached(b"something else", key("do-1"))
    given = {"texts": [text], "signatures": [line]}
    assert client.post(f"{BASE}/steps/{step['id']}/signatures", given).status_code in {409, 422}
    single = {"text": text, "signature": line, "requests": ["R-0000008"]}
    assert client.post(f"{BASE}/dockets/ICE-1/decisions", single).status_code in {409, 422}


@pytest.fixture
def at_once(monkeypatch):
    """Work in the background is done where it is begun, so that a test sees its end."""

    class Now:
        def __init__(self, target, args, **_):
            self.start = lambda: target(*args)

    monkeypatch.setattr(tasks, "threading", SimpleNamespace(Thread=Now))
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)


def ended(client: Client, work: dict) -> dict:
    return client.get(f"{BASE}/work/{work['id']}").json()


def program(role: str, officer: str = "") -> Client:
    """The program of somebody at this site, who has an account from now on."""
    username = f"of-{officer or role}"
    found = Account.objects.filter(username=username).first()
    if found is None:
        found, _ = accounts.create(username, name=username, role=role, officer=officer)
    token = tokens.make(found, "tests", tokens.possible(found), 1, found)
    return Client(headers={"authorization": f"Bearer {token}"})


def officers_of() -> dict[str, Client]:
    return {name: program("disclosure_officer", name) for name in ("do-1", "do-2")}


def own_key(world: World, name: str) -> KeySigner:
    return read_signer(world.folder / f"{name}.key")


@pytest.mark.slow
def test_from_approvals_to_a_recall_by_programs_alone(world: World, at_once) -> None:
    """The custodian's whole work over the API, with people's work in SQLite and in PostgreSQL."""
    docket = world.run(OTHER, "S-1", "second").id
    officers = officers_of()
    at = f"{BASE}/dockets/{docket}"
    cleared = officers["do-1"].get(at).json()["states"]["cleared"]
    assert cleared > 0
    for name, state in (("do-1", "cleared"), ("do-2", "approved_once")):
        told = {"action": "approve", "state": state, "reason": REASON}
        step = officers[name].post(f"{at}/decisions/bulk", told).json()
        for seq in (step["sample"] or {"drawn": []})["drawn"]:
            officers[name].get(f"{at}/cases/{seq}")
            step = officers[name].post(f"{BASE}/steps/{step['id']}/marks", {"seq": seq, "finding": "right"}).json()
        signed = officers[name].post(f"{BASE}/steps/{step['id']}/signatures", lines(step, own_key(world, name)))
        assert signed.json()["state"] == "done", signed.content
    place = approve.office(world.site)
    with open_workspace() as connection:
        sealed = release.release(connection, place, docket, clock.now()).releases
    assert len({seq for one in sealed for seq in one.cases}) == cleared

    [asked] = (officers["do-1"].get(f"{at}/cases/{next(iter(sealed[0].cases))}").json()["request"]["request_id"],)
    told = {"kind": "requests", "requests": [asked], "reason": "The person released is not the one the request names."}
    assert officers["do-1"].post(f"{at}/recalls", {**told, "requests": ["none"]}).status_code == 409
    step = officers["do-1"].post(f"{at}/recalls", told).json()
    assert step["packages"] == [sealed[0].id]
    done = officers["do-1"].post(f"{BASE}/steps/{step['id']}/signatures", lines(step, own_key(world, "do-1")))
    assert done.status_code == 202
    work = ended(officers["do-1"], done.json()["work"])
    assert (work["state"], "1 package revoked" in work["message"]) == ("done", True), work
    assert len(place.casebook.board(docket).states[State.RECALLED]) == 1
    notices = world.program(OTHER).get(f"{BASE}/notices").json()["items"]
    assert [one["release"] for one in notices if one["submission"] == "S-1"] == [sealed[0].id]


@pytest.mark.slow
def test_a_change_of_law_takes_two_offices_and_an_order_an_officer(world: World, at_once, monkeypatch) -> None:
    """The solver looks at the draft once, for each database."""
    docket = world.run(OTHER, "S-2", "second").id
    counsel = program("counsel")
    officers = officers_of()
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-09-01T14:00:00Z")
    zipped = world.folder / f"order-{docket}.zip"
    journey_site.order_zip(world.site, zipped)
    with zipped.open("rb") as file, (world.folder / "order.txt").open("w+b") as text:
        text.write(b"It is ordered.")
        text.seek(0)
        made = counsel.post(f"{BASE}/drafts", {"file": file, "text": text})
    assert made.status_code == 202, made.content
    assert ended(counsel, made.json()["work"])["state"] == "done"
    at = f"{BASE}/drafts/{made.json()['draft']}"
    shown = counsel.get(at).json()
    assert shown["order"] == journey_site.ORDER
    assert counsel.post(f"{at}/adoption").status_code == 404, "an order is entered, not adopted"
    keys = {
        one: read_signer(founding.folder_of_offices(world.site.root) / f"{one}.key") for one in ("counsel", "custodian")
    }
    for client, office, status in (
        (counsel, "custodian", 409), (counsel, "counsel", 200), (officers["do-2"], "custodian", 200),
    ):  # fmt: skip
        given = [note.sign_detached(one["text"].encode(), keys[office]) for one in shown["texts"]]
        assert client.post(f"{at}/signatures", {"signatures": given}).status_code == status
    assert all(one["counsel"] and one["custodian"] for one in counsel.get(at).json()["texts"])
    assert counsel.post(f"{at}/entry").status_code == 403
    step = officers["do-1"].post(f"{at}/entry", {"reason": "Served this morning."}).json()
    assert len(step["texts"]) > 1, "the entry, and what it holds"
    other = officers["do-1"].post(f"{BASE}/steps/{step['id']}/signatures", lines(step, own_key(world, "do-2")))
    assert other.status_code == 409
    step = officers["do-1"].get(f"{BASE}/steps/{step['id']}").json()
    done = officers["do-1"].post(f"{BASE}/steps/{step['id']}/signatures", lines(step, own_key(world, "do-1")))
    assert done.status_code == 202, done.content
    assert ended(officers["do-1"], done.json()["work"])["state"] == "done"
    assert counsel.get(at).json()["in_force"]
    assert not approve.office(world.site).casebook.board(docket).states[State.CLEARED]
