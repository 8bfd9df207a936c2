"""The contract that is printed, documented and enforced is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import server
from match_world import Person, World

from gatehouse.cli.main import cli
from gatehouse.kernel.errors import CustodianFault
from gatehouse.match import described
from gatehouse.match.register import OPTIONAL, TABLES

PAGE = Path(__file__).parents[2] / "docs" / "register.md"
PEOPLE = [Person("LE", "MINH", tin="012345678", birth_date="1980-05-17")]


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    cli.main([str(argument) for argument in arguments], prog_name="gatehouse", standalone_mode=False)
    return capsys.readouterr().out


def test_the_page_has_every_table_and_column_as_they_are_described() -> None:
    page = PAGE.read_text()
    for table, about in described.document().items():
        absent = " (may be absent)" if table in OPTIONAL else ""
        assert f"| **`{table}`**{absent} | | | {about['says']} |" in page
        for name, one in about["columns"].items():
            assert f"| | `{name}` | {one['type']} | {one['says']} |" in page


def test_the_description_is_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    printed = json.loads(run(capsys, "register", "describe", "--json"))
    assert {table: list(about["columns"]) for table, about in printed.items()} == {
        table: list(columns) for table, columns in TABLES.items()
    }
    assert "restrictions: persons who must not be disclosed" in run(capsys, "register", "describe")


def test_a_register_is_checked_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = World(list(PEOPLE)).write(tmp_path / "register")
    printed = json.loads(run(capsys, "register", "check", folder, "--json"))
    assert (printed["persons"], printed["addresses"]) == (1, 1)
    assert "keeps the contract" in run(capsys, "register", "check", folder)


def test_a_register_that_breaks_the_contract_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World([*PEOPLE, Person("LEE", "MINH", tin="012345678")])
    with pytest.raises(CustodianFault, match="TINs shared by several persons"):
        run(capsys, "register", "check", world.write(tmp_path / "register"))


@pytest.fixture
def empty() -> Iterator[str]:
    with server.postgres() as address:
        yield address


@pytest.mark.postgres
def test_the_statements_make_a_register_and_views_of_another_shape_do(
    empty: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import psycopg

    with psycopg.connect(empty) as db:
        db.execute(run(capsys, "register", "describe", "--sql"))
    assert json.loads(run(capsys, "register", "check", empty, "--json"))["persons"] == 0
    views = PAGE.read_text().partition("```sql\n")[2].partition("```")[0]
    with psycopg.connect(empty) as db:
        db.execute(
            "CREATE SCHEMA master; CREATE TABLE master.accounts (account_no int, ssn int, surname text, "
            "given_name text, born date); INSERT INTO master.accounts VALUES (7, 12345678, 'LE', 'MINH', NULL)"
        )
        db.execute(views)
        for table in ("addresses", "restrictions"):
            db.execute(f"CREATE VIEW gatehouse.{table} AS SELECT * FROM public.{table}")
        db.execute("GRANT SELECT ON ALL TABLES IN SCHEMA gatehouse TO reader")
    reader = empty.replace("postgres@", "reader@")
    found = json.loads(run(capsys, "register", "check", reader, "--json"))
    assert (found["persons"], found["persons_without_tin"], found["persons_without_address"]) == (1, 0, 1)
