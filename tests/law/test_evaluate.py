"""A batch decided in columns: against plain Python, with gaps in the facts, many rules, and no rows at all."""

from __future__ import annotations

import datetime as dt
import functools
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import LAW, append, rule, small

from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.law.edges import rows
from gatehouse.law.evaluate import Decision, decide, evaluate, keep_promises, table_of_facts
from gatehouse.law.pack import Example, Pack, load
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
    found = connection.execute("SELECT outcome, fired, codes, items FROM decided ORDER BY seq").fetchall()
    one_by_one = [decide_one(irs, row, as_of) for row in facts]
    assert [Decision(o, tuple(f), tuple(c), tuple(i)) for o, f, c, i in found] == one_by_one
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
    assert {"no-grant", "i2-name", "i6-restricted", "identity-exactly-one"} <= set(decision.fired)
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
    with pytest.raises(WrongInput, match="signature_valid is VARCHAR, the pack declares bool"):
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
