"""Accounts and keys made at the machine: the same rules as in the console, and each on record first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("accounts")
    gatehouse("key", "new", folder / "do-1.key").check_returncode()
    (folder / "do-1.vkey").write_text(gatehouse("key", "new", folder / "again.key", "--name", "do-1").stdout)
    made = gatehouse("init", folder / "site", "--name", "x.example/2026", "--officer", f"do-1={folder / 'do-1.vkey'}",
                     "--pack", "us-irs-6103-i-2", "--parties", parties(folder))  # fmt: skip
    assert made.returncode == 0, made.stderr
    return folder / "site"


def parties(folder: Path) -> Path:
    path = folder / "parties.toml"
    path.write_text('[agencies."us.example"]\nname = "An agency"\n'
                    'safeguards = { report_approved_until = 2030-01-01, open_findings = 0 }\n')  # fmt: skip
    return path


def gatehouse(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gatehouse", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(SOURCE)}
    )


def test_an_account_is_made_listed_given_a_key_and_closed_on_record(site: Path) -> None:
    made = gatehouse("account", "new", "nightly", "--site", site, "--role", "requester", "--agency", "us.example")
    assert made.stdout.startswith("nightly: proposed. Next, an officer runs: gatehouse account confirm nightly"), (
        made.stderr
    )
    [waiting] = json.loads(gatehouse("account", "list", "--site", site, "--json").stdout)
    assert (waiting["account"], waiting["proposed"], "open" in waiting) == ("nightly", "make", False)
    assert "proposed: make" in gatehouse("account", "list", "--site", site).stdout
    other = gatehouse(
        "account", "confirm", "nightly", "--site", site, "--officer", "do-1", "--key", site / "keys/log.key"
    )
    assert (other.returncode, other.stderr.count("\n")) == (1, 1), other.stderr
    key = site.parent / "again.key"
    confirmed = gatehouse("account", "confirm", "nightly", "--site", site, "--officer", "do-1", "--key", key)
    assert confirmed.stdout.startswith("nightly: confirmed, requesting agency"), confirmed.stderr
    password = gatehouse("account", "password", "nightly", "--site", site)
    assert password.stdout.startswith("nightly: first password "), password.stderr
    key = gatehouse("account", "key", "nightly", "--site", site, "--program", "batch",
                    "--scope", "agency:submission:send")  # fmt: skip
    assert key.stdout.startswith("gk_"), key.stderr
    [listed] = json.loads(gatehouse("account", "list", "--site", site, "--json").stdout)
    assert (listed["account"], listed["agency"], listed["open"], listed["keys"]) == ("nightly", "us.example", True, 1)
    assert "signed out everywhere" in gatehouse("account", "close", "nightly", "--site", site).stdout
    [listed] = json.loads(gatehouse("account", "list", "--site", site, "--json").stdout)
    assert (listed["open"], listed["keys"]) == (False, 0)
    recorded = {path.name.partition("-")[0] for path in (site / "events").iterdir()}
    assert {"account_proposed", "account_made", "account_reset", "key_made", "account_close"} <= recorded


@pytest.mark.parametrize(
    "arguments",
    [
        ("new", "sso-x", "--role", "auditor"),
        ("new", "nobody", "--role", "requester"),
        ("new", "clerk", "--role", "auditor", "--agency", "us.example"),
        ("new", "other", "--role", "requester", "--agency", "us.nobody"),
        ("new", "ruiz", "--role", "disclosure_officer"),
        ("new", "ruiz", "--role", "disclosure_officer", "--officer", "do-9"),
        ("new", "clerk", "--role", "auditor", "--officer", "do-1"),
        ("close", "absent"),
    ],
)
def test_what_the_console_refuses_is_refused(site: Path, arguments: tuple[str, ...]) -> None:
    done = gatehouse("account", *arguments, "--site", site)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
