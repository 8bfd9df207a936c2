"""What sqlglot cannot know of our SQL on Spark: which functions may be exchanged, and where the types differ."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gatehouse.intake.cluster import dialect


def spark(statement: str, *parameters: object) -> str:
    return dialect.text(dialect.parse(statement, parameters))


def test_unsigned_numbers_become_wide_ones() -> None:
    assert spark("SELECT try_cast(tin AS UINTEGER), x::UINTEGER FROM t") == (
        "SELECT TRY_CAST(tin AS BIGINT), CAST(x AS BIGINT) FROM t"
    )


def test_a_number_over_nothing_is_any_number_and_is_not_narrowed() -> None:
    assert (
        spark("SELECT row_number() OVER ()::INTEGER AS n FROM t") == "SELECT MONOTONICALLY_INCREASING_ID() AS n FROM t"
    )
    assert spark("SELECT (5 + row_number() OVER ())::INTEGER AS n") == "SELECT (5 + MONOTONICALLY_INCREASING_ID()) AS n"
    assert spark("SELECT row_number() OVER (ORDER BY a) AS n FROM t") == (
        "SELECT CAST(ROW_NUMBER() OVER (ORDER BY a NULLS LAST) AS BIGINT) AS n FROM t"
    )


def test_a_hash_is_wide_however_deep_it_stands() -> None:
    assert spark("SELECT hash(a, hash(b))") == "SELECT XXHASH64(a, XXHASH64(b))"


def test_any_value_is_one_and_the_same_in_every_run() -> None:
    assert spark("SELECT any_value(a) FILTER (b) FROM t") == "SELECT MAX(a) FILTER(WHERE b) FROM t"


def test_a_path_is_whole_wherever_the_task_runs() -> None:
    here = Path.cwd() / "index" / "people*.parquet"
    assert spark("SELECT a FROM read_parquet('index/people*.parquet') p") == f"SELECT a FROM parquet.`{here}` AS p"


def test_nulls_come_last_as_they_do_here() -> None:
    assert spark("SELECT a FROM t ORDER BY a, b DESC") == "SELECT a FROM t ORDER BY a NULLS LAST, b DESC"


def test_parameters_are_typed_literals_and_nothing_else_is_one() -> None:
    assert spark("SELECT a FROM t WHERE d <= ? AND n = ?", dt.date(2025, 8, 7), "O'\\Brien") == (
        r"SELECT a FROM t WHERE d <= CAST('2025-08-07' AS DATE) AND n = 'O\'\\Brien'"
    )
    with pytest.raises(TypeError):
        spark("SELECT ?", [1])
    with pytest.raises(ValueError, match="zip"):
        spark("SELECT ?")
