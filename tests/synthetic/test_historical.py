"""The procedure of August 2025 answers what the record says it answered, and fails in the ways on record."""

from __future__ import annotations

import duckdb
import pytest

from gatehouse.synthetic import august, historical
from gatehouse.synthetic.kinds import counts


def test_the_plan_at_full_size_is_the_record():
    wanted = counts(august.KINDS, august.REQUESTS)
    assert wanted == {kind.name: kind.share for kind in august.KINDS}
    assert sum(wanted.values()) == 1_280_000
    assert sum(wanted[name] for name in august.TIN_KINDS) == 42_695
    assert sum(wanted[name] for name in august.ADDRESS_KINDS) == 4_594
    assert august.ANSWERED == 47_289
    assert wanted["tin_defective"] < 0.05 * august.ANSWERED
    last_known = wanted["tin_last_known"] + wanted["address_last_known"]
    assert august.ANSWERED - last_known == pytest.approx(33_000, abs=100)


def test_it_answers_exactly_the_requests_that_were_planned(connection, register, exchange):
    table = f"read_parquet('{exchange.folder / 'requests.parquet'}')"
    answered = historical.run(connection, table, register.folder, "answers")
    kinds = exchange.kinds
    assert answered.tin_matching == sum(kinds[name] for name in august.TIN_KINDS) == 427
    assert answered.address_matching == sum(kinds[name] for name in august.ADDRESS_KINDS) == 46
    by_kind = connection.execute(
        f"SELECT t.kind, count(*), count(a.request_id), count(*) FILTER (a.person_id = t.made_from), "
        f"count(*) FILTER (a.on_file) FROM read_parquet('{exchange.truth}') t LEFT JOIN answers a USING (request_id) "
        "GROUP BY 1"
    ).fetchall()
    for kind, planned, given, right, on_file in by_kind:
        expected = planned if kind in august.TIN_KINDS + august.ADDRESS_KINDS else 0
        assert (given, right) == (expected, expected), kind
        assert on_file == (expected if kind.endswith(("last_known", "past")) else 0), kind


def test_one_officer_and_one_reason_stand_for_all(connection, exchange):
    table = f"read_parquet('{exchange.folder / 'requests.parquet'}')"
    assert connection.execute(
        f"SELECT count(DISTINCT officer_ids), count(DISTINCT reason), count(*) FROM {table}"
    ).fetchone() == (1, 1, 12_800)


@pytest.mark.parametrize(
    ("address", "zip_code", "answered"),
    [
        ("Failed to Provide", "12345", True),
        ("Don't Care 12345", None, True),
        ("00000", None, True),
        ("NA NA", "787011234", True),
        ("NA NA", None, False),
        (None, None, False),
        ("1600 Elm Street", None, False),
        ("1234567 Elm", None, False),
    ],
)
def test_its_only_control_of_an_address_is_a_number_like_a_zip(tmp_path, address, zip_code, answered):
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE p AS SELECT 1::BIGINT AS person_id, '900010001' AS tin, 'GARCIA' AS last_name, "
            "'ANA' AS first_name"
        )
        connection.execute("CREATE TABLE a AS SELECT 1::BIGINT AS person_id, '1 ELM ST' AS line1, NULL AS line2, "
                           "'78701' AS postal_code")  # fmt: skip
        for table, name in (("p", "persons"), ("a", "addresses")):
            connection.execute(f"COPY {table} TO '{tmp_path / name}.parquet'")
        connection.execute(
            "CREATE TABLE r AS SELECT 'R1' AS request_id, '900-01-0001' AS tin, 'García' AS last_name, "
            "'Ana' AS first_name, ?::VARCHAR AS address_line1, NULL::VARCHAR AS address_line2, "
            "NULL::VARCHAR AS city, NULL::VARCHAR AS state, ?::VARCHAR AS postal_code",
            [address, zip_code],
        )
        assert historical.run(connection, "r", tmp_path, "h").total == int(answered)
