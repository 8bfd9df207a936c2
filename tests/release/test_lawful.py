"""The law is asked again on the day: by rules nobody has looked at yet, and item by item."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import house
import pytest

from gatehouse.casework.selection import Selection
from gatehouse.casework.states import State
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.law.reading import load
from gatehouse.pipeline import lawful
from gatehouse.pipeline import release as stage
from gatehouse.release import items

HELD_ANEW = """
[source]
id = "order-2025-09-01-notice"
title = "An invented order: notice first"
kind = "order"
cite = "D. Test. 1:25-cv-00001"
made = 2025-09-01
from = 2025-09-01
certainty = "primary"

[[rule]]
id = "order-2025-09-01-wait"
effect = "bar"
otherwise = "hold"
code = "ORDER"
when = "toward_immigration_agency"
cite = "D. Test. 1:25-cv-00001"
paraphrase = "No disclosure without notice."
say = "A court order requires notice before any disclosure; the request waits."
note = "Give notice."
"""


def test_what_a_person_cleared_is_held_anew_by_an_order_that_person_never_saw(
    small: house.House, tmp_path: Path
) -> None:
    house.decide(small, "eve", "clear", cases=Selection.of([0]))
    house.decide(small, "ann", "approve")
    house.decide(small, "bob", "approve")
    house.enact(small, tmp_path, lambda draft: (draft / "orders" / "2025-09-01-notice.toml").write_text(HELD_ANEW))
    approved = small.office.casebook.board(house.NAME).states[State.APPROVED_TWICE]
    found = lawful.today(small.connection, small.site, small.docket, approved, house.NOW.date())
    assert found == lawful.Lawful(Selection(), {"order-2025-09-01-wait": 10})
    with pytest.raises(AnswerIsNo, match="stopped by the law"):
        stage.release(small.connection, small.office, house.NAME, house.LATER)


def test_what_a_person_cleared_may_be_held_again_by_the_same_rule(small: house.House) -> None:
    held = Selection.of([0, 1])
    assert lawful.today(small.connection, small.site, small.docket, held, house.NOW.date()).cases == held
    pack = load(small.site.pack_for("us.irs.6103-i-2"))
    assert lawful.then(small.connection, small.docket, held, pack, None).cases == held
    day = dt.date(2025, 11, 22)
    assert lawful.then(small.connection, small.docket, held, pack, day).stopped_by == {
        "order-2025-11-21-address-sharing": 2,
    }  # fmt: skip


def test_an_item_that_the_law_no_longer_permits_is_cut() -> None:
    connection = duckdb.connect()
    for name, query in {
        "requests": "SELECT range AS seq, 'R-' || range AS request_id, NULL::VARCHAR AS matter_number, "
        "['A']::VARCHAR[] AS officer_list, ['last_known_address', 'name'] AS item_list FROM range(2)",
        "determinations": "SELECT range AS seq, ['last_known_address', 'name'] AS items FROM range(2)",
        "persons": "SELECT range AS seq, range AS person_id FROM range(2)",
        "homes": "SELECT range AS person_id, '1 Main St' AS line1, NULL::VARCHAR AS line2, 'X' AS city, 'IL' AS state, "
        "'62701' AS postal_code, 'US' AS country FROM range(2)",
        "lawful": "SELECT 0 AS seq, ['name'] AS items UNION ALL SELECT 1, ['last_known_address']",
    }.items():
        connection.execute(f"CREATE TABLE {name} AS {query}")
    items.least(
        connection, requests="requests", determinations="determinations", persons="persons", last_known="homes",
        lawful="lawful", agreed=["last_known_address", "name"], target="made",
    )  # fmt: skip
    assert connection.sql("SELECT seq FROM made").fetchall() == [(1,)]
