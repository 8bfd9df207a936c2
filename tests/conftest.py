"""What a test may need beyond Python and which tests are slow, said before the first test runs.

`GATEHOUSE_REQUIRE=postgres,hsm,…` (as CI sets it) turns the skip of a need into a failure. Tests marked `slow` run with
`--everything`, or when their file is named.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", settings.default, deadline=None)  # a busy machine is no fault of the code
settings.load_profile("untimed")
os.umask(0o022)  # `gatehouse test` is a command, whose own is narrower; fixtures of whole files begin before any test


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


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """Every test begins with the same umask: a command run in this process sets its own, and would leave it behind."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--everything", action="store_true", help="Run the slow tests too, as CI does.")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say what this run leaves out, before it starts; once, also where several processes share the tests."""
    if hasattr(session.config, "workerinput"):
        return
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    for line in _left_out(everything=session.config.option.everything) if terminal else ():
        terminal.write_line(line)


def _left_out(*, everything: bool) -> list[str]:
    unmet = [(need, reason) for need, missing in NEEDS.items() if (reason := missing()) is not None]
    lines = [f"  {need}: {reason}" for need, reason in unmet]
    if not everything:
        lines.append("  slow: run them with --everything, or name their file")
    return ["Left out of this run are the tests marked", *lines] if lines else ["Every test runs."]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow tests out of a run that did not ask for them."""
    named = {Path(argument.partition("::")[0]).name for argument in config.args}
    if config.option.everything:
        return
    slow = [item for item in items if item.get_closest_marker("slow") and item.path.name not in named]
    if slow:
        config.hook.pytest_deselected(items=slow)
        left = {id(item) for item in slow}
        items[:] = [item for item in items if id(item) not in left]


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
