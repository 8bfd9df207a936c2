"""Hostile checkpoints and proofs, one a file with a name that says what is wrong: neither verifier accepts any.

The files under tests/hostile/ledger were made with keys that were then thrown away; only the two called `good` hold.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import policy
from gatehouse.ledger.proof import verify_proof

FOLDER = Path(__file__).parents[1] / "hostile" / "ledger"
STRANGER = Path(__file__).parents[2] / "verifier" / "verify_ledger.py"
MINE = policy.read(FOLDER / "my.policy")


@pytest.fixture(scope="module")
def stranger():
    spec = importlib.util.spec_from_file_location("verify_ledger", STRANGER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names(ending):
    return sorted(path.name for path in FOLDER.glob(f"*.{ending}"))


def test_the_good_ones_hold(stranger):
    theirs = stranger.Policy(str(FOLDER / "my.policy"))
    data = (FOLDER / "good.checkpoint").read_bytes()
    assert theirs.accept(data, "good") == (7, MINE.accept(data).root)
    proven = verify_proof((FOLDER / "good.tlog-proof").read_bytes(), MINE)
    assert proven.fields == {"request": "R-1", "answer": {"outcome": "refused"}}
    assert stranger.check_proof(str(FOLDER / "good.tlog-proof"), theirs)[3] == proven.fields


@pytest.mark.parametrize("name", [name for name in names("checkpoint") if not name.startswith("good")])
def test_hostile_checkpoints_are_refused(name, stranger):
    data = (FOLDER / name).read_bytes()
    with pytest.raises((AnswerIsNo, WrongInput)):
        MINE.accept(data)
    with pytest.raises(stranger.Failure):
        stranger.Policy(str(FOLDER / "my.policy")).accept(data, name)


@pytest.mark.parametrize("name", [name for name in names("tlog-proof") if not name.startswith("good")])
def test_hostile_proofs_are_refused(name, stranger):
    with pytest.raises((AnswerIsNo, WrongInput)):
        verify_proof((FOLDER / name).read_bytes(), MINE)
    with pytest.raises(stranger.Failure):
        stranger.check_proof(str(FOLDER / name), stranger.Policy(str(FOLDER / "my.policy")))
