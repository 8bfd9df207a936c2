"""What a change of law would have done to past dockets: old outcomes against new ones, with requests to look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection as Connection

from gatehouse.kernel.errors import WrongInput
from gatehouse.law.evaluate import evaluate
from gatehouse.law.pack import Pack


@dataclass(frozen=True)
class Change:
    """Requests that went from one outcome to another, with a few to look at and the rules that made the difference.

    `samples` are row numbers; `named` the same requests by their ids where the docket has them, else `row N`.
    """

    docket: str
    old: str
    new: str
    requests: int
    samples: tuple[int, ...]
    named: tuple[str, ...]
    begun: tuple[str, ...]
    ended: tuple[str, ...]


def impact(
    connection: Connection, old: Pack, new: Pack, dockets: Sequence[Path], as_of: dt.date, *, samples: int = 3
) -> list[Change]:
    """Evaluate both packs over the facts of each docket; one `Change` per pair of outcomes that occurs.

    A docket is a folder with facts.parquet, or such a file. Raises WrongInput where there is none.
    """
    changes: list[Change] = []
    for docket in dockets:
        path = docket / "facts.parquet" if docket.is_dir() else docket
        if not path.is_file():
            raise WrongInput("this docket has no facts", where=str(docket), remedy="Name a docket with facts.parquet")
        quoted = str(path).replace("'", "''")
        connection.execute(f"CREATE OR REPLACE TEMP VIEW impact_facts AS SELECT * FROM read_parquet('{quoted}')")
        evaluate(connection, old, "impact_facts", "impact_old", as_of)
        evaluate(connection, new, "impact_facts", "impact_new", as_of)
        changes += _crosstab(connection, docket, samples)
    return changes


def _names(connection: Connection, docket: Path, seqs: Sequence[int]) -> dict[int, str]:
    """The ids of a few requests, from the docket's own table of requests."""
    path = docket / "requests.parquet"
    if not path.is_file():
        return {}
    quoted = str(path).replace("'", "''")
    query = f"SELECT seq, request_id FROM read_parquet('{quoted}') WHERE list_contains(?::BIGINT[], seq)"
    return dict(connection.execute(query, [list(seqs)]).fetchall())


def _crosstab(connection: Connection, docket: Path, samples: int) -> list[Change]:
    """Count by pairs of masks first, so that lists are compared once per pair and not once per request."""
    old, new = (
        [name for (name, *_) in connection.execute(f"DESCRIBE impact_{side}_masks").fetchall() if name != "seq"]
        for side in ("old", "new")
    )
    pairs = ", ".join([*(f"o.{name} AS o_{name}" for name in old), *(f"n.{name} AS n_{name}" for name in new)])
    keys = ", ".join([*(f"o_{name}" for name in old), *(f"n_{name}" for name in new)])
    joins = " AND ".join
    rows = connection.execute(
        f"""
        WITH counted AS (
            SELECT {keys}, count(*) AS requests, min(seq, {samples}) AS first
            FROM (SELECT {pairs}, o.seq AS seq FROM impact_old_masks o JOIN impact_new_masks n USING (seq))
            GROUP BY ALL)
        SELECT o.outcome, n.outcome, sum(requests)::BIGINT, list_slice(list_sort(flatten(list(first))), 1, {samples}),
               list_sort(list_distinct(flatten(list(list_filter(n.fired, lambda x: NOT list_contains(o.fired, x)))))),
               list_sort(list_distinct(flatten(list(list_filter(o.fired, lambda x: NOT list_contains(n.fired, x))))))
        FROM counted
        JOIN impact_old_meanings o ON {joins([f"o.{name} = o_{name}" for name in old])}
        JOIN impact_new_meanings n ON {joins([f"n.{name} = n_{name}" for name in new])}
        GROUP BY ALL ORDER BY 1, 2
        """
    ).fetchall()
    names = _names(connection, docket, [seq for row in rows for seq in row[3]])
    return [
        Change(
            str(docket), a, b, count, tuple(seqs), tuple(names.get(seq, f"row {seq}") for seq in seqs),
            tuple(more), tuple(less),
        )
        for a, b, count, seqs, more, less in rows
    ]  # fmt: skip
