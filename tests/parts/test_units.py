"""The units of deploy/: each part under a user of its own, with nothing that it does not need."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gatehouse.pipeline.parts import Part
from gatehouse.pipeline.parts.writer import MAY_ENTER

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = {"web": "gatehouse-web@", "decider": "gatehouse-decider", "writer": "gatehouse-writer",
         "sealer": "gatehouse-sealer"}  # fmt: skip


def service(part: str) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / f"{UNITS[part]}.service")
    return dict(parser["Service"])


@pytest.mark.parametrize("part", UNITS)
def test_each_part_has_a_user_of_its_own_and_no_rights_besides(part: str) -> None:
    unit = service(part)
    assert (unit["User"], unit["Group"]) == (f"gatehouse-{part}",) * 2
    for name in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectKernelTunables", "RestrictSUIDSGID"):
        assert unit[name] == "yes"
    assert unit["ProtectSystem"] == "strict"
    assert unit["CapabilityBoundingSet"] == ""
    assert unit["UMask"] == "0022"


@pytest.mark.parametrize("part", ["decider", "sealer"])
def test_what_reads_the_register_has_no_network(part: str) -> None:
    unit = service(part)
    assert unit["PrivateNetwork"] == "yes"
    assert unit["RestrictAddressFamilies"] == "AF_UNIX"


def test_who_may_call_whom() -> None:
    admitted = {part: set(re.findall(r"--admit (\w+)=(\S+)", service(part)["ExecStart"])) for part in UNITS}
    operator = ("operator", "gatehouse")
    web, decider = ("web", "gatehouse-web"), ("decider", "gatehouse-decider")
    assert admitted["writer"] == {web, decider, operator}
    assert admitted["sealer"] == {decider, operator}  # never the web
    assert admitted["decider"] == {web, operator}


def test_no_part_writes_what_another_one_holds() -> None:
    written = {part: set(service(part)["ReadWritePaths"].split()) for part in UNITS}
    site = "/srv/gatehouse/site"
    assert not any({site, f"{site}/keys"} & paths for paths in written.values())
    for part, holds in (("writer", {"ledger", "ledger-state", "events"}), ("sealer", {"sealer"})):
        for other, paths in written.items():
            assert other == part or not {f"{site}/{name}" for name in holds} & paths


def test_the_web_enters_nothing_by_which_something_leaves_or_somebody_decides() -> None:
    assert not MAY_ENTER[Part.WEB] & {
        "received", "docket", "release", "unsealed", "sealed", "pack", "order", "roster", "overseers", "rotation",
        "loss", "founded", "restored", "continued", "shard", "key", "configuration", "recall", "destroyed", "answers",
    }  # fmt: skip
    assert not MAY_ENTER[Part.SEALER]
    assert not MAY_ENTER[Part.DECIDER] & {"roster", "overseers", "rotation", "loss", "restored", "account_made"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_reads_them() -> None:
    for unit in DEPLOY.glob("*.service"):
        told = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
        )
        assert "Unknown" not in told.stderr


def test_the_script_is_a_shell_script_that_reads() -> None:
    subprocess.run(["sh", "-n", DEPLOY / "parts.sh"], check=True)
