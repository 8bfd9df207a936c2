"""What a test may need beyond Python, asked in one place, so that a skip always says why.

`GATEHOUSE_REQUIRE=postgres,hsm,…` (as CI sets it) turns the skip of a need into a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest


def _postgres() -> str | None:
    if find_spec("psycopg") is None:
        return "the postgres extra is not installed"
    if not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return "no PostgreSQL server programs; Debian: apt-get install postgresql"
    return None


def _hsm() -> str | None:
    if find_spec("pkcs11") is None:
        return "the hsm extra is not installed"
    return None if shutil.which("softhsm2-util") else "no SoftHSM; Debian: apt-get install softhsm2"


def _browser() -> str | None:
    if find_spec("playwright") is None:
        return "playwright is not installed"
    return None if shutil.which("chromium") else "no Chromium; Debian: apt-get install chromium"


def _tools() -> str | None:
    missing = [name for name in ("openssl", "age") if shutil.which(name) is None]
    return f"not on PATH: {', '.join(missing)}; Debian: apt-get install {' '.join(missing)}" if missing else None


def _nginx() -> str | None:
    return None if shutil.which("nginx") else "no nginx; Debian: apt-get install nginx-light"


def _spark() -> str | None:
    if find_spec("pyspark") is None:
        return "the spark extra is not installed; pip install --require-hashes -r requirements-spark.lock"
    return None if shutil.which("java") else "no Java; Debian: apt-get install openjdk-17-jre-headless"


def _scale() -> str | None:
    return None if os.environ.get("GATEHOUSE_SCALE") else "full size; set GATEHOUSE_SCALE=1"


NEEDS: dict[str, Callable[[], str | None]] = {
    "postgres": _postgres,
    "hsm": _hsm,
    "browser": _browser,
    "tools": _tools,
    "nginx": _nginx,
    "spark": _spark,
    "scale": _scale,
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = set(filter(None, os.environ.get("GATEHOUSE_REQUIRE", "").split(",")))
    for need, missing in NEEDS.items():
        if item.get_closest_marker(need) is None:
            continue
        reason = missing()
        if reason is None:
            continue
        if need in required:
            pytest.fail(f"{need} is required here: {reason}", pytrace=False)
        pytest.skip(f"{need}: {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    reasons: dict[str, int] = {}
    for report in skipped:
        longrepr = report.longrepr
        reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    terminalreporter.write_line(f"skipped: {len(skipped)}")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"  {count} × {reason.removeprefix('Skipped: ')}")
