"""Docket files in the documented columns, at any size, from invented people: what the console reads in its tests."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

AGENCY = "us.dhs.ice"

_REQUESTS = """
SELECT i AS seq, 'R-' || lpad(i::VARCHAR, 7, '0') AS request_id,
  'Sample' || (i % 5000) AS last_name, ['Ana','Ben','Carla','Dmitri'][i % 4 + 1] AS first_name,
  NULL::VARCHAR AS middle_name, NULL::VARCHAR AS suffix, '1980-02-0' || (i % 9 + 1) AS birth_date,
  lpad((i * 7919 % 999999999)::VARCHAR, 9, '0') AS tin,
  CASE WHEN i % 10 < 6 THEN 'Unknown Address' ELSE (i % 900 + 1) || ' Oak Street' END AS address_line1,
  NULL::VARCHAR AS address_line2, 'Springfield' AS city, 'IL' AS state, '62701' AS postal_code, 'US' AS country,
  '2023-01-01' AS period_from, '2024-12-31' AS period_to, '8 USC 1253(a)(1)' AS authority,
  'investigation' AS proceeding, 'M-' || i AS matter_number, '2025-01-15' AS matter_opened_on,
  '2024-06-01' AS final_order_date, 'A' || i AS final_order_number, NULL::VARCHAR AS review_order_date,
  '8 USC 1227(a)(1)(B)' AS removal_ground, 'The address is needed to locate the defendant in matter ' || i AS reason,
  'ICE-0042' AS officer_ids, 'last_known_address' AS items, ['ICE-0042'] AS officer_list,
  ['last_known_address'] AS item_list,
  'SAMPLE' AS last_key, 'ANA' AS first_key, '8 USC 1253(a)(1)' AS authority_citation,
  CASE WHEN i % 10 < 6 THEN 'not_an_address' ELSE 'complete' END AS address_verdict,
  CASE WHEN i % 10 < 6 THEN 'placeholder' ELSE NULL END AS address_reason
FROM range({rows}) t(i)
"""

_OUTCOME = """CASE WHEN seq % 10 < 6 THEN 'incomplete' WHEN seq % 10 < 8 THEN 'refused'
  WHEN seq % 100 < 95 THEN 'held' ELSE 'cleared' END"""


def write_docket(
    folder: Path, rows: int, *, agency: str = AGENCY, submission: str = "ICE-2025-0003", numbered: bool = True
) -> Path:
    """Write receipt, requests, evidence, facts, determinations, answers and summary of one made-up docket.

    `numbered`: as if its determinations stood at the beginning of a ledger; otherwise it can be committed.
    """
    index = "seq" if numbered else "NULL::BIGINT"
    folder.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW requests AS {_REQUESTS.format(rows=rows)}")
        _write(connection, "SELECT * FROM requests", folder / "requests.parquet")
        _write(
            connection,
            f"""SELECT request_id, seq, {_OUTCOME} AS outcome,
              CASE {_OUTCOME} WHEN 'incomplete' THEN ['address-real', 'form-complete']
                WHEN 'refused' THEN ['subject-one'] WHEN 'held' THEN
                  CASE WHEN seq % 3 = 0 THEN ['name-address-only'] ELSE ['officer-ceiling'] END
                ELSE ['grant'] END AS fired,
              []::VARCHAR[] AS unknown,
              CASE {_OUTCOME} WHEN 'incomplete' THEN ['FORM'] WHEN 'refused' THEN ['SUBJECT']
                WHEN 'held' THEN ['HOLD'] ELSE []::VARCHAR[] END AS codes,
              ['last_known_address'] AS items,
              CASE WHEN {_OUTCOME} = 'cleared' THEN seq % 100 END AS person_id,
              DATE '2025-08-07' AS as_of, repeat('ab', 32) AS pack_digest, {index} AS ledger_index
            FROM requests""",
            folder / "determinations.parquet",
        )
        _write(
            connection,
            """SELECT seq, request_id, 1 AS rank, seq % 100 AS person_id, seq % 2 = 0 AS agrees,
              'equal' AS last_name_comparison, 'nickname' AS first_name_comparison,
              'missing' AS middle_name_comparison, 'missing' AS suffix_comparison,
              'equal' AS birth_date_comparison, 'different' AS tin_comparison, 'equal' AS address_comparison,
              'last_known' AS address_used, 'tin_differs' AS verdict
            FROM requests WHERE seq % 10 >= 8""",
            folder / "evidence.parquet",
        )
        _write(
            connection,
            """SELECT seq, true AS signature_valid, 'us.dhs.ice' AS agency, 'complete' AS address_verdict,
              DATE '2025-06-27' AS signed_on, 1280000 AS officer_matters, ['last_known_address'] AS items_requested,
              1 AS persons_agreeing, 'none' AS corroboration FROM requests""",
            folder / "facts.parquet",
        )
        connection.execute(
            f"""COPY (SELECT request_id, CASE {_OUTCOME} WHEN 'incomplete' THEN 'not_answered' ELSE 'pending' END
              AS outcome, CASE {_OUTCOME} WHEN 'incomplete' THEN 'FORM' ELSE '' END AS codes,
              CASE {_OUTCOME} WHEN 'incomplete' THEN 'The address is not an address.' ELSE '' END AS text
              FROM requests ORDER BY seq) TO '{folder}/answers.csv' (HEADER)"""
        )
    (folder / "receipt.json").write_text(
        json.dumps(
            {"submission": submission, "agency": agency, "requests": rows, "received_at": "2025-06-27T12:00:00Z"}
        )
    )
    manifest = {
        "format": "gatehouse-submission/1", "id": submission, "agency": agency, "basis": "us.irs.6103-i-2",
        "agreement": "irs-ice-mou-2025-04-07", "signed_on": "2025-06-27",
        "signatory": {"name": "Dana Whitlock", "title": "Director", "capacity": "agency_head"},
        "officers": [{"id": "ICE-0042", "name": "Maria Lopez", "title": "Agent", "employee": True,
                      "recipient": "", "attests_sole_use": True}],
        "tables": [{"file": "requests.csv", "sha256": "0" * 64, "rows": rows}],
    }  # fmt: skip
    (folder / "submission.json").write_text(json.dumps(manifest))
    (folder / "summary.json").write_text(json.dumps({"submission": submission, "agency": agency, "requests": rows}))
    return folder


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    connection.execute(f"COPY ({query} ORDER BY seq) TO '{path}' (FORMAT parquet)")
