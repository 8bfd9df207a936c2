"""The index: a register prepared once for matching, content-addressed by the snapshot that it was made from.

Four Parquet files. `entries`, one row for each person, name and address on file, holds only fixed-width keys and is
what a batch streams past; `people`, `places` and `forms` hold the folded texts that are read for the few rows whose
keys met. An index of another register, another version of it or another version of these rules is never used.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import shutil
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import duckdb

from gatehouse.intake import addresses, names
from gatehouse.intake.workspace import quoted
from gatehouse.kernel import clock, digests, files, ids
from gatehouse.kernel.errors import CustodianFault
from gatehouse.kernel.progress import Progress, silent
from gatehouse.match import changes, contract, keys, prints
from gatehouse.match.engine import Engine, OwnEngine, Reader
from gatehouse.match.register import ADDRESS, Register

FORMAT = "gatehouse-index/2"
_STAGES = ("contract", "people", "names", "places", "entries", "towns", "prints")

_PARTS = ("last", "first", "middle")
_SPELT = " ".join(
    f"LEFT JOIN spellings {part} ON {part}.field = n.{column}"
    for part, column in [*((part, f"{part}_name") for part in _PARTS), ("own", "suffix")]
)
# The same keys as `names.name_keys`: a suffix in its own column speaks first, else the one that a name ends in.
_KEYS = (
    ", ".join(f"{part}.key AS {part}_key" for part in _PARTS) + ", CASE WHEN own.speaks THEN own.generation "
    "ELSE coalesce(last.suffix, first.suffix, middle.suffix) END AS suffix_key"
)
_ADDRESS_COLUMNS = ("address_line1", "address_line2", "city", "state", "postal_code", "country")


@dataclass(frozen=True)
class Index:
    """A finished index: the register it serves, its folder, and the facts written when it was made."""

    register: Register
    folder: Path
    census: contract.Census
    changed: int | None = None
    """How many persons were indexed anew over an earlier index; None where all were."""

    def relation(self, table: str) -> str:
        """One of `entries`, `people`, `places`, `forms`, `name_counts`, `towns` as a SQL relation."""
        return changes.relation(self.folder, table)


def build(
    register: Register,
    folder: Path,
    *,
    memory: str = "4GB",
    progress: Progress = silent,
    today: dt.date | None = None,
    engine: Engine | None = None,
) -> Index:
    """Make the index of a register's snapshot below `folder`, or use the one that is there already.

    Where an index of an earlier snapshot is there and little changed since, only the changed persons are indexed. The
    register's contract is checked first; CustodianFault says what breaks it. A crash leaves no index, never half of
    one. `memory` bounds the working set; what exceeds it is spilled beside the index. An `engine` other than this
    process's own DuckDB makes an index of its own, which only that engine reads.
    """
    engine = OwnEngine(memory) if engine is None else engine
    target = folder / _name(register, engine.version)
    if (target / "index.json").is_file():
        return open_index(register, folder, engine.version)
    working = folder / ids.fresh(".building")
    working.mkdir(parents=True)
    today = today or clock.today()
    marks = _marks(engine.version)
    layers = isinstance(engine, OwnEngine)
    base = changes.base_below(folder, marks) if layers else None
    try:
        with engine.open(working / "spill") as (connection, reader):
            steps = _Steps(connection, register, working, progress, reader, layers)
            census, changed = steps.run(today, base)
        said = {**marks, "register": register.digest, "checked_on": today.isoformat(), "changed": changed}
        described = said | asdict(census) | {"files": dict(register.files)}
        files.write(working / "index.json", (json.dumps(described, indent=2) + "\n").encode())
        shutil.rmtree(working / "spill", ignore_errors=True)
        for made in working.rglob("*"):
            _sync(made)
        working.rename(target)
        files.sync_folder(folder)
    finally:
        shutil.rmtree(working, ignore_errors=True)
    return Index(register, target, census, changed)


def _marks(engine: str) -> dict[str, str]:
    """What an index must have been made by, to be read or built upon."""
    return {"format": FORMAT, "engine": engine, "rules": _rules()}


def open_index(register: Register, folder: Path, engine: str = OwnEngine.version) -> Index:
    """Open the index of exactly this snapshot of this register.

    Raises CustodianFault when `folder` has none: it was made from another register, from another version of it, or by
    another version of Gatehouse.
    """
    target = folder / _name(register, engine)
    try:
        described = json.loads((target / "index.json").read_text())
        census = contract.Census.of(described)
        current = {name: described[name] for name in ("format", "engine", "rules", "register")}
        changed = described["changed"]
    except (OSError, ValueError, KeyError, TypeError):
        current = None
    if current is None or current != _marks(engine) | {"register": register.digest}:
        raise CustodianFault(
            "the index is out of date: it was made from a different register or version",
            where=str(folder),
            remedy="Build the index for this register again",
        )
    return Index(register, target, census, changed)


def _name(register: Register, engine: str) -> str:
    """The folder of an index: the digest of all it depends on, the register, the rules and the hash function."""
    return digests.of_bytes(f"{FORMAT}\n{engine}\n{_rules()}\n{register.digest}\n".encode())[:32]


@functools.cache
def _rules() -> str:
    """A digest of what folds names and reads addresses: an index of other rules would miss in silence."""
    intake, room = Path(names.__file__).parent, Path(__file__).parent
    code = [*intake.glob("addresses/*.py"), *intake.glob("addresses/data/*"), intake / "names.py"]
    own = [room / f"{name}.py" for name in ("keys", "index", "changes", "contract", "prints")]
    table = f"zipcodes {metadata.version('zipcodes')}\n"
    return digests.of_bytes((digests.of_files(intake.parent, [*code, *own]) + table).encode())


def _sync(path: Path) -> None:
    if path.is_dir():
        files.sync_folder(path)
        return
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


@dataclass(frozen=True)
class _Steps:
    """The making of one index, table by table; each step leaves one file and drops what it needed."""

    connection: duckdb.DuckDBPyConnection
    register: Register
    out: Path
    progress: Progress
    reader: Reader
    layers: bool
    """Whether later snapshots may be laid over what is made."""

    def run(self, today: dt.date, base: changes.Base | None) -> tuple[contract.Census, int | None]:
        """Make all tables, or those of a layer over `base`; gives the census and how many persons a layer has."""
        self._tell("contract")
        part = changes.find(self.connection, self.register, base, today) if base else None
        if base and part:
            return self._layer(base, part)
        census = contract.check(self.connection, self.register, today)
        self._people(self.register)
        self._tell("names")
        people = self._read("people")
        self._write("name_counts", _name_counts(people))
        self._write("forms", _forms(people))
        self._homes(self.register)
        self._tell("prints")
        if self.layers:
            addresses.keep_places(self.connection, self.out / changes.ZIP_CITIES)
            self.connection.execute(f"SET perfect_ht_threshold = {prints.places(census.persons)}")
            self._write("prints", prints.of(self.register))
        self.progress("index", len(_STAGES), len(_STAGES))
        return census, None

    def _layer(self, base: changes.Base, part: changes.Part) -> tuple[contract.Census, int]:
        changes.lay(self.connection, base, self.out)
        addresses.load_places(self.connection, base.folder / changes.ZIP_CITIES)
        self._people(part)
        self._tell("names")
        before, after = "changed_before", self._read("people")
        for table, keyed, counts in (("name_counts", "name", _name_counts), ("forms", "part, form", _forms)):
            self._write(table, changes.recounted(keyed, base.read(table), counts(before), counts(after)))
        last = self.connection.execute(f"SELECT max(written) FROM {base.read('places')}").fetchone()
        self._homes(part, after=(last and last[0]) or 0)
        known = changes.known(self.connection, self.register, base)
        census = contract.count(self.connection, self.register, known)
        counted = self.connection.execute(
            "SELECT count(*) FROM (SELECT person_id FROM changed_persons UNION SELECT person_id FROM changed_before)"
        ).fetchone()
        changes.drop(self.connection)
        self.progress("index", len(_STAGES), len(_STAGES))
        return census, counted[0] if counted else 0

    def _homes(self, rows: Register | changes.Part, after: int = 0) -> None:
        self._tell("places")
        self._places(rows, after)
        self._tell("entries")
        self._entries()
        self._tell("towns")
        self._towns()

    def _tell(self, stage: str) -> None:
        self.progress(stage, _STAGES.index(stage), len(_STAGES))

    def _write(self, table: str, query: str) -> None:
        self.connection.execute(
            f"COPY ({query}) TO {quoted(self.out / f'{table}.parquet')} "
            "(FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE 122880)"
        )

    def _read(self, table: str) -> str:
        return f"read_parquet({quoted(self.out / f'{table}*.parquet')})"

    def _people(self, rows: Register | changes.Part) -> None:
        """Every name on file of every person, folded; `other` marks those of the table of names."""
        self._tell("people")
        self._spellings(rows)
        own, also = rows.relation("persons"), rows.relation("names")
        birth_and_tin = f"SELECT person_id, birth_date, try_cast(tin AS UINTEGER) AS tin FROM {own}"
        self._write(
            "people",
            f"SELECT n.person_id::BIGINT AS person_id, {_KEYS}, birth_date, try_cast(tin AS UINTEGER) AS tin, "
            f"false AS other FROM {own} n {_SPELT} UNION ALL SELECT n.person_id::BIGINT, {_KEYS}, p.birth_date, p.tin, "
            f"true FROM {also} n JOIN ({birth_and_tin}) p USING (person_id) {_SPELT}",
        )
        self.connection.execute("DROP TABLE spellings")

    def _spellings(self, rows: Register | changes.Part) -> None:
        """Each distinct name field folded once: names repeat, so this costs a fraction of folding row by row."""
        fields = " UNION ".join(
            f"SELECT {field} AS field FROM {rows.relation(table)} WHERE {field} IS NOT NULL"
            for table in ("persons", "names")
            for field in ("last_name", "first_name", "middle_name", "suffix")
        )
        columns = (
            f"field, {names.surname('field')} AS key, {names.generation('NULL', 'field')} AS suffix, "
            f"regexp_matches(upper(field), '[A-Z0-9]') AS speaks, {names.generation('field')} AS generation"
        )
        self.reader.project("spellings", columns, fields)

    def _places(self, rows: Register | changes.Part, after: int) -> None:
        """Every distinct address as written, by its parts, numbered; numbers, unlike hashes, never coincide."""
        run = self.connection.execute
        columns = f"person_id::BIGINT AS person_id, last_known, {_text()} AS text"
        self.reader.view("homes", columns, f"SELECT * FROM {rows.relation('addresses')}")
        run(
            f"CREATE OR REPLACE TEMP TABLE writings AS SELECT ({after} + row_number() OVER ())::INTEGER AS written, "
            "text FROM (SELECT text FROM homes GROUP BY text)"
        )
        counted = run("SELECT count(*) FROM writings").fetchone()
        assert counted is not None  # noqa: S101 - an aggregate always has one row
        slices = max(1, -(-counted[0] // self.reader.at_once))
        parts = ", ".join(keys.PLACE_PARTS)
        town = keys.locality("zip5", "city_key", "state_key", "country_key")
        for number in range(slices):
            run(
                f"CREATE OR REPLACE TEMP TABLE writings_slice AS SELECT written, {_columns_of_text()} FROM writings "
                f"WHERE written % {slices} = {number}"
            )
            self.reader.standardise("writings_slice", "places_slice", "written")
            self._write(
                f"places-{number}", f"SELECT written, {parts}, {keys.place_key(town)} AS place FROM places_slice"
            )
        run("DROP TABLE writings_slice")
        run("DROP TABLE places_slice")

    def _entries(self) -> None:
        """Person x name x address, as keys alone."""
        block = keys.block_key("last_key", "first_key")
        self._write(
            "entries",
            "SELECT h.place, h.written, a.person_id, a.last_known, p.block, p.birth_date, p.tin FROM "
            "homes a JOIN writings w USING (text) "
            f"JOIN (SELECT written, place FROM {self._read('places')} WHERE place IS NOT NULL) h USING (written) "
            f"JOIN (SELECT DISTINCT person_id, {block} AS block, birth_date, tin FROM {self._read('people')}) p "
            "USING (person_id)",
        )
        self.connection.execute("DROP TABLE writings")

    def _towns(self) -> None:
        """Which ZIP codes each city has on file: an address without a ZIP code is looked for in all of them."""
        town = keys.locality("zip5", "city_key", "state_key", "country_key")
        self._write(
            "towns",
            f"SELECT DISTINCT country_key, state_key, city_key, {town} AS town FROM {self._read('places')} "
            "WHERE place IS NOT NULL AND city_key IS NOT NULL",
        )


def _name_counts(people: str) -> str:
    """How many persons bear each whole name, for `persons_name`."""
    return (
        "SELECT name, count(DISTINCT person_id)::INTEGER AS persons FROM "
        f"(SELECT {keys.name_key('last_key', 'first_key')} AS name, person_id FROM {people} "
        "WHERE last_key IS NOT NULL AND first_key IS NOT NULL) GROUP BY name"
    )


def _forms(people: str) -> str:
    """How many persons bear each single name, against typing errors."""
    return (
        f"SELECT 'last' AS part, {keys.compact('last_key')} AS form, count(*) AS persons FROM {people} "
        "WHERE NOT other AND last_key IS NOT NULL GROUP BY ALL "
        f"UNION ALL SELECT 'first', {keys.compact('first_key')}, count(*) FROM {people} "
        "WHERE NOT other AND first_key IS NOT NULL GROUP BY ALL"
    )


def _text() -> str:
    """An address as written, as one text, without what cannot matter: case, and ZIP+4 beside its ZIP code."""
    texts = {column: f"upper({column})" for column in ADDRESS}
    domestic = "upper(coalesce(country, '')) IN ('', 'US')"
    texts["postal_code"] = f"CASE WHEN {domestic} THEN left(postal_code, 5) ELSE upper(postal_code) END"
    return "concat(" + ", chr(31), ".join(f"coalesce({text}, '')" for text in texts.values()) + ")"


def _columns_of_text() -> str:
    """The columns of an address again, out of its one text."""
    return ", ".join(
        f"split_part(text, chr(31), {number}) AS {name}" for number, name in enumerate(_ADDRESS_COLUMNS, start=1)
    )
