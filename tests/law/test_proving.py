"""The solver finds the faults that are planted, proves what is true, and its counter-examples replay."""

from __future__ import annotations

import dataclasses
import datetime as dt
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import z3
from small import LAW, append, change, order, rule, small

from gatehouse.law import compare
from gatehouse.law.check import check
from gatehouse.law.formula import Formula
from gatehouse.law.lint import lint
from gatehouse.law.pack import Pack, Property
from gatehouse.law.prove import Question, Status, prove, prove_all, solver_module
from gatehouse.law.reading import load

IRS = Path("packs/us-irs-6103-i-2")
DAY = dt.date(2025, 8, 7)


@pytest.fixture(scope="module")
def irs() -> Pack:
    return load(IRS)


def _property(pack: Pack, name: str) -> Property:
    return next(each for each in pack.properties if each.id == name)


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
@pytest.mark.parametrize("folder", sorted(Path("packs").iterdir()), ids=lambda path: path.name)
@pytest.mark.slow
def test_two_solvers_prove_every_property_of_every_shipped_pack(folder: Path, solver: str):
    pack = load(folder)
    verdicts = prove_all(pack, solver_module(solver))
    assert len(verdicts) >= 4
    assert [verdict.id for verdict in verdicts if verdict.status is not Status.PROVED] == []


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
def test_two_solvers_notice_a_rule_that_is_gone(irs: Pack, solver: str):
    rules = [each for each in irs.rules if each.id != "i2-address"]
    assert prove(irs, _property(irs, "every-element"), solver_module(solver), rules).status is Status.BROKEN


@pytest.mark.parametrize(
    ("broken", "fact"),
    [
        ("every-element", "i2-address"),
        ("exactly-one-person", "identity-exactly-one"),
        ("never-civil", "i2-criminal-proceeding"),
        ("no-restricted-person", "i6-restricted"),
        ("failure-to-depart-elements", "depart-90-days"),
        ("orders-of-2025-and-2026", "order-2025-11-21-address-sharing"),
    ],
)
def test_a_property_breaks_with_the_rule_that_carries_it(irs: Pack, broken: str, fact: str):
    dropped = {fact, "order-2025-11-21-address-sharing", "order-2026-02-05-memorandum"}
    rules = [each for each in irs.rules if each.id not in dropped]
    assert prove(irs, _property(irs, broken), rules=rules).status is Status.BROKEN


def test_a_counterexample_replays_and_reads_like_the_example(tmp_path: Path):
    folder = small(tmp_path / "p")
    change(folder, LAW, "persons_agreeing = 1", "persons_agreeing >= 1")
    pack = load(folder)
    verdict = prove(pack, pack.properties[0])
    assert verdict.status is Status.BROKEN
    assert verdict.counterexample is not None
    assert set(verdict.counterexample.differs) == {"persons_agreeing"}
    assert verdict.counterexample.decision.outcome == "cleared"


def test_a_property_that_only_holds_for_some_dates(tmp_path: Path):
    folder = small(tmp_path / "p")
    append(folder, "orders/stay.toml", order("stay", "2025-06-01", rule(id="stay-1", effect="bar", when="TRUE")))
    append(folder, "orders/end.toml", order("end", "2025-09-01", ends='["stay"]'))
    pack = load(folder)
    (alive,) = [each for each in pack.properties if not each.safety]
    assert prove(pack, alive).status is Status.BROKEN
    for begins, until in (((2025, 1, 1), (2025, 6, 1)), ((2025, 9, 1), (2199, 12, 31))):
        stretch = dataclasses.replace(alive, begins=dt.date(*begins), until=dt.date(*until))
        assert prove(pack, stretch).status is Status.PROVED


def test_a_liveness_property_of_a_pack_that_grants_nothing_is_broken(tmp_path: Path):
    folder = small(tmp_path / "p")
    change(folder, LAW, "basis = 'us.example.one'", "basis = 'us.example.one' AND FALSE")
    pack = load(folder)
    statuses = {verdict.id: verdict.status for verdict in prove_all(pack)}
    assert statuses == {"never-civil": Status.PROVED, "can-be-answered": Status.BROKEN}


def _kinds(folder: Path) -> set[tuple[str, str]]:
    return {(finding.kind, finding.severity) for finding in lint(load(folder))}


PLANTED = {
    "unreachable": rule(when="persons_agreeing = 1 OR TRUE"),
    "redundant": rule(when="persons_agreeing >= 1", code="SUBJECT"),
    "always": rule(effect="bar", when="as_of >= DATE '1900-01-01'"),
    "oracle": rule(when="persons_agreeing <> 7"),
    "leak": rule(say="There are {persons_agreeing} records."),
    "text": rule(note="Seen on {mars}."),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_faults_are_found(tmp_path: Path, kind: str):
    folder = small(tmp_path / "p")
    assert _kinds(folder) == set()
    append(folder, LAW, PLANTED[kind])
    assert kind in {found for found, _ in _kinds(folder)}


def test_a_null_that_loosens_is_found(tmp_path: Path):
    folder = small(tmp_path / "p")
    change(folder, LAW, "signature_valid", "signature_valid IS NOT FALSE")
    assert ("null-unsafe", "error") in _kinds(folder)
    change(folder, LAW, 'note = "A signed manifest is the writing."', 'note = "…"\nignores = {signature_valid = "x"}')
    assert ("null-unsafe", "error") not in _kinds(folder)


def test_check_fails_where_an_example_or_a_mutation_is_missing(tmp_path: Path):
    folder = small(tmp_path / "p")
    assert check(load(folder)).passed
    append(folder, LAW, rule(id="unseen", when="proceeding <> 'other'"))
    report = check(load(folder))
    assert not report.passed
    assert {survivor.rule.id for survivor in report.survivors} >= {"unseen"}
    assert "coverage" in {finding.kind for finding in report.findings}


def test_diff_finds_what_a_new_version_lets_through(tmp_path: Path):
    old, new = small(tmp_path / "old"), small(tmp_path / "new")
    change(new, LAW, "proceeding = 'investigation'", "proceeding IN ('investigation', 'other')")
    gained, lost = compare.diff(compare.body(str(old)), compare.body(str(new)))
    assert (gained.status, lost.status) == ("some", "none")
    assert gained.witness is not None
    assert gained.witness.differs == {"proceeding": "other"}
    assert gained.witness.because == ("criminal-only",)
    allowed, _ = compare.diff(compare.body(str(old)), compare.body(str(new)), "proceeding = 'other'")
    assert allowed.status == "none"


@pytest.mark.slow
def test_the_memorandum_stays_within_the_statute_only_together_with_it():
    given = "under_memorandum AND as_of >= DATE '2025-04-07'"
    alone = compare.within(compare.body(f"{IRS}:agreement"), compare.body(f"{IRS}:statute"), given)
    together = compare.within(compare.body(f"{IRS}:statute+agreement"), compare.body(f"{IRS}:statute"), given)
    assert alone.whole.status == "some"
    assert set(alone.secured) == {"depart-order-date", "depart-order-number", "i2-signer", "i2-signer-justice"}
    assert together.whole.status == "none"
    assert together.open == ()


def _pigeons(holes: int) -> list[Any]:
    """One pigeon more than holes, and no two in one: false, and exponential for a solver that reasons by cases."""
    at = [[z3.Bool(f"pigeon {bird} in {hole}") for hole in range(holes)] for bird in range(holes + 1)]
    pairs = [(one[hole], other[hole]) for one, other in combinations(at, 2) for hole in range(holes)]
    return [z3.Or(*row) for row in at] + [z3.Or(z3.Not(one), z3.Not(other)) for one, other in pairs]


def test_the_solvers_time_is_bounded_and_an_unsettled_question_is_not_proved(
    irs: Pack, monkeypatch: pytest.MonkeyPatch
):
    begin = Question.__init__

    def hard(question: Question, formula: Formula, *always: Any, **_: int) -> None:
        begin(question, formula, *always, *_pigeons(14), milliseconds=200)

    monkeypatch.setattr(Question, "__init__", hard)
    rules = [each for each in irs.rules if each.id != "i2-address"]
    verdict = prove(irs, _property(irs, "every-element"), rules=rules)
    assert verdict.status is Status.UNSETTLED
    assert "time ran out: 20 seconds a question" in verdict.why


def test_a_question_that_the_lint_could_not_settle_is_an_error_and_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = small(tmp_path / "p")
    append(folder, LAW, rule(id="limit-a", effect="limit", otherwise=None, when="TRUE", items=["last_known_address"]))
    append(folder, "orders/one.toml", order("one", "2025-06-01", rule(id="one-1", effect="bar")))
    monkeypatch.setattr(Question, "ask", lambda *_: None)
    findings = lint(load(folder))
    assert {(each.kind, each.severity) for each in findings} == {("unsettled", "error")}
    assert len(findings) > 8
    assert all("within 20 seconds" in each.says for each in findings)


def test_the_answer_about_the_memorandum_in_the_docs_is_the_solvers():
    alone = Path("docs/examples/memorandum-alone")
    given = "as_of >= DATE '2025-04-07'"
    found = compare.within(compare.body(str(alone)), compare.body(f"{IRS}:statute"), given)
    assert found.whole.status == "some"
    text = Path("docs/memorandum-within-statute.md").read_text()
    shown = text.split("| secured by")[1].split("\n\n")[0]
    facts = "officers_listed officers_employed officers_reachable restricted period_to safeguards_open_findings"
    assert [fact for fact in facts.split() if fact not in shown] == []
    left_open = {each.id for each, _ in found.open}
    officers = {"i2-officers-named", "i2-officers-employed", "i2-officers-reachable"}
    others = {"i6-restricted", "i2-matter", "i2-signer-known", "i2-signed-by-now", "p4-findings", "p4-reports-owed"}
    assert left_open >= {*officers, *others, "depart-90-days", "depart-ground", "depart-review-date"}
    form = {"i2-in-writing", "i2-name", "i2-address", "i2-reason", "i2-signer", "i2-sole-use", "p4-report-approved"}
    assert {*form, "i2-authority-stated", "i2-authority-criminal", "depart-order-date", "depart-order-number"} <= {
        *found.secured
    }
    assert all(answer.status == "some" and answer.witness for _, answer in found.open)
