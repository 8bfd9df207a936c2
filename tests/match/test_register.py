"""A register is taken whole or refused, with counts, examples by id and a remedy; its index serves it alone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest
from faults import FAULTS, PEOPLE
from match_world import AS_OF, Request, World, load_requests, rows_of

from gatehouse.kernel.errors import WrongInput
from gatehouse.match import build, match, open_index, open_register


@pytest.fixture
def world() -> World:
    return World(list(PEOPLE))


def test_a_register_that_keeps_its_contract_is_counted(world: World, tmp_path: Path) -> None:
    index = build(open_register(world.write(tmp_path / "r")), tmp_path / "i", memory="1GB", today=AS_OF)
    assert (index.census.persons, index.census.addresses, index.census.names) == (2, 3, 1)
    assert index.census.persons_without_address == 0


def test_years_filed_by_nobody_are_counted_and_harm_nobody(world: World, tmp_path: Path) -> None:
    world.rows["filings"] += [(1001, 2022), (999, 2022), (999, 2023)]
    index = build(open_register(world.write(tmp_path / "r")), tmp_path / "i", memory="1GB", today=AS_OF)
    assert index.census.filings_of_nobody == 2
    assert open_index(index.register, tmp_path / "i").census == index.census


@pytest.mark.parametrize("table", ["persons", "addresses", "restrictions"])
def test_a_table_that_is_missing_is_named(world: World, tmp_path: Path, table: str) -> None:
    with pytest.raises(WrongInput, match=f"{table}.parquet"):
        open_register(world.write(tmp_path / "r", without=(table,)))


def test_without_restrictions_the_remedy_is_to_determine_them(world: World, tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="An empty file states that there are none"):
        open_register(world.write(tmp_path / "r", without=("restrictions",)))


@pytest.mark.parametrize("table", ["names", "filings"])
def test_optional_tables_may_be_absent(world: World, tmp_path: Path, table: str) -> None:
    register = open_register(world.write(tmp_path / "r", without=(table,)))
    assert build(register, tmp_path / "i", memory="1GB", today=AS_OF).census.persons == 2


def test_a_column_that_is_missing_or_mistyped_is_named(world: World, tmp_path: Path) -> None:
    folder = world.write(tmp_path / "r")
    with duckdb.connect() as db:
        db.execute(f"COPY (SELECT * EXCLUDE tin FROM '{folder}/persons.parquet') TO '{folder}/persons.parquet'")
        with pytest.raises(WrongInput, match="column tin is missing"):
            open_register(folder)
        db.execute(f"COPY (SELECT *, 1 AS tin FROM '{folder}/persons.parquet') TO '{folder}/persons.parquet'")
        with pytest.raises(WrongInput, match="column tin is INTEGER"):
            open_register(folder)


def test_a_file_that_is_no_parquet_is_refused(world: World, tmp_path: Path) -> None:
    folder = world.write(tmp_path / "r")
    (folder / "persons.parquet").write_text("person_id,tin\n")
    with pytest.raises(WrongInput, match="not a Parquet"):
        open_register(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="no register"):
        open_register(tmp_path / "none")


@pytest.mark.parametrize(("spoil", "what", "person"), FAULTS)
def test_a_broken_contract_is_refused_with_count_and_id(
    world: World, tmp_path: Path, spoil: Any, what: str, person: int
) -> None:
    spoil(world)
    with pytest.raises(WrongInput, match=f"1 × .*{what}.*person_id {person}") as refused:
        build(open_register(world.write(tmp_path / "r")), tmp_path / "i", memory="1GB", today=AS_OF)
    assert "912345678" not in str(refused.value)
    assert not list((tmp_path / "i").iterdir()), "nothing half-made is left"


def test_an_index_is_used_again_and_is_refused_for_another_version(world: World, tmp_path: Path) -> None:
    folder = world.write(tmp_path / "r")
    first = build(open_register(folder), tmp_path / "i", memory="1GB", today=AS_OF)
    made = (first.folder / "index.json").stat().st_mtime_ns
    again = build(open_register(folder), tmp_path / "i", memory="1GB", today=AS_OF)
    assert (again.folder / "index.json").stat().st_mtime_ns == made
    world.rows["filings"].append((1002, 2023))
    changed = open_register(world.write(folder))
    with pytest.raises(WrongInput, match="a different register or version"):
        open_index(changed, tmp_path / "i")
    rebuilt = build(changed, tmp_path / "i", memory="1GB", today=AS_OF)
    assert rebuilt.folder != first.folder


def test_a_damaged_description_of_an_index_is_no_index(world: World, tmp_path: Path) -> None:
    register = open_register(world.write(tmp_path / "r"))
    index = build(register, tmp_path / "i", memory="1GB", today=AS_OF)
    (index.folder / "index.json").write_text("{")
    with pytest.raises(WrongInput, match="out of date"):
        open_index(register, tmp_path / "i")


def test_last_known_gives_one_address_each_and_only_to_those_asked(world: World, tmp_path: Path) -> None:
    register = open_register(world.write(tmp_path / "r"))
    with duckdb.connect() as db:
        db.execute("CREATE TABLE wanted AS SELECT 1001::BIGINT AS person_id")
        register.last_known(db, "wanted", "homes")
        assert rows_of(db, "SELECT person_id, line1, valid_from FROM homes") == [
            {"person_id": 1001, "line1": "12 MAPLE ST", "valid_from": dt.date(2020, 1, 1)}
        ]


ASK = Request("GARCIA", "ANA", tin="912345678")


SAID = [
    (ASK, {"address_current": True, "restricted": True, "period_filed": True, "tin_agrees": True}),
    (ASK, {"birth_date_agrees": None, "persons_name": 1}),
    (ASK.but(address_line1="3 OAK ST"), {"address_current": False}),
    (ASK.but(period_from="2018-01-01", period_to="2019-12-31"), {"period_filed": False}),
    (ASK.but(period_from="2019-01-01", period_to="2021-06-30"), {"period_filed": True}),
    (ASK.but(period_from=None), {"period_filed": None}),
    (ASK.but(last_name="LE", first_name="MINH", tin=None, address_line1="14 MAPLE ST"), {"restricted": False}),
    (ASK.but(last_name="NOBODY"), {"restricted": None, "period_filed": None, "persons_name": 0}),
    (ASK.but(tin="912345670"), {"tin_agrees": False, "persons_agreeing": 0, "person_id": None, "persons_name": 1}),
]


def test_what_the_register_says_of_the_one_person(world: World, tmp_path: Path) -> None:
    rows = _matched(world, tmp_path, [asked for asked, _ in SAID], AS_OF)
    for row, (_, expected) in zip(rows, SAID, strict=True):
        assert {name: row[name] for name in expected} == expected


def test_a_restriction_counts_from_its_day_on(world: World, tmp_path: Path) -> None:
    assert _matched(world, tmp_path, [ASK], dt.date(2023, 12, 31))[0]["restricted"] is False
    assert _matched(world, tmp_path, [ASK], dt.date(2024, 1, 1))[0]["restricted"] is True


def test_without_a_table_of_filings_nobody_knows_whether_they_filed(world: World, tmp_path: Path) -> None:
    row = _matched(world, tmp_path, [ASK], AS_OF, without=("filings",))[0]
    assert row["person_id"] == 1001
    assert row["period_filed"] is None


def _matched(
    world: World, folder: Path, requests: list[Request], as_of: dt.date, without: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    register = open_register(world.write(folder / "r", without=without))
    index = build(register, folder / "i", memory="1GB", today=AS_OF)
    with duckdb.connect() as db:
        load_requests(db, requests)
        match(db, "requests", index, as_of=as_of)
        return rows_of(db, "SELECT * FROM matches ORDER BY seq")
