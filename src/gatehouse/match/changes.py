"""What changed in a register since an index was made of it, and the index of the new snapshot as a layer over the old.

A whole index keeps a print of each person: two hashes over all of their rows. Persons whose print differs are
read, checked and indexed again; of all others the base says what it said. A layer is always laid over a whole index,
never over another layer, and answers exactly as a whole index of the same snapshot would.
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
from gatehouse.match import contract
from gatehouse.match.register import TABLES, Register

MOST = 0.1
"""Above this share of changed persons the whole register is indexed again."""

_BASE = "base"
_KEYS = {"people": "person_id", "entries": "person_id", "name_counts": "name", "forms": "part, form"}
_ROWS = {
    table: [column for column in TABLES[table] if column != "person_id"] for table in ("persons", "names", "addresses")
}
"""What an index or the contract depends on by person; filings and restrictions are read where they are."""
_LONG = ("last_name", "line1")


@dataclass(frozen=True)
class Base:
    """A whole index of an earlier snapshot, made by the same rules."""

    folder: Path
    persons: int
    checked_on: dt.date

    def read(self, table: str) -> str:
        """A table of the index as a SQL relation."""
        return _read(self.folder, table)


def base_below(folder: Path, marks: Mapping[str, str]) -> Base | None:
    """The latest whole index below a folder whose description bears the same `marks` (format, engine, rules)."""
    described = sorted(folder.glob("[!.]*/index.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in described:
        try:
            said = json.loads(path.read_text())
            if said["changed"] is None and all(said[mark] == value for mark, value in marks.items()):
                return Base(path.parent, said["persons"], dt.date.fromisoformat(said["checked_on"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def prints(register: Register) -> str:
    """A query of `person_id`, `one` and `other`: two hashes over all rows of each person, in whatever order they stand.

    A change goes unseen only if both stay the same. One text in a million, changed by a letter, keeps its hash; the
    second reads the long texts from their ends, and is as likely to miss another one in a million. A sum beside the
    exclusive or tells two rows that are alike from none.
    """
    rows = []
    for table, columns in _ROWS.items():
        turned = ", ".join(f"reverse({column})" if column in _LONG else column for column in columns)
        rows.append(
            f"SELECT person_id, hash({', '.join(columns)}, '{table}') AS one, hash('{table}', {turned}) AS other "
            f"FROM {register.relation(table)}"
        )
    return (
        "SELECT person_id::BIGINT AS person_id, bit_xor(one) AS one, hash(sum(other)) AS other "
        f"FROM ({' UNION ALL '.join(rows)}) GROUP BY person_id"
    )


class Part:
    """The rows of the changed persons, as tables of the connection: a register of its own to whoever makes an index."""

    def relation(self, table: str) -> str:
        """One of `persons`, `names`, `addresses`."""
        return f"changed_{table}"


def find(connection: duckdb.DuckDBPyConnection, register: Register, base: Base, today: dt.date) -> Part | None:
    """Take out the rows of the persons that differ from the base and check the contract of the whole with them.

    Makes `changed_people`, `changed_persons`, `changed_names` and `changed_addresses`. None where too much changed, or
    where the base was checked on a later day than this. Raises CustodianFault as `contract.check` does.
    """
    persons = _number(connection, f"SELECT count(*) FROM {register.relation('persons')}")
    most = MOST * max(base.persons, 1)
    if abs(persons - base.persons) > most or today < base.checked_on:
        return None
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE changed_people AS SELECT person_id FROM ({prints(register)}) n "
        f"FULL JOIN {base.read('prints')} o USING (person_id) "
        "WHERE n.one IS DISTINCT FROM o.one OR n.other IS DISTINCT FROM o.other"
    )
    if _number(connection, "SELECT count(*) FROM changed_people") > most:
        drop(connection)
        return None
    for table in _ROWS:
        rows = register.relation(table)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE changed_{table} AS SELECT * FROM {rows} held "
            f"SEMI JOIN changed_people changed USING (person_id) UNION ALL SELECT * FROM {rows} WHERE person_id IS NULL"
        )
    part = Part()
    contract.examine(connection, register.address, _rows(register, base, part), today)
    return part


def _rows(register: Register, base: Base, part: Part) -> contract.Rows:
    """What must hold of the new snapshot, given that all of it held of the base."""
    persons, restrictions = register.relation("persons"), register.relation("restrictions")
    kept = (
        f"SELECT person_id, printf('%09d', tin) AS tin FROM {base.read('people')} WHERE NOT other "
        f"AND tin IN (SELECT try_cast(tin AS UINTEGER) FROM {part.relation('persons')}) "
        "AND person_id NOT IN (SELECT person_id FROM changed_people WHERE person_id IS NOT NULL)"
    )
    return contract.Rows(
        persons=part.relation("persons"),
        names=part.relation("names"),
        addresses=part.relation("addresses"),
        restrictions=restrictions,
        tins=f"(SELECT person_id, tin FROM {part.relation('persons')} UNION ALL {kept})",
        people=f"(SELECT person_id FROM {persons} WHERE person_id IN (SELECT person_id FROM {restrictions}))",
    )


def recounted(keys: str, counts: str, before: str, after: str) -> str:
    """A query of the counts that are others now: `counts` as they stood, less those `before`, and those `after`.

    All three are relations of `keys` and `persons`. A count that fell to nothing is given as 0.
    """
    return (
        f"SELECT {keys}, (coalesce(c.persons, 0) + moved.persons)::BIGINT AS persons FROM (SELECT {keys}, "
        f"sum(persons) AS persons FROM (SELECT {keys}, persons FROM ({after}) UNION ALL SELECT {keys}, -persons FROM "
        f"({before})) GROUP BY {keys} HAVING sum(persons) <> 0) moved LEFT JOIN {counts} c USING ({keys})"
    )


def people_before(base: Base) -> str:
    """The changed persons as the base has them: a query with the columns of `people`."""
    return f"SELECT * FROM {base.read('people')} held SEMI JOIN changed_people changed USING (person_id)"


def lay(connection: duckdb.DuckDBPyConnection, base: Base, folder: Path) -> None:
    """Put the base beneath an index in the making, without copying it, and say who was taken out of it."""
    beneath = folder / _BASE
    beneath.mkdir()
    for table in base.folder.glob("*.parquet"):
        if table.stem != "prints":
            _link(table, beneath / table.name)
    connection.execute(
        "COPY (SELECT person_id FROM changed_people WHERE person_id IS NOT NULL ORDER BY person_id) "
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
    for table in ("people", *_ROWS):
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
