"""Web and decider taken over: arbitrary code runs as each, with its files, its role, its network and its sockets.

It fails to release, to read records in bulk, and to alter history unnoticed. The same parts carry out an honest release
afterwards, so nothing here failed for want of a site that works.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import deployed
import house
import pytest

from gatehouse.casework.selection import Selection
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import policy
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import history, packs, record
from gatehouse.release import officer
from gatehouse.release.recipients import read_identity

pytestmark = [
    pytest.mark.slow,
    pytest.mark.postgres,
    pytest.mark.tools,
    pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="four users need root and setpriv"),
]

PRELUDE = """
import json, os, sys
from pathlib import Path
from gatehouse.kernel.errors import GatehouseError
from gatehouse.kernel.line import Call
from gatehouse.pipeline.parts import messages, Part
from gatehouse.pipeline.site import open_site
root = Path(sys.argv[1])
site = open_site(root)
ANSWERS = {Part.WRITER: messages.FROM_WRITER, Part.SEALER: messages.FROM_SEALER, Part.DECIDER: messages.FROM_DECIDER}
def call(part):
    return Call(site.parts.at(part), ANSWERS[part], most=1 << 30)
def ask(part, *said):
    try:
        with call(part) as line:
            for message in said:
                answer = line.ask(*message) if isinstance(message, tuple) else line.ask(message)
            return type(answer[0]).__name__
    except (GatehouseError, OSError) as no:
        return f"refused: {no}"
def reach(path, what="read"):
    try:
        if what == "read":
            path.read_bytes() if path.is_file() else list(path.iterdir())
        else:
            (path / ".mine").write_bytes(b"x") if path.is_dir() else path.write_bytes(b"x")
        return "done"
    except OSError as no:
        return type(no).__name__
"""


@pytest.fixture(scope="module")
def site() -> Iterator[deployed.Deployed]:
    with deployed.deploy() as made:
        yield made


def run(made: deployed.Deployed, part: str, code: str, *arguments: object) -> dict[str, str]:
    printed = made.taken_over(part, f"{PRELUDE}\nfound = {{}}\n{code}\nprint(json.dumps(found))", *arguments)
    found: dict[str, str] = json.loads(printed.splitlines()[-1])
    return found


FILES = """
docket = root / "dockets" / sys.argv[2]
places = {
    "log key": root / "keys/log.key", "custodian key": root / "keys/custodian.key", "keys": root / "keys",
    "register": Path(site.register) / "addresses.parquet", "vault": docket / "vault.parquet",
    "sealer": root / "sealer", "decider": root / "decider", "inbox": root / "inbox",
}
for name, path in places.items():
    found[name] = reach(path)
writes = {
    "ledger": root / "ledger/checkpoint", "entries": next((root / "ledger/tile/entries").iterdir()),
    "state": root / "ledger-state/ledger.sqlite3", "events": root / "events",
    "an opening": docket / "events/docket.json",
    "docket": docket / "determinations.parquet", "docket's openings": docket / "events", "law": root / "packs",
    "configuration": root / "gatehouse.toml", "parties": root / "parties.toml", "policy": root / "witnesses.policy",
    "trust": root / "trust",
}
for name, path in writes.items():
    found["write " + name] = reach(path, "write")
"""


def test_the_web_has_no_key_no_register_and_no_history_to_write(site: deployed.Deployed) -> None:
    found = run(site, "web", FILES, house.NAME)
    assert {name for name, what in found.items() if what == "done"} == {"inbox"}


def test_the_decider_has_no_key_and_only_dockets_to_write(site: deployed.Deployed) -> None:
    found = run(site, "decider", FILES.replace('"docket": docket / "determinations.parquet", ', ""), house.NAME)
    readable = {"register", "vault", "decider", "inbox"}  # it matches: it must read the register
    assert {name for name, what in found.items() if what == "done"} == readable | {
        "write trust", "write law", "write docket's openings"
    }  # fmt: skip
    for left in (site.site.root / "trust", site.site.root / "packs", site.home.docket.events):
        (left / ".mine").unlink()


def test_the_decider_has_no_way_out_of_the_machine(site: deployed.Deployed) -> None:
    code = """
import socket
for address in (("127.0.0.1", 53), ("198.51.100.1", 443)):
    try:
        socket.create_connection(address, timeout=2)
        found[address[0]] = "done"
    except OSError as no:
        found[address[0]] = type(no).__name__
found["interfaces"] = " ".join(sorted(name for _, name in socket.if_nameindex()))
found["up"] = Path("/proc/net/route").read_text().count("\\n")
"""
    found = run(site, "decider", code)
    assert found["127.0.0.1"] != "done"
    assert found["198.51.100.1"] != "done"
    assert found["interfaces"] == "lo"


def test_the_web_is_not_heard_by_the_sealer(site: deployed.Deployed) -> None:
    code = """
found["look"] = ask(Part.SEALER, messages.Look(sys.argv[2], "0"))
found["sign"] = ask(Part.SEALER, (messages.Sign(), b'{"format":"gatehouse-receipt/1"}'))
"""
    found = run(site, "web", code, house.NAME)
    assert all("the web may not ask for this" in what for what in found.values()), found


def test_the_web_opens_one_record_at_a_time_up_to_its_bound(site: deployed.Deployed) -> None:
    code = """
from gatehouse.pipeline.parts.openings import OF_ONE
stranger = messages.OpenCase("nobody", sys.argv[2], 3, 1)
found["stranger"] = ask(Part.DECIDER, stranger)
given, refused = 0, ""
for turn in range(OF_ONE + 40):
    said = ask(Part.DECIDER, messages.OpenCase("eve", sys.argv[2], turn % 12, 1))
    given += said == "OnFile"
    refused = said if said != "OnFile" else refused
found["given"], found["refused"], found["most"] = given, refused, OF_ONE
"""
    found = run(site, "web", code, house.NAME)
    assert "this officer may not decide" in found["stranger"]
    assert found["given"] == found["most"]
    assert "today's limit of opened records is reached" in found["refused"]
    [account] = (site.site.root / "decider").glob("*.jsonl")
    lines = [json.loads(line) for line in account.read_bytes().splitlines()]
    assert len(lines) == found["most"]
    assert {line["officer"] for line in lines} == {"eve"}


def test_neither_enters_what_is_not_its_own(site: deployed.Deployed) -> None:
    code = """
take = messages.Take()
events = {
    "site/roster-9": {"event": "roster", "officers": [], "endorsements": []},
    "site/overseers-9": {"event": "overseers", "policy": None},
    "site/rotation-00": {"event": "key change", "old": "", "new": ""},
    "site/loss-0-5": {"event": "loss"}, "site/restored-1": {"event": "x"},
    sys.argv[2] + "/received": {"event": "received"},
}
for name, fields in events.items():
    found[name] = ask(Part.WRITER, take, messages.Enter(name, fields))
"""
    for part in ("web", "decider"):
        found = run(site, part, code, house.NAME)
        assert all(what.startswith("refused") for what in found.values()), found
    released = """
fields = {"event": "release", "release": "rel-1", "docket": sys.argv[2]}
take = messages.Take()
found["release"] = ask(Part.WRITER, take, messages.Enter(sys.argv[2] + "/release-rel-1", fields))
found["sealed"] = ask(Part.WRITER, take, messages.Enter(sys.argv[2] + "/sealed-rel-1", {**fields, "event": "sealed"}))
"""
    found = run(site, "web", released, house.NAME)
    assert all("the web may not record this kind of event" in what for what in found.values()), found


INVENT = """
from gatehouse import store
store.configure(site.database)
from gatehouse.casework.selection import Selection
from gatehouse.ledger.signers import new_key, parse_signer
from gatehouse.casework import statement as statements
from gatehouse.store import models
from gatehouse.store.casebook import Casebook
docket, held = sys.argv[2], Selection.of([0, 1])
real = [one for one in Casebook().decisions(docket)]
def forged(officer):
    body = dict(next(one.statement.body for one in real if one.statement.text("officer") == officer))
    body["selection"], body["cases"], body["reason"] = held.digest(), len(held), f"Because {os.getpid()} says so."
    return statements.sign(body, parse_signer(new_key(f"{officer}.custodian")[0]))
row = models.CaseFile.objects.get(docket=docket)
def say(what, code):
    try:
        code()
        found[what] = "done"
    except Exception as no:
        found[what] = type(no).__name__
def invent():
    for number, officer in enumerate(("ann", "bob"), len(real)):
        made = forged(officer)
        models.Decision.objects.create(file=row, number=number, action="approve", officer=officer,
            statement=made.document(), selection=held.pack(), decided_at=made.body["decided_at"])
    models.CaseFile.objects.filter(docket=docket).update(decisions_made=len(real) + 2)
    twice = models.Members.objects.get(file=row, kind="state", name="approved_twice")
    before = Casebook().board(docket).states["approved_twice"]
    models.Members.objects.filter(pk=twice.pk).update(cases=(before | held).pack())
"""


def test_the_web_invents_approvals_and_nothing_is_released(site: deployed.Deployed) -> None:
    code = (
        INVENT
        + """
say("released in the database", lambda: models.Release.objects.create())
say("a decision taken out", lambda: models.Decision.objects.all().delete())
say("a decision changed", lambda: models.Decision.objects.update(officer="eve"))
say("invented", invent)
found["release"] = ask(Part.DECIDER, messages.ReleaseDocket(docket))
"""
    )
    found = run(site, "web", code, house.NAME)
    assert found["invented"] == "done"
    assert {found[f"a decision {what}"] for what in ("taken out", "changed")} == {"ProgrammingError"}
    assert found["released in the database"] == "ProgrammingError"
    assert "the key of officer ann did not sign" in found["release"], found
    _nothing_left(site)


def test_the_decider_invents_approvals_and_nothing_is_sealed(site: deployed.Deployed) -> None:
    """It talks to the sealer itself, with its own certificate, its own plan and its own idea of who approved."""
    code = (
        INVENT
        + """
from gatehouse.intake.workspace import open_workspace
from gatehouse.pipeline import approve, certifying, dockets, packs, planning, record
from gatehouse.pipeline.parts import asked
say("invented", invent)
from gatehouse.kernel import clock
approve.commit_decisions(approve.office(site), docket, clock.now())
placed, cases = dockets.find(site, docket), held
plan = {"cases": cases.text(), "officers": [{"id": "ICE-0000", "release": "rel-mine"}],
        "released_at": "2025-09-01T12:05:00Z", "pack": packs.in_force(site, "us.irs.6103-i-2").digest}
decisions = Casebook().decisions(docket)
def attempt():
    with open_workspace() as connection, asked.Sealer(site.parts.at(Part.SEALER)) as sealer:
        [share] = sealer.prepare(placed, plan)
        found["told"] = json.dumps(share.document())
        resting = planning.resting_on(decisions, share.cases, where=docket)
        with record.open_log(site) as log:
            said = planning.entry(placed, plan, share, sorted(set(resting)))
            planning.put_on_record(log, placed, share, said)
            record.publish(site, log, clock.now())
        made = certifying.Certifying.prepare(connection, site, placed, decisions, plan)
        sealer.seal("rel-mine", made.certificate(share))
try:
    attempt()
    found["sealed"] = "done"
except Exception as no:
    found["sealed"] = f"{type(no).__name__}: {no}"
bodies = {"package": {"format": "gatehouse-package/2"}, "officers": {"format": "gatehouse-officers/2", "versions": []}}
for name, body in bodies.items():
    found["sign " + name] = ask(Part.SEALER, (messages.Sign(), json.dumps(body, separators=(",", ":")).encode()))
"""
    )
    found = run(site, "decider", code, house.NAME)
    assert "the key of officer ann did not sign" in found["sealed"], found
    assert "last_known_address" in found["told"]  # the kind of item, and nothing of what stands in it
    assert not any(line in found["told"] for line in _streets(site))
    assert "does not sign texts in this form" in found["sign package"]
    assert "does not sign texts in this form" in found["sign officers"]
    assert not list((site.site.root / "sealer").rglob("*.age"))
    _nothing_left(site)


def test_the_decider_cannot_alter_history_unnoticed(site: deployed.Deployed) -> None:
    code = """
import shutil
docket = root / "dockets" / sys.argv[2]
kept = docket / "events/decision-0.json"
def attempt(what, code):
    try:
        code()
        found[what] = "done"
    except OSError as no:
        found[what] = type(no).__name__
attempt("changed", lambda: kept.write_bytes(kept.read_bytes().replace(b"approve", b"refuse!")))
attempt("taken away", lambda: kept.rename(docket / "events/.gone"))
"""
    found = run(site, "decider", code, house.NAME)
    assert found["changed"] == "PermissionError"
    assert found["taken away"] == "done"  # the folder is its own
    with pytest.raises(AnswerIsNo, match="is missing"):
        history.whole(site.site)
    (site.home.docket.events / ".gone").rename(site.home.docket.events / "decision-0.json")
    history.whole(site.site)


def test_law_comes_into_force_by_a_command_of_the_deciders(site: deployed.Deployed, tmp_path: Path) -> None:
    """Signed by both offices, whoever lays it there; afterwards every part reads it."""
    adopted: list[Path] = []
    with pytest.MonkeyPatch.context() as instead:
        instead.setattr(packs, "adopt", lambda _site, draft, _now: adopted.append(draft))
        house.enact(site.home, tmp_path, lambda _: None)
    [draft] = adopted
    shutil.copytree(draft, site.folder / "draft")
    site.run("decider", "law", "adopt", site.folder / "draft", "--site", site.site.root)
    code = """
from gatehouse.pipeline import packs
found["version"] = packs.in_force(site, "us.irs.6103-i-2").version
"""
    versions = {run(site, part, code)["version"] for part in ("web", "decider", "sealer", "writer")}
    assert versions == {packs.in_force(site.site, "us.irs.6103-i-2").version}
    assert f'version = "{versions.pop()}"' in (draft / "pack.toml").read_text()


def test_afterwards_the_same_parts_release_what_two_officers_approved(site: deployed.Deployed) -> None:
    own = replace(site.home, opened=site.site)
    house.decide(own, "eve", "refuse", cases=Selection.of([0, 1]), now=house.LATER)  # whose approvals were invented
    code = """
with call(Part.DECIDER) as line:
    said, _ = line.ask(messages.ReleaseDocket(sys.argv[2]))
found["cases"], found["packages"] = said.cases, said.packages
"""
    found = run(site, "web", code, house.NAME)
    assert (found["cases"], found["packages"]) == (9, 2)
    verify_log(site.site.ledger, policy.read(site.site.policy))
    from gatehouse.store import models

    for one in models.Release.objects.all():
        out, identity = site.folder / one.identifier, read_identity(site.home.key(one.officer))
        officer.open_release(site.home.package(one.identifier), identity, site.site.root / "trust", out, house.LATER)
        assert "last_known_address" in (out / "records.csv").read_text()
    again = run(site, "web", 'found["again"] = ask(Part.DECIDER, messages.ReleaseDocket(sys.argv[2]))', house.NAME)
    assert again["again"].startswith("refused")


def test_the_operators_check_names_what_was_invented_and_nothing_else(site: deployed.Deployed) -> None:
    with record.open_log(site.site) as log:  # a check compares what is published
        record.publish(site.site, log, house.LATER)
    compared, *differences = site.check().splitlines()
    assert compared.startswith("compared: ")
    released, decided = map(str.strip, differences)
    assert released.startswith(f"database, release rel-mine of {house.NAME}: the ledger has this release")
    assert decided.startswith(f"database, board of {house.NAME}: its decisions do not lead to it: 2 of 2 cases")


def _streets(made: deployed.Deployed) -> list[str]:
    with open_workspace() as connection:
        path = f"{made.site.register}/addresses.parquet"
        lines = connection.execute("SELECT line1 FROM read_parquet(?) WHERE line1 IS NOT NULL", [path]).fetchall()
    assert lines
    return [line for (line,) in lines]


def _nothing_left(made: deployed.Deployed) -> None:
    from gatehouse.store import models

    assert not list(made.home.docket.releases.rglob("*.age"))
    assert not models.Release.objects.exists()
