"""`gatehouse run` killed again and again at instants drawn by chance: the next run finishes, and nothing is doubled."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CHECKOUT / "src"), "GATEHOUSE_NOW": "2025-08-07T14:00:00Z"}
KILLS = int(os.environ.get("GATEHOUSE_KILLS", "8"))


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "gatehouse", *map(str, arguments)]


def gatehouse(*arguments: object) -> str:
    done = subprocess.run(command(*arguments), env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def site(tmp_path: Path) -> tuple[Path, Path]:
    gatehouse("synth", "register", "--out", tmp_path / "register", "--persons", 3000, "--seed", 5)
    agency = tmp_path / "agency"
    gatehouse(
        *("synth", "submission", "--out", agency / "submission", "--register", tmp_path / "register"),
        *("--requests", 300, "--seed", 5),
    )
    gatehouse("key", "new", agency / "key", "--name", "us.dhs.ice")
    submission = agency / "submission"
    gatehouse("submission", "sign", submission, "--key", agency / "key")
    gatehouse("init", tmp_path / "site", "--demonstration", "--register", tmp_path / "register")
    return tmp_path / "site", submission


def test_a_kill_at_any_moment_leaves_what_the_next_run_finishes(site: tuple[Path, Path]) -> None:
    folder, submission = site
    (folder / "parties.toml").write_text(_parties(submission))
    chance = random.Random(20250807)  # noqa: S311 - instants, not secrets
    started = time.monotonic()
    first = command("run", submission, "--site", folder)
    survived = 0
    for _ in range(KILLS):
        process = subprocess.Popen(first, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=chance.uniform(0.3, 2.5))
            survived += 1
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert survived < KILLS, f"no run was killed in {time.monotonic() - started:.0f} s: make the instants earlier"
    summary = json.loads(gatehouse("run", submission, "--site", folder, "--json"))
    assert summary["requests"] == 300
    [docket] = [path for path in (folder / "dockets").iterdir() if not path.name.startswith(".")]
    policy = folder / "witnesses.policy"
    verified = json.loads(gatehouse("verify", folder / "ledger", "--policy", policy, "--json"))
    # founded, keys, configuration before and after parties.toml, five packs, received, each determination once, docket
    assert verified["size"] == 1 + 1 + 2 + 5 + 1 + 300 + 1
    gatehouse("verify", "docket", docket, "--ledger", folder / "ledger", "--policy", policy)
    assert "identical" in gatehouse("replay", docket)
    assert not list(docket.rglob(".*.tmp"))


def _parties(submission: Path) -> str:
    from gatehouse.ledger.signers import read_signer
    from gatehouse.synthetic.parties import invent

    return invent(read_signer(submission.parent / "key").verifier.text, 300)
