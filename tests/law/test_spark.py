"""The law on Spark: the masks of DuckDB over the pinned table and random rows, or no decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from gatehouse.intake.cluster import dialect, open_cluster
from gatehouse.kernel.errors import MachineFailed
from gatehouse.law.admission import admit
from gatehouse.law.edges import rows
from gatehouse.law.evaluate import evaluate, table_of_facts
from gatehouse.law.pack import Pack
from gatehouse.law.reading import load
from gatehouse.law.spark import SparkEngine

pytestmark = [pytest.mark.spark, pytest.mark.slow]

DAY = dt.date(2025, 8, 7)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkEngine]:
    with open_cluster("local[2]", folder=tmp_path_factory.mktemp("cluster") / "work", memory="1GB") as cluster:
        yield SparkEngine(cluster)


@pytest.fixture(scope="module")
def irs() -> Pack:
    return load(Path("packs/us-irs-6103-i-2"))


@pytest.mark.parametrize("folder", sorted(Path("packs").iterdir()), ids=lambda path: path.name)
def test_every_shipped_pack_is_read_as_duckdb_reads_it(engine: SparkEngine, folder: Path):
    pack = load(folder)
    admitted = admit(engine, pack, DAY)
    connection = duckdb.connect()
    table_of_facts(connection, pack, "facts", list(rows(pack, 1000, DAY, seed=7)))
    evaluate(connection, pack, "facts", "here", DAY)
    evaluate(connection, pack, "facts", "there", DAY, masks=admitted)
    here = connection.execute("FROM here ORDER BY seq").fetchall()
    assert len({row[1] for row in here}) > 1
    assert connection.execute("FROM there ORDER BY seq").fetchall() == here


def test_an_engine_that_reads_one_row_otherwise_decides_nothing(
    engine: SparkEngine, irs: Pack, monkeypatch: pytest.MonkeyPatch
):
    right = dialect.text
    trimming = "RTRIM('\\n', `authority`) ="  # as `$` in many a regular expression overlooks a newline at the end
    monkeypatch.setattr(dialect, "text", lambda tree: right(tree).replace("`authority` =", trimming))
    with pytest.raises(MachineFailed, match="evaluates this pack differently"):
        admit(engine, irs, DAY)


def test_what_was_admitted_for_one_pack_and_date_decides_under_no_other(engine: SparkEngine, irs: Pack):
    other = load(Path("packs/us-privacy-act-552a-b-7"))
    admitted = admit(engine, other, DAY)
    connection = duckdb.connect()
    table_of_facts(connection, irs, "facts", [{}])
    with pytest.raises(MachineFailed, match="not admitted"):
        evaluate(connection, irs, "facts", "decided", DAY, masks=admitted)
    table_of_facts(connection, other, "facts", [{}])
    with pytest.raises(MachineFailed, match="not admitted"):
        evaluate(connection, other, "facts", "decided", DAY + dt.timedelta(days=1), masks=admitted)
