"""`gatehouse bench`: the benchmarks of this checkout, which lie beside the source and are in no wheel.

Each prints its ratio to a floor measured in the same run; docs/benchmarks.md keeps the tables.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from gatehouse.kernel.errors import MachineFailed

CHECKOUT = Path(__file__).parents[3]


class _Benchmarks(click.Group):
    """The group in `benchmarks/command.py`, imported when a benchmark is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return _found().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _found().get_command(ctx, cmd_name)


def _found() -> click.Group:
    """Nothing outside a checkout, where the listing is empty; raises MachineFailed only when one is called for."""
    if not (CHECKOUT / "benchmarks" / "command.py").is_file():
        return _Missing("bench")
    if str(CHECKOUT) not in sys.path:
        sys.path.append(str(CHECKOUT))
    group = importlib.import_module("benchmarks.command").bench
    assert isinstance(group, click.Group)  # noqa: S101 - a wrong module is a programming error
    return group


class _Missing(click.Group):
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        raise MachineFailed(
            "this installation does not include the benchmarks", remedy="Run ./gatehouse bench from a checkout"
        )


@click.group(cls=_Benchmarks)
def bench() -> None:
    """Benchmarks; each prints its ratio to the floor measured in the same run.

    They run from a checkout and are not part of an installed wheel.

    Example: gatehouse bench journey --persons 1000000 --requests 128000 --dir bench
    """
