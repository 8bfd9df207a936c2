"""Each report against an independent count, and against everything that could make it lie."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from importlib import util
from pathlib import Path
from types import ModuleType

import duckdb
import house
import pytest
from watched import Watched

from gatehouse.determine.docket import Docket
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import policy
from gatehouse.ledger.signers import new_key
from gatehouse.oversight import reports, sources, writing
from gatehouse.oversight.rebuild import rebuild
from gatehouse.oversight.sources import Period, Sources

Report = Callable[..., str]

ASKED = {"person": {"person": 4}, "usage": {"person": 4}}
PERSONAL = {"accounting", "person", "notices", "usage"}


def asked(name: str, watched: Watched) -> dict[str, object]:
    if name in {"incident", "notices"}:
        return {"recall": watched.recall}
    return ASKED.get(name, {})


@pytest.fixture(scope="module")
def stranger() -> ModuleType:
    """The verifier that shares no code with Gatehouse."""
    path = Path(__file__).parents[2] / "verifier" / "verify_ledger.py"
    spec = util.spec_from_file_location("verify_ledger", path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Independent:
    """The record as read without any of Gatehouse's code: plain files, hashes and counting."""

    def __init__(self, root: Path) -> None:
        self.entries = entries_of(root / "ledger")
        docket = root / "dockets" / house.NAME
        connection = duckdb.connect()
        self.rows = connection.execute(
            "SELECT request_id, seq, outcome, fired, codes, person_id "
            f"FROM read_parquet('{docket}/determinations.parquet')"
        ).fetchall()
        agreeing = connection.execute(
            f"SELECT seq, min(person_id) FROM read_parquet('{docket}/evidence.parquet') WHERE agrees GROUP BY 1"
        ).fetchall()
        persons = dict(agreeing)
        self.given: list[tuple[int, str, str, int]] = []
        for path in sorted(docket.glob("events/release-*.json")):
            event = opened(path, self.entries)
            data = (docket / "certificates" / f"{event['release']}.json").read_bytes()
            sealed = opened(docket / "events" / f"sealed-{event['release']}.json", self.entries)
            assert sha256(data) == sealed["certificate"]
            for record in json.loads(data)["records"]:
                self.given.append((record["seq"], event["officer"], event["release"], persons[record["seq"]]))
        self.actions = Counter(
            opened(path, self.entries)["action"] for path in sorted(docket.glob("events/decision-*.json"))
        )


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def entries_of(ledger: Path) -> set[bytes]:
    """Every entry of the ledger, read from its bundles."""
    found: set[bytes] = set()
    for path in (ledger / "tile" / "entries").rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        while data:
            length = int.from_bytes(data[:2], "big")
            found.add(data[2 : 2 + length])
            data = data[2 + length :]
    return found


def opened(path: Path, entries: set[bytes]) -> dict[str, object]:
    """The fields of an event whose entry is in the ledger, by docs/ledger.md."""
    kept = json.loads(path.read_bytes())
    root = bytes.fromhex(sha256(("[" + ",".join(f'"{one}"' for one in kept["digests"]) + "]").encode()))
    entry = bytes([1]) + bytes.fromhex(kept["batch"]) + kept["seq"].to_bytes(4, "big") + root
    assert entry in entries
    assert all(sha256(text.encode()) in kept["digests"] for text in kept["shown"])
    return {name: value for _, name, value in map(json.loads, kept["shown"])}


@pytest.fixture
def independent(watched: Watched, stranger: ModuleType, capsys: pytest.CaptureFixture[str]) -> Independent:
    arguments = ["ledger", str(watched.root / "ledger"), "--policy", str(watched.root / "witnesses.policy")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["verify_ledger.py", *arguments])
        assert stranger.main() in {0, None}
    capsys.readouterr()
    return Independent(watched.root)


def test_the_public_report_is_what_an_independent_count_gives(watched: Watched, independent: Independent) -> None:
    [line] = watched.rows("disclosures")
    assert line["requests"] == len(independent.rows) == 12
    assert line["instances_of_disclosure"] == len(independent.given) == 10
    assert line["persons"] == len({person for *_, person in independent.given})
    assert line["general_purposes"] == "investigation"


def test_the_errors_are_what_an_independent_count_gives(watched: Watched, independent: Independent) -> None:
    by_rule = Counter(rule for _, _, outcome, fired, _, _ in independent.rows if outcome != "cleared" for rule in fired)
    table = {row["rule"]: (row["requests"], row["alone"]) for row in watched.rows("errors", "rules")}
    assert {rule: requests for rule, (requests, _) in table.items()} == by_rule
    assert table["identity-corroborated"] == (2, 2)
    causes = {row["party"]: row["requests"] for row in watched.rows("errors", "causes")}
    assert causes == {"match": 2, "requester": 1}
    people = {row["action"]: row["decisions"] for row in watched.rows("errors", "people")}
    assert people == dict(independent.actions)
    [recalled] = watched.rows("errors", "recalls")
    assert (recalled["party"], recalled["releases"], recalled["requests"]) == ("officer", 1, 1)


def test_the_accounting_has_every_request_once(watched: Watched, independent: Independent) -> None:
    table = watched.rows("accounting", "requests")
    assert [row["request_id"] for row in table] == [row[0] for row in sorted(independent.rows, key=lambda row: row[1])]
    disclosed = {row["row"] - 1: (row["disclosures"], row["person"]) for row in table if row["disclosures"]}
    assert disclosed == {seq: (1, person) for seq, _, _, person in independent.given}
    assert all(row["reason"] and row["requested_at"] for row in table)


def test_the_records_of_disclosure_agree_with_those_made_at_the_time(
    watched: Watched, independent: Independent
) -> None:
    table = {row["release"]: row for row in watched.rows("disclosure-records")}
    assert {release: row["requests"] for release, row in table.items()} == Counter(one[2] for one in independent.given)
    for release, row in table.items():
        made = json.loads((watched.docket / "disclosures" / f"{release}.json").read_bytes())
        assert (made["officer"], made["purpose"], made["requests"]) == (row["officer"], row["purpose"], row["requests"])
        assert made["approved_by"] == ["ann", "bob"]


def test_the_safeguards_log_follows_the_information_to_its_end(watched: Watched, independent: Independent) -> None:
    table = watched.rows("safeguards-log", "records")
    assert len(table) == len(independent.given)
    back = {row["held_by"]: (row["received_on"], row["disposed_on"], row["disposal_method"]) for row in table}
    assert back["us.dhs.ice/ICE-0000"] == ("2025-09-02", "2025-09-04", "overwrite")
    assert back["us.dhs.ice/ICE-0001"] == (None, None, None)


def test_the_inquiry_says_who_was_named_and_what_was_taken_back(watched: Watched, independent: Independent) -> None:
    officers = {row["officer"]: row["disclosed_to_them"] for row in watched.rows("inquiry", "officers")}
    assert officers == Counter(officer for _, officer, _, _ in independent.given)
    assert [row["recall"] for row in watched.rows("inquiry", "remedies")] == [watched.recall]
    kinds = [row["kind"] for row in watched.rows("inquiry", "rules")]
    assert kinds[0] == "founded"
    assert "pack in force" in kinds


def test_the_declaration_is_what_an_independent_count_gives(watched: Watched, independent: Independent) -> None:
    _, made = watched.make("declaration")
    said = {one.name: one.value for one in made.figures}
    outcomes = Counter(row[2] for row in independent.rows)
    assert {name: said[name] for name in ("cleared", "held", "incomplete", "refused")} == {
        name: outcomes[name] for name in ("cleared", "held", "incomplete", "refused")
    }
    assert (said["requests"], said["instances"], said["packages"]) == (12, len(independent.given), 2)
    assert said["persons"] == len({one[3] for one in independent.given})
    assert (said["unapproved"], said["not_permitted"], said["no_address_disclosed"]) == (0, 0, 0)
    assert (said["recalled_packages"], said["recalled_requests"], said["unexplained"]) == (1, 1, 0)
    assert any("Of 12 requests, something was disclosed for 10" in sentence for sentence in made.sentences())


def test_one_person_and_nobody_else(watched: Watched, independent: Independent) -> None:
    [row] = watched.rows("person", "disclosures", asked={"person": 4})
    assert (row["row"], row["recalled"]) == (5, True)
    assert watched.rows("person", "disclosures", asked={"person": 4711}) == []
    [waiting] = watched.rows("person", "requests", asked={"person": 0})
    assert waiting["outcome"] == "held"


def test_incident_and_notices_follow_from_the_recall(watched: Watched) -> None:
    asked = {"recall": watched.recall, "contact": "Disclosure office"}
    connection, made = watched.make("incident", asked)
    facts = dict(made.facts)
    assert facts["Contact"] == "Disclosure office"
    assert facts["To be reported by"] == "2025-09-04 12:05:00 UTC"
    assert facts["Report to"] == "TIGTA and IRS Office of Safeguards", "as the pack of the docket says"
    assert facts["Number of records"] == "1"
    [line] = made.document(connection)["tables"][0]["rows"]
    assert line["disposed_at"] == "2025-09-04T12:05:00Z"
    [notice] = watched.rows("notices", asked={"recall": watched.recall})
    assert (notice["person"], notice["row"], notice["date_of_act"]) == (4, 5, "2025-09-01T12:05:00Z")
    kept = duckdb.sql(f"FROM read_parquet('{watched.docket}/recalls/{watched.recall}/persons.parquet')").fetchall()
    assert [(notice["person"], notice["request_id"])] == [row[:2] for row in kept]
    with pytest.raises(WrongInput, match="no recall"):
        watched.make("incident", {"recall": "recall-of-nothing"})


def test_a_disclosure_counts_in_its_own_year(watched: Watched) -> None:
    [line] = watched.rows("disclosures", period=Period.of_year(2025))
    assert line["requests"] == 12
    assert watched.rows("disclosures", period=Period.of_year(2026)) == []
    at_noon = Period(dt.date(2025, 9, 1), dt.date(2025, 9, 1))
    assert watched.rows("disclosures", period=at_noon) == [line]


@pytest.mark.parametrize("name", list(reports.CATALOGUE))
@pytest.mark.slow
def test_every_report_is_the_same_bytes_and_can_be_rebuilt(watched: Watched, name: str, tmp_path: Path) -> None:
    files = []
    for run, source in (("one", watched), ("two", replace(watched, verified={}))):
        connection, made = source.make(name, asked(name, watched))
        writing.write_json(made, connection, tmp_path / f"{run}.json")
        written = writing.write_csv(made, connection, tmp_path / run / name)
        files.append([(path.name, path.read_bytes()) for path in written])
        streamed = json.loads((tmp_path / f"{run}.json").read_bytes())
        assert streamed == json.loads(json.dumps(made.document(connection)))
    assert files[0] == files[1]
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    found = rebuild(open_workspace(), tmp_path / "one.json", watched.sources())
    assert found.differences == ()
    assert made.personal == (name in PERSONAL)
    private = 0 if name in PERSONAL else 0o044
    assert {path.stat().st_mode & 0o077 for path in [*written, tmp_path / "one.json"]} == {private}


@pytest.mark.parametrize("name", sorted(set(reports.CATALOGUE) - PERSONAL))
def test_nothing_about_persons_in_the_other_reports(watched: Watched, name: str, tmp_path: Path) -> None:
    connection, made = watched.make(name, asked(name, watched))
    writing.write_json(made, connection, tmp_path / "report.json")
    text = (tmp_path / "report.json").read_text()
    for canary in ("Main St", "Springfield", "62701", "LAST", "900000000", "the reason of row", "R-00000"):
        assert canary not in text, canary
    assert '"person":' not in text


def test_a_report_as_of_an_earlier_checkpoint(watched: Watched) -> None:
    [line] = watched.rows("disclosures")
    assert watched.rows("disclosures", size=watched.before_recall) == [line]
    assert watched.rows("errors", "recalls", size=watched.before_recall) == []
    with pytest.raises(WrongInput, match="no published checkpoint of size 3"):
        watched.make("disclosures", size=3)


def replace_in(path: Path, query: str) -> None:
    """Rewrite a Parquet file by a query over `rows`."""
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE rows AS FROM read_parquet('{path}')")
    connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


def set_determination(docket: Path) -> None:
    replace_in(docket / "determinations.parquet",
               "SELECT * REPLACE (CASE WHEN seq = 5 THEN 'refused' ELSE outcome END AS outcome) FROM rows")  # fmt: skip


def set_rules(docket: Path) -> None:
    replace_in(docket / "determinations.parquet",
               "SELECT * REPLACE (CASE WHEN seq = 0 THEN []::VARCHAR[] ELSE fired END AS fired) FROM rows")  # fmt: skip


def set_unknown(docket: Path) -> None:
    replace_in(docket / "determinations.parquet",
               "SELECT * REPLACE (CASE WHEN seq = 0 THEN ['a'] ELSE unknown END AS unknown) FROM rows")  # fmt: skip


def drop_unknown(docket: Path) -> None:
    replace_in(docket / "determinations.parquet", "SELECT * EXCLUDE (unknown) FROM rows")


def drop_request(docket: Path) -> None:
    for name in ("determinations", "requests"):
        replace_in(docket / f"{name}.parquet", "FROM rows WHERE seq < 11")


def set_receipt(docket: Path) -> None:
    receipt = docket / "receipt.json"
    receipt.write_text(receipt.read_text().replace("2025-09-01", "2024-09-01"))


def set_manifest(docket: Path) -> None:
    manifest = docket / "submission.json"
    manifest.write_text(manifest.read_text().replace("us.dhs.ice", "us.other"))


def set_certificate(docket: Path) -> None:
    path = next(iter(sorted(docket.glob("certificates/*.json"))))
    path.write_text(path.read_text().replace("2025-09-01T12:05:00Z", "2024-09-01T12:05:00Z"))


def set_certificate_record(docket: Path) -> None:
    path = next(iter(sorted(docket.glob("certificates/*.json"))))
    path.write_text(path.read_text().replace('"seq":2', '"seq":0', 1).replace('"seq":3', '"seq":0', 1))


def set_record(docket: Path) -> None:
    path = next(iter(sorted(docket.glob("disclosures/*.json"))))
    path.write_text(path.read_text().replace('"requests":5', '"requests":4'))


def set_notice(docket: Path) -> None:
    path = next(iter(sorted(docket.glob("recalls/*/rel-*.json"))))
    path.write_text(path.read_text().replace("R-000004", "R-000006"))


def hide_release(docket: Path) -> None:
    path = next(iter(sorted(docket.glob("events/release-*.json"))))
    path.unlink()


def hide_certificate(docket: Path) -> None:
    next(iter(sorted(docket.glob("certificates/*.json")))).unlink()


def hide_docket(docket: Path) -> None:
    shutil.rmtree(docket)


def rename_docket(docket: Path) -> None:
    docket.rename(docket.with_name("ICE-2025-0004"))


TAMPERED = {
    function.__name__: (function, where)
    for function, where in (
        (set_determination, house.NAME), (set_rules, house.NAME), (set_unknown, house.NAME),
        (drop_unknown, house.NAME), (drop_request, house.NAME),
        (set_receipt, house.NAME), (set_manifest, house.NAME), (set_certificate, house.NAME),
        (set_certificate_record, house.NAME),
        (set_record, "rel-"), (set_notice, house.NAME), (hide_release, "ledger"), (hide_certificate, house.NAME),
        (hide_docket, "ledger"), (rename_docket, "ICE-2025-0004"),
    )
}  # fmt: skip


@pytest.mark.parametrize("how", list(TAMPERED))
def test_what_was_tampered_with_stops_the_report_by_name(copied: Watched, how: str) -> None:
    tamper, where = TAMPERED[how]
    tamper(copied.docket)
    with pytest.raises(AnswerIsNo) as refused:
        copied.make("disclosures")
    assert where in str(refused.value)


@pytest.mark.parametrize("name", list(reports.CATALOGUE))
def test_no_report_counts_a_docket_that_does_not_verify(copied: Watched, name: str, command: Report) -> None:
    set_determination(copied.docket)
    arguments = [f"--{key}={value}" for key, value in asked(name, copied).items()]
    with pytest.raises(AnswerIsNo, match=house.NAME):
        command(name, "--site", copied.root, *arguments, "--format", "json", "--out", copied.root / "x.json")
    assert not (copied.root / "x.json").exists()


def test_a_notice_that_no_recall_names_is_not_counted(copied: Watched) -> None:
    [path] = copied.docket.glob("recalls/*/rel-*.json")
    notice = json.loads(path.read_bytes())
    notice["body"]["request_ids"].append("R-000006")
    path.with_name("rel-forged.json").write_text(json.dumps(notice))
    [row] = copied.rows("errors", "recalls")
    assert (row["releases"], row["requests"]) == (1, 1)


def test_a_statement_that_is_not_on_record_is_not_counted(copied: Watched) -> None:
    receipt, disposal = copied.returned
    copied.returned = (
        type(receipt)({**receipt.body, "opened_at": "2025-09-01T12:06:00Z"}, receipt.signature),
        disposal,
    )
    table = copied.rows("safeguards-log", "records")
    assert {(row["received_on"], row["disposed_on"]) for row in table} == {(None, "2025-09-04"), (None, None)}
    copied.returned, copied.verified = (type(receipt)(receipt.body, disposal.signature), disposal), {}
    with pytest.raises(AnswerIsNo):
        copied.make("safeguards-log")


def test_an_outsider_makes_the_report_from_folders_alone(watched: Watched, tmp_path: Path, command: Report) -> None:
    [line] = watched.rows("disclosures")
    shutil.copytree(watched.docket, tmp_path / "given" / house.NAME, symlinks=True)
    shutil.copytree(watched.root / "ledger", tmp_path / "given" / "ledger")
    shutil.copy(watched.root / "witnesses.policy", tmp_path / "my.policy")
    given = ("--docket", tmp_path / "given" / house.NAME, "--ledger", tmp_path / "given" / "ledger",
             "--policy", tmp_path / "my.policy")  # fmt: skip
    told = json.loads(command("disclosures", *given, "--format", "json"))
    assert told["tables"][0]["rows"] == [line]
    assert told["made_from"]["unexplained_entries"] > 0  # the site's own events were not given, and it says so
    (tmp_path / "my.policy").write_text(f"log {policy_of_another()}\nquorum none\n")
    with pytest.raises(AnswerIsNo):
        command("disclosures", *given)


def policy_of_another() -> str:
    return new_key("test.example/2025")[1]


def test_csv_is_safe_to_open_in_a_spreadsheet(watched: Watched, tmp_path: Path) -> None:
    connection, made = watched.make("accounting")
    path, *_ = writing.write_csv(made, connection, tmp_path / "accounting")
    with path.open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [row["reason"] for row in table] == [f"'=1+1, the reason of row {seq}" for seq in range(12)]
    raw = watched.rows("accounting", "requests")
    assert raw[0]["reason"].startswith("=1+1")
    metadata = json.loads((tmp_path / "accounting" / "csv-metadata.json").read_bytes())
    assert metadata["tables"][0]["notes"][0]["sha256"] == sha256(path.read_bytes())


def test_personal_data_never_reaches_the_terminal(watched: Watched, command: Report, tmp_path: Path) -> None:
    for name in sorted(PERSONAL):
        arguments = [f"--{key}={value}" for key, value in asked(name, watched).items()]
        for form in ("text", "json", "csv"):
            with pytest.raises(WrongInput, match="personal data"):
                command(name, "--site", watched.root, *arguments, "--format", form)
        with pytest.raises(WrongInput, match="personal data"):
            command(name, "--site", watched.root, *arguments, "--format", "text", "--out", tmp_path / "x.txt")


def test_an_altered_number_is_named(watched: Watched, tmp_path: Path, command: Report) -> None:
    path = tmp_path / "declaration.json"
    command("declaration", "--site", watched.root, "--out", path)
    assert command("verify", path, "--site", watched.root).startswith("agrees")
    stated = json.loads(path.read_bytes())
    altered = next(one for one in stated["figures"] if one["name"] == "persons")
    altered["value"] -= 1
    path.write_text(json.dumps(stated))
    with pytest.raises(AnswerIsNo, match="1 difference"):
        command("verify", path, "--site", watched.root)
    found = rebuild(open_workspace(), path, watched.sources())
    assert found.differences == ("persons: the report says 9, the record says 10",)


def test_a_query_in_a_report_is_compared_and_never_run(watched: Watched, tmp_path: Path) -> None:
    path, witness = tmp_path / "declaration.json", tmp_path / "witness"
    connection, made = watched.make("declaration")
    stated = json.loads(json.dumps(made.document(connection)))
    stated["figures"][5]["query"] = f"COPY (SELECT 1) TO '{witness}'"
    stated["tables"][0]["query"] = f"COPY (SELECT 1) TO '{witness}'"
    path.write_text(json.dumps(stated))
    found = rebuild(open_workspace(), path, watched.sources())
    assert len(found.differences) == 2
    assert all("another query" in line for line in found.differences)
    assert not witness.exists()


def test_a_report_under_another_ledgers_checkpoint_is_refused(watched: Watched, tmp_path: Path) -> None:
    connection, made = watched.make("disclosures")
    stated = made.document(connection)
    stated["made_from"]["checkpoint"]["root"] = "0" * 64
    path = tmp_path / "report.json"
    path.write_text(json.dumps(stated))
    with pytest.raises(AnswerIsNo, match="does not belong to this ledger"):
        rebuild(open_workspace(), path, watched.sources())
    path.write_text("{}")
    with pytest.raises(WrongInput):
        rebuild(open_workspace(), path, watched.sources())


def test_later_receipts_do_not_change_what_was_reported(watched: Watched, tmp_path: Path) -> None:
    connection, made = watched.make("safeguards-log", size=watched.before_recall)
    path = tmp_path / "log.json"
    writing.write_json(made, connection, path)
    assert rebuild(open_workspace(), path, watched.sources()).differences == ()
    rows = json.loads(path.read_bytes())["tables"][0]["rows"]
    assert {row["disposed_on"] for row in rows} == {None}
    assert {row["disposed_on"] for row in watched.rows("safeguards-log", "records")} != {None}


def test_the_requester_learns_no_more_than_from_the_answers(watched: Watched) -> None:
    with (watched.docket / "answers.csv").open(newline="") as stream:
        told = list(csv.DictReader(stream))
    codes = Counter(code for row in told for code in row["codes"].split(";") if code not in {"", "SUBJECT"})
    by_code: Counter[str] = Counter()
    for row in watched.rows("errors", "rules", asked={"reader": "requester"}):
        by_code[row["code"]] += row["requests"]
    assert by_code == codes == {"FORM": 1}
    outcomes = watched.rows("errors", "outcomes", asked={"reader": "requester"})
    assert {row["outcome"]: row["requests"] for row in outcomes} == {
        "not answered, and told why": 1, "told at the close": 11,
    }  # fmt: skip
    _, made = watched.make("errors", {"reader": "requester"})
    assert [table.name for table in made.tables] == ["outcomes", "causes", "rules", "unknown"]


def test_a_receipt_without_its_entry_dates_nothing(copied: Watched) -> None:
    """An outsider, who cannot see that an entry is missing, is not told another date or agency."""
    (copied.docket / "events" / "received.json").unlink()
    set_receipt(copied.docket)
    believed = policy.read(copied.root / "witnesses.policy")
    given = Sources((Docket(copied.docket),), copied.root / "ledger", believed)
    with pytest.raises(AnswerIsNo, match="a file of the docket is missing"):
        sources.verify(open_workspace(), given)


def test_where_not_everything_is_given_what_is_missing_is_counted(watched: Watched) -> None:
    believed = policy.read(watched.root / "witnesses.policy")
    given = Sources((Docket(watched.docket),), watched.root / "ledger", believed)
    record = sources.verify(open_workspace(), given)
    site = len(list((watched.root / "events").glob("*.json")))
    assert record.unexplained == site
