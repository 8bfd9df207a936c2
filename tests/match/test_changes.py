"""An index laid over that of an earlier snapshot says exactly what a whole index of the new snapshot says."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from match_world import AS_OF, Person, Request, World, load_requests, rows_of

from gatehouse.kernel.errors import WrongInput
from gatehouse.match import Index, build, contract, index, match, open_index, open_register

pytestmark = pytest.mark.slow

LAST = ("GARCIA", "LE", "O'BRIEN", "DE LA CRUZ", "SMITH", "Nuñez")
FIRST = ("ANA", "MINH", "JUAN", "JUANA", "WILLIAM", "BILL")
STREETS = ("12 MAPLE ST", "14 MAPLE ST", "3 OAK AVE APT 2", "PO BOX 44", "a house by the river")
TOWNS = (("BOISE", "ID", "83712"), ("BOISE", "ID", "83702"), ("NEW YORK", "NY", "10001"), ("BOISE", "ID", None))


def _chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - the same changes again for the same seed


def _home(pick: Random) -> dict[str, Any]:
    city, state, zip5 = pick.choice(TOWNS)
    return {"line1": pick.choice(STREETS), "city": city, "state": state, "postal_code": zip5, "country": "US"}


def _person(pick: Random, number: int) -> Person:
    homes = tuple(_home(pick) for _ in range(pick.randrange(3)))
    others = ((pick.choice(LAST), pick.choice(FIRST), None),) if pick.random() < 0.2 else ()
    tin = f"{900000000 + number}" if pick.random() < 0.8 else None
    born = f"19{pick.randrange(50, 99)}-01-01"
    years = (2020, 2021)[: pick.randrange(3)]
    return Person(
        pick.choice(LAST), pick.choice(FIRST), tin=tin, birth_date=born, homes=homes, others=others, years=years
    )


def _world(seed: int) -> World:
    pick = _chance(seed)
    return World([_person(pick, number) for number in range(300)])


def _leave(world: World, key: int) -> None:
    for table in ("persons", "names", "addresses"):
        world.rows[table] = [row for row in world.rows[table] if row[0] != key]


def _change(world: World, pick: Random) -> None:
    """One person is renamed, moves, gives a new TIN, is removed with all rows, or comes."""
    rows = world.rows
    kind = pick.choice(("rename", "move", "tin", "leave", "come", "other name"))
    at = pick.randrange(len(rows["persons"]))
    key, tin, _, *rest = rows["persons"][at]
    if kind == "rename":
        rows["persons"][at] = (key, tin, pick.choice(LAST), *rest)
    elif kind == "tin":
        rows["persons"][at] = (key, f"{950000000 + pick.randrange(10**6)}", rows["persons"][at][2], *rest)
    elif kind == "move":
        home = _home(pick)
        columns = ("line1", "line2", "city", "state", "postal_code", "country")
        rows["addresses"] = [row if row[0] != key else (*row[:9], False) for row in rows["addresses"]]
        rows["addresses"].append((key, *(home.get(column) for column in columns), "2024-01-01", None, True))
    elif kind == "other name":
        rows["names"].append((key, pick.choice(LAST), pick.choice(FIRST), None, None))
    elif kind == "leave":
        _leave(world, key)
    else:
        world._add(5000 + pick.randrange(10**6), _person(pick, 500 + pick.randrange(10**6)))


SAYS = {
    "people": "SELECT * FROM {people}",
    "name_counts": "SELECT * FROM {name_counts}",
    "forms": "SELECT * FROM {forms}",
    "entries": "SELECT e.* EXCLUDE (written), h.* EXCLUDE (written) FROM {entries} e JOIN {places} h USING (written)",
}
"""What an index says, whatever numbers it gave to addresses as written."""
REQUESTS = [
    Request(last, first, tin=tin, address_line1=street, city=city, state=state, postal_code=zip5)
    for last, tin in zip(LAST, (None, "900000007") * 3, strict=True) for first in FIRST[:3]
    for street in STREETS[:2] for city, state, zip5 in TOWNS[2:]
]  # fmt: skip


def _said(index: Index) -> dict[str, list[tuple[Any, ...]]]:
    tables = {table: index.relation(table) for table in ("people", "name_counts", "forms", "entries", "places")}
    with duckdb.connect() as db:
        said = {name: sorted(db.execute(query.format(**tables)).fetchall(), key=repr) for name, query in SAYS.items()}
        load_requests(db, REQUESTS)
        match(db, "requests", index, as_of=AS_OF)
        for table, order in (("matches", "seq"), ("evidence", "seq, rank")):
            said[table] = [tuple(row.values()) for row in rows_of(db, f"SELECT * FROM {table} ORDER BY {order}")]
    return said


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6), first=st.integers(1, 3), second=st.integers(0, 3))
def test_a_layer_says_what_a_whole_index_says(
    seed: int, first: int, second: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("r")
    world, pick = _world(seed), _chance(seed)
    base = build(open_register(world.write(folder / "r0")), folder / "i", memory="1GB", today=AS_OF)
    for step, number in enumerate((first, second), 1):
        for _ in range(number):
            _change(world, pick)
        register = open_register(world.write(folder / f"r{step}"))
        layer = build(register, folder / "i", memory="1GB", today=AS_OF)
        whole = build(register, folder / f"whole{step}", memory="1GB", today=AS_OF)
        assert layer.changed is not None or layer.folder == base.folder, "nothing else was indexed whole"
        assert whole.changed is None
        assert layer.folder.name == whole.folder.name
        assert layer.census == whole.census
        assert _said(layer) == _said(whole)
        assert open_index(register, folder / "i") == layer


@pytest.fixture
def earlier(tmp_path: Path) -> World:
    """A world whose index is at hand below `tmp_path`; one person in it must not be disclosed."""
    world = _world(3)
    world.rows["restrictions"].append((1004, "informant", "2020-01-01"))
    build(open_register(world.write(tmp_path / "r0")), tmp_path / "i", memory="1GB", today=AS_OF)
    return world


def _build(world: World, folder: Path, index: str = "i") -> Index:
    return build(open_register(world.write(folder / "r1")), folder / index, memory="1GB", today=AS_OF)


def test_only_the_changed_are_indexed_and_filings_and_restrictions_change_nobody(
    earlier: World, tmp_path: Path
) -> None:
    earlier.rows["filings"].append((1002, 2023))
    earlier.rows["restrictions"].append((1003, "informant", "2020-01-01"))
    key, tin, *name = earlier.rows["persons"][5]
    earlier.rows["persons"][5] = (key, tin, "NEWNAME", *name[1:])
    layer = _build(earlier, tmp_path)
    assert layer.changed == 1
    assert layer.census.restrictions == 2


def test_two_rows_that_are_alike_are_not_none(tmp_path: Path) -> None:
    world = _world(3)
    alike = (1001, "FORMERLY", "ANNA", None, None)
    world.rows["names"] += [alike, alike]
    _build(world, tmp_path)
    world.rows["names"] = [row for row in world.rows["names"] if row != alike]
    assert _build(world, tmp_path).changed == 1


def _exchange_tins(world: World) -> None:
    one, other = [at for at, row in enumerate(world.rows["persons"]) if row[1]][:12:11]
    rows = world.rows["persons"]
    rows[one], rows[other] = (
        (*rows[one][:1], rows[other][1], *rows[one][2:]),
        (*rows[other][:1], rows[one][1], *rows[other][2:]),
    )


def _lose_a_tin(world: World) -> None:
    at = next(at for at, row in enumerate(world.rows["persons"]) if row[1])
    world.rows["persons"][at] = (world.rows["persons"][at][0], None, *world.rows["persons"][at][2:])


def _come_with_filings_that_were_nobodys(world: World) -> None:
    world._add(7001, Person("SMITH", "NEW", homes=()))


def _leave_filings_behind(world: World) -> None:
    _leave(world, 1002)


def _neighbours_change(world: World) -> None:
    for at in (8, 9, 10):
        row = world.rows["persons"][at]
        world.rows["persons"][at] = (*row[:2], "NEIGHBOUR", *row[3:])


CHANGES = [
    (_exchange_tins, 2), (_lose_a_tin, 1), (_come_with_filings_that_were_nobodys, 1), (_leave_filings_behind, 1),
    (_neighbours_change, 8),
]  # fmt: skip


@pytest.mark.parametrize(("change", "changed"), CHANGES)
def test_census_and_contract_of_a_layer_are_those_of_the_whole(tmp_path: Path, change: Any, changed: int) -> None:
    world = _world(3)
    world.rows["filings"] += [(7001, 2019), (1002, 2019), (8001, 2019)]
    _build(world, tmp_path)
    change(world)
    layer, whole = _build(world, tmp_path), _build(world, tmp_path, "whole")
    assert (layer.changed, whole.changed) == (changed, None)
    assert layer.census == whole.census
    assert _said(layer) == _said(whole)


def test_where_much_changed_all_is_indexed_again(earlier: World, tmp_path: Path) -> None:
    earlier.rows["persons"] = [(*row[:6], "1970-01-01") for row in earlier.rows["persons"]]
    assert _build(earlier, tmp_path).changed is None


def test_another_register_is_not_laid_over_this_one(earlier: World, tmp_path: Path) -> None:
    assert _build(_world(4), tmp_path).changed is None


def test_a_base_checked_on_a_later_day_is_not_built_upon(earlier: World, tmp_path: Path) -> None:
    _change(earlier, _chance(1))
    register = open_register(earlier.write(tmp_path / "r1"))
    day_before = AS_OF.replace(day=AS_OF.day - 1)
    assert build(register, tmp_path / "i", memory="1GB", today=day_before).changed is None


def test_an_index_made_with_another_table_of_zip_codes_is_not_used(
    earlier: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = open_register(earlier.write(tmp_path / "r1"))
    open_index(register, tmp_path / "i")
    monkeypatch.setattr(index.metadata, "version", lambda _: "0.1")
    index._rules.cache_clear()
    try:
        with pytest.raises(WrongInput, match="a different register or version"):
            open_index(register, tmp_path / "i")
        _change(earlier, _chance(1))
        assert _build(earlier, tmp_path).changed is None
    finally:
        index._rules.cache_clear()


def test_a_layer_outlives_its_base(earlier: World, tmp_path: Path) -> None:
    base = next((tmp_path / "i").iterdir())
    _neighbours_change(earlier)
    layer = _build(earlier, tmp_path)
    said = _said(layer)
    shutil.rmtree(base)
    assert _said(open_index(layer.register, tmp_path / "i")) == said


def _tin_of_an_unchanged_person(world: World) -> None:
    held = [row for row in world.rows["persons"] if row[1]]
    at = world.rows["persons"].index(held[1])
    world.rows["persons"][at] = (held[1][0], held[0][1], *held[1][2:])


def _second_last_known(world: World) -> None:
    row = next(row for row in world.rows["addresses"] if row[9])
    world.rows["addresses"].append((*row[:7], "2021-01-01", None, True))


def _person_gone_but_not_the_addresses(world: World) -> None:
    gone = world.rows["addresses"][0][0]
    world.rows["persons"] = [row for row in world.rows["persons"] if row[0] != gone]


def _restricted_person_gone(world: World) -> None:
    _leave(world, 1004)


def _restriction_of_nobody(world: World) -> None:
    world.rows["restrictions"].append((7777, "informant", "2020-01-01"))


def _id_missing(world: World) -> None:
    world.rows["persons"].append((None, None, "X", "Y", None, None, None))


def _address_without_an_id(world: World) -> None:
    world.rows["addresses"].append((None, "9 ELM ST", None, "BOISE", "ID", "83712", "US", "2021-01-01", None, True))


def _id_of_an_unchanged_person(world: World) -> None:
    world.rows["persons"].append((1010, None, "X", "Y", None, None, None))


SPOILT = {
    "shared by several persons": _tin_of_an_unchanged_person,
    "several last known": _second_last_known,
    "column person_id: 1 × ids of no known person .person_id 1": _person_gone_but_not_the_addresses,
    "restrictions.*ids of no known person": _restriction_of_nobody,
    "restrictions.*ids of no known person .person_id 1004": _restricted_person_gone,
    "missing ids": _id_missing,
    "addresses.*1 × ids of no known person": _address_without_an_id,
    "duplicate ids": _id_of_an_unchanged_person,
}


@pytest.mark.parametrize("what", SPOILT)
def test_the_contract_holds_of_the_whole_new_snapshot(earlier: World, tmp_path: Path, what: str) -> None:
    SPOILT[what](earlier)
    register = open_register(earlier.write(tmp_path / "r1"))
    before = sorted(path.name for path in (tmp_path / "i").iterdir())
    with pytest.raises(WrongInput, match=what) as layered:
        build(register, tmp_path / "i", memory="1GB", today=AS_OF)
    with pytest.raises(WrongInput) as whole:
        build(register, tmp_path / "other", memory="1GB", today=AS_OF)
    assert str(layered.value) == str(whole.value), "the same counts and examples"
    assert sorted(path.name for path in (tmp_path / "i").iterdir()) == before, "nothing half-made is left"


def test_a_crash_while_laying_leaves_no_half_index(
    earlier: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = copy.deepcopy(earlier)
    _change(later, _chance(5))
    before = sorted(path.name for path in (tmp_path / "i").iterdir())

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(contract, "count", stop)
        with pytest.raises(KeyboardInterrupt):
            _build(later, tmp_path)
    assert sorted(path.name for path in (tmp_path / "i").iterdir()) == before
    assert _build(later, tmp_path).changed is not None
