"""The custodian's register: tables that are read and never written, whose shape is checked when they are opened.

A register is a folder of Parquet files of the public contract, or the same names as tables or views in PostgreSQL, of
which a snapshot is taken, whole or of some persons. Opening checks that every table and column is there;
`gatehouse.match.contract` checks what stands in them, once for each snapshot, when an index is built.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.intake.workspace import open_workspace, quoted
from gatehouse.kernel import digests, scratch
from gatehouse.kernel.errors import CustodianFault
from gatehouse.kernel.postgres import is_address, name_of
from gatehouse.match import postgres

_TEXT = ("VARCHAR",)
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_DATE = ("DATE",)
_NAME = {"last_name": _TEXT, "first_name": _TEXT, "middle_name": _TEXT, "suffix": _TEXT}

TABLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "persons": {"person_id": _WHOLE, "tin": _TEXT, **_NAME, "birth_date": _DATE},
    "names": {"person_id": _WHOLE, **_NAME},
    "addresses": {
        "person_id": _WHOLE, "line1": _TEXT, "line2": _TEXT, "city": _TEXT, "state": _TEXT, "postal_code": _TEXT,
        "country": _TEXT, "valid_from": _DATE, "valid_to": _DATE, "last_known": ("BOOLEAN",),
    },
    "filings": {"person_id": _WHOLE, "tax_year": _WHOLE},
    "restrictions": {"person_id": _WHOLE, "kind": _TEXT, "determined_on": _DATE},
}  # fmt: skip
"""The register contract: tables, their columns, and the types each may have."""

OPTIONAL = frozenset({"names", "filings"})
ADDRESS = ("line1", "line2", "city", "state", "postal_code", "country")


@dataclass(frozen=True)
class Register:
    """One snapshot of a register: where it came from, and the Parquet file of each table that it has."""

    address: str
    tables: Mapping[str, Path]
    held: object = None
    """What keeps a temporary snapshot on disk for as long as the register is in use."""

    def has(self, table: str) -> bool:
        """Whether the register has an optional table."""
        return table in self.tables

    def relation(self, table: str) -> str:
        """The table as a SQL relation; an optional table that is absent has no rows."""
        if table in self.tables:
            return f"read_parquet({quoted(self.tables[table])})"
        columns = ", ".join(f"NULL::{types[-1]} AS {name}" for name, types in TABLES[table].items())
        return f"(SELECT {columns} WHERE false)"

    @functools.cached_property
    def files(self) -> Mapping[str, str]:
        """SHA-256 of the file of each table that the snapshot has."""
        with ThreadPoolExecutor() as pool:
            return dict(zip(self.tables, pool.map(digests.of_file, self.tables.values()), strict=True))

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 over the files of the snapshot, as `sha256sum` lines; it names the snapshot everywhere."""
        return digests.of_listing({self.tables[table].name: digest for table, digest in self.files.items()})

    def last_known(self, connection: duckdb.DuckDBPyConnection, persons: str, target: str) -> None:
        """Make `target` (person_id, line1, line2, city, state, postal_code, country, valid_from) for some persons.

        `persons` is a table with a column `person_id`; the answer has the one address of each that is marked
        `last_known`, and no row for a person without one.
        """
        columns = ", ".join(f"a.{column}" for column in (*ADDRESS, "valid_from"))
        connection.execute(
            f"CREATE OR REPLACE TABLE {target} AS SELECT a.person_id::BIGINT AS person_id, {columns} "
            f"FROM {self.relation('addresses')} a "
            f"WHERE a.last_known AND a.person_id IN (SELECT person_id FROM {persons})"
        )


def open_register(address: str | Path) -> Register:
    """Open a register, a folder or a PostgreSQL address, and check its shape; the contract of rows comes later.

    Of a database a snapshot of one instant is taken, which lies on disk for as long as somebody holds the register:
    bind it to a name that outlives every query of it. Raises CustodianFault when a table or column is missing or has
    another type, with the remedy; a register without `restrictions.parquet` is refused, because then (i)(6) was never
    determined. Raises MachineFailed when a database cannot be read.
    """
    return _snapshot(str(address)) if is_address(str(address)) else _open_folder(Path(address))


def open_excerpt(address: str | Path, persons: Collection[int]) -> Register:
    """Open a register to read, as it stands at this instant, what it says of some persons; raises as `open_register`.

    A database is asked for their rows alone, so that a release of a few cases does not copy the whole register. The
    excerpt of a folder is the folder: it holds other persons too, so every query still names those that it is about.
    """
    return _snapshot(str(address), persons) if is_address(str(address)) else _open_folder(Path(address))


def reachable(address: str) -> bool:
    """Whether a register is there at all: cheap enough to ask every few seconds, and no check of its contract."""
    if is_address(address):
        return postgres.answers(address)
    return (Path(address) / "persons.parquet").is_file()


def _snapshot(address: str, persons: Collection[int] | None = None) -> Register:
    held = scratch.take()  # persons on file: swept by the next process if this one is killed
    folder = held.path
    asked = {name: {column: types[-1] for column, types in columns.items()} for name, columns in TABLES.items()}
    postgres.take_snapshot(address, folder, asked, OPTIONAL, persons=persons)
    return Register(name_of(address), _open_folder(folder).tables, held)


def _open_folder(folder: Path) -> Register:
    if not folder.is_dir():
        raise CustodianFault(
            "there is no register here", where=str(folder), remedy="Name a folder that holds persons.parquet"
        )
    tables = {name: path for name in TABLES if (path := folder / f"{name}.parquet").is_file()}
    for name in TABLES:
        if name not in tables and name not in OPTIONAL:
            raise _missing(folder, name)
    with open_workspace("1GB", threads=2) as connection:
        for name, path in tables.items():
            _check_shape(connection, name, path)
    return Register(str(folder), tables)


def _missing(folder: Path, table: str) -> CustodianFault:
    where = str(folder / f"{table}.parquet")
    if table == "restrictions":
        return CustodianFault(
            "the file that lists the persons who must not be disclosed under section 6103(i)(6) is missing",
            where=where,
            remedy="Determine them and add the file. An empty file states that there are none",
        )
    return CustodianFault(
        "the file is missing", where=where, remedy="Add it; see the register contract in docs/register.md"
    )


def _check_shape(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quoted(path)})").fetchall()
    except duckdb.Error:
        raise CustodianFault("this is not a Parquet file", where=str(path), remedy="Write it again") from None
    found = {row[0]: row[1] for row in described}
    for column, types in TABLES[table].items():
        if column not in found:
            raise CustodianFault(f"column {column} is missing", where=str(path), remedy="Add it, with NULLs if unknown")
        if found[column] not in types and not _all_null(found[column]):
            raise CustodianFault(
                f"column {column} is {found[column]}", where=str(path), remedy=f"Write it as {types[-1]}"
            )


def _all_null(type_name: str) -> bool:
    return type_name in {"NULL", '"NULL"'}
