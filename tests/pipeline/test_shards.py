"""A site of a new year continues the one before it: one command makes it, one command verifies both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gatehouse.cli.main import cli
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

PACK = Path(__file__).parents[2] / "packs" / "us-privacy-act-552a-b-7"


def call(*arguments):
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_the_new_year_begins_with_the_old_one(tmp_path):
    old, new = tmp_path / "2026", tmp_path / "2027"
    call("init", old, "--name", "log.example/2026", "--pack", PACK)
    call("init", new, "--name", "log.example/2027", "--pack", PACK, "--after", old)
    policy = new / "witnesses.policy"
    assert "differ" not in call("check", "--site", new)
    call("report", "disclosures", "--site", new)
    answer = json.loads(call("verify", "ledger", old / "ledger", new / "ledger", "--policy", policy, "--json"))
    assert answer["origin"] == "log.example/2027"
    assert [one["origin"] for one in answer["earlier"]] == ["log.example/2026"]
    with pytest.raises(AnswerIsNo, match="does not begin with"):
        call("verify", "ledger", new / "ledger", old / "ledger", "--policy", policy)
    with pytest.raises(WrongInput, match="this is not a site"):
        call("init", tmp_path / "2028", "--name", "log.example/2028", "--pack", PACK, "--after", tmp_path)
    assert not (tmp_path / "2028").exists()
