"""What must hold of the rows of a register before anybody is matched to it, each fault with counts and examples by id.

A register that breaks its contract is refused whole: a person with two last known addresses, an address of nobody, an
impossible date or a TIN held twice would each make some later answer a guess. What is merely unusual is counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from gatehouse.kernel.errors import CustodianFault
from gatehouse.match.register import Register

_EXAMPLES = 3


@dataclass(frozen=True)
class Census:
    """What a register holds: rows by table, and what is unusual but harmless."""

    persons: int
    addresses: int
    names: int
    restrictions: int
    persons_without_address: int
    persons_without_tin: int
    persons_without_birth_date: int
    filings_of_nobody: int
    """Years filed by ids that no person has: no request can meet them."""

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Census:
        """The census among what the description of an index says. Raises KeyError where it lacks one."""
        return cls(**{name: said[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Fault:
    """One way in which a register breaks its contract: a query of the ids at fault, and what to do."""

    table: str
    column: str
    what: str
    query: str


@dataclass(frozen=True)
class Rows:
    """The rows under examination, each as a SQL relation: all of a register, or those of some of its persons."""

    persons: str
    names: str
    addresses: str
    restrictions: str
    tins: str
    """`person_id` and `tin` of everybody among whom no TIN may occur twice."""
    people: str
    """`person_id` of everybody of whom a restriction may speak."""

    @classmethod
    def of(cls, register: Register) -> Rows:
        """All rows of a register."""
        persons, names, addresses, restrictions = (
            register.relation(table) for table in ("persons", "names", "addresses", "restrictions")
        )
        return cls(persons, names, addresses, restrictions, tins=persons, people="register_people")


def check(connection: duckdb.DuckDBPyConnection, register: Register, today: dt.date) -> Census:
    """Check the rows of a register and count them.

    Raises CustodianFault naming the first fault of each kind with its count and up to three person ids, and the remedy.
    """
    examine(connection, register.address, Rows.of(register), today)
    return count(connection, register)


def examine(connection: duckdb.DuckDBPyConnection, where: str, rows: Rows, today: dt.date) -> None:
    """Check some rows of the register at `where`. Raises CustodianFault as `check` does."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE register_people AS SELECT person_id::BIGINT AS person_id FROM {rows.persons}"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE register_homes AS SELECT person_id::BIGINT AS person_id, "
        f"count(*) FILTER (last_known) AS last_known FROM {rows.addresses} GROUP BY person_id"
    )
    found = [line for fault in _faults(rows, today) if (line := _describe(connection, fault))]
    if found:
        raise CustodianFault(
            "the register breaks its contract: " + "; ".join(found),
            where=where,
            remedy="Correct these rows and try again. Nothing was indexed",
        )
    connection.execute("DROP TABLE register_people")
    connection.execute("DROP TABLE register_homes")


def _faults(rows: Rows, today: dt.date) -> list[Fault]:
    dates = f"birth_date NOT BETWEEN DATE '1850-01-01' AND DATE '{today.isoformat()}'"
    spans = "valid_to < valid_from OR valid_from NOT BETWEEN DATE '1850-01-01' AND DATE '2199-12-31'"
    dangling = "NOT EXISTS (SELECT 1 FROM {0} known WHERE known.person_id = held.person_id)"
    of_nobody = dangling.format("register_people")
    return [
        Fault("persons", "person_id", "missing ids", f"SELECT person_id FROM {rows.persons} WHERE person_id IS NULL"),
        Fault("persons", "person_id", "duplicate ids",
              "SELECT person_id FROM register_people GROUP BY person_id HAVING count(*) > 1"),
        Fault("persons", "tin", "TINs that are not nine digits",
              f"SELECT person_id FROM {rows.persons} WHERE tin IS NOT NULL "
              "AND (length(tin) <> 9 OR translate(tin, '0123456789', '') <> '')"),
        Fault("persons", "tin", "TINs shared by several persons",
              f"SELECT min(person_id) AS person_id FROM {rows.tins} WHERE tin IS NOT NULL "
              "GROUP BY try_cast(tin AS UINTEGER) HAVING count(*) > 1"),
        Fault("persons", "birth_date", "impossible dates", f"SELECT person_id FROM {rows.persons} WHERE {dates}"),
        Fault("addresses", "last_known", "persons with several last known addresses",
              "SELECT person_id FROM register_homes WHERE last_known > 1"),
        Fault("addresses", "last_known", "persons with addresses, none of them last known",
              "SELECT person_id FROM register_homes WHERE last_known = 0"),
        Fault("addresses", "person_id", "ids of no known person",
              f"SELECT person_id FROM register_homes held WHERE {of_nobody}"),
        Fault("addresses", "valid_from", "impossible dates", f"SELECT person_id FROM {rows.addresses} WHERE {spans}"),
        Fault("names", "person_id", "ids of no known person", f"SELECT person_id FROM {rows.names} held WHERE "
        f"{of_nobody}"),
        Fault("restrictions", "person_id", "ids of no known person",
              f"SELECT person_id FROM {rows.restrictions} held WHERE {dangling.format(rows.people)}"),
        Fault("restrictions", "determined_on", "missing dates",
              f"SELECT person_id FROM {rows.restrictions} WHERE determined_on IS NULL"),
        Fault("restrictions", "kind", "kinds other than informant and impairment",
              f"SELECT person_id FROM {rows.restrictions} "
              "WHERE kind IS NULL OR kind NOT IN ('informant', 'impairment')"),
    ]  # fmt: skip


def _describe(connection: duckdb.DuckDBPyConnection, fault: Fault) -> str:
    counted = connection.execute(f"SELECT count(*) FROM ({fault.query})").fetchone()
    if counted is None or not counted[0]:
        return ""
    first = connection.execute(
        f"SELECT person_id FROM ({fault.query}) WHERE person_id IS NOT NULL ORDER BY person_id LIMIT {_EXAMPLES}"
    ).fetchall()
    examples = ", ".join(str(person) for (person,) in first)
    ids = f" (person_id {examples})" if examples else ""
    return f"{fault.table}.parquet, column {fault.column}: {counted[0]} × {fault.what}{ids}"


def count(connection: duckdb.DuckDBPyConnection, register: Register, known: Mapping[str, int] | None = None) -> Census:
    """The census of a register whose contract holds: whoever has an address has one that is the last known.

    What is `known` already, by name, is not counted again.
    """
    persons, names, addresses, restrictions, filings = (
        register.relation(table) for table in ("persons", "names", "addresses", "restrictions", "filings")
    )
    of_all = f"SELECT count(*) FROM {persons}"
    queries = {
        "persons": of_all,
        "addresses": f"SELECT count(*) FROM {addresses}",
        "names": f"SELECT count(*) FROM {names}",
        "restrictions": f"SELECT count(*) FROM {restrictions}",
        "persons_without_address": f"SELECT ({of_all}) - count(*) FROM {addresses} WHERE last_known",
        "persons_without_tin": f"SELECT count(*) FROM {persons} WHERE tin IS NULL",
        "persons_without_birth_date": f"SELECT count(*) FROM {persons} WHERE birth_date IS NULL",
        "filings_of_nobody": f"SELECT count(*) FROM {filings} ANTI JOIN {persons} USING (person_id)",
    }
    known = known or {}
    asked = {name: query for name, query in queries.items() if name not in known}
    row = connection.execute(f"SELECT {', '.join(f'({query})' for query in asked.values())}").fetchone()
    assert row is not None  # noqa: S101 - counts always have one row
    return Census(**known, **dict(zip(asked, row, strict=True)))
