"""Reports as paper and as other systems' documents: what a clerk, a screen reader and an importer get."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from watched import Watched

from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.oversight import reports, typeset, writing

Report = Callable[..., str]
PERSONAL = {"accounting", "person", "notices", "usage"}


def asked(name: str, watched: Watched) -> dict[str, object]:
    kind = reports.CATALOGUE[name]
    return {"person": 4} if "person" in kind.needs else {"recall": watched.recall} if "recall" in kind.needs else {}


def streams(pdf: bytes) -> bytes:
    """Everything in a PDF's streams, unpacked."""
    found = []
    for data in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompressobj().decompress(data))  # whose last byte may look like the line's end
        except zlib.error:
            found.append(data)
    return b"\n".join(found)


ON_PAPER = [kind.name for kind in reports.CATALOGUE.values() if kind.paper]


@pytest.mark.parametrize("name", sorted(reports.CATALOGUE.keys() - set(ON_PAPER)))
def test_what_is_made_for_programs_is_no_pdf(watched: Watched, name: str) -> None:
    connection, made = watched.make(name, asked(name, watched))
    with pytest.raises(WrongInput, match="for programs and has no PDF"):
        typeset.pdf(made, connection)


def test_many_rows_are_lines_of_a_table_and_few_are_forms(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, made = watched.make("accounting")
    forms = pages(typeset.pdf(made, connection))
    monkeypatch.setattr(typeset, "MOST_CARDS", 3)
    lines = pages(typeset.pdf(made, connection))
    assert lines < forms


def pages(pdf: bytes) -> int:
    return max(int(count) for count in re.findall(rb"/Count (\d+)", pdf + streams(pdf)))


@pytest.mark.parametrize("name", ON_PAPER)
@pytest.mark.slow
def test_every_report_is_a_tagged_pdf_that_carries_itself(watched: Watched, name: str) -> None:
    connection, made = watched.make(name, asked(name, watched))
    pdf = typeset.pdf(made, connection)
    inside = streams(pdf)
    assert pdf.startswith(b"%PDF-1.7")
    assert b"/StructTreeRoot" in pdf + inside
    assert b"<pdfuaid:part>1</pdfuaid:part>" in inside
    carried = json.dumps(made.document(connection), ensure_ascii=False, indent=2, sort_keys=True).encode()
    assert (carried in inside) == (name not in PERSONAL)
    connection, again = replace(watched, verified={}).make(name, asked(name, watched))
    assert pdf == typeset.pdf(again, connection)


def test_a_pdf_from_the_command(watched: Watched, command: Report, tmp_path: Path) -> None:
    named = ("--case", "No. 1:25-cv-00457", "--court", "A court", "--declarant", "Ann Other", "--title", "Custodian")
    told = command("declaration", "--site", watched.root, *named, "--out", tmp_path / "declaration.pdf")
    assert "declaration.pdf" in told
    assert (tmp_path / "declaration.pdf").read_bytes().startswith(b"%PDF")
    command("accounting", "--site", watched.root, "--format", "pdf", "--out", tmp_path / "accounting.pdf")
    assert (tmp_path / "accounting.pdf").stat().st_mode & 0o077 == 0


def test_without_typst_it_says_how_to_add_it(
    watched: Watched, command: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MachineFailed, match=r"GATEHOUSE_LOCK=requirements-production\.lock"):
        command("disclosures", "--site", watched.root, "--out", tmp_path / "x.pdf")


def test_too_many_rows_for_paper(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typeset, "MOST_ROWS", 3)
    connection, made = watched.make("accounting")
    with pytest.raises(WrongInput, match="12 rows"):
        typeset.pdf(made, connection)


def codings(concept: dict[str, object]) -> set[tuple[str, str]]:
    return {(one["system"], one["code"]) for one in concept["coding"]}


def test_audit_events_keep_the_profiles_constraints(watched: Watched, tmp_path: Path) -> None:
    """The constraints of IHE BALP PrivacyDisclosure.Source, as its source states them."""
    connection, made = watched.make("audit-events")
    assert writing.write_documents(made, connection, tmp_path / "events.ndjson") == 10
    events = [json.loads(line) for line in (tmp_path / "events.ndjson").read_text().splitlines()]
    dicom = "http://dicom.nema.org/resources/ontology/DCM"
    assert len({event["id"] for event in events}) == 10
    for event in events:
        assert event["resourceType"] == "AuditEvent"
        assert "modifierExtension" not in event
        assert (event["type"]["system"], event["type"]["code"], event["action"]) == (dicom, "110106", "R")
        assert "disclose" in {one["code"] for one in event["subtype"]}
        assert re.fullmatch(r"[A-Za-z0-9.-]{1,64}", event["id"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["recorded"])
        assert event["outcome"] == "0"
        agents = {code: agent for agent in event["agent"] for _, code in codings(agent["type"])}
        assert {"110153", "110152", "159541003"} <= set(agents)
        assert agents["110153"]["who"] == event["source"]["observer"]  # val-audit-source
        assert all(agents[code]["network"]["address"] for code in ("110153", "110152"))
        assert all("requestor" in agent for agent in event["agent"])
        assert [agent["who"]["display"].rpartition(" ")[2] for agent in event["agent"]][-2:] == ["ann", "bob"]
        [patient] = [one for one in event["entity"] if one["type"]["code"] == "1"]
        assert (patient["role"]["code"], patient["what"]["type"]) == ("1", "Patient")
        assert len(event["entity"]) >= 2
    beside = json.loads((tmp_path / "events.ndjson.report.json").read_bytes())
    assert beside["made_from"]["unexplained_entries"] == 0


def test_find_usage_has_the_trackers_fields(watched: Watched, tmp_path: Path) -> None:
    connection, made = watched.make("usage", {"person": 4})
    writing.write_documents(made, connection, tmp_path / "usage.json")
    answer = json.loads((tmp_path / "usage.json").read_bytes())
    [one] = answer["usages"]
    assert answer["totalUsages"] == 1
    assert set(one) == {"logtime", "action", "receiverCode", "receiverName", "receiverSystem"}
    assert one["logtime"] == "2025-09-01T12:05:00Z"
    assert "last known address" in one["action"]
    assert (tmp_path / "usage.json").stat().st_mode & 0o077 == 0
    connection, made = watched.make("usage", {"person": 4711})
    assert json.loads(made.document(connection)["tables"][0]["rows"][0]["document"])["totalUsages"] == 0


def test_find_usage_tells_the_newest_first(watched: Watched) -> None:
    connection, made = replace(watched, verified={}).make("usage", {"person": 4})
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE later AS SELECT * REPLACE (4::BIGINT AS person_id, "
        "disclosed_at + seq * INTERVAL 1 HOUR AS disclosed_at) FROM disclosed"
    )
    connection.execute("CREATE OR REPLACE TEMP VIEW disclosed AS FROM later")
    answer = json.loads(made.document(connection)["tables"][0]["rows"][0]["document"])
    times = [one["logtime"] for one in answer["usages"]]
    assert len(set(times)) == answer["totalUsages"] == 10
    assert times == sorted(times, reverse=True)


def test_what_a_terminal_shows(watched: Watched, command: Report) -> None:
    told = command("disclosures", "--site", watched.root, "--year", 2025)
    assert re.search(r"us\.dhs\.ice\s+12\s+10\s+10", told)
    assert "As of checkpoint: size" in told
    assert "Entries not explained: 0" in told
    assert "us.dhs.ice,12,10,10" in command("disclosures", "--site", watched.root, "--format", "csv")
    with pytest.raises(WrongInput, match="tables"):
        command("errors", "--site", watched.root, "--format", "csv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--year", "2025", "--from", "2025-01-01"), "--year cannot be combined"),
        (("--from", "1.1.2025"), "not a date"),
        (("--year", "0"), "no such year"),
        (("--from", "2025-12-01", "--to", "2025-01-01"), "ends before it begins"),
        (("--docket", "ICE-2099-0001"), "no docket"),
        (("--out", "report.xls"), "does not show the format"),
        (("--format", "pdf"), "must be written to a file"),
        (("--format", "documents", "--out", "x"), "cannot be exported"),
    ],
)
def test_what_makes_no_sense_is_said(
    watched: Watched, command: Report, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(WrongInput, match=message):
        command("disclosures", "--site", watched.root, *arguments)
    with pytest.raises(WrongInput, match="no data is named"):
        command("disclosures")
