"""What looks like trial and error is shown to the custodian as it was counted."""

from __future__ import annotations

from pathlib import Path

import duckdb

from gatehouse.casework import alarms


def test_alarms_are_what_the_docket_holds(tmp_path: Path) -> None:
    tables = {
        "requests": "SELECT range::BIGINT AS seq, 'R-' || range AS request_id, "
        "[CASE WHEN range < 3 THEN 'O1' ELSE 'O2' END] AS officer_list FROM range(5)",
        "facts": "SELECT range::BIGINT AS seq, 500 AS agency_requests, 600 AS agency_requests_hold, "
        "12 AS agency_near_miss_percent, 10 AS agency_near_miss_percent_hold, "
        "NULL::INTEGER AS agency_answered_percent, 10 AS agency_answered_percent_hold, "
        "CASE WHEN range = 4 THEN 3 ELSE 0 END AS subject_variants FROM range(5)",
        "evidence": "SELECT unnest([0, 1, 2, 3, 3])::BIGINT AS seq, "
        "unnest(['tin_differs', 'unit_differs', 'agrees', 'tin_differs', 'agrees']) AS verdict, "
        "'different' AS tin_comparison, unnest([false, false, true, false, true]) AS agrees",
    }
    with duckdb.connect() as connection:
        for name, query in tables.items():
            connection.execute(f"COPY ({query}) TO '{tmp_path / name}.parquet' (FORMAT parquet)")
        found = alarms.raised(connection, tmp_path)
    assert list(found.agency.values()) == [(500, 600), (12, 10), (None, 10)]
    assert found.officers == (("O1", 2),)
    assert found.subjects == (("R-4", 3),)
