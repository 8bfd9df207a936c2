"""Replay on an auditor's machine: the docket, a copy of the ledger, and a checkpoint that the auditor accepts."""

from __future__ import annotations

import json
import shutil

import duckdb
import house
import pytest
from click.testing import CliRunner

from gatehouse.cli.main import cli
from gatehouse.kernel.errors import AnswerIsNo, WrongInput


@pytest.fixture
def auditor(released, tmp_path):
    """A folder with copies of what an auditor is given, and nothing else of the site."""
    folder = tmp_path / "auditor"
    shutil.copytree(released.docket.root, folder / "docket")
    shutil.copytree(released.site.ledger, folder / "ledger")
    shutil.copy(released.site.policy, folder / "my.policy")
    shutil.rmtree(released.site.root)
    return folder


def sizes(folder):
    return sorted(int(path.name) for path in (folder / "ledger/checkpoints").iterdir())


def replay(folder, size, *more):
    arguments = ["replay", str(folder / "docket"), "--at", str(folder / f"ledger/checkpoints/{size}"), *more]
    return CliRunner().invoke(cli, [*arguments, "--policy", str(folder / "my.policy"), "--json"], catch_exceptions=True)


def test_it_is_identical_under_every_checkpoint_since_it_was_committed(auditor):
    first, *later = sizes(auditor)[1:]
    for size in later:
        done = replay(auditor, size)
        assert done.exit_code == 0, done.output
        answer = json.loads(done.output)
        assert (answer["identical"], answer["requests"], answer["size"]) == (True, 12, size)
    founding = sizes(auditor)[0]
    assert isinstance(replay(auditor, founding).exception, AnswerIsNo)
    assert first > founding


def test_a_mirror_without_partial_tiles_of_older_sizes_will_do(auditor):
    newest = sizes(auditor)[-1]
    for path in (auditor / "ledger/tile").rglob("*.p/*"):
        if path.name != str(newest % 256):
            path.unlink()
    assert replay(auditor, sizes(auditor)[-2]).exit_code == 0


def test_docket_and_determinations_mended_together_are_noticed(auditor):
    """Facts and determinations are changed so that they agree with each other: the docket's entry tells."""
    docket = auditor / "docket"
    for name in ("facts", "determinations", "requests"):
        path = docket / f"{name}.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"CREATE TABLE mended AS FROM read_parquet('{path}') WHERE seq <> 11")
            connection.execute(f"COPY mended TO '{path}' (FORMAT parquet)")
    alone = CliRunner().invoke(cli, ["replay", str(docket)]).exception
    assert isinstance(alone, AnswerIsNo)
    assert "differs from the one that was committed" in alone.what
    assert isinstance(replay(auditor, sizes(auditor)[-1]).exception, (AnswerIsNo, WrongInput))


def test_a_checkpoint_that_the_policy_does_not_accept_is_none(auditor):
    path = auditor / "ledger/checkpoints" / str(sizes(auditor)[-1])
    forged = auditor / "forged"
    forged.write_bytes(path.read_bytes().replace(b"\n" + path.name.encode() + b"\n", b"\n7\n"))
    done = CliRunner().invoke(
        cli, ["replay", str(auditor / "docket"), "--at", str(forged), "--ledger", str(auditor / "ledger"), "--policy",
              str(auditor / "my.policy")]
    )  # fmt: skip
    assert isinstance(done.exception, AnswerIsNo)
    asked = CliRunner().invoke(cli, ["replay", str(auditor / "docket"), "--at", str(path)])
    assert isinstance(asked.exception, WrongInput)
    assert house.NAME not in asked.output
