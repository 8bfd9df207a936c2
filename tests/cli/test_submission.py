"""The requesting side at the command line: keys, a new submission, its signature, its faults; and exit statuses."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

HOSTILE = Path(__file__).parents[1] / "hostile" / "submissions"
ROW = (
    "R1,QUILLFEATHER,OPHELIA,,,1980-01-31,900-70-0001,12 MAIN ST,,SPRINGFIELD,IL,62701,,2023-01-01,{to},"
    "8 USC 1253(a)(1),investigation,HSI-2025-00417,2025-01-02,2024-01-02,A087654321,,8 USC 1227(a)(1)(B),"
    "The subject missed the flight of 2 July 2024 and hid in a shed; the address is needed to serve the target "
    "letter,ICE-1,last_known_address\n"
)


def gatehouse(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gatehouse", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "ICE-2025-0003"
    assert gatehouse("submission", "new", made).returncode == 0
    document = json.loads((made / "submission.json").read_bytes())
    recipient = gatehouse("key", "new", tmp_path / "officer.key", "--kind", "recipient").stdout.strip()
    document |= {"agency": "us.dhs.ice", "agreement": "irs-ice-mou-2025-04-07"}
    document["signatory"] = {"name": "Dana Whitlock", "title": "Director", "capacity": "agency_head"}
    document["officers"] = [
        {
            "id": "ICE-1",
            "name": "Maria Lopez",
            "title": "Agent",
            "employee": True,
            "recipient": recipient,
            "attests_sole_use": True,
        }
    ]
    (made / "submission.json").write_text(json.dumps(document))
    return made


def fill(folder: Path, to: str = "2024-12-31") -> None:
    with (folder / "requests.csv").open("a", encoding="utf-8") as stream:
        stream.write(ROW.format(to=to))


def test_a_key_is_private_and_never_overwritten(tmp_path) -> None:
    made = gatehouse("key", "new", tmp_path / "a.key", "--name", "us.dhs.ice")
    assert made.stdout.startswith("us.dhs.ice+")
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600
    assert (tmp_path / "a.key").read_text().strip() not in made.stdout
    assert gatehouse("key", "new", tmp_path / "a.key").returncode == 2


def test_a_submission_is_made_checked_and_signed(folder, tmp_path) -> None:
    fill(folder)
    checked = gatehouse("submission", "check", folder)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
    gatehouse("key", "new", tmp_path / "agency.key", "--name", "us.dhs.ice")
    signed = gatehouse("submission", "sign", folder, "--key", tmp_path / "agency.key")
    assert (signed.returncode, signed.stdout) == (0, "signed: ICE-2025-0003, 1 request, 1 officer\n")
    assert (folder / "submission.json.sig").read_text(encoding="utf-8").startswith("— us.dhs.ice ")


def test_nothing_is_signed_that_check_rejects_whole(folder, tmp_path) -> None:
    fill(folder)
    fill(folder)
    gatehouse("key", "new", tmp_path / "agency.key", "--name", "us.dhs.ice")
    before = (folder / "submission.json").read_bytes()
    for command in (("check",), ("sign", "--key", tmp_path / "agency.key")):
        done = gatehouse("submission", command[0], folder, *command[1:])
        assert done.returncode == 2
        assert "repeats the id of row 1" in done.stderr
    assert not (folder / "submission.json.sig").exists()
    assert (folder / "submission.json").read_bytes() == before


def test_a_fault_of_a_row_is_named_by_row_and_column(folder) -> None:
    fill(folder, to="31/12/2024")
    checked = gatehouse("submission", "check", folder, "--json")
    assert checked.returncode == 1
    (fault,) = (json.loads(line) for line in checked.stdout.splitlines())
    assert (fault["row"], fault["request_id"], fault["column"]) == (1, "R1", "period_from")


@pytest.mark.parametrize("name", ["ragged-short.csv", "latin-1.csv", "unknown-column.csv"])
def test_a_fault_of_the_whole_is_one_line_and_status_2(folder, name: str) -> None:
    (folder / "requests.csv").write_bytes((HOSTILE / "tables" / name).read_bytes())
    checked = gatehouse("submission", "check", folder)
    assert (checked.returncode, checked.stdout) == (2, "")
    assert checked.stderr.startswith("gatehouse: requests.csv")
    assert len(checked.stderr.splitlines()) == 1
    assert "QUILLFEATHER" not in checked.stderr


@pytest.mark.slow
def test_the_form_is_checked_by_the_law_asked_under(folder, tmp_path) -> None:
    fill(folder)
    table = folder / "requests.csv"
    table.write_text(
        table.read_text().replace("2023-01-01,2024-12-31,8 USC 1253(a)(1),investigation", ",,,civil removal")
    )
    document = json.loads((folder / "submission.json").read_bytes())
    under_tax_law = gatehouse("submission", "check", folder)
    assert [line.split(", ")[1].split(":")[0] for line in under_tax_law.stdout.splitlines()[:-1]] == [
        "period_from", "authority", "proceeding",
    ]  # fmt: skip
    (folder / "submission.json").write_text(json.dumps(document | {"basis": "us.hipaa.164-512-f-2"}))
    assert gatehouse("submission", "check", folder).stdout == "1 request, 0 faults of form\n"
    (folder / "submission.json").write_text(json.dumps(document | {"basis": "xx.unknown.law"}))
    assert "No pack for xx.unknown.law is at hand" in gatehouse("submission", "check", folder).stdout
