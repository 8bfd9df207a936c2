"""A docket's requests against the agency's own copy of what it sent: not a row, not a column otherwise.

The agency signed the digests of its tables. A docket holds the rows as they were read, and no file of it shows that
they are those of the tables; whoever has the submission can read it again.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from gatehouse.intake.submission import receive
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo


def compare(
    connection: duckdb.DuckDBPyConnection, docket: Path, submission: Path, *, mapping: Path | None = None
) -> int:
    """Read the agency's submission again and compare it with a docket; gives how many requests there are.

    Raises AnswerIsNo with the first row and column that differ, WrongInput where the submission cannot be read.
    """
    received = receive(connection, submission, None, mapping=mapping, unsigned=True)
    if received.digest != digests.of_file(docket / "submission.json"):
        raise AnswerIsNo("the docket is about another submission", where=docket.name)
    kept = connection.read_parquet(str(docket / "requests.parquet"))
    kept.create_view("asked_kept", replace=True)
    columns = [name for name in connection.table("requests").columns if name != "seq"]
    missing = sorted({*columns} ^ ({*kept.columns} - {"seq"}))
    if missing:
        raise AnswerIsNo(f"the docket's requests have other columns: {missing[0]}", where=f"{docket.name}, requests")
    differs = [f'kept."{name}" IS DISTINCT FROM sent."{name}"' for name in columns]
    found = connection.execute(
        f"SELECT coalesce(kept.seq, sent.seq), {', '.join(differs)} FROM asked_kept kept FULL JOIN requests sent "
        f"USING (seq) WHERE kept.seq IS NULL OR sent.seq IS NULL OR {' OR '.join(differs)} ORDER BY 1 LIMIT 1"
    ).fetchall()
    for seq, *different in found:
        named = [name for name, is_different in zip(columns, different, strict=True) if is_different]
        raise AnswerIsNo(
            f"row {seq + 1} is not as the agency sent it: {', '.join(named[:5])}", where=f"{docket.name}, requests"
        )
    return received.requests
