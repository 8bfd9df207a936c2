"""`make_register`: a synthetic register of the contract's shape, streamed to Parquet, with the answers beside it.

Every column is a function of a row number and the seed, so no table of persons is ever held: memory does not grow
with the register. `truth.parquet` names the hard cases (twins, seniors and juniors, namesakes in one building,
spouses) and `synthetic.json` says how the register was made.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.intake.workspace import write_parquet
from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.synthetic import dwellings
from gatehouse.synthetic.chance import Chance
from gatehouse.synthetic.people import MOST_PERSONS, People
from gatehouse.synthetic.places import load_places
from gatehouse.synthetic.words import load_names, load_streets, plain, read_csv

SNAPSHOT = dt.date(2025, 6, 1)
TAX_YEARS = (2020, 2021, 2022, 2023, 2024)


@dataclass(frozen=True)
class SyntheticRegister:
    """A register on disk and what made it."""

    folder: Path
    persons: int
    seed: int


def load_words(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary tables of words and places that the generator draws from."""
    load_names(connection)
    load_streets(connection)
    load_places(connection)
    abroad = read_csv("abroad.csv")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE syn_abroad AS SELECT unnest(range($5::BIGINT)) AS slot, unnest($1::VARCHAR[]) "
        "AS line1, unnest($2::VARCHAR[]) AS city, unnest($3::VARCHAR[]) AS postal_code, "
        "unnest($4::VARCHAR[]) AS country",
        [*([row[key] for row in abroad] for key in ("line1", "city", "postal_code", "country")), len(abroad)],
    )
    nicknames = read_csv("nicknames.csv")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE syn_nickname AS SELECT unnest($1::VARCHAR[]) AS plain, "
        "unnest($2::VARCHAR[]) AS nickname",
        [[plain(row["name"]) for row in nicknames], [row["nickname"] for row in nicknames]],
    )


def make_register(
    connection: duckdb.DuckDBPyConnection, out: Path, persons: int, seed: int, progress: Progress = silent
) -> SyntheticRegister:
    """Write persons, names, addresses, filings and restrictions of `persons` people to the folder `out`.

    Types are those of the register contract. The same persons and seed give the same rows. Raises WrongInput when
    there are fewer than 100 persons, or more than there are TINs that were never issued.
    """
    if not 100 <= persons <= MOST_PERSONS:
        raise WrongInput(f"a register holds from 100 to {MOST_PERSONS:,} synthetic persons", where="--persons")
    people = People(persons, Chance(seed))
    load_words(connection)
    tables = {
        "persons": _persons(people),
        "names": _names(people),
        "addresses": _addresses(people),
        "filings": _filings(people),
        "restrictions": _restrictions(people),
        "truth": _truth(people),
    }
    with in_written_order(connection):
        for done, (name, query) in enumerate(tables.items()):
            progress(name, done, len(tables))
            write_parquet(connection, query, out / f"{name}.parquet")
    made = {"format": "gatehouse-synthetic-register/1", "persons": persons, "seed": seed, "snapshot": str(SNAPSHOT)}
    files.write(out / "synthetic.json", (json.dumps(made, indent=2) + "\n").encode())
    progress("register", len(tables), len(tables))
    return SyntheticRegister(out, persons, seed)


@contextlib.contextmanager
def in_written_order(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keep the rows of a query in the order of its first table: joins with word lists must not change sides.

    A small register is smaller than the word lists; the optimizer would then stream the lists past the register,
    and the order of rows would depend on threads.
    """
    connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    try:
        yield
    finally:
        connection.execute("RESET disabled_optimizers")


def open_or_make_register(
    connection: duckdb.DuckDBPyConnection, folder: Path, persons: int, seed: int, progress: Progress = silent
) -> SyntheticRegister:
    """Use the synthetic register in `folder` if it is of these persons and this seed; make it there if there is none.

    Raises WrongInput when the folder holds another register.
    """
    if not folder.exists():
        return make_register(connection, folder, persons, seed, progress)
    found = read_made(folder)
    if (found.persons, found.seed) != (persons, seed):
        raise WrongInput(
            f"a register of {found.persons} persons and seed {found.seed} is there",
            where=str(folder),
            remedy="Name another folder, or those persons and that seed",
        )
    return found


def read_made(folder: Path) -> SyntheticRegister:
    """What made the synthetic register in a folder; raises WrongInput when it is not one."""
    try:
        made = json.loads((folder / "synthetic.json").read_text())
        return SyntheticRegister(folder, int(made["persons"]), int(made["seed"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise WrongInput(
            "this is no finished synthetic register (synthetic.json is missing or unreadable)",
            where=str(folder),
            remedy="Make one with gatehouse synth register",
        ) from None


def _rows(people: People) -> str:
    return f"(SELECT range AS i FROM range({people.persons}))"


def _base(people: People) -> str:
    return people.households(_rows(people))


def _persons(people: People) -> str:
    no_tin = people.chance.under("no tin", "i", 0.015)
    return (
        f"SELECT {people.person_id('p')} AS person_id, CASE WHEN NOT {no_tin} THEN {people.tin('i')} END AS tin, "
        f"last_name, first_name, middle_name, suffix, birth_date FROM ({people.names(_base(people))})"
    )


def _names(people: People) -> str:
    called = people.chance.under("called by middle name", "q", 0.01)
    return (
        f"SELECT {people.person_id('p')} AS person_id, coalesce(maiden, short_last, last_name) AS last_name, "
        f"CASE WHEN maiden IS NULL AND short_last IS NULL THEN middle_name ELSE first_name END AS first_name, "
        f"CASE WHEN maiden IS NOT NULL OR short_last IS NOT NULL THEN middle_name END AS middle_name, suffix "
        f"FROM ({people.names(_base(people))}) WHERE maiden IS NOT NULL OR short_last IS NOT NULL "
        f"OR (length(middle_name) > 1 AND {called})"
    )


def _addresses(people: People) -> str:
    c = people.chance
    many = c.pick("addresses", "q", 100)
    upto = " ".join(f"WHEN {many} < {share} THEN {n}" for n, share in enumerate((38, 68, 87, 96), start=1))
    count = f"CASE {upto} ELSE 5 END"
    together = f"(kin <> 'lodger' AND {c.under('together', 'q', 0.7)})"
    since = [f"(30 + {c.pick('stay 0', 'mover', 4_000)})"]
    since += [f"(200 + {c.pick(f'stay {j}', 'mover', 2_200)})" for j in range(1, 5)]
    days = [" + ".join(since[: j + 1]) for j in range(5)]
    began = "CASE j " + " ".join(f"WHEN {j} THEN {text}" for j, text in enumerate(days)) + " END"
    ended = "CASE j " + " ".join(f"WHEN {j + 1} THEN {text}" for j, text in enumerate(days[:4])) + " END"
    rows = f"""
        SELECT p, d AS home, mover, birth_date, j, j = 0 AS last_known,
          CASE WHEN j = 0 THEN d ELSE {c.pick("past home", "mover * 8 + j", people.dwellings)} END AS d,
          q * 8 + j AS writing,
          greatest(DATE '{SNAPSHOT}' - ({began})::INTEGER, birth_date) AS valid_from,
          CASE WHEN j > 0 THEN DATE '{SNAPSHOT}' - ({ended})::INTEGER - 1 END AS valid_to
        FROM (SELECT *, unnest(range({count})) AS j, CASE WHEN {together} THEN h ELSE -q END AS mover
              FROM ({_base(people)}))"""
    lived = f"SELECT * FROM ({rows}) WHERE last_known OR (valid_to > birth_date AND d <> home)"
    return (
        f"SELECT {people.person_id('p')} AS person_id, line1, line2, city, state, postal_code, country, "
        f"valid_from::DATE AS valid_from, valid_to::DATE AS valid_to, last_known "
        f"FROM ({dwellings.addresses(people, lived)})"
    )


def _filings(people: People) -> str:
    c = people.chance
    years = ", ".join(str(year) for year in TAX_YEARS)
    return (
        f"SELECT {people.person_id('p')} AS person_id, tax_year::SMALLINT AS tax_year FROM (SELECT p, q, birth_date, "
        f"unnest([{years}]) AS tax_year FROM ({_base(people)})) WHERE year(birth_date) <= tax_year - 17 "
        f"AND {c.under('files', 'q', 0.95)} AND {c.under('files in', 'q * 10000 + tax_year', 0.92)}"
    )


def _restrictions(people: People) -> str:
    c = people.chance
    return (
        f"SELECT {people.person_id('p')} AS person_id, "
        f"CASE WHEN {c.under('informant', 'q', 0.3)} THEN 'informant' ELSE 'impairment' END AS kind, "
        f"(DATE '2016-01-04' + {c.pick('determined', 'q', 3_400)}::INTEGER)::DATE AS determined_on "
        f"FROM ({_base(people)}) WHERE {c.under('restricted', 'q', 0.0004)} OR i = {people.persons // 2}"
    )


def _truth(people: People) -> str:
    return (
        f"SELECT {people.person_id('p')} AS person_id, CASE WHEN namesake THEN 'namesake' WHEN junior THEN 'junior' "
        f"WHEN twin THEN 'twin' ELSE 'spouse' END AS kind, {people.person_id('elder')} AS other_id "
        f"FROM ({_base(people)}) WHERE elder IS NOT NULL "
        f"AND (kin <> 'spouse' OR {people.chance.under('told spouses', 'q', 0.05)})"
    )
