"""The least: items that law, agreement, request and register all name, and never about anyone but the subject.

`determinations.items` is law ∩ agreement ∩ request as decided; here it is cut again by the request as received, by
the law and the agreement as they stand on the day of release, and filled from the register's last known address as of
that day. A case whose one record is missing, or has no such item, is left out and counted; nothing is put in its place.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from gatehouse.casework.selection import Selection
from gatehouse.law.supply import releasable

ADDRESS = ("line1", "line2", "city", "state", "postal_code", "country")

COLUMNS = ("request_id", "matter_number", "item", *ADDRESS)
"""What an officer receives for each item, all text; the person's number, TIN and birth date stay behind."""


def persons(
    connection: duckdb.DuckDBPyConnection, *, determinations: str, evidence: str, cases: Selection, target: str
) -> None:
    """Make `target` (`seq`, `person_id`): the one person of each case, as determined or as the evidence alone allows.

    A cleared case names its person. A held case that people cleared has one agreeing candidate in the evidence; with
    none or several there is no row, and so no release.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {target} AS
        WITH agreeing AS (
          SELECT seq, min(person_id) AS person_id FROM {evidence} WHERE agrees
          GROUP BY seq HAVING count(DISTINCT person_id) = 1
        )
        SELECT decided.seq, agreeing.person_id
        FROM {determinations} decided JOIN agreeing USING (seq)
        WHERE seq < length($cases) AND get_bit($cases::BIT, seq::INTEGER) = 1
          AND decided.outcome IN ('cleared', 'held')
          AND (decided.outcome = 'held' OR decided.person_id = agreeing.person_id)
        """,
        {"cases": cases.bitstring(1)},
    )


def least(
    connection: duckdb.DuckDBPyConnection,
    *,
    requests: str,
    determinations: str,
    persons: str,
    last_known: str,
    lawful: str,
    agreed: Sequence[str],
    target: str,
) -> None:
    """Make `target`: `seq`, `officers` (those the row names) and `COLUMNS`, one row a case and item.

    `lawful` has `seq` and the `items` that the law allows on the day of release, `agreed` are those that the agreement
    allows then; `last_known` has `person_id` and `ADDRESS`.
    """
    address = ", ".join(f"coalesce(home.{name}::VARCHAR, '') AS {name}" for name in ADDRESS)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {target} AS
        WITH single AS (
          SELECT * FROM {last_known} WHERE line1 IS NOT NULL
          QUALIFY count(*) OVER (PARTITION BY person_id) = 1
        ), permitted AS (
          SELECT person.seq, person.person_id, request.request_id, request.matter_number, request.officer_list,
                 unnest(list_intersect(list_intersect(list_intersect(decided.items, lawful.items), request.item_list),
                                       $items::VARCHAR[])) AS item
          FROM {persons} person JOIN {determinations} decided USING (seq) JOIN {requests} request USING (seq)
               JOIN {lawful} lawful USING (seq)
        )
        SELECT permitted.seq, officer_list AS officers, request_id, coalesce(matter_number, '') AS matter_number, item,
               {address}
        FROM permitted JOIN single home USING (person_id)
        WHERE item = 'last_known_address'
        ORDER BY seq, item
        """,
        {"items": releasable(agreed)},
    )
