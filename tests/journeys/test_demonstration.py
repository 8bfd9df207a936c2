"""The README's first command, run as a newcomer would, and what must be true of everything it leaves behind."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from gatehouse.release import stated

CHECKOUT = Path(__file__).parents[2]
LATER = "2025-08-07T15:00:00Z"
"""After the demonstration, whose clock begins at 14:00 and goes by."""


def gatehouse(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gatehouse", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "src"), "GATEHOUSE_NOW": LATER, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    done = gatehouse("demo", "--no-serve", "--verbose", "--dir", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def docket(demonstration: tuple[Path, str]) -> Path:
    """Of the first submission, which went the whole way."""
    return demonstration[0] / "custodian" / "dockets" / "ICE-2025-0001"


def rows(query: str, **tables: Path) -> list[tuple]:
    with duckdb.connect() as connection:
        for name, path in tables.items():
            connection.read_parquet(str(path)).create_view(name)
        return connection.execute(query).fetchall()


def test_it_ends_with_a_verified_ledger_root(demonstration: tuple[Path, str]) -> None:
    folder, printed = demonstration
    root = printed.rpartition("root: ")[2].split()[0]
    assert len(bytes.fromhex(root)) == 32
    site = folder / "custodian"
    again = gatehouse("verify", site / "ledger", "--policy", site / "witnesses.policy", "--json")
    assert json.loads(again.stdout)["root"] == root


def test_the_strangers_verifier_agrees(demonstration: tuple[Path, str]) -> None:
    folder, printed = demonstration
    site = folder / "custodian"
    verifier = CHECKOUT / "verifier" / "verify_ledger.py"
    done = subprocess.run(
        [sys.executable, verifier, "--policy", site / "witnesses.policy", "ledger", site / "ledger"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert printed.rpartition("root: ")[2].split()[0] in done.stdout


def test_nothing_clears_that_the_truth_calls_unlawful_and_nobody_wrong_is_named(
    demonstration: tuple[Path, str], docket: Path
) -> None:
    wrong = rows(
        "SELECT kind, count(*) FROM truth JOIN determinations USING (request_id) WHERE outcome = 'cleared' "
        "AND (NOT lawful OR truth.person_id IS DISTINCT FROM determinations.person_id) GROUP BY kind",
        truth=demonstration[0] / "agency" / "submission" / "truth.parquet",
        determinations=docket / "determinations.parquet",
    )
    assert wrong == []


def test_most_lawful_requests_that_carry_an_identifier_clear(demonstration: tuple[Path, str], docket: Path) -> None:
    [(lawful, cleared)] = rows(
        "SELECT count(*), count(*) FILTER (outcome = 'cleared') FROM truth JOIN determinations USING (request_id) "
        "WHERE kind IN ('exact_tin', 'exact_birth_date')",
        truth=demonstration[0] / "agency" / "submission" / "truth.parquet",
        determinations=docket / "determinations.parquet",
    )
    assert cleared >= 0.98 * lawful


def test_what_was_opened_is_the_last_known_address_of_the_persons_who_cleared(
    demonstration: tuple[Path, str], docket: Path
) -> None:
    folder, _ = demonstration
    with (folder / "agency" / "opened" / "records.csv").open() as stream:
        opened = list(csv.DictReader(stream))
    assert opened
    known = rows(
        "SELECT request_id, line1, postal_code FROM determinations JOIN addresses USING (person_id) WHERE last_known",
        determinations=docket / "determinations.parquet",
        addresses=folder / "register" / "addresses.parquet",
    )
    expected = {request: (line1, postal) for request, line1, postal in known}
    for record in opened:
        line1, postal = expected[record["request_id"]]
        assert line1 in str(record.values())
        assert postal in str(record.values())


def test_answers_say_nothing_about_the_subject_while_the_docket_is_open_or_beside_a_public_fault(docket: Path) -> None:
    with (docket / "answers.csv").open(newline="") as stream:
        answers = list(csv.DictReader(stream))
    for answer in answers:
        codes = set(filter(None, answer["codes"].split(";")))
        assert not (codes & {"SUBJECT", "HOLD"}) or codes == {"SUBJECT"}
        assert answer["outcome"] in {"answered", "not_answered", "pending"}


def test_replay_is_identical_and_notices_one_changed_fact(docket: Path, tmp_path: Path) -> None:
    assert "identical" in gatehouse("replay", docket).stdout
    tampered = tmp_path / "docket"
    subprocess.run(["cp", "-r", docket, tampered], check=True)
    with duckdb.connect() as connection:
        source, target = docket / "facts.parquet", tampered / "facts.parquet"
        connection.execute(
            f"COPY (SELECT * REPLACE (CASE WHEN seq = 7 THEN 'civil_removal' ELSE proceeding END AS proceeding) "
            f"FROM '{source}' ORDER BY seq) TO '{target}' (FORMAT parquet)"
        )
    done = gatehouse("replay", tampered)
    assert done.returncode == 1
    assert "row 7" in done.stderr


def test_every_refusal_is_explained_with_a_citation(docket: Path) -> None:
    [(request,)] = rows(
        "SELECT request_id FROM determinations WHERE outcome = 'refused' ORDER BY seq LIMIT 1",
        determinations=docket / "determinations.parquet",
    )
    told = gatehouse("explain", docket, request, "--json")
    explained = json.loads(told.stdout)
    assert explained["rules"]
    assert all(rule["cite"] and rule["say"] and rule["note"] for rule in explained["rules"])


def test_running_the_same_submission_again_changes_nothing(demonstration: tuple[Path, str], docket: Path) -> None:
    folder, _ = demonstration
    before = {path: path.read_bytes() for path in docket.rglob("*") if path.is_file()}
    # the witnesses are gone, and not asked: nothing is new
    done = gatehouse("run", folder / "agency" / "submission", "--site", folder / "custodian")
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in docket.rglob("*") if path.is_file()} == before


def test_the_public_report_is_what_counting_by_hand_gives(demonstration: tuple[Path, str]) -> None:
    folder, _ = demonstration
    told = gatehouse("report", "disclosures", "--site", folder / "custodian", "--year", 2025, "--format", "json")
    [line] = json.loads(told.stdout)["tables"][0]["rows"]
    requests, disclosed, persons = 0, 0, set()
    for tables in (folder / "custodian").rglob("determinations.parquet"):
        people = dict(rows("SELECT seq, person_id FROM determinations", determinations=tables))
        certificates = [path.read_bytes() for path in tables.parent.glob("certificates/*.json")]
        given = [one.seq for each in certificates for one in stated.read(each).records]
        requests, disclosed = requests + len(people), disclosed + len(given)
        persons.update(people[seq] for seq in given)
    assert (line["requests"], line["instances_of_disclosure"], line["persons"]) == (requests, disclosed, len(persons))
    other = gatehouse("report", "disclosures", "--site", folder / "custodian", "--year", 2024, "--format", "json")
    assert json.loads(other.stdout)["tables"][0]["rows"] == []


def test_no_report_names_a_rule_about_informants_for_anybody_who_was_not_found(
    demonstration: tuple[Path, str], docket: Path
) -> None:
    """A sworn form listed 314 requests under the confidential-informant rule where no such determination existed."""
    folder, _ = demonstration
    rules = rows(
        "SELECT DISTINCT unnest(list_filter(fired, lambda rule: NOT list_contains(unknown, rule))) FROM determinations "
        "JOIN facts USING (seq) WHERE persons_agreeing <> 1",
        determinations=docket / "determinations.parquet",
        facts=docket / "facts.parquet",
    )
    named = {rule for (rule,) in rules}
    assert "identity-exactly-one" in named
    assert not any(rule.startswith("i6") for rule in named)
    [(request,)] = rows(
        "SELECT request_id FROM determinations JOIN facts USING (seq) WHERE persons_agreeing = 0 ORDER BY seq LIMIT 1",
        determinations=docket / "determinations.parquet",
        facts=docket / "facts.parquet",
    )
    [(restricted,)] = rows("SELECT count(*) FROM facts WHERE restricted", facts=docket / "facts.parquet")
    site = ("--site", folder / "custodian", "--format", "json")
    told = [gatehouse("explain", docket, request).stdout]
    told += [gatehouse("report", name, *site).stdout for name in ("declaration", "errors", "inquiry")]
    assert restricted or not any("i6-" in text or "(i)(6)" in text for text in told)
    assert all("identity-exactly-one" in text for text in told[:3])


def test_a_closed_docket_and_a_recalled_one_stand_beside_a_fresh_one(demonstration: tuple[Path, str]) -> None:
    dockets = demonstration[0] / "custodian" / "dockets"
    told = {}
    for name in ("ICE-2025-0001", "ICE-2025-0002", "ICE-2025-0003"):
        with (dockets / name / "answers.csv").open(newline="") as stream:
            told[name] = {answer["outcome"] for answer in csv.DictReader(stream)}
    assert told["ICE-2025-0001"] == {"answered", "not_answered"}
    assert list((dockets / "ICE-2025-0002" / "recalls").glob("*/incident.json"))
    assert "pending" in told["ICE-2025-0003"]
    assert not list(dockets.glob("ICE-2025-0003/releases/*"))


def test_its_clock_goes_by(demonstration: tuple[Path, str]) -> None:
    receipts = sorted((demonstration[0] / "custodian" / "dockets").glob("*/receipt.json"))
    times = [json.loads(path.read_bytes())["received_at"] for path in receipts]
    assert times == sorted(set(times))
    assert all(time.startswith("2025-08-07T") for time in times)


def test_what_is_published_later_finds_the_witnesses_again(demonstration: tuple[Path, str]) -> None:
    folder, printed = demonstration
    assert f"gatehouse witness again {folder}" in printed
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "src")}
    command = [sys.executable, "-m", "gatehouse", "witness", "again", str(folder)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        while "Leave this running" not in (line := running.stdout.readline()):
            assert line, "the demonstration ended before it said so"
            assert running.poll() is None
        try:
            for _ in range(60):
                site = folder / "custodian"
                built = gatehouse("answer", "build", "--site", site)
                if built.returncode == 0:
                    break
                time.sleep(1)
            assert built.returncode == 0, built.stderr
        finally:
            running.send_signal(signal.SIGINT)
