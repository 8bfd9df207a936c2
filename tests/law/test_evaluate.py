"""A batch decided in columns: against plain Python, with gaps in the facts, many rules, and no rows at all."""

from __future__ import annotations

import datetime as dt
import functools
from pathlib import Path

import duckdb
import pytest
from hypothesis import example as case
from hypothesis import given, settings
from hypothesis import strategies as st
from small import LAW, append, rule, small

from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.law import language
from gatehouse.law.edges import rows
from gatehouse.law.evaluate import decide, evaluate, keep_promises, read_decisions, table_of_facts
from gatehouse.law.language import field_names, walk
from gatehouse.law.pack import Example, Pack, Rule
from gatehouse.law.reading import load
from gatehouse.law.single import decide_one

DAY = dt.date(2025, 8, 7)
IRS = Path("packs/us-irs-6103-i-2")


@functools.cache
def _irs() -> Pack:
    return load(IRS)


@pytest.fixture(scope="module")
def irs() -> Pack:
    return _irs()


EDGES = (DAY, dt.date(2024, 2, 29), dt.date(2025, 11, 21), dt.date(2026, 3, 1))


@pytest.mark.parametrize("as_of", EDGES, ids=str)
def test_columns_agree_with_plain_python(irs: Pack, as_of: dt.date):
    facts = [*rows(irs, 200, as_of, seed=11)]
    connection = duckdb.connect()
    table_of_facts(connection, irs, "facts", facts)
    evaluate(connection, irs, "facts", "decided", as_of)
    found = read_decisions(connection, "decided")
    one_by_one = [decide_one(irs, row, as_of) for row in facts]
    assert found == one_by_one
    assert len({each.outcome for each in one_by_one}) > (as_of > dt.date(2025, 1, 1))


@given(st.sampled_from(_irs().examples), st.sets(st.sampled_from(sorted(_irs().fields)), min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_forgetting_facts_never_makes_an_outcome_milder_or_gives_more(example: Example, forgotten: set[str]):
    pack = _irs()
    kept = {name: fact for name, fact in example.facts.items() if name not in forgotten - {"period_filed"}}
    before, after = decide_one(pack, example.facts, example.as_of), decide_one(pack, kept, example.as_of)
    assert after.outcome != "cleared" or before.outcome == "cleared"
    assert set(after.items) <= set(before.items)


def test_nothing_known_is_refused_with_every_reason(irs: Pack):
    decision = decide(irs, {}, DAY)
    assert decision.outcome == "refused"
    assert {"no-grant", "i2-name", "i6-undetermined", "identity-exactly-one"} <= set(decision.fired)
    assert decision.items == ()


@pytest.mark.parametrize("name", ["restricted", "persons_agreeing", "officer_matters_hold", "signature_valid"])
def test_forgetting_a_fact_never_clears(irs: Pack, name: str):
    facts = {**irs.examples[0].facts}
    assert decide(irs, facts, DAY).outcome == "cleared"
    assert decide(irs, {**facts, name: None}, DAY).outcome != "cleared"


def test_a_column_that_is_not_there_is_a_fact_that_is_not_known(tmp_path: Path):
    pack = load(small(tmp_path / "p"))
    connection = duckdb.connect()
    connection.execute("CREATE TABLE facts AS SELECT 0 AS seq, 'us.example.one' AS basis")
    evaluate(connection, pack, "facts", "decided", DAY)
    row = connection.execute("SELECT outcome, fired FROM decided").fetchone()
    assert row == ("refused", ["criminal-only", "in-writing", "one-person"])


def test_a_column_of_another_type_is_refused_by_name(tmp_path: Path):
    pack = load(small(tmp_path / "p"))
    connection = duckdb.connect()
    connection.execute("CREATE TABLE facts AS SELECT 0 AS seq, 'yes' AS signature_valid")
    with pytest.raises(WrongInput, match="signature_valid is VARCHAR, but the pack declares bool"):
        evaluate(connection, pack, "facts", "decided", DAY)


def test_an_empty_batch(irs: Pack):
    connection = duckdb.connect()
    table_of_facts(connection, irs, "facts", [])
    evaluate(connection, irs, "facts", "decided", DAY)
    assert connection.execute("SELECT count(*) FROM decided").fetchone() == (0,)


def test_more_rules_than_one_mask_holds(tmp_path: Path):
    folder = small(tmp_path / "p")
    append(folder, LAW, "".join(rule(id=f"extra-{n:03}", when=f"persons_agreeing <> {n + 2}") for n in range(150)))
    pack = load(folder)
    for number in (0, 61, 62, 63, 125, 149):
        decision = decide(pack, {**pack.examples[0].facts, "persons_agreeing": number + 2}, DAY)
        assert decision.fired == (f"extra-{number:03}", "one-person")


def test_facts_of_the_whole_submission_may_vary_after_all(irs: Pack):
    base = dict(irs.examples[0].facts)
    facts = [{**base, "signature_valid": value} for value in (True, False, None)]
    connection = duckdb.connect()
    table_of_facts(connection, irs, "facts", facts)
    evaluate(connection, irs, "facts", "decided", DAY)
    outcomes = connection.execute("SELECT outcome FROM decided ORDER BY seq").fetchall()
    assert outcomes == [("cleared",), ("refused",), ("refused",)]


def test_a_quote_in_the_law_stays_text(tmp_path: Path):
    folder = small(tmp_path / "p")
    append(folder, LAW, rule(id="quote", when="basis <> 'x'' OR TRUE OR '''"))
    pack = load(folder)
    assert decide(pack, pack.examples[0].facts, DAY).outcome == "cleared"
    assert decide(pack, {**pack.examples[0].facts, "basis": "x' OR TRUE OR '"}, DAY).outcome == "refused"


PROMISES = [
    ({"officer_matters": -1}, "officer_matters is never below 0"),
    ({"officers_listed": 2}, "never exceed those named"),
]


@pytest.mark.parametrize(("broken", "says"), PROMISES, ids=lambda each: str(each)[:30])
def test_nothing_is_decided_on_facts_that_break_what_the_proofs_assume(irs: Pack, broken: dict[str, int], says: str):
    base = dict(irs.examples[0].facts)
    connection = duckdb.connect()
    table_of_facts(connection, irs, "facts", [base, {}, {**base, "officer_matters": None}])
    keep_promises(connection, irs, "facts", DAY)  # kept, or not known
    table_of_facts(connection, irs, "facts", [base, {**base, **broken}])
    with pytest.raises(MachineFailed, match=f"1 rows break what the proofs assume: .*{says}"):
        keep_promises(connection, irs, "facts", DAY)


def test_a_fact_that_no_table_supplies_breaks_no_promise(irs: Pack):
    connection = duckdb.connect()
    connection.execute("CREATE TABLE facts AS SELECT 0 AS seq, 1 AS officers_named")
    keep_promises(connection, irs, "facts", DAY)


def test_stopped_by_a_fact_and_for_want_of_one_are_told_apart(irs: Pack):
    """Nobody on file agrees: that is a fact, and all that would follow from the person's record is unknown."""
    nobody = dict.fromkeys(("corroboration", "tin_agrees", "birth_date_agrees", "period_filed", "restricted"))
    decision = decide(irs, {**irs.examples[0].facts, **nobody, "persons_agreeing": 0}, DAY)
    assert "identity-exactly-one" in set(decision.fired) - set(decision.unknown)
    assert {"identity-tin", "identity-corroborated"} <= set(decision.unknown)
    assert set(decision.unknown) < set(decision.fired)


def test_what_is_known_is_never_unknown(irs: Pack):
    for example in irs.examples:
        if None not in example.facts.values() and set(example.facts) >= set(irs.fields):
            assert decide(irs, example.facts, example.as_of).unknown == (), example.title


def test_a_grant_that_may_apply_leaves_its_lack_unknown(irs: Pack):
    facts = dict(irs.examples[0].facts)
    assert "no-grant" in decide(irs, {**facts, "basis": None}, DAY).unknown
    other = decide(irs, {**facts, "basis": "us.example.other"}, DAY)
    assert "no-grant" in set(other.fired) - set(other.unknown)


def test_items_that_missing_facts_may_still_permit_are_unknown(irs: Pack):
    """Nothing is permitted: a fact where the lists have nothing in common, unknown where one list is not known."""
    facts = dict(irs.examples[0].facts)
    apart = decide(irs, {**facts, "items_agreed": ["tin"], "items_requested": ["name"]}, DAY)
    assert "items-none-permitted" in set(apart.fired) - set(apart.unknown)
    assert "items-none-permitted" in decide(irs, {**facts, "items_agreed": None}, DAY).unknown


def test_a_limit_that_may_apply_cuts_for_want_of_a_fact(irs: Pack):
    facts = {**irs.examples[0].facts, "items_requested": ["last_known_address", "name"]}
    facts["items_agreed"] = facts["items_requested"]
    known = decide(irs, facts, DAY)
    assert "mou-last-known-address" in set(known.fired) - set(known.unknown)
    assert "mou-last-known-address" in decide(irs, {**facts, "agreement": None}, DAY).unknown


def _asks_whether_known(each: Rule, names: set[str]) -> bool:
    """The condition says `IS NULL` or `IS NOT NULL` of one of these facts: its absence is what the rule is about."""
    tests = (node for node in walk(each.when) if isinstance(node, language.Test) and node.value is None)
    return any(field_names(node) & names for node in tests)


@given(st.sampled_from(_irs().examples), st.sets(st.sampled_from(sorted(_irs().fields)), max_size=6))
@case(_irs().examples[0], {"restricted"})
@case(_irs().examples[0], {"restricted", "persons_agreeing"})
@settings(max_examples=200, deadline=None)
def test_what_fired_for_a_fact_fires_whatever_the_missing_facts_are(example: Example, forgotten: set[str]):
    """Save where the law asks whether a forgotten fact is recorded: that it is not is then a fact (docs/law.md)."""
    pack = _irs()
    known = {name: fact for name, fact in example.facts.items() if name not in forgotten}
    before, after = decide_one(pack, example.facts, example.as_of), decide_one(pack, known, example.as_of)
    about = {each.id for each in pack.rules if _asks_whether_known(each, forgotten)}
    assert set(after.fired) - set(after.unknown) - about <= set(before.fired)


def test_that_nothing_is_recorded_is_a_fact_where_the_law_asks_for_it(irs: Pack):
    """One taxpayer was found and no determination is recorded: the hold says just that, and a person asks."""
    facts = {**irs.examples[0].facts, "restricted": None}
    decision = decide(irs, facts, DAY)
    assert (decision.fired, decision.unknown) == (("i6-undetermined",), ())
    assert "i6-undetermined" in decide(irs, {**facts, "persons_agreeing": None}, DAY).unknown
