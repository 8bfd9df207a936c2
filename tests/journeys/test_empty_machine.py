"""docs/deploy.md from an empty machine to a first release on PostgreSQL, each command taken from the page."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import server

from gatehouse.cli.main import cli
from gatehouse.ledger.signers import read_signer
from gatehouse.synthetic.parties import invent

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## From an empty machine")[2].partition("\n## ")[0]
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL) for line in block.strip().splitlines()]
NEEDS_ROOT = ("apt-get", "useradd", "git clone")
SEED = 3

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with server.postgres() as found:
        yield found


def gatehouse(*arguments: object) -> None:
    cli.main([str(argument) for argument in arguments], prog_name="gatehouse", standalone_mode=False)


def bring(home: Path, address: str) -> str:
    """What the reader brings: a register in the database `records`, parties.toml, and a signed submission."""
    gatehouse("synth", "register", "--out", home / "made", "--persons", 400, "--seed", SEED)
    server.hold_register(server.another(address, "records"), home / "made")
    gatehouse("key", "new", home / "agency.key", "--name", "us.dhs.ice")
    (home / "parties.toml").write_text(invent(read_signer(home / "agency.key").verifier.text, usual_requests=40))
    gatehouse("synth", "submission", "--out", home / "submission", "--register", home / "made",
              "--requests", 6, "--seed", SEED)  # fmt: skip
    gatehouse("submission", "sign", home / "submission", "--key", home / "agency.key")
    return str(json.loads((home / "submission" / "submission.json").read_text())["id"])


def environment(home: Path, address: str) -> dict[str, str]:
    """A machine whose PostgreSQL is the test's, and whose environment for production is made already."""
    programs = home / "programs"
    venv = home / "venv"
    for folder in (programs, venv / "bin"):
        folder.mkdir(parents=True)
    (venv / "bin" / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    (venv / "bin" / "python").chmod(0o755)
    lock = (ROOT / "requirements-production.lock").read_text()
    (venv / ".requirements-production.lock.stamp").write_text(lock)
    port = address.rpartition(":")[2].partition("/")[0]
    here = {"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "postgres", "GATEHOUSE_VENV": str(venv)}
    postgres = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    path = f"{programs}:{postgres}:{os.environ['PATH']}"
    return os.environ | here | {"PATH": path, "GATEHOUSE_NOW": "2025-08-07T14:00:00Z"}


def test_at_most_twelve_commands_lead_to_a_first_release(tmp_path: Path, address: str) -> None:
    assert len(COMMANDS) <= 12
    submission = bring(tmp_path, address)
    surroundings = environment(tmp_path, address)
    said = ""
    for command in COMMANDS:
        if command.startswith(NEEDS_ROOT):
            continue
        here = command.replace("runuser -u postgres -- ", "").replace("-O gatehouse gatehouse", "-O gatehouse empty")
        here = here.replace("postgresql:///gatehouse", "postgresql:///empty").replace("EXAMPLE-2025-0001", submission)
        here = here.replace("/srv/gatehouse/software", str(ROOT)).replace("/usr/local/bin/", f"{tmp_path}/programs/")
        here = here.replace("--name gateway", "--demonstration --name gateway")  # the synthetic day is a pretended one
        done = subprocess.run(["bash", "-c", here], cwd=tmp_path, env=surroundings, text=True, capture_output=True,
                              check=False)  # fmt: skip
        said += done.stdout
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert "keeps the contract" in said
    assert list((tmp_path / "site" / "dockets" / submission / "releases").glob("*.age"))
    configuration = (tmp_path / "site" / "gatehouse.toml").read_text()
    assert 'database = "postgresql:///empty"' in configuration
    assert not (tmp_path / "site" / "gatehouse.sqlite3").exists()


def test_the_page_names_no_place_of_its_authors() -> None:
    assert "CLONE_ADDRESS" in SECTION
    assert not re.search(r"git clone https?://", PAGE)
