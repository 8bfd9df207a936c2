"""The address benchmark: addresses judged and standardised a second, beside the floor of the same run.

The floor is what any honest reader of addresses must do at least: fold each line to capitals, split it into words and
write them back.
"""

from __future__ import annotations

import time
from typing import Any

_LINES = """
    (1 + hash(i + $seed) % 19999)::VARCHAR || ' ' || list_extract(['', '', '', 'N ', 'South '], 1 + (i % 5)::INT)
    || list_extract(['Main', 'Oak Hill', 'First', 'Martin Luther King', 'Cedar', 'O''Brien', 'St. James', '42nd'],
                    1 + (hash(i * 3 + $seed) % 8)::INT)
    || list_extract([' Street', ' Ave', ' Rd.', ' Blvd', ' Dr'], 1 + (hash(i * 5 + $seed) % 5)::INT)
    || list_extract(['', '', ' Apt ' || (i % 77)::VARCHAR, ', #' || (i % 50)::VARCHAR],
                    1 + (hash(i * 7 + $seed) % 4)::INT)
"""


def bench_address(rows: int, seed: int) -> dict[str, Any]:
    """Judge and standardise `rows` made-up addresses; seconds, addresses a second, CPU seconds and ratio to the floor.

    The tables of words and places are loaded before the clock starts.
    """
    from gatehouse.intake.addresses import judge, standardise
    from gatehouse.intake.workspace import open_workspace

    connection = open_workspace()
    connection.execute("SET preserve_insertion_order = false")
    _make(connection, rows, seed)
    connection.execute("CREATE TABLE few AS SELECT * FROM given LIMIT 100")
    judge(connection, "few", "warm", "key")
    floor = _timed(
        lambda: connection.execute(
            "CREATE OR REPLACE TABLE floor AS SELECT key, string_split(upper(address_line1), ' ') AS words FROM given"
        )
    )
    answer: dict[str, Any] = {"rows": rows, "seed": seed, "floor_seconds": round(floor[0], 3)}
    for name, function in (("judge", judge), ("standardise", standardise)):
        seconds, cpu = _timed(lambda function=function: function(connection, "given", "result", "key"))
        answer[name] = {
            "seconds": round(seconds, 3),
            "cpu_seconds": round(cpu, 3),
            "per_second": round(rows / seconds),
            "ratio_to_floor": round(seconds / floor[0], 1),
        }
    return answer


def _make(connection: Any, rows: int, seed: int) -> None:  # noqa: ANN401 - a DuckDB connection
    import zipcodes

    places = [place for place in zipcodes.list_all() if place["zip_code_type"] == "STANDARD"]
    connection.execute(
        "CREATE TABLE places AS SELECT row_number() OVER () AS number, * FROM "
        "(SELECT unnest($city) AS city, unnest($state) AS state, unnest($postal) AS postal_code)",
        {
            "city": [place["city"] for place in places],
            "state": [place["state"] for place in places],
            "postal": [place["zip_code"] for place in places],
        },
    )
    connection.execute(
        f"CREATE TABLE given AS SELECT i AS key, {_LINES} AS address_line1, NULL::VARCHAR AS address_line2, "
        "city, state, postal_code, NULL::VARCHAR AS country "
        f"FROM range($rows) made(i) JOIN places ON number = 1 + hash(i + $seed) % {len(places)}",
        {"rows": rows, "seed": seed},
    )


def _timed(step: Any) -> tuple[float, float]:  # noqa: ANN401 - any call
    wall, cpu = time.perf_counter(), time.process_time()
    step()
    return time.perf_counter() - wall, time.process_time() - cpu
