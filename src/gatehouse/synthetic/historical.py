"""The procedure of August 2025, as a court and an official's declaration describe it, run over columns.

Two processes that exclude each other. TIN Matching takes a request that carries a TIN: name and TIN agree with the
record, and then the only control is that the address field is not blank and holds a 5- or 9-digit number; the last
known address goes out without a look at the address the request gave. Address matching takes the rest: name and
address agree with an address on file. How names were compared is not on record; see august.ASSUMED.

This module exists to be compared with. It decides nothing and releases nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.intake.workspace import quoted
from gatehouse.synthetic.subjects import plain

NUMBER_LIKE_A_ZIP = "(^|[^0-9])([0-9]{9}|[0-9]{5}(-[0-9]{4})?)([^0-9]|$)"


@dataclass(frozen=True)
class Answered:
    """How many requests the historical procedure answered, and how."""

    tin_matching: int
    address_matching: int

    @property
    def total(self) -> int:
        """All answers."""
        return self.tin_matching + self.address_matching


def run(connection: duckdb.DuckDBPyConnection, requests: str, register: Path, target: str) -> Answered:
    """Make `target` (`request_id`, `process`, `person_id`, `on_file`) of what the procedure answers.

    `requests` has the wire columns. `process` is `tin` or `address`; `on_file` tells whether the address given agrees
    with one on file for the person whose last known address went out.
    """
    persons, addresses = (f"read_parquet({quoted(register / f'{name}.parquet')})" for name in ("persons", "addresses"))
    control = " || ' ' || ".join(
        f"coalesce({c}, '')" for c in ("address_line1", "address_line2", "city", "state", "postal_code")
    )
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE his_asked AS
        SELECT request_id, nullif(regexp_replace(coalesce(tin, ''), '[^0-9]', '', 'g'), '') AS tin,
          {plain("last_name")} AS last, {plain("first_name")} AS first,
            {_address("address_line1", "address_line2")} AS street,
          left(postal_code, 5) AS zip, trim({control}) <> '' AND regexp_matches({control}, '{NUMBER_LIKE_A_ZIP}')
            AS passes
        FROM {requests}""")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE his_tin AS
        SELECT q.request_id, p.person_id, q.street, q.zip FROM his_asked q
        JOIN {persons} p ON p.tin = q.tin
        WHERE q.tin IS NOT NULL AND passes AND left({plain("p.last_name")}, 4) = left(q.last, 4)""")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE his_address AS
        WITH a AS (SELECT person_id, {_address("line1", "line2")} AS street, left(postal_code, 5) AS zip
                   FROM {addresses}),
        found AS (SELECT q.request_id, q.last, q.first, a.person_id FROM his_asked q JOIN a USING (street, zip)
                  WHERE q.tin IS NULL AND street <> '')
        SELECT f.request_id, min(f.person_id) AS person_id FROM found f JOIN {persons} p USING (person_id)
        WHERE {plain("p.last_name")} = f.last AND {plain("p.first_name")} = f.first GROUP BY f.request_id""")
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE {target} AS
        WITH given AS (SELECT DISTINCT t.request_id FROM his_tin t JOIN {addresses} a USING (person_id)
          WHERE {_address("a.line1", "a.line2")} = t.street AND left(a.postal_code, 5) = t.zip AND t.street <> '')
        SELECT request_id, 'tin' AS process, person_id, request_id IN (SELECT request_id FROM given) AS on_file
          FROM his_tin
        UNION ALL SELECT request_id, 'address', person_id, TRUE FROM his_address""")
    row = connection.execute(
        f"SELECT count(*) FILTER (process = 'tin'), count(*) FILTER (process = 'address') FROM {target}"
    ).fetchone()
    connection.execute("DROP TABLE his_asked; DROP TABLE his_tin; DROP TABLE his_address")
    return Answered(*row) if row else Answered(0, 0)


def _address(line1: str, line2: str) -> str:
    """SQL for the two address lines as one text in capitals, without spaces and punctuation."""
    return f"translate(upper(concat_ws('', {line1}, {line2})), ' .,#-/', '')"
