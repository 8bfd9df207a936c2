"""Matching on Spark: the rows of DuckDB, whatever a text holds; a refusal in one line where it cannot run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from match_world import AS_OF, Person, Request, World, load_requests

from gatehouse.intake.cluster import open_cluster, session, texts
from gatehouse.intake.wire import COLUMNS
from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.match import build, match, open_register
from gatehouse.match.engine import Engine
from gatehouse.match.spark import SparkEngine
from gatehouse.site.settings import Choice

ABROAD = {"line1": "Hauptstraße 5", "city": "KÖLN", "postal_code": "50667", "country": "DE"}
UNTIDY = {"line1": "9 oak\u00a0St", "city": "Boise", "state": "id", "postal_code": "83712-1234"}
PEOPLE = [
    Person("GARCÍA LÓPEZ", "ANA", "MARÍA", tin="912345678", birth_date="1980-05-17", years=(2022,),
           others=(("GARCIA", "ANA", None),), homes=(("12 MAPLE ST", None), ABROAD)),
    Person("GARCIA", "JUAN", suffix="Jr", restricted_on="2024-01-01", birth_date="2000-02-29"),
    Person("GARCIA", "JUANA", suffix="ß", homes=(("12 MAPLE ST", "APT 3"),)),
    Person("O’BRIEN", "WILLIAM", tin="012345678", homes=(UNTIDY, ("77 ELM AVE", "UNIT 4\n"))),
    Person("Straße", "İlker", homes=(("1 PINE ST", "ﬁ 2"),)),
    Person("LEE", "MINH", tin="555443333", birth_date="1990-01-01", homes=(("14 MAPLE ST", None),)),
    Person("LEE", "MINH", homes=(("14 MAPLE ST", None),)),
]  # fmt: skip
ASK = [
    Request("Garcia Lopez", "Ana", tin="912345678"),
    Request("Lopez Garcia", "Ana", tin="912345678"),
    Request("Garcia", "Juan"),
    Request("Garcia", "Juan", birth_date="2000-02-29"),
    Request("Garcia", "Juana", address_line2="Apt 3"),
    Request("Garica", "Ana", tin="912345678"),
    Request(
        "Garcia", "Ana", address_line1="Hauptstrasse 5", city="Koln", state=None, postal_code="50667", country="DE"
    ),
    Request("OBrien", "Bill", tin="012345678", address_line1="9 Oak St"),
    Request("OBrien", "William", address_line1="77 Elm Ave", address_line2="#4"),
    Request("OBrien", "William", address_line1="9 Oak St", postal_code=None),
    Request("STRASSE", "Ilker", address_line1="1 Pine St"),
    Request("Lee", "Minh", address_line1="14 Maple St"),
    Request("Lee", "Minh", address_line1="14 Maple St", birth_date="1990-01-01"),
    Request("Lee", "Minh", address_line1="14 Maple St", tin="555443334"),
    Request(None, "Minh"),
    Request("Nobody", "Here", address_line1="unknown"),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkEngine]:
    with open_cluster("local[2]", folder=tmp_path_factory.mktemp("cluster") / "work", memory="1GB") as cluster:
        yield SparkEngine(cluster)


def rows(folder: Path, engine: Engine | None) -> list[list[tuple]]:
    register = open_register(World(list(PEOPLE)).write(folder / "register"))
    index = build(register, folder / "index", today=AS_OF, engine=engine)
    with duckdb.connect() as db:
        load_requests(db, ASK)
        match(db, "requests", index, as_of=AS_OF, engine=engine)
        tables = ("DESCRIBE matches", "FROM matches", "DESCRIBE evidence", "FROM evidence")
        return [db.execute(query).fetchall() for query in tables]


@pytest.mark.slow
@pytest.mark.spark
def test_the_same_rows_in_the_same_order_and_types(engine: SparkEngine, tmp_path: Path) -> None:
    here, there = rows(tmp_path / "here", None), rows(tmp_path / "there", engine)
    assert there == here
    found = {row[-1] for row in here[1]}
    assert {1001, 1004, 1006} < found, "the world must have somebody to find"
    left = [path for path in engine.cluster.folder.rglob("*") if path.is_file()]
    assert not left, "no row is left between two batches"


@pytest.mark.slow
@pytest.mark.spark
def test_a_broken_register_is_refused_in_the_same_words(engine: SparkEngine, tmp_path: Path) -> None:
    world = World([Person("A", "B", tin="12345678\n"), Person("C", "D", birth_date="1700-01-01")])
    world.rows["addresses"].append((7, "1 MAIN ST", None, "BOISE", "ID", "83712", None, "2020-01-01", None, True))
    register = open_register(world.write(tmp_path / "register"))
    said = []
    for each in (None, engine):
        with pytest.raises(WrongInput) as refused:
            build(register, tmp_path / "index", today=AS_OF, engine=each)
        said.append(str(refused.value))
    assert said[0] == said[1]
    assert "TINs that are not nine digits" in said[0]
    assert "ids of no known person (person_id 7)" in said[0]


@pytest.mark.slow
@pytest.mark.spark
def test_the_command_is_silent_and_leaves_nothing(tmp_path: Path) -> None:
    register = World([Person("GARCIA", "ANA", tin="912345678")]).write(tmp_path / "register")
    asked = tmp_path / "requests.csv"
    with duckdb.connect() as db:
        load_requests(db, [Request("Garcia", "Ana", tin="912345678")])
        db.execute(f"COPY (SELECT {', '.join(COLUMNS)} FROM requests) TO '{asked}'")
    where = tmp_path / "out"
    where.mkdir()
    command = [sys.executable, "-m", "gatehouse", "match", str(asked), "--register", str(register)]
    options = ["--out", "matched.parquet", "--engine", "spark", "--master", "local[1]", "--memory", "1GB", "--json"]
    there = {**os.environ, "PYTHONPATH": str(session.SOURCES)}
    done = subprocess.run([*command, *options], cwd=where, capture_output=True, text=True, check=True, env=there)
    assert done.stderr == ""
    assert done.stdout == '{"requests": 1, "matched": 1, "tin": 1, "birth_date": 0, "none": 0, "index_changed": null}\n'
    assert [path.name for path in where.iterdir()] == ["matched.parquet"]


def test_what_is_missing_is_said_in_one_line_with_how_to_add_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "find_spec", lambda _name: None)
    with pytest.raises(MachineFailed, match=r"pyspark is not installed.*requirements-spark\.lock"):
        open_cluster("local[2]", folder=tmp_path / "w").__enter__()
    monkeypatch.setattr(session, "find_spec", lambda _name: object())
    monkeypatch.setattr(session.shutil, "which", lambda _name: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(MachineFailed, match=r"Java is not installed.*openjdk-17-jre-headless"):
        open_cluster("local[2]", folder=tmp_path / "w").__enter__()
    monkeypatch.setattr(session.shutil, "which", lambda _name: "/usr/bin/java")
    with pytest.raises(MachineFailed, match="does not answer"):
        open_cluster("spark://127.0.0.1:9", folder=tmp_path / "w").__enter__()
    with pytest.raises(WrongInput, match="not a Spark master"):
        open_cluster("yarn", folder=tmp_path / "w").__enter__()
    assert not (tmp_path / "w").exists()


def test_a_worker_with_another_version_reads_nothing(tmp_path: Path) -> None:
    with pytest.raises(MachineFailed, match="a different version of Gatehouse or DuckDB"):
        texts.read("part.parquet", step=lambda _db, rows: rows, out=str(tmp_path), version="another")
    assert not list(tmp_path.iterdir())


def test_a_text_that_cannot_be_read_is_not_told(tmp_path: Path) -> None:
    duckdb.execute(f"COPY (SELECT 'SECRET' AS text) TO '{tmp_path / 'part.parquet'}'")
    with pytest.raises(MachineFailed) as failed:
        texts.read(
            str(tmp_path / "part.parquet"), step=lambda _db, rows: f"SELECT text::INTEGER FROM {rows}",
            out=str(tmp_path), version=texts.version(),
        )  # fmt: skip
    assert "SECRET" not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__


def test_a_choice_of_engine_is_whole() -> None:
    assert Choice() == Choice("duckdb")
    for wrong in (("spark", None), ("duckdb", "local[2]"), ("oracle", None)):
        with pytest.raises(WrongInput):
            Choice(*wrong)
