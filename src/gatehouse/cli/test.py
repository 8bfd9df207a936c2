"""`gatehouse test`: the tests of this checkout, with what was skipped counted aloud."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import click

from gatehouse.kernel.errors import MachineFailed

CHECKOUT = Path(__file__).parents[3]


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> None:
    """Run all tests that need nothing but Python; others say why they were skipped.

    Arguments go to pytest, for example: gatehouse test tests/law -x
    """
    if not (CHECKOUT / "tests").is_dir():
        raise MachineFailed("the tests are not in this installation", remedy="Run ./gatehouse test in a checkout")
    if importlib.util.find_spec("pytest") is None:
        raise MachineFailed("pytest is not installed", remedy="Run ./gatehouse test, which sets it up")
    path = os.pathsep.join([str(CHECKOUT / "src"), os.environ.get("PYTHONPATH", "")])
    finished = subprocess.run(  # noqa: S603 - our own interpreter on our own tests
        [sys.executable, "-m", "pytest", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    sys.exit(finished.returncode)
