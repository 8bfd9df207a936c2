"""Two engines and the solver's formula read one pack alike."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatehouse.cli.law import law
from gatehouse.law import polars_engine
from gatehouse.law.admission import LEAP_DAYS
from gatehouse.law.crosscheck import crosscheck
from gatehouse.law.edges import edge_rows, rows
from gatehouse.law.pack import Pack
from gatehouse.law.reading import load

pytestmark = pytest.mark.slow

IRS = Path("packs/us-irs-6103-i-2")
DAY = dt.date(2025, 8, 7)
PACKS = pytest.mark.parametrize("folder", sorted(Path("packs").iterdir()), ids=lambda path: path.name)


@pytest.fixture(scope="module")
def irs() -> Pack:
    return load(IRS)


@PACKS
def test_readings_agree_on_random_rows(folder: Path):
    pack = load(folder)
    assert crosscheck(pack, list(rows(pack, 1500, DAY, seed=5)), DAY) == []


@PACKS
def test_readings_agree_on_the_pinned_table_of_edge_cases(folder: Path):
    pack = load(folder)
    table = edge_rows(pack)
    assert len(table) > 3 * len(pack.fields)
    for as_of in (DAY, *LEAP_DAYS):
        assert crosscheck(pack, table, as_of) == []


def test_the_cross_check_notices_an_engine_that_reads_otherwise(irs: Pack):
    reading = polars_engine.column.registry[polars_engine.Beginning]
    try:
        polars_engine.column.register(polars_engine.Beginning, lambda node: reading(node).not_())
        assert crosscheck(irs, edge_rows(irs), DAY) != []
    finally:
        polars_engine.column.register(polars_engine.Beginning, reading)


def test_the_cross_check_notices_a_formula_that_gives_other_items(irs: Pack, monkeypatch: pytest.MonkeyPatch):
    from gatehouse.law.formula import Formula

    whole = Formula.outcome
    monkeypatch.setattr(
        Formula, "outcome", lambda *given: replace(out := whole(*given), permits={**out.permits, "tin": out.cleared})
    )
    assert {each.readings for each in crosscheck(irs, edge_rows(irs), DAY)} == {"DuckDB and the solver"}


def test_the_command_counts_what_it_compared():
    result = CliRunner().invoke(law, ["crosscheck", str(IRS), "--rows", "2000", "--as-of", "2025-08-07"])
    assert result.exit_code == 0, result.output
    assert "2,000 random requests" in result.output
    assert "no disagreement" in result.output


def test_the_cross_check_notices_an_engine_that_takes_the_unknown_for_a_fact(
    irs: Pack, monkeypatch: pytest.MonkeyPatch
):
    stops = polars_engine._stops
    monkeypatch.setattr(polars_engine, "_stops", lambda *given: replace(out := stops(*given), certain=out.fires))
    assert {each.readings for each in crosscheck(irs, edge_rows(irs), DAY)} == {"DuckDB and Polars"}
