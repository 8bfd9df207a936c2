"""The re-enactment ends with nothing cleared, counts what it says it counts, and draws what it counted."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from gatehouse.cli.reenact import reenact as command
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.law.evaluate import evaluate
from gatehouse.law.reading import load
from gatehouse.oversight.causes import ON_FILE
from gatehouse.synthetic import august_page, historical, reenactment
from gatehouse.synthetic.chart import Bar, Panel, draw
from gatehouse.synthetic.reenactment import BATCH_RULES, OFFICER_RULES, Tally

PACK = Path(__file__).parents[2] / "packs" / "us-irs-6103-i-2"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reenactment")


@pytest.fixture(scope="module")
def result(folder):
    with open_workspace("1GB") as connection:
        return reenactment.reenact(connection, folder, pack=PACK, scale=0.002, persons=5_000, seed=5)


def test_nothing_of_the_exchange_clears(result):
    assert result.requests == 2_560
    assert result.answered == historical.Answered(85, 10)
    assert result.outcomes() == {"cleared": 0, "held": 0, "incomplete": 0, "refused": 2_560}


def test_every_request_is_counted_once_in_every_scenario(result):
    for satisfied in august_page.SCENARIOS.values():
        parts = [result.outcomes(satisfied, process=process) for process in ("tin", "address", None)]
        assert sum(result.outcomes(satisfied).values()) == sum(sum(part.values()) for part in parts) == 2_560
    assert sum(every for every, _ in result.grounds().values()) == 2_560
    assert sum(answered for _, answered in result.grounds().values()) == result.answered.total


def test_the_one_officer_stops_every_request(result):
    assert all(result.stopped(rule) == result.requests for rule in OFFICER_RULES)


def test_batch_rules_aside_only_requests_with_the_taxpayers_own_address_are_left(result):
    """115+60 of 427 answers by TIN Matching gave an address on file; nobody else is cleared."""
    left = result.outcomes(BATCH_RULES, process="tin")
    assert 0 < left["cleared"] + left["held"] <= result.on_file()
    assert result.outcomes(BATCH_RULES, process=None)["cleared"] == 0
    assert result.outcomes(BATCH_RULES, process="address")["refused"] == 0


@pytest.mark.parametrize("satisfied", [OFFICER_RULES, BATCH_RULES])
def test_leaving_rules_aside_is_the_same_as_satisfying_them(result, folder, satisfied):
    """The counts agree with the law evaluated over facts in which the rules hold."""
    better = "officer_matters := 1"
    if satisfied is BATCH_RULES:
        better += ", reason_identical := 1, submission_requests := 1, safeguards_open_findings := 0"
        better += ", agency_requests := 1, agency_near_misses := 0, officer_near_misses := 0"
    columns = ", ".join(f"{value.split(':=')[1]}::INTEGER AS {value.split(':=')[0]}" for value in better.split(", "))
    columns += ", 'specific' AS reason_state" if satisfied is BATCH_RULES else ""
    with open_workspace("1GB") as connection:
        connection.execute(
            f"CREATE TABLE facts AS SELECT * REPLACE ({columns}) FROM read_parquet('{folder}/docket/facts.parquet')"
        )
        evaluate(connection, load(PACK), "facts", "decided", result.as_of)
        counted = dict(connection.execute("SELECT outcome, count(*) FROM decided GROUP BY outcome").fetchall())
    assert {outcome: counted.get(outcome, 0) for outcome in reenactment.OUTCOMES} == result.outcomes(satisfied)


def test_a_batch_that_misses_the_record_is_refused():
    kinds = {"tin_past": 3, "address_past": 2}
    reenactment._check_record(historical.Answered(3, 2), kinds)
    with pytest.raises(MachineFailed):
        reenactment._check_record(historical.Answered(3, 3), kinds)


def test_alone_means_that_no_other_rule_stops_it(result):
    tallies = (
        Tally(frozenset({"a"}), frozenset({"a"}), frozenset(), "refused", None, None, 3),
        Tally(frozenset({"a", "b"}), frozenset({"a", "b"}), frozenset(), "refused", "tin", True, 5),
        Tally(frozenset({"b", "c", "d"}), frozenset({"b", "c"}), frozenset({"on file"}), "held", None, None, 7),
    )
    severity = {"a": "refused", "b": "held", "c": "incomplete", "d": "held"}
    small = reenactment.Reenactment(15, 100, 1, 1.0, result.as_of, historical.Answered(5, 0), tallies, severity, {})
    assert (small.stopped("a"), small.alone("a"), small.alone("b"), small.alone("b", ["a", "c"])) == (8, 3, 0, 12)
    assert small.outcomes(["a"]) == {"cleared": 3, "held": 5, "incomplete": 7, "refused": 0}
    assert (small.stopped("d"), small.alone("c", ["b"]), small.unknown()) == (0, 7, {"on file": 7})


def test_the_page_names_no_rule_about_informants_where_nobody_was_found(result, tmp_path):
    """1,257,884 requests stood under the confidential-informant rule although nobody was found for them."""
    august_page.write(result, tmp_path / "page.md")
    page, picture = (tmp_path / "page.md").read_text(), (tmp_path / "page.svg").read_text()
    assert not any(name.startswith("i6") for name in [*result.rules(), *result.unknown()])
    assert "i6-" not in page + picture
    assert "(i)(6)" not in page + picture
    assert ON_FILE in result.unknown()
    assert result.stopped("identity-exactly-one") >= result.unknown()[ON_FILE] > 0


@pytest.mark.parametrize("scale", [0, 0.0001, 1.5])
def test_scales_out_of_range_are_refused(tmp_path, scale):
    with open_workspace("1GB") as connection, pytest.raises(WrongInput, match="scale"):
        reenactment.reenact(connection, tmp_path, pack=PACK, scale=scale, persons=20_000)


def test_the_page_shows_the_numbers_and_names_what_is_assumed(result, tmp_path):
    picture = august_page.write(result, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    assert picture.name in page
    assert "## On record and assumed" in page
    for rule in result.rules():
        assert f"| `{rule}` |" in page
    drawn = ElementTree.fromstring(picture.read_text())  # noqa: S314 - our own
    shown = {text.text for text in drawn.iter(f"{SVG}text")}
    assert f"{result.answered.tin_matching:,}" in shown
    assert {f"{result.stopped(rule):,} ({result.alone(rule)})" for rule in OFFICER_RULES} <= shown


def test_a_chart_is_accessible_and_true_to_scale():
    panel = Panel("Fruit <&>", [Bar("apples", 100, 25), Bar("pears", 50), Bar("plums", 0)], "pieces", "eaten")
    drawn = ElementTree.fromstring(draw("Title", "What it shows", [panel]))  # noqa: S314 - our own
    assert drawn.get("role") == "img"
    assert (drawn.find(f"{SVG}title").text, drawn.find(f"{SVG}desc").text) == ("Title", "What it shows")
    bars = [float(r.get("width")) for r in drawn.iter(f"{SVG}rect") if r.get("height") == "20"]
    apples, eaten, pears, plums = bars
    assert pears == pytest.approx(apples / 2)
    assert eaten == pytest.approx(apples / 4)
    assert plums == 0
    assert {"apples", "100 (25)", "0 (0)", "Fruit <&>"} <= {text.text for text in drawn.iter(f"{SVG}text")}


def test_the_command_answers_in_json_and_leaves_page_and_chart(tmp_path):
    arguments = ["august-2025", "--scale", "0.001", "--persons", "3000", "--dir", str(tmp_path), "--json"]
    ran = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert ran.exit_code == 0
    told = json.loads(ran.stdout)
    assert told["scenarios"]["as it was"]["cleared"] == 0
    assert told["historical"] == {"tin_matching": 43, "address_matching": 4}
    assert (tmp_path / "august-2025.md").exists()
    assert (tmp_path / "august-2025.svg").exists()
