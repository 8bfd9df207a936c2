"""Single rows and places of a docket are found through tables kept in memory, and are those of its files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest
from docket_files import write_docket

from gatehouse.console import reading
from gatehouse.console.reading import Reader

ROWS = 700


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_docket(tmp_path_factory.mktemp("reading") / "D-1", ROWS)


def table(folder, name: str) -> str:
    return f"read_parquet('{folder / name}.parquet')"


def test_every_request_is_found_by_its_id_and_no_other(folder):
    reader = Reader(folder)
    ids = duckdb.execute(f"SELECT request_id, seq FROM {table(folder, 'determinations')}").fetchall()
    assert [reader.find(request_id) for request_id, _ in ids] == [seq for _, seq in ids]
    assert [reader.find(other) for other in ("R-0000700", "r-0000001", "R-000001", "", "' OR true --")] == [None] * 5


def test_requests_whose_hashes_are_the_same_are_told_apart(folder, monkeypatch):
    same = "SELECT hash('R-0000005') AS id, seq FROM determinations ORDER BY seq"
    monkeypatch.setitem(reading._PREPARED, "ids", same)
    assert Reader(folder).find("R-0000005") == 5


def test_pages_that_come_at_once_prepare_a_docket_once(folder):
    reader = Reader(folder)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda seq: reader.find(f"R-{seq:07}"), range(64)))
    assert found == list(range(64))


@pytest.mark.parametrize("members", [None, "".join("01"[seq % 7 == 2] for seq in range(ROWS)), "0" * ROWS])
def test_the_neighbours_of_a_case_are_those_of_the_list(folder, members):
    reader = Reader(folder)
    outcome = "held" if members is None else None
    listed = reader.page(outcome=outcome, members=members, limit=ROWS).rows
    seqs = [row["seq"] for row in listed]
    for at, row in enumerate(listed):
        waiting = reader.waiting(row["seq"])
        assert (waiting.position, waiting.clearable) == (row["position"], row["clearable"])
        before = seqs[at - 1] if at else None
        after = seqs[at + 1] if at + 1 < len(seqs) else None
        assert reader.neighbours(waiting.position, outcome="held", members=members) == (before, after)
    refused = duckdb.execute(
        f"SELECT min(seq) FROM {table(folder, 'determinations')} WHERE outcome = 'refused'"
    ).fetchone()
    assert reader.waiting(refused[0]) is None


def test_a_case_is_what_the_files_say_and_a_determination_needs_less_of_it(folder):
    reader, seq = Reader(folder), 99
    whole, decided = reader.case(seq), reader.decided(seq)
    for name, row in (("requests", whole.request), ("determinations", whole.determination), ("facts", whole.facts)):
        found = duckdb.execute(f"SELECT * FROM {table(folder, name)} WHERE seq = {seq}")
        kept = dict(zip([column[0] for column in found.description], found.fetchone(), strict=True))
        assert row == {column: kept[column] for column in row}
    assert {"address_verdict", "reason", "officer_ids", "tin"} <= set(whole.request)
    assert whole.candidates
    assert (decided.determination, decided.facts) == (whole.determination, whole.facts)
    assert (decided.request, decided.candidates) == ({}, ())
    assert reader.case(ROWS) is None
    assert reader.decided(ROWS) is None
