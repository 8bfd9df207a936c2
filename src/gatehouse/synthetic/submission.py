"""`make_submission`: an unsigned submission about the persons of a synthetic register, and the truth beside it.

`<out>` holds submission.json and the request table in the contract's form; `truth.parquet` beside them says for
every request its kind, the person it rightly names (null if nobody), whether it may lawfully be answered, and what
a correct gateway makes of it. Signing is the requesting side's own step.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from gatehouse.intake.wire import COLUMNS
from gatehouse.intake.workspace import quoted, write_parquet
from gatehouse.kernel import digests, files
from gatehouse.kernel.errors import WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.synthetic import matters, officers, requests
from gatehouse.synthetic.chance import Chance
from gatehouse.synthetic.kinds import ORDINARY, PLAIN, Expected, counts
from gatehouse.synthetic.register import load_words, read_made
from gatehouse.synthetic.subjects import Draw, draw

MATTERS_PER_OFFICER = 18
OFFICER_MATTERS_HOLD, OFFICER_MATTERS_REFUSE = 50, 500


@dataclass(frozen=True)
class Sender:
    """Who sends a submission: invented people in offices that the agreement names."""

    agency: str = "us.dhs.ice"
    basis: str = "us.irs.6103-i-2"
    agreement: str = "irs-ice-mou-2025-04-07"
    signatory: str = "Dana Whitlock"
    title: str = "Director"
    capacity: str = "agency_head"


@dataclass(frozen=True)
class SyntheticSubmission:
    """A submission on disk, its truth, and how many requests of each kind it has."""

    folder: Path
    truth: Path
    id: str
    requests: int
    kinds: dict[str, int]


def make_submission(
    connection: duckdb.DuckDBPyConnection,
    out: Path,
    register: Path,
    request_count: int,
    seed: int,
    *,
    kind: str = "ordinary",
    file_format: str = "csv",
    signed_on: dt.date = dt.date(2025, 6, 27),
    sender: Sender | None = None,
    recipient: Callable[[str], str] | None = None,
    progress: Progress = silent,
) -> SyntheticSubmission:
    """Write a submission of `request_count` requests and its truth below `out`.

    `recipient` gives the age recipient of an officer id; by default the keys of `synthetic.officers`, whose private
    halves `officers.identity(seed, officer_id)` makes again. Raises WrongInput when the register is not a synthetic
    one or too small for so many requests.
    """
    made = read_made(register)
    chance = Chance(seed)
    if kind == "august-2025":
        from gatehouse.synthetic import august

        plan = august.plan(made, chance, request_count, signed_on)
        law, people, plain_kind = august.law(plan), august.officers(), august.PLAIN
    else:
        plan = ordinary_plan(Draw(made, chance, {}, {}, signed_on), request_count)
        number = max(2, -(-request_count // MATTERS_PER_OFFICER))
        law, people, plain_kind = matters.ordinary_law(plan, number), ordinary_officers(number), PLAIN.name
    progress("words", 0, 5)
    load_words(connection)
    requests.load_defects(connection)
    requests.make_kinds(connection, plan)
    progress("subjects", 1, 5)
    draw(connection, plan, plain_kind)
    progress("requests", 2, 5)
    requests.who_and_where(connection, plan)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE syn_request AS {law}")
    progress("officers", 3, 5)
    keys = recipient or (lambda officer: officers.recipient(seed, officer))
    identifier = f"ICE-{signed_on.year}-{seed:04d}"
    manifest = _manifest(identifier, sender or Sender(), signed_on, people, keys)
    progress("files", 4, 5)
    _write(connection, out, manifest, request_count, file_format)
    progress("submission", 5, 5)
    tally = dict(connection.execute("SELECT kind, count(*) FROM syn_request GROUP BY kind ORDER BY kind").fetchall())
    connection.execute("DROP TABLE syn_request; DROP TABLE syn_who")
    return SyntheticSubmission(out, out / "truth.parquet", identifier, request_count, tally)


def ordinary_plan(plan: Draw, request_count: int) -> Draw:
    """The kinds of an ordinary submission; too few rows cannot overload an officer, and then none are of that kind."""
    if request_count < 1:
        raise WrongInput("a submission has at least one request", where="--requests")
    kinds = {kind.name: kind for kind in ORDINARY}
    wanted = counts(ORDINARY, request_count)
    overloaded = wanted["officer_overloaded"]
    if overloaded <= OFFICER_MATTERS_HOLD:
        wanted[PLAIN.name] += overloaded
        wanted["officer_overloaded"] = 0
    elif overloaded <= OFFICER_MATTERS_REFUSE:
        kinds["officer_overloaded"] = replace(kinds["officer_overloaded"], expected=Expected.HELD)
    return replace(plan, kinds=kinds, wanted=wanted)


def ordinary_officers(number: int) -> list[tuple[str, str, str, bool]]:
    """The officers of an ordinary submission: identifier, name, title, whether an employee."""
    assistant, analyst, *agents = officers.names(number + 2)
    return [
        *((f"ICE-{n:05d}", name, "Special Agent", True) for n, name in enumerate(agents, 1)),
        ("ICE-A0001", assistant, "Assistant Director", True),
        ("ICE-N0001", analyst, "Contract Analyst", False),
    ]


def _manifest(
    identifier: str,
    sender: Sender,
    signed_on: dt.date,
    people: list[tuple[str, str, str, bool]],
    keys: Callable[[str], str],
) -> dict[str, object]:
    return {
        "format": "gatehouse-submission/1",
        "id": identifier,
        "agency": sender.agency,
        "basis": sender.basis,
        "agreement": sender.agreement,
        "signed_on": signed_on.isoformat(),
        "signatory": {"name": sender.signatory, "title": sender.title, "capacity": sender.capacity},
        "officers": [
            {
                "id": officer,
                "name": name,
                "title": title,
                "employee": employee,
                "recipient": keys(officer),
                "attests_sole_use": True,
            }
            for officer, name, title, employee in people
        ],
    }


def _write(
    connection: duckdb.DuckDBPyConnection, out: Path, manifest: dict[str, object], count: int, file_format: str
) -> None:
    """Write the table, then the manifest that binds it, then the truth."""
    columns = ", ".join(COLUMNS)
    table = out / f"requests.{file_format}"
    query = f"SELECT {columns} FROM syn_request ORDER BY seq"
    if file_format == "parquet":
        write_parquet(connection, query, table)
    else:
        with files.replacing(table) as temporary:
            connection.execute(f"COPY ({query}) TO {quoted(temporary)} (FORMAT csv, HEADER true)")
    bound = {**manifest, "tables": [{"file": table.name, "sha256": digests.of_file(table), "rows": count}]}
    text = json.dumps(bound, indent=1, ensure_ascii=False) + "\n"
    files.write(out / "submission.json", text.encode())
    write_parquet(
        connection,
        "SELECT request_id, kind, CASE WHEN names THEN made_from END AS person_id, lawful, expected, made_from, defect "
        "FROM syn_request ORDER BY seq",
        out / "truth.parquet",
    )
