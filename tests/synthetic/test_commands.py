"""`gatehouse synth` at the command line: the forms of design §6, quiet, refusing in one line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from gatehouse.cli.synth import synth
from gatehouse.kernel.errors import WrongInput


def run(*arguments):
    return CliRunner().invoke(synth, [str(each) for each in arguments], catch_exceptions=False)


def test_a_submission_without_a_register_makes_one_and_uses_it_again(tmp_path):
    common = ("--out", tmp_path, "--persons", 3_000, "--requests", 300, "--seed", 4, "--json")
    first = run("submission", *common)
    assert first.exit_code == 0
    told = json.loads(first.stdout)
    assert told["requests"] == 300
    made = (tmp_path / "register" / "persons.parquet").stat().st_mtime_ns
    before = (tmp_path / "requests.csv").read_bytes()
    assert run("submission", *common).exit_code == 0
    assert (tmp_path / "register" / "persons.parquet").stat().st_mtime_ns == made
    assert (tmp_path / "requests.csv").read_bytes() == before


def test_a_register_of_other_persons_is_not_overwritten(tmp_path):
    assert run("register", "--out", tmp_path / "register", "--persons", 500).exit_code == 0
    with pytest.raises(WrongInput, match="another folder"):
        run("submission", "--out", tmp_path, "--persons", 600)


def test_parquet_and_csv_hold_the_same_requests(tmp_path, register, connection):
    for form in ("csv", "parquet"):
        run("submission", "--out", tmp_path / form, "--register", register.folder, "--requests", 200, "--format", form)
    csv, parquet = (f"{tmp_path}/{form}/requests.{form}" for form in ("csv", "parquet"))
    read = f"SELECT * FROM read_csv('{csv}', all_varchar = true)"
    differing = connection.execute(f"SELECT count(*) FROM ({read} EXCEPT FROM read_parquet('{parquet}'))").fetchone()
    assert differing == (0,)


def test_help_shows_an_example():
    for name in ("register", "submission"):
        assert f"gatehouse synth {name} --out" in run(name, "--help").stdout
