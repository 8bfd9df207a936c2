"""Two agencies in two folders with keys of their own, from submission to disposal, reconciliation and recall.

Only what a courier would carry passes between the folders: the submission one way; packages, the trust folder and
notices the other; receipts, reports and disposal certificates back. By the same commands as on a real site.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import server

from gatehouse.cli.main import cli
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger.signers import read_signer
from gatehouse.synthetic import officers
from gatehouse.synthetic.parties import invent

pytestmark = pytest.mark.slow

REASON = "The sample agrees with the file; every element is met on each request."
SEED = 1
Call = Callable[..., str]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where people's work is kept; with PostgreSQL the register lies in a database too."""
    if request.param == "sqlite":
        yield "sqlite:///gatehouse.sqlite3"
        return
    with server.postgres() as address:
        yield address


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command; gives what it printed."""

    def run(*arguments: object) -> str:
        capsys.readouterr()
        cli.main([str(argument) for argument in arguments], prog_name="gatehouse", standalone_mode=False)
        return capsys.readouterr().out

    return run


def found_site(call: Call, custodian: Path, agency: Path, database: str) -> None:
    call("synth", "register", "--out", custodian / "register", "--persons", 4000, "--seed", SEED)
    call("key", "new", agency / "agency.key", "--name", "us.dhs.ice")
    parties = custodian / "parties.toml"
    parties.write_text(invent(read_signer(agency / "agency.key").verifier.text, usual_requests=400))
    call("init", custodian / "site", "--name", "test.example/2025", "--demonstration",
         "--register", custodian / "register", "--parties", parties)  # fmt: skip
    configuration = custodian / "site" / "gatehouse.toml"
    text = configuration.read_text().replace("sqlite:///gatehouse.sqlite3", database)
    for person in ("do-1", "do-2"):
        call("key", "new", custodian / "people" / f"{person}.key", "--name", person)
        key = read_signer(custodian / "people" / f"{person}.key").verifier.text
        text += f'\n[[officers]]\nid = "{person}"\nname = "{person}"\nrole = "disclosure_officer"\nkey = "{key}"\n'
        text += "from = 2025-01-01\n"
    if database.startswith("postgresql://"):
        held = server.hold_register(server.another(database, "records"), custodian / "register")
        text = text.replace(str(custodian / "register"), held)
    configuration.write_text(text)


def approve(call: Call, custodian: Path, docket: str, person: str) -> None:
    site = ("approve", docket, "--site", custodian / "site", "--officer", person, "--all-cleared")
    marks = custodian / f"{docket}-{person}.csv"
    drawn = json.loads(call(*site, "--sample", "--marks", marks, "--json"))
    assert [line.partition(",")[0] for line in marks.read_text().splitlines()[1:]] == drawn["requests"]
    marks.write_text("request_id,mark\n" + "".join(f"{request},right\n" for request in drawn["requests"]))
    call(*site, "--key", custodian / "people" / f"{person}.key", "--examined", drawn["sample"], "--marks", marks,
         "--reason", REASON)  # fmt: skip


def refuse(call: Call, custodian: Path, docket: str, rule: str) -> None:
    """Refuse every case that a rule still holds."""
    call("approve", docket, "--site", custodian / "site", "--officer", "do-2", "--decision", "refuse",
         "--key", custodian / "people" / "do-2.key", "--held-by", rule,
         "--reason", "Nobody on file was found to be the person named.")  # fmt: skip


def ask_again(call: Call, custodian: Path, agency: Path, *, seed: int) -> dict[str, Any]:
    """A further submission of the agency, carried up to the determinations; gives its summary."""
    submission = agency / f"submission-{seed}"
    call("synth", "submission", "--out", submission, "--register", custodian / "register",
         "--requests", 100, "--seed", seed)  # fmt: skip
    manifest = submission / "submission.json"
    text = json.loads(manifest.read_text())
    text["id"] = f"ICE-2025-000{seed}"
    manifest.write_text(json.dumps(text))
    call("submission", "sign", submission, "--key", agency / "agency.key")
    summary: dict[str, Any] = json.loads(call("run", submission, "--site", custodian / "site", "--json"))
    return summary


def test_from_submission_to_disposal_and_recall(
    tmp_path: Path, database: str, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    custodian, agency, courier = tmp_path / "custodian", tmp_path / "agency", tmp_path / "courier"
    custodian.mkdir()
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-08-07T14:00:00Z")
    found_site(call, custodian, agency, database)
    site = custodian / "site"

    # the agency asks
    call("synth", "submission", "--out", agency / "submission", "--register", custodian / "register",
         "--requests", 400, "--seed", SEED)  # fmt: skip
    call("submission", "sign", agency / "submission", "--key", agency / "agency.key")
    shutil.copytree(agency / "submission", courier / "submission")
    docket = json.loads((agency / "submission" / "submission.json").read_text())["id"]

    # the custodian decides; whoever received it may not approve it
    call("run", courier / "submission", "--site", site, "--by", "do-9")
    approve(call, custodian, docket, "do-1")
    with pytest.raises(AnswerIsNo):
        call("release", docket, "--site", site)
    approve(call, custodian, docket, "do-2")
    released = json.loads(call("release", docket, "--site", site, "--json"))
    assert released["cases"] > 5
    assert released["left"] == {}

    # the courier carries packages and trust; the custodian's folder is out of reach while officers work
    shutil.copytree(site / "dockets" / docket / "releases", agency / "inbox")
    shutil.copytree(site / "trust", agency / "trust")
    away = tmp_path / "out-of-reach"
    custodian.rename(away)
    for one in released["releases"]:
        key = agency / f"{one['officer']}.key"
        key.write_text(f"{officers.identity(SEED, one['officer'])}\n")
        package, out = agency / "inbox" / f"{one['release']}.age", agency / "opened" / one["release"]
        shown = call("open", package, "--key", key, "--trust", agency / "trust", "--out", out)
        assert shown.startswith("DEMONSTRATION")
        assert one["release"] in shown
        with (out / "records.csv").open(newline="") as stream:
            records = list(csv.DictReader(stream))
        assert len(records) == one["cases"]
        call("use", "log", out, "--action", "viewed", "--matter", records[0]["matter_number"],
             "--purpose", "investigation", "--trust", agency / "trust")  # fmt: skip
        call("use", "report", out)
    first, *others = released["releases"]
    call("use", "dispose", agency / "opened" / first["release"], "--method", "overwrite")
    away.rename(custodian)

    # what comes back is taken in; what does not is found
    def send_back(release: str) -> None:
        for path in sorted((agency / "opened" / release).glob("*.json")):
            if path.name == "disposal.json" or path.name.startswith(("receipt", "use-report")):
                call("release", docket, "--site", site, "--returned", path)

    for one in released["releases"]:
        send_back(one["release"])
    report = json.loads(call("release", docket, "--site", site, "--reconcile", "--json"))["body"]
    assert report["discrepancies"] == []
    assert report["releases"] == len(released["releases"])

    # what a recall of everything would take is rehearsed on a copy; the releases stand
    drilled = json.loads(call("drill", "recall", "--site", site, "--json"))
    assert [(one["cases"], one["notices"]) for one in drilled["recalls"]] == [(released["cases"], report["releases"])]
    assert json.loads(call("recall", "--site", site, "--pack-change", "--dry-run", "--json")) == []

    # one request turns out to be wrong: its release comes back, the others stand
    wrong = others[0]
    with (agency / "opened" / wrong["release"] / "records.csv").open(newline="") as stream:
        request = next(csv.DictReader(stream))["request_id"]
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-08-20T09:00:00Z")
    person = ("--officer", "do-1", "--key", custodian / "people" / "do-1.key")
    recalled = json.loads(call("recall", "--site", site, "--docket", docket, "--requests", request, *person,
                               "--reason", "Another person of that name was matched.", "--json"))  # fmt: skip
    assert [(one["cases"], one["persons"]) for one in recalled["recalls"]] == [(1, 1)]
    shutil.copytree(site / "trust", agency / "trust", dirs_exist_ok=True)
    key, out = agency / f"{wrong['officer']}.key", agency / "opened" / wrong["release"]
    with pytest.raises(AnswerIsNo, match="recalled"):
        call("open", agency / "inbox" / f"{wrong['release']}.age", "--key", key, "--trust", agency / "trust",
             "--out", out)  # fmt: skip
    report = json.loads(call("release", docket, "--site", site, "--reconcile", "--json"))["body"]
    kinds = {(one["release"], one["kind"]) for one in report["discrepancies"]}
    assert (wrong["release"], "no_disposal_after_recall") in kinds
    with pytest.raises(AnswerIsNo, match="recalled"):
        call("use", "log", out, "--action", "viewed", "--matter", "any", "--purpose", "investigation",
             "--trust", agency / "trust")  # fmt: skip

    # ten days later the agency owes it, and its next submission is stopped by law, row by row
    monkeypatch.setenv("GATEHOUSE_NOW", "2025-08-31T09:00:00Z")
    owing = ask_again(call, custodian, agency, seed=2)
    assert owing["outcomes"]["cleared"] == 0
    assert owing["rules"]["p4-reports-owed"]["fired"] == owing["requests"]
    for release, kind in sorted(kinds):  # whoever else was named in that request has it too
        assert kind == "no_disposal_after_recall"
        call("use", "dispose", agency / "opened" / release, "--method", "overwrite")
        send_back(release)
    report = json.loads(call("release", docket, "--site", site, "--reconcile", "--json"))["body"]
    assert report["overdue"] == 0
    assert report["discrepancies"] == []
    free = ask_again(call, custodian, agency, seed=3)
    assert free["outcomes"]["cleared"] > 0
    assert "p4-reports-owed" not in {rule for rule, counts in free["rules"].items() if counts["fired"]}

    # what was never answered is closed by people, and told all at once
    while held := json.loads(call("approve", docket, "--site", site, "--queue", "--json"))["cases"]:
        refuse(call, custodian, docket, held[0]["fired"][0])
    with (site / "dockets" / docket / "answers.csv").open(newline="") as stream:
        told = [row["outcome"] for row in csv.DictReader(stream)]
    assert told.count("answered") == released["cases"]
    assert told.count("not_answered") == 400 - released["cases"]

    # and outsiders can still verify all of it
    assert "verified" in call("verify", site / "ledger", "--policy", site / "witnesses.policy")
    assert "identical" in call("replay", site / "dockets" / docket)

    # so can every number that is reported, from the folders alone
    log = json.loads(call("report", "safeguards-log", "--site", site, "--format", "json"))
    disposed = {row["release"] for row in log["tables"][0]["rows"] if row["disposed_on"]}
    assert {first["release"], wrong["release"]} <= disposed
    incident = json.loads(call("report", "incident", "--recall", recalled["recalls"][0]["recall"], "--site", site,
                               "--format", "json"))  # fmt: skip
    assert wrong["release"] in {row["release"] for row in incident["tables"][0]["rows"]}
    call("report", "declaration", "--site", site, "--out", courier / "declaration.json")
    assert "agrees" in call("report", "verify", courier / "declaration.json", "--site", site)
