"""What changed in a register since an index was made of it, and the index of the new snapshot as a layer over the old.

A whole index keeps prints of its persons (`gatehouse.match.prints`). Persons whose rows differ by them are checked and
indexed again; of all others the base says what it said. A layer is always laid over a whole index, never over another
layer, and answers exactly as a whole index of the same snapshot would.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.intake.workspace import quoted
from gatehouse.match import contract, prints
from gatehouse.match.register import Register

MOST = 0.1
"""Above this share of changed persons the whole register is indexed again."""

ZIP_CITIES = "zip_cities.parquet"
"""In a whole index, the table by which addresses were read: a layer begins sooner by it."""

_BASE = "base"
_BEFORE = "(SELECT * FROM changed_before WHERE NOT other)"
_COME = f"SELECT person_id FROM changed_persons ANTI JOIN {_BEFORE} b USING (person_id)"
_GONE = f"SELECT person_id FROM {_BEFORE} b ANTI JOIN changed_persons USING (person_id)"
_KEYS = {"people": "person_id", "entries": "person_id", "name_counts": "name", "forms": "part, form"}


@dataclass(frozen=True)
class Base:
    """A whole index of an earlier snapshot, made by the same rules."""

    folder: Path
    census: contract.Census
    checked_on: dt.date
    files: Mapping[str, str]
    """The digest of each table's file, as it was."""

    def read(self, table: str) -> str:
        """A table of the index as a SQL relation."""
        return _read(self.folder, table)


def base_below(folder: Path, marks: Mapping[str, str]) -> Base | None:
    """The latest whole index below a folder whose description bears the same `marks` of what made it."""
    described = sorted(folder.glob("[!.]*/index.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in described:
        try:
            said = json.loads(path.read_text())
            if said["changed"] is None and all(said[mark] == value for mark, value in marks.items()):
                census = contract.Census.of(said)
                return Base(path.parent, census, dt.date.fromisoformat(said["checked_on"]), said["files"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


class Part:
    """The rows of the changed persons, as tables of the connection: a register of its own to whoever makes an index."""

    def relation(self, table: str) -> str:
        """One of `persons`, `names`, `addresses`."""
        return f"changed_{table}"


def find(connection: duckdb.DuckDBPyConnection, register: Register, base: Base, today: dt.date) -> Part | None:
    """Take out the rows of the persons that differ from the base and check the contract of the whole with them.

    Makes `changed_people`, `changed_persons`, `changed_names` and `changed_addresses`, and `changed_before`: the same
    people as the base has them. None where too much changed, or where the base was checked on a later day than this.
    Raises CustodianFault as `contract.check` does.
    """
    persons = _number(connection, f"SELECT count(*) FROM {register.relation('persons')}")
    most = MOST * max(base.census.persons, 1)
    if abs(persons - base.census.persons) > most or today < base.checked_on:
        return None
    connection.execute(f"SET perfect_ht_threshold = {prints.places(persons)}")
    changed = prints.changed(register, base.read("prints"))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE changed_people AS {changed}")
    connection.execute("RESET perfect_ht_threshold")
    if _number(connection, "SELECT count(*) FROM changed_people") > most:
        drop(connection)
        return None
    for table in prints.COLUMNS:
        rows = register.relation(table)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE changed_{table} AS SELECT * FROM {rows} WHERE person_id IN "
            f"(SELECT person_id FROM changed_people) UNION ALL SELECT * FROM {rows} WHERE person_id IS NULL"
        )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE changed_before AS SELECT person_id, last_key, first_key, tin, other "
        f"FROM {base.read('people')} WHERE person_id IN (SELECT person_id FROM changed_people)"
    )
    part = Part()
    contract.examine(connection, register.address, _rows(register, base, part), today)
    return part


def _rows(register: Register, base: Base, part: Part) -> contract.Rows:
    """What must hold of the new snapshot, given that all of it held of the base."""
    persons, restrictions = register.relation("persons"), register.relation("restrictions")
    # Nobody who stayed as they were holds a TIN that one of the others had before.
    new = (
        f"SELECT try_cast(tin AS UINTEGER) FROM {part.relation('persons')} "
        "EXCEPT SELECT tin FROM changed_before WHERE NOT other"
    )
    kept = (
        f"SELECT person_id, printf('%09d', tin) AS tin FROM {base.read('people')} WHERE NOT other "
        f"AND tin IN ({new}) AND person_id NOT IN (SELECT person_id FROM changed_people)"
    )
    people = f"SELECT person_id FROM {persons} WHERE person_id IN (SELECT person_id FROM {restrictions})"
    if register.files["restrictions"] == base.files.get("restrictions"):  # all were somebody's, who may have gone
        people = f"SELECT person_id FROM {restrictions} ANTI JOIN ({_GONE}) _ USING (person_id)"
    return contract.Rows(
        persons=part.relation("persons"),
        names=part.relation("names"),
        addresses=part.relation("addresses"),
        restrictions=restrictions,
        tins=f"(SELECT person_id, tin FROM {part.relation('persons')} UNION ALL {kept})",
        people=f"({people})",
    )


def known(connection: duckdb.DuckDBPyConnection, register: Register, base: Base) -> dict[str, int]:
    """What of the census follows from the base's and from what changed; `filings_of_nobody` only if no filing did."""
    lacking = "SELECT count(*) FROM {0} WHERE tin IS NULL"
    now, before = (_number(connection, lacking.format(of)) for of in ("changed_persons", _BEFORE))
    counts = {"persons_without_tin": base.census.persons_without_tin + now - before}
    if register.files.get("filings") == base.files.get("filings"):
        filed = f"SELECT count(*) FROM {register.relation('filings')} SEMI JOIN ({{0}}) _ USING (person_id)"
        come, gone = (_number(connection, filed.format(of)) for of in (_COME, _GONE))
        counts["filings_of_nobody"] = base.census.filings_of_nobody - come + gone
    return counts


def recounted(keys: str, counts: str, before: str, after: str) -> str:
    """A query of the counts that are others now: `counts` as they stood, less those `before`, and those `after`.

    All three are relations of `keys` and `persons`. A count that fell to nothing is given as 0.
    """
    return (
        f"SELECT {keys}, (coalesce(c.persons, 0) + moved.persons)::BIGINT AS persons FROM (SELECT {keys}, "
        f"sum(persons) AS persons FROM (SELECT {keys}, persons FROM ({after}) UNION ALL SELECT {keys}, -persons FROM "
        f"({before})) GROUP BY {keys} HAVING sum(persons) <> 0) moved LEFT JOIN {counts} c USING ({keys})"
    )


def lay(connection: duckdb.DuckDBPyConnection, base: Base, folder: Path) -> None:
    """Put the base beneath an index in the making, without copying it, and say who was taken out of it."""
    beneath = folder / _BASE
    beneath.mkdir()
    for table in base.folder.glob("*.parquet"):
        if table.name not in ("prints.parquet", ZIP_CITIES):
            _link(table, beneath / table.name)
    connection.execute(
        "COPY (SELECT person_id FROM changed_people ORDER BY person_id) "
        f"TO {quoted(beneath / 'replaced.parquet')} (FORMAT parquet)"
    )


def relation(folder: Path, table: str) -> str:
    """A table of the index in a folder as a SQL relation: of a layer, what it says and what the base still says."""
    own, beneath = _read(folder, table), folder / _BASE
    if not beneath.is_dir():
        return own
    if table not in _KEYS:  # a place or town that nobody lives in any more is never met
        return f"(SELECT * FROM {_read(beneath, table)} UNION ALL SELECT * FROM {own})"
    counted = table in ("name_counts", "forms")
    replaced = own if counted else _read(beneath, "replaced")
    kept = f"SELECT * FROM {_read(beneath, table)} said ANTI JOIN {replaced} replaced USING ({_KEYS[table]})"
    return f"({kept} UNION ALL SELECT * FROM {own}{' WHERE persons > 0' if counted else ''})"


def drop(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what `find` made."""
    for table in ("people", "before", *prints.COLUMNS):
        connection.execute(f"DROP TABLE IF EXISTS changed_{table}")


def _read(folder: Path, table: str) -> str:
    return f"read_parquet({quoted(folder / f'{table}*.parquet')})"


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always has one row
    return int(row[0])
