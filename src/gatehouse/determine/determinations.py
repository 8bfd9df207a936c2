"""From the law's answers to `determinations.parquet`: one row a request, in the order of the submission.

A person is named only where the request cleared; everywhere else the column is empty, so that a reader of the
determinations learns nothing about who is in the register.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb

from gatehouse.intake.workspace import quoted
from gatehouse.kernel.errors import MachineFailed


def source(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    """SQL that reads determinations.parquet; a docket of an earlier version, without `unknown`, knows of none."""
    file = f"read_parquet({quoted(path)})"
    whole = "unknown" in connection.read_parquet(str(path)).columns
    return file if whole else f"(SELECT *, []::VARCHAR[] AS unknown FROM {file})"


def assemble(
    connection: duckdb.DuckDBPyConnection,
    *,
    requests: str,
    decided: str,
    matches: str,
    target: str,
    as_of: dt.date,
    pack_digest: str,
) -> None:
    """Make the table `target` with the columns of design §5.5; `ledger_index` is NULL until it is committed.

    Raises MachineFailed when any request has no determination or more than one: nothing is ever left undecided.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE {target} AS
        SELECT request.request_id, request.seq, decided.outcome, decided.fired, decided.codes, decided.items,
               CASE WHEN decided.outcome = 'cleared' THEN matched.person_id END AS person_id,
               ?::DATE AS as_of, ?::VARCHAR AS pack_digest, NULL::BIGINT AS ledger_index, decided.unknown
        FROM {requests} request
        JOIN {decided} decided USING (seq)
        LEFT JOIN {matches} matched USING (seq)
        """,
        [as_of, pack_digest],
    )
    counted = connection.execute(
        f"SELECT (SELECT count(*) FROM {requests}), count(*), count(DISTINCT seq), "
        f"count(*) FILTER (outcome = 'cleared' AND person_id IS NULL) FROM {target}"
    ).fetchone()
    assert counted is not None  # noqa: S101 - an aggregate always has one row
    asked, rows, distinct, nobody = counted
    if not asked == rows == distinct:
        raise MachineFailed(
            f"there are {asked} requests, but {rows} determinations for {distinct} of them; nothing was written"
        )
    if nobody:
        raise MachineFailed(
            f"{nobody} requests cleared although no person was found; the pack's identity rules are missing"
        )
