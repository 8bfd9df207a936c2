"""A small register and the requests about it, made by hand: what the tests of the match room are written in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.intake.normalise import normalise
from gatehouse.intake.wire import COLUMNS
from gatehouse.match import build, match, open_register

AS_OF = dt.date(2025, 8, 7)
SIGNED = dt.date(2025, 6, 27)
TOWN = {"city": "BOISE", "state": "ID", "postal_code": "83712", "country": "US"}
NAMES = ("last_name", "first_name", "middle_name", "suffix")

_TYPES = {
    "persons": "person_id BIGINT, tin VARCHAR, last_name VARCHAR, first_name VARCHAR, middle_name VARCHAR, "
    "suffix VARCHAR, birth_date DATE",
    "names": "person_id BIGINT, last_name VARCHAR, first_name VARCHAR, middle_name VARCHAR, suffix VARCHAR",
    "addresses": "person_id BIGINT, line1 VARCHAR, line2 VARCHAR, city VARCHAR, state VARCHAR, postal_code VARCHAR, "
    "country VARCHAR, valid_from DATE, valid_to DATE, last_known BOOLEAN",
    "filings": "person_id BIGINT, tax_year SMALLINT",
    "restrictions": "person_id BIGINT, kind VARCHAR, determined_on DATE",
}


@dataclass(frozen=True)
class Person:
    """One person on file; `homes` are (line1, line2) pairs, the last known first, or whole address dictionaries."""

    last_name: str
    first_name: str
    middle_name: str | None = None
    suffix: str | None = None
    tin: str | None = None
    birth_date: str | None = None
    homes: tuple[Any, ...] = (("12 MAPLE ST", None),)
    others: tuple[tuple[str, str, str | None], ...] = ()
    years: tuple[int, ...] = ()
    restricted_on: str | None = None


@dataclass(frozen=True)
class Request:
    """One request; the address is 12 MAPLE ST in Boise unless it says otherwise."""

    last_name: str | None
    first_name: str | None
    middle_name: str | None = None
    suffix: str | None = None
    tin: str | None = None
    birth_date: str | None = None
    address_line1: str | None = "12 MAPLE ST"
    address_line2: str | None = None
    city: str | None = "BOISE"
    state: str | None = "ID"
    postal_code: str | None = "83712"
    country: str | None = None
    period_from: str | None = "2022-01-01"
    period_to: str | None = "2023-12-31"

    def but(self, **changed: Any) -> Request:
        return replace(self, **changed)


@dataclass
class World:
    """Persons numbered from 1001 in their order, and the tables made of them."""

    persons: list[Person]
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = {table: [] for table in _TYPES}
        for number, person in enumerate(self.persons):
            self._add(1001 + number, person)

    def _add(self, key: int, p: Person) -> None:
        name = (p.last_name, p.first_name, p.middle_name, p.suffix)
        self.rows["persons"].append((key, p.tin, *name, p.birth_date))
        self.rows["names"] += [(key, *other, None) for other in p.others]
        for place, home in enumerate(p.homes):
            full = home if isinstance(home, dict) else {"line1": home[0], "line2": home[1], **TOWN}
            dates = (f"20{20 - place}-01-01", None if place == 0 else f"20{20 - place}-12-31")
            columns = ("line1", "line2", "city", "state", "postal_code", "country")
            self.rows["addresses"].append((key, *(full.get(c) for c in columns), *dates, place == 0))
        self.rows["filings"] += [(key, year) for year in p.years]
        if p.restricted_on:
            self.rows["restrictions"].append((key, "informant", p.restricted_on))

    def write(self, folder: Path, *, without: tuple[str, ...] = ()) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as db:
            for table, columns in _TYPES.items():
                if table in without:
                    continue
                db.execute(f"CREATE TABLE {table} ({columns})")
                if self.rows[table]:
                    marks = ", ".join("?" for _ in self.rows[table][0])
                    db.executemany(f"INSERT INTO {table} VALUES ({marks})", self.rows[table])
                db.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
        return folder


def load_requests(db: duckdb.DuckDBPyConnection, requests: list[Request]) -> None:
    """Make the table `requests` through intake, as a submission would."""
    db.execute(f"CREATE OR REPLACE TABLE wire ({', '.join(f'{column} VARCHAR' for column in COLUMNS)})")
    rows = []
    for number, request in enumerate(requests):
        given = {"request_id": f"R{number}", **vars(request)}
        rows.append([given.get(column) for column in COLUMNS])
    db.executemany(f"INSERT INTO wire VALUES ({', '.join('?' for _ in COLUMNS)})", rows)
    normalise(db, "wire", "requests", SIGNED)


def resolve(folder: Path, persons: list[Person], requests: list[Request]) -> tuple[list[dict], list[dict]]:
    """Build, match, and give the rows of `matches` and `evidence` as dictionaries."""
    register = open_register(World(persons).write(folder / "register"))
    index = build(register, folder / "index", memory="1GB", today=AS_OF)
    with duckdb.connect() as db:
        load_requests(db, requests)
        match(db, "requests", index, as_of=AS_OF)
        return rows_of(db, "SELECT * FROM matches ORDER BY seq"), rows_of(
            db, "SELECT * FROM evidence ORDER BY seq, rank"
        )


def rows_of(db: duckdb.DuckDBPyConnection, query: str) -> list[dict]:
    answer = db.execute(query)
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
