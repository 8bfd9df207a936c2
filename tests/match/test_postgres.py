"""A register in PostgreSQL is the same register: same answers, same refusals, nothing of it in a message."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import faults
import pytest
from match_world import AS_OF, Person, Request, World, load_requests, rows_of

from gatehouse.kernel import scratch
from gatehouse.kernel.errors import CustodianFault, MachineFailed, WrongInput
from gatehouse.match import build, match, open_register, postgres
from gatehouse.match.register import Register

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PEOPLE = [
    Person(
        'O"BRIEN', "ANA, MARÍA", tin="012345678", birth_date="1980-05-17", restricted_on="2024-01-01", years=(2022,)
    ),
    Person("LE", "MINH", homes=(("14 MAPLE ST", 'APT "2"'), ("3 OAK ST", "")), others=(("LEE", "MINH", None),)),
]
ASK = [
    Request("O'Brien", "Ana Maria", tin="012345678"),
    Request("OBRIEN", "ANA MARIA", tin="012345678"),
    Request("LEE", "MINH", address_line1="3 OAK ST"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A PostgreSQL server of this test run alone, on a socket in its own folder."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    home = Path(tempfile.mkdtemp(prefix="gatehouse-postgres-"))
    become: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(home, "postgres")
        become = ["runuser", "-u", "postgres", "--"]

    def run(program: str, *arguments: str) -> None:
        command = [*become, str(programs / program), "-D", str(home / "data"), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=home)

    run("initdb", "-A", "trust", "-U", "gate")
    options = f"-c listen_addresses='' -c unix_socket_directories='{home}' -c fsync=off"
    run("pg_ctl", "-o", options, "-w", "-l", str(home / "log"), "start")
    yield f"postgresql://gate:secret@/postgres?host={home}"
    run("pg_ctl", "-m", "immediate", "stop")
    shutil.rmtree(home)


def fill(server: str, world: World) -> str:
    """A world as tables, and as a view where the contract allows one."""
    import psycopg

    with psycopg.connect(server) as db:
        db.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        db.execute(
            "CREATE TABLE persons (person_id int, tin char(9), last_name text, first_name text, middle_name text, "
            "suffix text, birth_date date); CREATE TABLE names (person_id bigint, last_name text, first_name text, "
            "middle_name text, suffix text); CREATE TABLE homes (person_id bigint, line1 text, line2 text, city text, "
            "state text, postal_code text, country text, valid_from date, valid_to date, last_known bool); "
            "CREATE VIEW addresses AS SELECT * FROM homes; CREATE TABLE filings (person_id bigint, tax_year smallint); "
            "CREATE TABLE restrictions (person_id bigint, kind text, determined_on date)"
        )
        for table, rows in world.rows.items():
            for row in rows:
                into = "homes" if table == "addresses" else table
                db.execute(f"INSERT INTO {into} VALUES ({', '.join(['%s'] * len(row))})", row)
    return server


@pytest.fixture
def filled(server: str) -> str:
    """The register of `PEOPLE`."""
    return fill(server, World(list(PEOPLE)))


@pytest.mark.parametrize(("spoil", "what", "person"), faults.FAULTS)
def test_a_broken_contract_is_refused_as_in_files(
    server: str, tmp_path: Path, spoil: Callable[[World], None], what: str, person: int
) -> None:
    world = World(list(faults.PEOPLE))
    spoil(world)
    said = []
    for register in (open_register(world.write(tmp_path / "files")), open_register(fill(server, world))):
        with pytest.raises(WrongInput, match=what) as refused:
            build(register, tmp_path / "index", memory="1GB", today=AS_OF)
        said.append(str(refused.value).removeprefix(register.address))
    assert said[0] == said[1]
    assert str(person) in said[0]


def answers(register: Register, folder: Path) -> list[dict]:
    index = build(register, folder, memory="1GB", today=AS_OF)
    with duckdb.connect() as db:
        load_requests(db, ASK)
        match(db, "requests", index, as_of=AS_OF)
        return rows_of(db, "SELECT * FROM matches ORDER BY seq")


def test_the_same_answers_as_from_files(filled: str, tmp_path: Path) -> None:
    here = answers(open_register(filled), tmp_path / "a")
    there = answers(open_register(World(list(PEOPLE)).write(tmp_path / "files")), tmp_path / "b")
    assert here == there
    assert [row["person_id"] for row in here] == [1001, 1001, 1002]


def test_the_same_contents_have_the_same_digest(filled: str) -> None:
    import psycopg

    before = open_register(filled).digest
    with psycopg.connect(filled) as db:
        db.execute("CREATE TABLE again AS SELECT * FROM homes ORDER BY line1 DESC; TRUNCATE homes")
        db.execute("INSERT INTO homes SELECT * FROM again")
    assert open_register(filled).digest == before
    with psycopg.connect(filled) as db:
        db.execute("UPDATE persons SET middle_name = 'X' WHERE person_id = 1002")
    assert open_register(filled).digest != before


def test_a_missing_table_or_column_is_named_and_the_password_is_not(filled: str) -> None:
    import psycopg

    with psycopg.connect(filled) as db:
        db.execute("DROP TABLE restrictions")
    with pytest.raises(WrongInput, match="An empty table states that there are none") as refused:
        open_register(filled)
    assert "secret" not in str(refused.value)
    with psycopg.connect(filled) as db:
        db.execute("CREATE TABLE restrictions (person_id bigint, kind text)")
    with pytest.raises(WrongInput, match="determined_on"):
        open_register(filled)


def test_a_user_without_the_right_to_read_is_told_which_table(filled: str) -> None:
    import psycopg

    with psycopg.connect(filled) as db:
        db.execute(
            "CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON persons TO reader"
        )
    with pytest.raises(CustodianFault, match=r"permission denied for table names. Grant the user"):
        open_register(filled.replace("gate:secret@", "reader@"))


def test_a_value_of_another_type_is_a_fault_of_the_register_and_is_not_repeated(filled: str) -> None:
    import psycopg

    with psycopg.connect(filled) as db:
        db.execute("ALTER TABLE filings ALTER tax_year TYPE text USING 'the year of ' || tax_year")
    with pytest.raises(CustodianFault, match="not of the type that the contract asks for") as refused:
        open_register(filled)
    assert "2022" not in str(refused.value)


def test_nothing_can_be_written_through_it(filled: str) -> None:
    register = open_register(filled)
    assert {path.suffix for path in register.tables.values()} == {".parquet"}
    folder = register.tables["persons"].parent
    assert not list(folder.glob("*.csv"))
    del register
    assert not folder.exists(), "the snapshot goes with the register"


def test_no_text_of_a_person_is_laid_down_while_a_register_is_copied(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows pass through a pipe; the folder of the snapshot is its owner's alone, and swept if its process dies."""
    seen: list[tuple[str, int]] = []
    write = postgres.write_parquet

    def watched(connection, query: str, target: Path) -> None:
        seen.append((target.parent.name, stat.S_IMODE(target.parent.stat().st_mode)))
        others = [path for path in target.parent.iterdir() if path.suffix not in {".parquet", ""}]
        assert others
        assert all(stat.S_ISFIFO(path.stat().st_mode) for path in others)
        write(connection, query, target)

    monkeypatch.setattr(postgres, "write_parquet", watched)
    open_register(filled)
    assert len(seen) == 5
    assert all(name.startswith(scratch.PREFIX) and mode == 0o700 for name, mode in seen)


@pytest.mark.parametrize("read", [False, True])
def test_a_copy_whose_reader_fails_ends_with_the_reader_s_error(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: bool
) -> None:
    def failing(_connection, _query: str, target: Path) -> None:
        if read:  # a full disk, met after the first bytes
            with target.with_suffix(".pipe").open("rb") as stream:
                stream.read(1)
        raise OSError(28, "No space left on device")

    import psycopg

    with psycopg.connect(filled) as db:  # more than a pipe holds
        db.execute("INSERT INTO names SELECT 1001, repeat('A', 100), 'B', NULL, NULL FROM generate_series(1, 20000)")
    monkeypatch.setattr(postgres, "write_parquet", failing)
    with pytest.raises(OSError, match="No space left"):
        postgres.take_snapshot(filled, tmp_path / "taken", {"names": {"last_name": "VARCHAR"}}, frozenset())


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MachineFailed, match=r"cannot be read: .*No such file") as failed:
        open_register(f"postgresql://gate:secret@/postgres?host={tmp_path}")
    assert "secret" not in str(failed.value)
