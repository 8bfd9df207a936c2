"""A batch decided in columns: against plain Python, with gaps in the facts, many rules, and no rows at all."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest
from small import LAW, append, rule, small

from gatehouse.kernel.errors import WrongInput
from gatehouse.law.columns import sql
from gatehouse.law.crosscheck import rows
from gatehouse.law.evaluate import decide, evaluate, table_of_facts
from gatehouse.law.examples import combine
from gatehouse.law.pack import Example, Pack, load

DAY = dt.date(2025, 8, 7)
IRS = Path("packs/us-irs-6103-i-2")


@pytest.fixture(scope="module")
def irs() -> Pack:
    return load(IRS)


def _by_hand(pack: Pack, facts: list[dict], as_of: dt.date) -> list[tuple]:
    """The truth of each condition from the database, the combination in plain Python."""
    connection = duckdb.connect()
    table_of_facts(connection, pack, "facts", facts)
    columns = ", ".join(f'{sql(each.when)} AS "{each.id}"' for each in pack.rules)
    source = f"SELECT *, DATE '{as_of}' AS as_of, 1 AS items_permitted FROM facts"
    values = connection.execute(f"SELECT {columns} FROM ({source}) ORDER BY seq").fetchall()
    found = []
    for row, given in zip(facts, values, strict=True):
        example = Example("", as_of, row, "cleared", None, None, "", 0)
        truth = dict(zip([each.id for each in pack.rules], given, strict=True))
        truth["items-none-permitted"] = bool(combine(pack.rules, truth, example, list(pack.items)).items)
        found.append(combine(pack.rules, truth, example, list(pack.items)))
    return [(each.outcome, list(each.fired), list(each.codes), list(each.items)) for each in found]


@pytest.mark.parametrize("as_of", [DAY, dt.date(2024, 2, 29), dt.date(2026, 3, 1)], ids=str)
def test_columns_agree_with_plain_python(irs: Pack, as_of: dt.date):
    facts = list(rows(irs, 60, as_of, seed=11))
    connection = duckdb.connect()
    table_of_facts(connection, irs, "facts", facts)
    evaluate(connection, irs, "facts", "decided", as_of)
    rest = connection.execute("SELECT outcome, fired, codes, items FROM decided ORDER BY seq").fetchall()
    assert [tuple(row) for row in rest] == _by_hand(irs, facts, as_of)


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
