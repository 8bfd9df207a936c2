"""Whose fault it is that a table is not taken, in the words that every reader uses.

A fault that lies in the sender's bytes names its place and refuses them. A machine that is short of something refuses
nothing: the submission waits.
"""

from __future__ import annotations

from pathlib import Path

from gatehouse.intake.limits import Limits
from gatehouse.kernel.errors import MachineFailed, WrongInput


def oversized(path: Path, limits: Limits) -> WrongInput:
    """The refusal of a table that has more bytes than its requests can have."""
    problem = f"is larger than {limits.row >> 10} KiB a request for the requests stated in the manifest"
    return WrongInput(problem, where=path.name, remedy="Send requests, not files")


def check_count(path: Path, found: int, stated: int) -> None:
    """Raise WrongInput when a table holds other rows than its manifest states."""
    if found != stated:
        problem = f"rows found: {found}; rows stated in the manifest: {stated}"
        raise WrongInput(problem, where=path.name, remedy="State the true number and sign again")


def short_of(stopped: Exception) -> MachineFailed:
    """A machine that was short of something while a table was read; the cause by kind only, for messages quote data."""
    kind = type(stopped).__name__
    return MachineFailed(f"a table could not be read for want of memory or disk ({kind})", remedy="Try again later")
