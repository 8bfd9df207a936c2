"""Everything after the approvals with a register in PostgreSQL: it is read at the release and by whoever asks later."""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import house
import pytest
import server

from gatehouse.kernel.errors import MachineFailed
from gatehouse.match import open_excerpt, open_register
from gatehouse.pipeline import answers, drill, site
from gatehouse.pipeline import release as stage
from gatehouse.release import officer
from gatehouse.release.recipients import read_identity

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def empty() -> Iterator[str]:
    with server.postgres() as address:
        yield address


@pytest.fixture
def moved(approved: house.House, empty: str) -> Iterator[house.House]:
    """The site with everything cleared approved, its register in a database."""
    import psycopg

    folder = Path(approved.site.register)
    server.hold_register(empty, folder)
    for file in folder.iterdir():
        file.unlink()
    configuration = approved.site.configuration.path
    configuration.write_text(configuration.read_text().replace(str(folder), empty))
    yield replace(approved, opened=site.open_site(approved.site.root))
    with psycopg.connect(empty) as db:
        db.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


@pytest.mark.slow
def test_what_was_approved_is_released_answered_and_rehearsed(moved: house.House, tmp_path: Path) -> None:
    released = stage.release(moved.connection, moved.office, house.NAME, house.LATER)
    assert released.cases == 9
    given = {}
    for one in released.releases:
        out = moved.agency / one.id
        key = read_identity(moved.key(one.officer))
        officer.open_release(moved.package(one.id), key, moved.site.root / "trust", out, house.LATER)
        with (out / "records.csv").open(newline="") as stream:
            given |= {row["request_id"]: row["line1"] for row in csv.DictReader(stream)}
    assert given == {f"R-{n:06}": f"{100 + n} Main St" for n in range(2, 11)}
    answers.build(moved.connection, moved.office, house.LATER)
    checked = answers.check(moved.connection, moved.office)
    assert (checked.persons, checked.disclosures, checked.unlisted) == (12, 9, 0)
    workshop = tmp_path / "workshop"
    workshop.mkdir()
    drilled = drill.drill(moved.connection, moved.site, workshop, house.LATER)
    assert sum(len(one.notices) for one in drilled.recalls) == 2


def test_who_was_restricted_since_stays(moved: house.House) -> None:
    import psycopg

    with psycopg.connect(moved.site.register) as db:
        db.execute("INSERT INTO restrictions VALUES (4, 'informant', DATE '2025-08-31')")
    released = stage.release(moved.connection, moved.office, house.NAME, house.LATER)
    assert (released.cases, dict(released.left)) == (8, {"restricted since": 1})


def test_an_excerpt_copies_the_rows_of_its_persons_alone(moved: house.House) -> None:
    excerpt = open_excerpt(moved.site.register, [3, 5])
    for table in ("persons", "addresses"):
        found = moved.connection.sql(f"SELECT person_id FROM {excerpt.relation(table)} ORDER BY person_id").fetchall()
        assert found == [(3,), (5,)]
    assert open_excerpt(moved.site.register, []).has("restrictions")


def test_a_database_that_went_away_releases_nothing_and_says_why(moved: house.House) -> None:
    configuration = moved.site.configuration.path
    text = configuration.read_text()
    configuration.write_text(text.replace(moved.site.register, "postgresql://clerk:hidden@127.0.0.1:1/records"))
    gone = replace(moved, opened=site.open_site(moved.site.root))
    with pytest.raises(MachineFailed, match=r"postgresql://127\.0\.0\.1/records: .*refused") as failed:
        stage.release(gone.connection, gone.office, house.NAME, house.LATER)
    assert "hidden" not in str(failed.value)
    configuration.write_text(text)
    assert stage.release(moved.connection, moved.office, house.NAME, house.LATER).cases == 9


def test_nobody_asks_a_register_that_nobody_holds() -> None:
    """A snapshot goes with its register, so no query may be made from one that was never given a name."""
    opened = {open_register.__name__, open_excerpt.__name__}
    careless = []
    for path in (Path(__file__).parents[2] / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call):
                called = node.value.func
                name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
                careless += [f"{path.name}:{node.lineno}"] if name in opened else []
    assert not careless
