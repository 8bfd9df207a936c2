"""The verifier of releases under verifier/ shares no code with Gatehouse and agrees with ours on right and wrong."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import forging
import house
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.casework import endorsement, roster
from gatehouse.kernel import canonical
from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger import cosignature, note
from gatehouse.ledger import policy as policies
from gatehouse.ledger.docket_proof import dated, verify_docket
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.signers import Algorithm, new_key, parse_signer
from gatehouse.release import binding, officer, trust
from gatehouse.release.recipients import read_identity
from gatehouse.release.returns import ReleaseRecord
from gatehouse.synthetic.docket import agency_signer

FILE = Path(__file__).parents[2] / "verifier" / "verify_release.py"
Releases = tuple[ReleaseRecord, ...]
Verdict = Callable[[dict[str, Any]], bool]


@pytest.fixture(scope="module")
def stranger() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_release", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def whole(released: house.House, releases: Releases) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((released.docket.certificates / f"{releases[0].id}.json").read_bytes())
    return found


@pytest.fixture
def accepted(released: house.House, stranger: ModuleType) -> Verdict:
    """Whether both accept a certificate; fails where one does and the other does not."""
    folder = released.site.root / "trust"
    believed = trust.read(folder)
    policy, theirs = stranger.Policy(str(folder / "witnesses.policy")), stranger.Trust(str(folder), "test.example/2025")

    def ask(document: dict[str, Any]) -> bool:
        return agreed(stranger, canonical.encode(document), (believed, policy, theirs))

    return ask


def agreed(stranger: ModuleType, data: bytes, believed: tuple[trust.Trust, Any, Any]) -> bool:
    try:
        binding.verify(data, believed[0])
        ours = True
    except GatehouseError:
        ours = False
    malformed = (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError)
    try:
        stranger.check(data, believed[1], believed[2], None)
        theirs = True
    except (stranger.Failure, *malformed):
        theirs = False
    assert ours == theirs
    return ours


def test_both_accept_what_was_released(accepted: Verdict, whole: dict[str, Any]) -> None:
    assert accepted(whole)


@pytest.mark.parametrize("file", forging.HOSTILE, ids=lambda path: path.stem)
def test_both_refuse_a_named_forgery(accepted: Verdict, whole: dict[str, Any], file: Path) -> None:
    assert not accepted(forging.named(whole, file))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_both_refuse_a_changed_field(accepted: Verdict, whole: dict[str, Any], data: st.DataObject) -> None:
    assert not accepted(forging.drawn(data, whole))


@pytest.mark.parametrize(
    ("known", "holds"),
    [
        ({"ann", "bob", "eve"}, True),
        ({"bob", "eve"}, False),
        ({"ann", "eve"}, False),
        (set(), True),
    ],
    ids=["as it was", "ann came later", "bob came later", "the first roster"],
)
def test_both_bind_approvers_to_a_roster_entry_with_its_endorsements(
    released: house.House, stranger: ModuleType, whole: dict[str, Any], known: set[str], holds: bool
) -> None:
    """An entry of the ledger that names approvers whom no officer of the versions before endorsed binds nothing."""
    folder = released.site.root / "trust"
    believed = trust.read(folder)
    theirs = stranger.Trust(str(folder), "test.example/2025")
    before = [roster.Roster({name: one for name, one in believed.roster.officers.items() if name in known})]
    versions = tuple(endorsement.Version(one) for one in before if one.officers)
    theirs.versions = [{"officers": one.document(), "endorsements": []} for one in before if one.officers]
    believed = dataclasses.replace(believed, versions=versions)
    policy = stranger.Policy(str(folder / "witnesses.policy"))
    assert agreed(stranger, canonical.encode(whole), (believed, policy, theirs)) is holds


@pytest.mark.parametrize("days", [-2, 0, 1, 4, 200])
def test_both_judge_dates_by_witnesses(
    released: house.House, stranger: ModuleType, whole: dict[str, Any], tmp_path: Path, days: int
) -> None:
    private, public = new_key("witness.example", Algorithm.ED25519_COSIGNATURE)
    witness, seen = parse_signer(private), house.LATER + dt.timedelta(days=days)

    def cosigned(text: str, at: dt.datetime) -> str:
        signed = note.Note.parse(text.encode())
        return signed.plus([cosignature.cosign(witness, signed.text, int(at.timestamp()))]).encoded.decode()

    whole["checkpoint"] = cosigned(whole["checkpoint"], seen)
    for one in whole["earlier"]:
        one["checkpoint"] = cosigned(one["checkpoint"], min(seen, house.NOW))
    folder = released.site.root / "trust"
    believed = trust.read(folder)
    path = tmp_path / "my.policy"
    path.write_text(f"log {believed.policy.logs[0].text}\nwitness w {public}\nquorum w\n")
    ours = trust.Trust(policies.read(path), believed.custodian, believed.roster, believed.agencies)
    asked = (ours, stranger.Policy(str(path)), stranger.Trust(str(folder), "test.example/2025"))
    assert agreed(stranger, canonical.encode(whole), asked) == (days in {0, 1})


def test_as_an_inspector_calls_it(released: house.House, releases: Releases, tmp_path: Path) -> None:
    """From what an officer opened: one line for each date, or one line that says what does not hold."""
    folder, out = released.site.root / "trust", tmp_path / "opened"
    identity = read_identity(released.key("ICE-0000"))
    officer.open_release(released.package(releases[0].id), identity, folder, out, house.LATER)
    (tmp_path / "ice.vkey").write_text(agency_signer().key_text)

    def run(*more: object) -> subprocess.CompletedProcess[str]:
        arguments = [out / "certificate.json", "--policy", folder / "witnesses.policy", "--trust", folder, *more]
        return subprocess.run(
            [sys.executable, str(FILE), *map(str, arguments)], capture_output=True, text=True, check=False
        )

    inside = ("--records", out / "records.csv", "--salt", out / "records.salt")
    done = run("--agency-key", tmp_path / "ice.vkey", *inside)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"verified: release {releases[0].id}" in done.stdout
    assert "the release, 2025-09-01 12:05:00+00:00: no witness says when" in done.stdout
    (out / "records.csv").write_bytes((out / "records.csv").read_bytes().replace(b"102 Main", b"999 Main"))
    wrong = run(*inside)
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (1, "", 1)
    assert "differs from what the release's ledger entry names" in wrong.stderr


DOCKET = FILE.with_name("verify_docket.py")


def _dropped(docket: Path) -> None:
    """The agency signed twelve; the manifest is changed to say seven."""
    path = docket / "submission.json"
    path.write_text(path.read_text().replace('"rows": 12', '"rows": 7'))


def _exchanged(docket: Path) -> None:
    path = docket / "evidence.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def _persons(docket: Path) -> None:
    path = next((docket / "persons").iterdir())
    path.write_bytes(path.read_bytes().replace(b"[[2,2,", b"[[2,3,").replace(b"[[3,3,", b"[[3,2,"))


def _made_up(docket: Path) -> None:
    """An event that would let other answers be told."""
    shutil.copy(docket / "events" / "received.json", docket / "events" / "unsealed-x.json")
    kept = docket / "events" / "unsealed-x.json"
    kept.write_text(kept.read_text().replace('"batch":"', '"batch":"00', 1).replace("00", "0", 1))


def _renamed(docket: Path) -> None:
    """Another event of this docket, true and in the ledger, where the withdrawal of a release would lie."""
    _persons(docket)
    for path in (docket / "persons").iterdir():
        shutil.copy(docket / "events" / "received.json", docket / "events" / f"unsealed-{path.stem}.json")


CHANGES: dict[str, Callable[[Path], object]] = {
    "requests dropped": _dropped,
    "evidence exchanged": _exchanged,
    "persons exchanged": _persons,
    "an event made up": _made_up,
    "an event under another name": _renamed,
    "the signature left out": lambda docket: (docket / "submission.json.sig").unlink(),
    "the receipt changed": lambda docket: (docket / "receipt.json").write_text("{}"),
    "parties changed": lambda docket: (docket / "parties.toml").write_text(""),
    "a file of the pack added": lambda docket: (docket / "pack" / "more.toml").write_text(""),
    "the entry of its files left out": lambda docket: (docket / "events" / "docket.json").unlink(),
    "a table that is a link": lambda docket: (
        (docket / "facts.parquet").rename(docket / ".f") and (docket / "facts.parquet").symlink_to(".f")
    ),
}


def judged(home: house.House, docket: Path, ledger: Path, policy: Path, tmp_path: Path) -> tuple[bool, str]:
    """Whether ours and the stranger's both accept a docket, and what the stranger's says; fails where they differ."""
    (tmp_path / "ice.vkey").write_text(agency_signer().key_text)
    done = subprocess.run(
        [sys.executable, str(DOCKET), str(docket), "--ledger", str(ledger), "--policy", str(policy),
         "--agency-key", str(tmp_path / "ice.vkey")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    believed = policies.read(policy)
    newest = believed.accept((ledger / "checkpoint").read_bytes())
    try:
        with duckdb.connect() as connection:
            found = verify_docket(connection, docket, ledger, newest, agency=[agency_signer().verifier])
        dated(docket, ledger, found, believed)
        ours = True
    except GatehouseError:
        ours = False
    assert done.returncode == (0 if ours else 1), done.stderr
    assert done.stderr.count("\n") == (0 if ours else 1)
    assert ("verified: 12 requests" in done.stdout) is ours
    return ours, done.stdout + done.stderr


@pytest.mark.parametrize("how", [None, *CHANGES])
def test_both_judge_a_docket_alike(released: house.House, tmp_path: Path, how: str | None) -> None:
    """Ours and the stranger's, on a copy of the folder, with the agency's own key."""
    docket = tmp_path / house.NAME
    shutil.copytree(released.docket.root, docket, symlinks=True)
    if how is not None:
        CHANGES[how](docket)
    ours, _ = judged(released, docket, released.site.ledger, released.site.policy, tmp_path)
    assert ours is (how is None)


@pytest.mark.parametrize(("days", "holds"), [(-2, False), (0, True), (1, True), (4, False), (200, False)])
def test_both_judge_a_dockets_dates_by_witnesses(released: house.House, tmp_path: Path, days: int, holds: bool) -> None:
    """A receipt of 1 September, as witnesses saw its entry some days later, or had not seen it before."""
    private, public = new_key("witness.example", Algorithm.ED25519_COSIGNATURE)
    witness, ledger = parse_signer(private), tmp_path / "ledger"
    shutil.copytree(released.site.ledger, ledger)
    opening = Opening.parse((released.docket.events / "received.json").read_bytes())
    received = int(opening.fields()["first"]) - 1
    for path in [ledger / "checkpoint", *(ledger / "checkpoints").iterdir()]:
        signed = note.Note.parse(path.read_bytes())
        covers = int(signed.text.split("\n")[1]) > received
        seen = house.LATER + dt.timedelta(days=days)
        at = int((seen if covers else min(seen, house.NOW)).timestamp())
        path.write_bytes(signed.plus([cosignature.cosign(witness, signed.text, at)]).encoded)
    policy = tmp_path / "my.policy"
    log = policies.read(released.site.policy).logs[0].text
    policy.write_text(f"log {log}\nwitness w {public}\nquorum w\n")
    ours, said = judged(released, released.docket.root, ledger, policy, tmp_path)
    assert ours is holds
    assert ("the receipt, 2025-09-01T12:00:00Z: seen by witnesses by" if holds else "the receipt is dated") in said
