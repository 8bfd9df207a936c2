"""A drill of reviewers: known cases put among real ones in a copy of a docket, to measure how many of them are caught.

The machine holds and people clear, so their error belongs to what a release rests on. The copy has a site, a ledger and
keys of its own, and a mark among its bound files without which it does not open and with which nothing is released.
What was planted is in a key that the overseer keeps; its digest goes into the site's ledger before anybody decides.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import random
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import duckdb

from gatehouse import store
from gatehouse.casework.sampling import interval
from gatehouse.casework.states import Action, State
from gatehouse.determine import answers, summary
from gatehouse.determine.docket import DRILL, TABLES, Docket
from gatehouse.intake.wire import COLUMNS
from gatehouse.intake.workspace import open_workspace, quoted, write_parquet
from gatehouse.kernel import clock, digests, files
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law.reading import load
from gatehouse.ledger import tiles
from gatehouse.ledger.log import batches
from gatehouse.ledger.opening import Opening
from gatehouse.pipeline import dockets, drill, record
from gatehouse.pipeline.approve import Office, office, open_docket
from gatehouse.pipeline.commit import commit_docket
from gatehouse.pipeline.site import Site, open_site

FORM, KEY, REPORT = "gatehouse-review/1", "key.json", "report.json"
MOST = 2_000
_STOPS = (Action.REFUSE, Action.RETURN, Action.WITHDRAW, Action.HOLD)
_CAUGHT = (State.REFUSED, State.INCOMPLETE, State.WITHDRAWN)
_COUNTED = ("requests", "outcomes", "codes", "rules")
_KEPT = ("submission.json", "submission.json.sig", "receipt.json", "parties.toml")


@dataclass(frozen=True)
class Known:
    """A fault that a reviewer must notice: what kind it is, and which column of the request says it."""

    kind: str
    column: str
    value: str


KNOWN = Path(__file__).with_name("known_cases.csv")
"""Faults of the kinds that the elements of the law are judged for; an overseer may bring others."""


@dataclass(frozen=True)
class Begun:
    """A drill that officers can work on now."""

    site: Site
    docket: str
    cases: int
    planted: int


@dataclass(frozen=True)
class Share:
    """How many of some decided known cases were caught, with the exact 95 % interval."""

    of: str
    caught: int
    decided: int
    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """What came out: the known cases as they stand, by officer and by kind, and the real cases stopped too."""

    docket: str
    planted: int
    undecided: int
    all: Share
    officers: tuple[Share, ...]
    kinds: tuple[Share, ...]
    real_stopped: int
    real_decided: int


def read_known(path: Path) -> tuple[Known, ...]:
    """Faults from a CSV file with the columns `kind`, `column` and `value`. Raises WrongInput with the line."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows, start=2):
        if set(row) != {"kind", "column", "value"} or not all(isinstance(each, str) and each for each in row.values()):
            raise WrongInput("a known case needs kind, column and value", where=f"{path.name}, line {number}")
        if row["column"] not in COLUMNS or row["column"] == "request_id":
            what = f"there is no column {row['column']!r} to plant a fault in"
            raise WrongInput(what, where=f"{path.name}, line {number}", remedy=f"Columns: {', '.join(COLUMNS)}")
    if not rows:
        raise WrongInput("the file contains no known case", where=path.name)
    return tuple(Known(**row) for row in rows)


def begin(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    name: str,
    out: Path,
    *,
    now: dt.datetime,
    known: Sequence[Known],
    planted: int = 30,
    cases: int = 200,
    seed: int,
) -> Begun:
    """Make the copy in the empty folder `out`: `planted` known cases among real ones, `cases` in all at most.

    Only held cases that a person may clear are taken, and none twice, so nothing but the fault tells a known case.
    Raises WrongInput where the folder lies within the site, or the docket has too few such cases.
    """
    if out.resolve().is_relative_to(site.root.resolve()):
        raise WrongInput(
            "a drill's folder must be outside the site", where=str(out), remedy="Name a folder outside the site"
        )
    source = dockets.find(site, name)
    if source.is_drill:
        raise WrongInput("this docket is already a drill", where=name, remedy="Run the drill on a real docket")
    waiting = _waiting(connection, source)
    size = min(cases, len(waiting), MOST)
    if not 1 <= planted < size:
        raise WrongInput(
            f"{len(waiting)} held cases can be cleared by a person, too few for {planted} known ones among them",
            where=name,
            remedy="Plant fewer with --planted, or choose another docket",
        )
    chance = random.Random(seed)  # noqa: S311 - the key keeps the seed, so that the draw can be made again
    chosen = chance.sample(waiting, size)
    faults = dict(zip(chosen[:planted], cycle(known), strict=False))
    chance.shuffle(chosen)
    made = drill.founded(site, out / "site", "review", site.configuration.roster.officers.values(), now)
    number = 1 + len([*site.events.glob(f"review-{name}-review-*-begun.json")])
    copy = Docket(made.dockets / f"{name}-review-{number}")
    ids = _lay_down(connection, source, copy, chosen, faults)
    try:
        commit_docket(connection, made, copy, now)
        open_docket(connection, office(made), copy)
    finally:
        store.configure(site.database)
    key = {"format": FORM, "docket": name, "copy": copy.id, "seed": seed, "begun_at": clock.stamp(now), "known": ids}
    files.write(out / KEY, json.dumps(key, indent=1).encode(), mode=0o600)
    _put_on_record(site, copy.id, "begun", {"cases": size, "planted": planted, "key": digests.of_file(out / KEY)})
    return Begun(made, copy.id, size, planted)


def measure(site: Site, out: Path, now: dt.datetime) -> Measured:
    """Count what became of the known cases, write the report, and enter its digest in the site's ledger.

    Raises AnswerIsNo when the key is not the one that was entered when the drill began.
    """
    key = json.loads((out / KEY).read_bytes())
    begun = _entered(site, f"review-{key['copy']}-begun")
    if begun is None or begun.get("key") != digests.of_file(out / KEY):
        raise AnswerIsNo(
            "the key differs from the one that the site's ledger holds for this drill", where=str(out / KEY)
        )
    place = office(open_site(out / "site"))
    try:
        found = _measured(place, key)
    finally:
        store.configure(site.database)
    report = {"format": FORM, "measured_at": clock.stamp(now), "key": begun["key"], **document(found)}
    files.write(out / REPORT, json.dumps(report, indent=1).encode())
    (site.root / "reviews").mkdir(exist_ok=True)
    files.write(site.root / "reviews" / f"{found.docket}.json", (out / REPORT).read_bytes())
    fields = {"planted": found.planted, "caught": found.all.caught, "decided": found.all.decided,
              "report": digests.of_file(out / REPORT)}  # fmt: skip
    _put_on_record(site, found.docket, "measured", fields)
    return found


def document(found: Measured) -> dict[str, Any]:
    """What was measured, for a program."""
    shares = {"all": vars(found.all), "officers": [*map(vars, found.officers)], "kinds": [*map(vars, found.kinds)]}
    return {**vars(found), **shares}


def _waiting(connection: duckdb.DuckDBPyConnection, docket: Docket) -> list[int]:
    rows = connection.execute(
        f"SELECT seq FROM read_parquet({quoted(docket.queue)}) WHERE outcome = 'held' AND clearable ORDER BY seq"
    ).fetchall()
    return [int(seq) for (seq,) in rows]


def _lay_down(
    connection: duckdb.DuckDBPyConnection,
    source: Docket,
    copy: Docket,
    chosen: Sequence[int],
    faults: Mapping[int, Known],
) -> dict[str, str]:
    """Write the copy's files; gives the kind of each known case by its request's id."""
    copy.releases.mkdir(parents=True)
    copy.certificates.mkdir()
    for name in _KEPT:
        if (source.root / name).is_file():
            files.write(copy.root / name, (source.root / name).read_bytes())
    shutil.copytree(source.pack, copy.pack)
    files.write(copy.root / DRILL, json.dumps({"format": FORM, "docket": source.id}).encode())
    lines = [(old, seq, *((fault.column, fault.value) if (fault := faults.get(old)) else (None, None)))
             for seq, old in enumerate(chosen)]  # fmt: skip
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE review_cases (old BIGINT, seq BIGINT, fault VARCHAR, value VARCHAR)"
    )
    connection.executemany("INSERT INTO review_cases VALUES (?, ?, ?, ?)", lines)
    columns = sorted({fault.column for fault in faults.values()})
    planted = ", ".join(f"CASE WHEN fault = '{name}' THEN value ELSE kept.{name} END AS {name}" for name in columns)
    replaced = {"requests": f", {planted}", "determinations": ", NULL::BIGINT AS ledger_index"}
    for table in TABLES:
        query = f"""
            SELECT kept.* REPLACE (review_cases.seq AS seq{replaced.get(table, "")})
            FROM read_parquet({quoted(source.table(table))}) kept JOIN review_cases ON kept.seq = review_cases.old
            ORDER BY review_cases.seq{", rank" if table == "evidence" else ""}
        """
        write_parquet(connection, query, copy.table(table))
    connection.read_parquet(str(copy.table("determinations"))).create_view("review_determinations", replace=True)
    law = load(copy.pack)
    told = {
        name: value
        for name, value in source.read_summary().items()
        if name not in ("requests", "outcomes", "codes", "rules")
    }
    counted = summary.count(connection, determinations="review_determinations", pack=law, provenance=told)
    files.write(copy.summary, json.dumps({**counted, "drill": "review"}, indent=2).encode())
    answers.publish(connection, determinations="review_determinations", pack=law, path=copy.answers)
    rows = connection.execute(
        f"SELECT request_id, old FROM read_parquet({quoted(copy.table('requests'))}) JOIN review_cases USING (seq)"
    ).fetchall()
    return {request: faults[old].kind for request, old in rows if old in faults}


def _put_on_record(site: Site, drilled: str, stage: str, fields: Mapping[str, Any]) -> None:
    with record.open_log(site) as log:
        record.event(
            log,
            site.events,
            f"site/review-{drilled}-{stage}",
            {"event": "review", "stage": stage, "docket": drilled, **fields},
        )


def _entered(site: Site, name: str) -> Mapping[str, Any] | None:
    """The fields of an entry of the site's own, when the ledger holds what the opening on disk says."""
    path, place = site.events / f"{name}.json", batches(site.ledger_state).get(f"site/{name}")
    if place is None or not path.is_file():
        return None
    opening = Opening.parse(path.read_bytes(), where=path.name)
    kept = tiles.TileReader(site.ledger, place.stop).entry(place.start)
    return opening.fields() if opening.entry == kept else None


def _measured(place: Office, key: Mapping[str, Any]) -> Measured:
    board, name = place.casebook.board(key["copy"]), str(key["copy"])
    with open_workspace() as connection:
        rows = connection.execute(
            f"SELECT seq, request_id FROM read_parquet({quoted(Docket(place.site.dockets / name).table('requests'))})"
        ).fetchall()
    kinds = {int(seq): key["known"].get(request) for seq, request in rows}
    final = {seq: board.state_of(seq) for seq in kinds}
    last = _acts(place, name)
    known = {seq: kind for seq, kind in kinds.items() if kind is not None}
    decided = [seq for seq in known if final[seq] is not State.HELD]
    caught = {seq for seq in decided if final[seq] in _CAUGHT}
    real = [seq for seq, kind in kinds.items() if kind is None and final[seq] is not State.HELD]
    officers = sorted({officer for officer, seq in last if seq in known})
    return Measured(
        docket=name,
        planted=len(known),
        undecided=len(known) - len(decided),
        all=_share("all", len(caught), len(decided)),
        officers=tuple(
            _share(each, sum(stops for (who, seq), stops in last.items() if who == each and seq in known),
                   sum(who == each and seq in known for who, seq in last)) for each in officers
        ),
        kinds=tuple(_share(kind, sum(known[seq] == kind for seq in caught), count)
                    for kind, count in sorted(Counter(known[seq] for seq in decided).items())),
        real_stopped=sum(final[seq] in _CAUGHT for seq in real),
        real_decided=len(real),
    )  # fmt: skip


def _acts(place: Office, name: str) -> dict[tuple[str, int], bool]:
    """Each officer's last act on each case: whether it stopped the case."""
    last: dict[tuple[str, int], bool] = {}
    for decision in place.casebook.decisions(name):
        stops = Action(decision.statement.text("action")) in _STOPS
        last |= {(decision.statement.text("officer"), seq): stops for seq in decision.selection}
    return last


def _share(of: str, caught: int, decided: int) -> Share:
    low, high = interval(caught, decided)
    return Share(of, caught, decided, round(low, 4), round(high, 4))
