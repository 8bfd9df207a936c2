"""The benchmark of the judge of reasons: what it costs a batch, beside what a batch paid for its reasons before.

The floor is the least that any count of equal reasons costs: each text folded to its letters, and the digest of those.
Three batches are judged: reasons made of phrases with towns and months put in, the same with a word in each that no
other row has, and one reason for all.
"""

from __future__ import annotations

import time
from typing import Any

from gatehouse.intake.reasons import judge
from gatehouse.intake.workspace import open_workspace
from gatehouse.synthetic.chance import Chance
from gatehouse.synthetic.matters import BOILERPLATE, reason

_FLOOR = """
    CREATE OR REPLACE TABLE floor AS
    SELECT seq, md5(regexp_replace(upper(strip_accents(reason)), '[^A-Z]', '', 'g')) AS letters FROM phrases
"""


def bench_reasons(rows: int, seed: int) -> dict[str, dict[str, float]]:
    """Seconds and processor seconds of the floor and of judging each batch; the vocabulary is loaded before."""
    connection = open_workspace()
    connection.execute("SET preserve_insertion_order = false")
    made = reason(Chance(seed))
    town = f"(SELECT range AS seq, 'Town ' || chr((65 + range % 26)::INTEGER) AS town FROM range({rows}))"
    batches = {"phrases": made, "own_words": f"{made} || ' ' || md5(seq::VARCHAR)", "one": f"'{BOILERPLATE}'"}
    for name, text in batches.items():
        connection.execute(f"CREATE TABLE {name} AS SELECT seq, {text} AS reason FROM {town}")
    connection.execute("CREATE TABLE few AS SELECT * FROM phrases LIMIT 100")
    judge(connection, "few", "warm", "seq")
    measured = {"floor": _timed(connection.execute, _FLOOR)}
    for name, shown in (
        ("phrases", "judge"),
        ("own_words", "judge, a word of its own in each"),
        ("one", "judge, one reason for all"),
    ):
        measured[shown] = _timed(judge, connection, name, "judged", "seq")
    return measured


def _timed(step: Any, *arguments: Any) -> dict[str, float]:  # noqa: ANN401 - any call
    wall, processor = time.perf_counter(), time.process_time()
    step(*arguments)
    return {"seconds": time.perf_counter() - wall, "processor": time.process_time() - processor}
