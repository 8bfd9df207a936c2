"""`gatehouse match` from the command line: a table in, the contract's columns out, and wrong input in one line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from match_world import Person, World

from gatehouse.cli.match import match
from gatehouse.intake.wire import COLUMNS
from gatehouse.kernel.errors import WrongInput


def _table(folder: Path) -> Path:
    path = folder / "requests.csv"
    given = {
        "request_id": "R1", "last_name": "Garcia", "first_name": "Ana", "tin": "912-34-5678",
        "address_line1": "12 Maple St",
        "city": "Boise", "state": "ID", "postal_code": "83712",
    }  # fmt: skip
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerow(given)
        writer.writerow({**given, "request_id": "R2", "tin": "912345670"})
    return path


@pytest.mark.slow
def test_a_request_table_is_matched_into_the_contracts_columns(tmp_path: Path) -> None:
    register = World([Person("GARCIA", "ANA", tin="912345678")]).write(tmp_path / "register")
    out = tmp_path / "out" / "matched.parquet"
    options = ["--register", str(register), "--out", str(out), "--json"]
    done = CliRunner().invoke(match, [str(_table(tmp_path)), *options], catch_exceptions=False)
    assert json.loads(done.output) == {
        "requests": 2,
        "matched": 1,
        "tin": 1,
        "birth_date": 0,
        "none": 0,
        "index_changed": None,
    }
    with duckdb.connect() as db:
        answer = db.execute(f"SELECT * FROM '{out}'")
        names = [column[0] for column in answer.description]
        assert names == [
            "request_id", "address_verdict", "persons_name", "persons_agreeing", "corroboration", "person_id",
        ]  # fmt: skip
        assert answer.fetchall() == [("R1", "complete", 1, 1, "tin", 1001), ("R2", "complete", 1, 0, None, None)]
    assert sorted(path.name for path in out.parent.iterdir()) == ["matched.parquet"], "nothing else is left"


def test_a_register_that_is_none_ends_in_one_line(tmp_path: Path) -> None:
    options = ["--register", str(tmp_path), "--out", str(tmp_path / "o.parquet")]
    with pytest.raises(WrongInput, match=r"persons\.parquet"):
        CliRunner().invoke(match, [str(_table(tmp_path)), *options], catch_exceptions=False)
    assert not (tmp_path / "o.parquet").exists()
