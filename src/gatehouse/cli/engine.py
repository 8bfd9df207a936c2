"""The options `--engine` and `--master`, alike wherever a batch is matched or decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def engine_options(command: _Command) -> _Command:
    """Give a command the options `engine` and `master`; `site.settings.Choice` takes both."""
    engine = click.option(
        "--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True,
        help="Use Spark for registers that outgrow one machine. The resulting rows are the same.",
    )  # fmt: skip
    master = click.option("--master", help="The Spark master: local[2] or spark://HOST:7077. See docs/spark.md.")
    return engine(master(command))
