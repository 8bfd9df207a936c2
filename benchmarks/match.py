"""`gatehouse bench match`: how often matching finds the right person, and how often a wrong one, beside other ways.

Synthetic registers and submissions of several seeds, each with its truth; the same requests for every method. A wrong
answer is told apart from a broken rule: another person's record, or the subject's own where it must not be opened.
"""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from benchmarks.measure import keep, machine, table
from gatehouse.kernel.errors import MachineFailed

if TYPE_CHECKING:
    import duckdb

    from gatehouse.match import Index

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "accuracy.md"
PEERS = {"Splink": "splink_link.py", "recordlinkage": "recordlinkage_link.py"}
Z95 = 1.959964

GROUPS = {
    "lawful, with a TIN or birth date": "t.lawful AND t.kind <> 'exact_neither'",
    "lawful, neither, exact": "t.kind = 'exact_neither'",
    "address defective or contradicted": "t.kind IN ('defective_address', 'zip_contradicts')",
    "address not on file": "t.kind = 'address_not_on_file'",
    "TIN or birth date disagrees": "t.kind IN ('wrong_tin', 'wrong_birth_date', 'twin_with_other_tin')",
    "person not in the register": "t.kind IN ('absent_person', 'relative_absent')",
    "two persons meant alike": "t.kind IN ('junior_unsaid', 'namesake_without_unit')",
}
"""Kinds of request by what a right answer is: the person for the first two, nobody for the rest."""


@dataclass(frozen=True)
class Tally:
    """Answers of one method to one group: `right`, another person (`wrong`), and answers a rule forbids (`broken`)."""

    asked: int = 0
    right: int = 0
    wrong: int = 0
    broken: int = 0

    def __add__(self, other: Tally) -> Tally:
        """The two together."""
        return Tally(
            self.asked + other.asked, self.right + other.right, self.wrong + other.wrong, self.broken + other.broken
        )


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share."""
    if of == 0:
        return 0.0, 1.0
    share, square = hits / of, Z95 * Z95
    middle = (share + square / (2 * of)) / (1 + square / of)
    spread = Z95 / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - spread), min(1.0, middle + spread)


def most(hits: int, of: int) -> float:
    """The upper end of the 95 % Clopper-Pearson interval of a share: exact, and honest when nothing was hit."""
    if of == 0 or hits >= of:
        return 1.0
    low, high = hits / of, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        terms = (
            math.lgamma(of + 1) - math.lgamma(i + 1) - math.lgamma(of - i + 1)
            + i * math.log(middle) + (of - i) * math.log1p(-middle)
            for i in range(hits + 1)
        )  # fmt: skip
        low, high = (middle, high) if sum(map(math.exp, terms)) > 0.025 else (low, middle)
    return high


def make_set(folder: Path, persons: int, requests: int, seed: int) -> Path:
    """The register and submission of one seed below `folder`, made if they are not there."""
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.synthetic.register import make_register
    from gatehouse.synthetic.submission import make_submission

    made = folder / f"{persons}-{requests}-{seed}"
    with open_workspace(temporary=folder / "spill") as connection:
        if not (made / "register" / "synthetic.json").exists():
            make_register(connection, made / "register", persons, seed)
        if not (made / "sent" / "truth.parquet").exists():
            make_submission(connection, made / "sent", made / "register", requests, seed)
    return made


def answer(made: Path, peers: Path | None) -> dict[str, dict[str, Tally]]:
    """The tallies of every method for one set: method -> group -> tally."""
    from gatehouse.intake.submission import receive
    from gatehouse.intake.workspace import open_workspace, quoted
    from gatehouse.kernel import clock
    from gatehouse.match import build, match, open_register
    from gatehouse.synthetic import historical

    with open_workspace(temporary=made / "spill") as connection:
        receive(connection, made / "sent", None, unsigned=True)
        index = build(open_register(made / "register"), made / "index")
        match(connection, "requests", index, as_of=clock.today())
        connection.execute(
            f"CREATE VIEW truth AS SELECT * FROM read_parquet({quoted(made / 'sent' / 'truth.parquet')})"
        )
        connection.execute("CREATE VIEW found AS SELECT request_id, person_id FROM matches JOIN requests USING (seq)")
        answers = {"Gatehouse": tally(connection, "found")}
        historical.run(connection, "requests", made / "register", "past")
        answers["TIN Matching and address matching of 2025"] = tally(connection, "past")
        _unique_names(connection, index.relation("people"))
        answers["look-up of a name that is unique"] = tally(connection, "unique_names")
        for name in ask_peers(connection, peers, made, index) if peers else ():
            answers[name] = tally(connection, "peer")
    return answers


def tally(connection: duckdb.DuckDBPyConnection, answers: str, groups: Mapping[str, str] = GROUPS) -> dict[str, Tally]:
    """Compare a table of `request_id`, `person_id` with the table `truth`, group by group."""
    result = {}
    for group, condition in groups.items():
        row = connection.execute(
            f"SELECT count(*), count(*) FILTER (a.person_id = t.person_id), "
            "count(*) FILTER (a.person_id IS DISTINCT FROM t.made_from AND a.person_id IS NOT NULL), "
            "count(*) FILTER (a.person_id = t.made_from AND t.person_id IS NULL) "
            f"FROM truth t LEFT JOIN {answers} a USING (request_id) WHERE {condition}"
        ).fetchone()
        assert row is not None  # noqa: S101 - an aggregate always has one row
        result[group] = Tally(*row)
    return result


def _unique_names(connection: duckdb.DuckDBPyConnection, people: str) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE unique_names AS SELECT r.request_id, p.person_id FROM requests r JOIN "
        f"(SELECT last_key, first_key, min(person_id) AS person_id FROM {people} WHERE NOT other "
        "GROUP BY last_key, first_key HAVING count(*) = 1) p USING (last_key, first_key)"
    )


def ask_peers(connection: duckdb.DuckDBPyConnection, python: Path, made: Path, index: Index) -> Iterator[str]:
    """Ask each other linkage program in turn; after each name the table `peer` has its answers."""
    for name in PEERS:
        _ask_peer(connection, python, name, made, index)
        yield name


def _ask_peer(connection: duckdb.DuckDBPyConnection, python: Path, name: str, made: Path, index: Index) -> None:
    """Run another linkage program on the same folded names, birth dates, TINs and address parts."""
    from gatehouse.intake.workspace import quoted
    from gatehouse.match.keys import PLACE_PARTS

    given, filed, found = (made / f"peer-{part}.parquet" for part in ("given", "filed", "found"))
    names = "last_key, first_key, middle_key, suffix_key"
    parts = ", ".join(PLACE_PARTS)
    people, entries, places = (index.relation(name) for name in ("people", "entries", "places"))
    connection.execute(
        f"COPY (SELECT seq AS unique_id, request_id, {names}, birth_on::VARCHAR AS birth_date, tin_digits AS tin, "
        f"{parts} FROM requests WHERE address_verdict = 'complete' AND name_state = 'given') "
        f"TO {quoted(given)} (FORMAT parquet)"
    )
    connection.execute(
        f"COPY (SELECT row_number() OVER () AS unique_id, p.person_id, {names}, p.birth_date::VARCHAR AS birth_date, "
        f"printf('%09d', p.tin) AS tin, {parts} FROM (SELECT DISTINCT person_id, written FROM "
        f"{entries}) e JOIN {places} h USING (written) JOIN {people} p "
        f"ON p.person_id = e.person_id AND NOT p.other) TO {quoted(filed)} (FORMAT parquet)"
    )
    script = ROOT / "tests" / "peers" / PEERS[name]
    ended = subprocess.run([python, script, given, filed, found], check=False)  # noqa: S603 - our own script
    if ended.returncode:
        raise MachineFailed(
            f"{name} ended with status {ended.returncode}", remedy="Run without --peers to leave it out"
        )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE peer AS SELECT request_id, person_id FROM read_parquet({quoted(found)})"
    )


def describe(answers: dict[str, dict[str, Tally]]) -> str:
    """The tables of docs/accuracy.md: recall of the lawful, and what must have no answer, method by method."""
    recall, forbidden = [], []
    for method, tallies in answers.items():
        for group, counted in tallies.items():
            if group.startswith("lawful"):
                low, high = wilson(counted.right, counted.asked)
                share = counted.right / max(counted.asked, 1)
                wrong = f"{counted.wrong} (< {most(counted.wrong, counted.asked):.4%})"
                recall.append([method, group, f"{counted.asked:,}", f"{share:.4f} ({low:.4f} to {high:.4f})", wrong])
            else:
                forbidden.append(
                    [method, group, f"{counted.asked:,}", counted.wrong, counted.broken,
                     f"< {most(counted.wrong + counted.broken, counted.asked):.4%}"]
                )  # fmt: skip
    lawful = table(["method", "requests", "asked", "recall (95 % Wilson)", "another person (95 % at most)"], recall)
    heads = ["method", "requests that must have no answer", "asked", "another person", "rule broken", "95 % at most"]
    return f"{lawful}\n{table(heads, forbidden)}"


@click.command("match")
@click.option("--persons", type=int, default=100_000, show_default=True)
@click.option("--requests", type=int, default=20_000, show_default=True)
@click.option("--seeds", type=int, default=3, show_default=True, help="How many sets, of seeds 1, 2, …")
@click.option("--dir", "folder", required=True, type=click.Path(path_type=Path), help="Kept, and used again next time.")
@click.option("--peers", type=click.Path(exists=True, path_type=Path), help="A Python with splink and recordlinkage.")
@click.option("--section", default="accuracy", show_default=True, help="Which table of docs/accuracy.md to replace.")
@click.option("--write", is_flag=True, help="Keep the tables in docs/accuracy.md.")
@click.option("--json", "as_json", is_flag=True, help="Print the tallies as JSON.")
def bench_match(
    persons: int,
    requests: int,
    seeds: int,
    folder: Path,
    peers: Path | None,
    section: str,
    write: bool,
    as_json: bool,
) -> None:
    """Measure the error of matching, by kind of request, beside other methods on the same data.

    Example: gatehouse bench match --persons 100000 --requests 20000 --seeds 3 --dir bench --write
    """
    answers: dict[str, dict[str, Tally]] = {}
    for seed in range(1, seeds + 1):
        click.echo(f"seed {seed} …", err=True)
        for method, tallies in answer(make_set(folder.absolute(), persons, requests, seed), peers).items():
            before = answers.setdefault(method, {group: Tally() for group in GROUPS})
            answers[method] = {group: before[group] + tallies[group] for group in GROUPS}
    if as_json:
        click.echo(json.dumps({m: {g: vars(t) for g, t in tallies.items()} for m, tallies in answers.items()}))
        return
    sets = "one seed" if seeds == 1 else f"{seeds} seeds"
    title = f"### {requests:,} requests against {persons:,} persons, {sets}\n\n{machine()}.\n\n"
    text = title + describe(answers)
    click.echo(text)
    if write:
        keep(DOCUMENT, section, text + "\n")
