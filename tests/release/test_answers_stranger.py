"""The verifier of answers under verifier/, which shares no code with Gatehouse, agrees with ours on right and wrong."""

from __future__ import annotations

import datetime as dt
import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import house
import pytest

from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger import policy as policies
from gatehouse.ledger.answer import Map, verify
from gatehouse.pipeline import answers

STRANGER = Path(__file__).parents[2] / "verifier" / "verify_answer.py"


@pytest.fixture(scope="module")
def stranger():
    spec = importlib.util.spec_from_file_location("verify_answer", STRANGER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def home(released):
    path = released.site.parties
    path.write_text(path.read_text() + "notice_after_days = 0\n")
    answers.build(released.connection, released.office, house.LATER)
    return released


def both(home, stranger, data):
    """What each verifier says; None where it refuses."""
    try:
        ours = verify(data, policies.read(home.site.policy))
        rows = [
            (one.entry, str(one.released_on), one.agency, one.items, str(one.told_from or "never"))
            for one in ours.disclosures
        ]
        said = (str(ours.map), ours.person, str(ours.as_of), ours.registered, rows, ours.page, ours.pages)
    except GatehouseError:
        said = None
    try:
        return said, stranger.check_answer(data, stranger.Policy(str(home.site.policy)))
    except stranger.Failure:
        return said, None


def test_both_read_the_same_answers(home, stranger):
    for which in Map:
        for person in range(14):
            ours, theirs = both(home, stranger, answers.answer(home.connection, home.site, person, which))
            assert ours == theirs
            assert ours is not None


def test_both_refuse_the_same_changes(home, stranger):
    chance = random.Random(8)  # noqa: S311 - repeatable changes
    for person in (0, 5, 13):
        data = answers.answer(home.connection, home.site, person)
        for _ in range(300):
            at = chance.randrange(len(data))
            bit = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
            changed = chance.choice([bit, bit, bit, data[:at], data + data[at:]])
            ours, theirs = both(home, stranger, changed)
            assert ours == theirs, f"byte {at}"


def test_it_runs_as_an_inspector_runs_it(home, tmp_path):
    (tmp_path / "5.answer").write_bytes(answers.answer(home.connection, home.site, 5))
    command = [
        sys.executable,
        str(STRANGER),
        str(tmp_path / "5.answer"),
        "--policy",
        home.site.policy,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2025-09-01 to us.dhs.ice: last_known_address" in done.stdout
    assert "cannot show what was copied from the register" in done.stdout
    late = str(house.LATER.date() + dt.timedelta(days=1))
    refused = subprocess.run([*command, "--not-before", late], capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
