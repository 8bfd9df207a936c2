"""A third reading of docs/release.md, in Go: it accepts and refuses the same certificates as the two in Python."""

from __future__ import annotations

import copy
import datetime as dt
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forging
import golang
import house
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.casework import endorsement
from gatehouse.casework import statement as statements
from gatehouse.kernel import canonical
from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger import cosignature, note
from gatehouse.ledger.signers import Algorithm, new_key, parse_signer
from gatehouse.release import binding, trust
from gatehouse.release.returns import ReleaseRecord
from gatehouse.synthetic.docket import agency_signer

pytestmark = pytest.mark.tools

SOURCE = Path(__file__).parents[1] / "release" / "interop" / "main.go"
STRANGER = Path(__file__).parents[2] / "verifier" / "verify_release.py"
Releases = tuple[ReleaseRecord, ...]
Ask = Callable[..., bool]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return golang.build(SOURCE, tmp_path_factory.mktemp("go"))


@pytest.fixture
def whole(released: house.House, releases: Releases) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((released.docket.certificates / f"{releases[0].id}.json").read_bytes())
    return found


@pytest.fixture
def accepted(released: house.House, program: Path, tmp_path: Path) -> Ask:
    """Whether ours and Go both accept a certificate, and where it is asked for the stranger's tool as well."""

    def ask(document: dict[str, Any], *, folder: Path | None = None, stranger: bool = False) -> bool:
        folder, path = folder or released.site.root / "trust", tmp_path / "certificate.json"
        path.write_bytes(canonical.encode(document))
        given = [str(path), "--policy", str(folder / "witnesses.policy"), "--trust", str(folder)]
        try:
            binding.verify(path.read_bytes(), trust.read(folder))
            ours = True
        except GatehouseError:
            ours = False
        commands = [[str(program)], *([[sys.executable, str(STRANGER)]] if stranger else [])]
        for command in commands:
            said = subprocess.run([*command, *given], capture_output=True, text=True, check=False, timeout=30)
            assert (said.returncode, said.stderr.count("\n")) == ((0, 0) if ours else (1, 1)), said.stderr
        return ours

    return ask


def test_go_accepts_what_was_released(accepted: Ask, whole: dict[str, Any]) -> None:
    assert accepted(whole, stranger=True)


@pytest.mark.parametrize("file", forging.HOSTILE, ids=lambda path: path.stem)
def test_go_refuses_a_named_forgery(accepted: Ask, whole: dict[str, Any], file: Path) -> None:
    assert not accepted(forging.named(whole, file))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_go_refuses_a_changed_field(accepted: Ask, whole: dict[str, Any], data: st.DataObject) -> None:
    assert not accepted(forging.drawn(data, whole))


def refreshed(released: house.House, folder: Path, **files: object) -> Path:
    """A trust folder as the custodian hands it over again, with other contents under the custodian's own key."""
    shutil.copytree(released.site.root / "trust", folder)
    for name, body in files.items():
        signed = statements.sign(body, house.custodian_signer(released)).encoded()  # type: ignore[arg-type]
        (folder / f"{name}.json").write_bytes(signed)
    return folder


def officers(versions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"format": trust.ROSTER_FORM, "versions": versions}


def words(released: house.House, new: str) -> list[dict[str, Any]]:
    """The word of the two others for one officer."""
    people = trust.read(released.site.root / "trust").roster.officers
    site = released.site.name
    return [
        endorsement.endorse(people[new], people[one], released.staff[one], site=site).document()
        for one in sorted(people)
        if one != new
    ]


def test_go_judges_the_roster_alike(
    released: house.House, accepted: Ask, whole: dict[str, Any], tmp_path: Path
) -> None:
    """An approver who stood on no roster before and whom nobody endorsed, and one whom two have endorsed since."""
    now = trust.read(released.site.root / "trust").roster.document()
    without = [one for one in now if one["id"] != "ann"]
    first = {"officers": without, "endorsements": []}
    renamed = [{**one, "name": "Another Name"} if one["id"] == "ann" else one for one in now]
    revoked = [{**one, "revoked_on": "2025-08-01"} if one["id"] == "ann" else one for one in now]
    twin = [{**one, "name": "BOB Custodian"} if one["id"] == "ann" else one for one in now]
    [bob] = [one["name"] for one in now if one["id"] == "bob"]
    [ann] = [one["name"] for one in now if one["id"] == "ann"]
    joins = [one if one["id"] in {"ann", "bob"} else {**one, "id": bob.replace(" ", "-"), "name": ann} for one in now]
    cases = {
        "as it is": ([{"officers": now, "endorsements": []}], True),
        "unendorsed": ([first, {"officers": now, "endorsements": []}], False),
        "endorsed by the others": ([first, {"officers": now, "endorsements": words(released, "ann")}], True),
        "endorsed by one": ([first, {"officers": now, "endorsements": words(released, "ann")[:1]}], False),
        "taken back, and the same words again": (
            [
                first,
                {"officers": now, "endorsements": words(released, "ann")},
                first,
                {"officers": now, "endorsements": words(released, "ann")},
            ],
            False,
        ),
        "revoked, and the same words again": (
            [
                first,
                {"officers": now, "endorsements": words(released, "ann")},
                {"officers": revoked, "endorsements": words(released, "ann")},
                {"officers": now, "endorsements": words(released, "ann")},
            ],
            False,
        ),
        "another name": ([{"officers": renamed, "endorsements": []}], False),
        "one name": ([{"officers": twin, "endorsements": []}], False),
        "an entry that makes both one": ([{"officers": joins, "endorsements": []}], False),
    }
    for number, (name, (versions, holds)) in enumerate(cases.items()):
        folder = refreshed(released, tmp_path / str(number), officers=officers(versions))
        assert accepted(whole, folder=folder, stranger=True) is holds, name


def test_go_judges_the_agencys_keys_alike(
    released: house.House, accepted: Ask, whole: dict[str, Any], tmp_path: Path
) -> None:
    own, other = agency_signer().key_text, new_key(agency_signer().name)[1]
    approver, since = released.staff["ann"].verifier.text, "2025-01-01"
    for number, (keys, begins, until, holds) in enumerate((
        ([own], since, None, True), ([other], since, None, False), ([own], since, "2025-06-01", False),
        ([own], "2026-01-01", None, False), ([own, other], since, None, True), ([own, approver], since, None, False),
    )):  # fmt: skip
        listed = [{"id": "us.dhs.ice", "keys": [{"key": key, "from": begins, "until": until} for key in keys]}]
        body = {"format": trust.AGENCIES_FORM, "agencies": listed}
        folder = refreshed(released, tmp_path / str(number), agencies=body)
        assert accepted(whole, folder=folder, stranger=True) is holds, number


@pytest.mark.parametrize("days", [-2, 0, 1, 4, 200])
def test_go_judges_dates_by_witnesses(
    released: house.House, accepted: Ask, whole: dict[str, Any], tmp_path: Path, days: int
) -> None:
    keys = [parse_signer(new_key(f"witness{n}.example", Algorithm.ED25519_COSIGNATURE)[0]) for n in range(3)]
    seen, document = house.LATER + dt.timedelta(days=days), copy.deepcopy(whole)

    def cosigned(text: str, at: dt.datetime) -> str:
        signed = note.Note.parse(text.encode())
        lines = [cosignature.cosign(key, signed.text, int(at.timestamp())) for key in keys[:2]]
        return signed.plus(lines).encoded.decode()

    document["checkpoint"] = cosigned(document["checkpoint"], seen)
    for one in document["earlier"]:
        one["checkpoint"] = cosigned(one["checkpoint"], min(seen, house.NOW))
    folder = refreshed(released, tmp_path / "trust")
    log = trust.read(folder).policy.logs[0].text
    named = "".join(f"witness w{number} {key.key_text}\n" for number, key in enumerate(keys))
    policy = folder / "witnesses.policy"
    policy.write_text(f"log {log}\n{named}group two 2 w0 w1 w2\nquorum two\n")
    assert accepted(document, folder=folder, stranger=True) is (days in {0, 1})
    policy.write_text(f"log {log}\n{named}group three all w0 w1 w2\nquorum three\n")
    assert not accepted(document, folder=folder, stranger=True), "one witness has not signed"
