"""`gatehouse test`: the tests of this checkout; it says before it starts what it leaves out, and why.

Slow tests run with `--everything`, or when their file is named. Where pytest-xdist is installed, a whole run uses the
processors of this machine.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import click

from gatehouse.kernel.errors import MachineFailed

CHECKOUT = Path(__file__).parents[3]
MOST_PROCESSES = 4  # each keeps a site, a database and a browser of its own


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run the tests that finish within minutes. Add --everything to run the slow ones too.

    Other arguments are passed to pytest, for example: gatehouse test tests/law -x
    """
    if not (CHECKOUT / "tests").is_dir():
        raise MachineFailed(
            "this installation does not include the tests", remedy="Run ./gatehouse test from a checkout"
        )
    if importlib.util.find_spec("pytest") is None:
        raise MachineFailed("pytest is not installed", remedy="Run ./gatehouse test, which sets it up")
    path = os.pathsep.join([str(CHECKOUT / "src"), os.environ.get("PYTHONPATH", "")])
    finished = subprocess.run(  # noqa: S603 - our own interpreter on our own tests
        [sys.executable, "-m", "pytest", *_side_by_side(arguments), *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    sys.exit(finished.returncode)


def _side_by_side(arguments: tuple[str, ...]) -> list[str]:
    """What tells pytest to use several processes: for a whole run, unless the caller said how many or has no xdist."""
    names_tests = any((CHECKOUT / argument.partition("::")[0]).exists() for argument in arguments)
    says_how_many = any(argument.startswith(("-n", "--numprocesses", "--pdb")) for argument in arguments)
    if names_tests or says_how_many or importlib.util.find_spec("xdist") is None:
        return []
    processes = min(MOST_PROCESSES, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)
    return ["-n", str(processes), "--dist", "loadfile"] if processes > 1 else []
