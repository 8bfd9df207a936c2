"""Derive every determination of a docket again from what was kept: same pack, same date, same facts.

Bit for bit, or the first difference is named; and with them the counts, and the answers that follow from them. Needs
the docket and nothing else: no register, no ledger, no site. A docket that was committed must be, file by file, the
one that its own entry names.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.determine import answers, determinations, opened, summary
from gatehouse.determine.docket import Docket
from gatehouse.kernel import scratch
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.law.evaluate import evaluate
from gatehouse.law.pack import Pack
from gatehouse.law.reading import load
from gatehouse.release import stated

_COMPARED = ("outcome", "fired", "codes", "items", "unknown")


@dataclass(frozen=True)
class Replay:
    """What a replay found: how many requests were derived again and under which law."""

    requests: int
    as_of: dt.date
    pack_id: str
    pack_digest: str


def replay(connection: duckdb.DuckDBPyConnection, docket: Path) -> Replay:
    """Evaluate the docket's facts under the docket's pack and compare with its determinations.

    Raises AnswerIsNo with the first difference (its request and what differs), WrongInput when the docket is not whole.
    """
    kept = _read(connection, docket)
    pack = load(docket / "pack")
    if pack.digest != kept.pack_digest:
        raise AnswerIsNo(
            f"the pack kept in the docket has digest {pack.digest[:16]}…, but the determinations name "
            f"{kept.pack_digest[:16]}…",
            where=str(docket / "pack"),
        )
    evaluate(connection, pack, "replay_facts", "replay_derived", kept.as_of)
    _compare(connection, docket)
    _compare_persons(connection, docket)
    if opened.is_laid_down(Docket(docket)):
        opened.check(Docket(docket))
    _compare_told(connection, Docket(docket), pack)
    return Replay(kept.requests, kept.as_of, pack.id, pack.digest)


@dataclass(frozen=True)
class _Kept:
    requests: int
    as_of: dt.date
    pack_digest: str


def _read(connection: duckdb.DuckDBPyConnection, docket: Path) -> _Kept:
    for name in ("facts", "determinations", "evidence"):
        path = docket / f"{name}.parquet"
        if not path.is_file():
            raise WrongInput("the docket is incomplete: this file is missing", where=str(path))
        connection.read_parquet(str(path)).create_view(f"replay_{name}", replace=True)
    rows = _row(
        connection.execute(
            "SELECT count(*), min(as_of), max(as_of), min(pack_digest), max(pack_digest) FROM replay_determinations"
        )
    )
    assert rows is not None  # noqa: S101 - an aggregate always has one row
    requests, first, last, lowest, highest = rows
    if requests == 0:
        raise WrongInput("the docket contains no determinations", where=str(docket))
    if first != last or lowest != highest:
        raise AnswerIsNo("the determinations name more than one date or pack", where=str(docket))
    return _Kept(requests, first, lowest)


def _compare(connection: duckdb.DuckDBPyConnection, docket: Path) -> None:
    kept = {name for name, *_ in connection.execute("DESCRIBE replay_determinations").fetchall()}
    compared = [name for name in _COMPARED if name in kept or name != "unknown"]  # earlier dockets do not say it
    differs = " OR ".join(f"kept.{name} IS DISTINCT FROM derived.{name}" for name in compared)
    columns = ", ".join(f"kept.{name} IS DISTINCT FROM derived.{name}" for name in compared)
    found = _row(
        connection.execute(
            "SELECT coalesce(kept.seq, derived.seq), kept.request_id, kept.seq IS NULL, derived.seq IS NULL, "
            f"{columns} FROM replay_determinations kept FULL JOIN replay_derived derived USING (seq) "
            f"WHERE kept.seq IS NULL OR derived.seq IS NULL OR {differs} ORDER BY 1 LIMIT 1"
        )
    )
    if found is None:
        return
    seq, request_id, only_derived, only_kept, *different = found
    if only_derived:
        what = f"row {seq} has facts but no determination was kept"
    elif only_kept:
        what = f"request {request_id} (row {seq}) has a determination but no facts"
    else:
        names = ", ".join(name for name, is_different in zip(compared, different, strict=True) if is_different)
        what = f"request {request_id} (row {seq}) is determined differently: {names}"
    raise AnswerIsNo(what, where=str(docket / "determinations.parquet"))


def _compare_persons(connection: duckdb.DuckDBPyConnection, docket: Path) -> None:
    """A cleared request names the one agreeing candidate of the evidence; no other request names anyone."""
    found = _row(
        connection.execute(
            "WITH agreeing AS (SELECT seq, min(person_id) AS person_id, count(DISTINCT person_id) AS persons "
            "FROM replay_evidence WHERE agrees GROUP BY seq) "
            "SELECT request_id, seq FROM replay_determinations LEFT JOIN agreeing USING (seq) "
            "WHERE CASE WHEN outcome = 'cleared' "
            "THEN replay_determinations.person_id IS DISTINCT FROM agreeing.person_id OR agreeing.persons <> 1 "
            "ELSE replay_determinations.person_id IS NOT NULL END ORDER BY seq LIMIT 1"
        )
    )
    if found is not None:
        raise AnswerIsNo(
            f"request {found[0]} (row {found[1]}) does not name the one person that its evidence names",
            where=str(docket / "determinations.parquet"),
        )


def _compare_told(connection: duckdb.DuckDBPyConnection, docket: Docket, pack: Pack) -> None:
    """What was counted of the determinations, and what the agency was told, follow from them and from the releases."""
    table = determinations.source(connection, docket.table("determinations"))
    connection.execute(f"CREATE OR REPLACE TEMP VIEW replay_told AS SELECT * FROM {table}")
    counted = summary.count(connection, determinations="replay_told", pack=pack, provenance={})
    kept = docket.read_summary()
    for name in ("requests", "outcomes", "codes", "rules"):
        if kept.get(name) != counted[name]:
            raise AnswerIsNo(f"the {name} counted are not those of the determinations", where=str(docket.summary))
    closed = (docket.events / "answered.json").is_file()
    with scratch.folder(None) as folder:
        again = folder / docket.answers.name
        answers.publish(
            connection, determinations="replay_told", pack=pack, path=again,
            released=_released(connection, docket) if closed else None,
        )  # fmt: skip
        if again.read_bytes() != docket.answers.read_bytes():
            raise AnswerIsNo("the answers do not follow from determinations and releases", where=str(docket.answers))


def _released(connection: duckdb.DuckDBPyConnection, docket: Docket) -> str:
    """A table of the rows that certificates of sealed releases hold."""
    rows: set[int] = set()
    for path in sorted(docket.certificates.glob("*.json")):
        rows.update(one.seq for one in stated.read(path.read_bytes(), where=path.name).records)
    connection.execute("CREATE OR REPLACE TEMP TABLE replay_released AS SELECT unnest($1::BIGINT[]) AS seq", [[*rows]])
    return "replay_released"


def _row(result: Any) -> tuple[Any, ...] | None:  # noqa: ANN401 - DuckDB's connection and relation alike
    """The first row of a result that is read to its end, so that the connection may be used again."""
    rows = result.fetchall()
    return rows[0] if rows else None
