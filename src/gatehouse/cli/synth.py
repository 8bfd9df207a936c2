"""`gatehouse synth`: synthetic registers and submissions with the answers beside them, the same for the same seed."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.cli.progress import shown

if TYPE_CHECKING:
    import duckdb


@click.group()
def synth() -> None:
    """Make synthetic registers and submissions with the answers beside them."""


@contextlib.contextmanager
def workspace(memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB of its own, in memory, that may use `memory` and spills to a temporary folder."""
    import tempfile

    from gatehouse.intake.workspace import open_workspace

    with tempfile.TemporaryDirectory(prefix="gatehouse-synth-") as folder:
        connection = open_workspace(memory, temporary=Path(folder))
        try:
            yield connection
        finally:
            connection.close()


def say(facts: dict[str, object], *, as_json: bool) -> None:
    """Print what was made: one JSON object, or one line a fact."""
    if as_json:
        click.echo(json.dumps(facts, default=str))
    else:
        for name, fact in facts.items():
            click.echo(f"{name}: {fact}")


@synth.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder to write. It is made if it does not exist.",
)
@click.option("--persons", type=int, default=20_000, show_default=True, help="The number of persons.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same register.")
@click.option("--memory", default="4GB", show_default=True, help="The most memory that DuckDB may use.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def register(out: Path, persons: int, seed: int, memory: str, *, as_json: bool) -> None:
    """Make a register of synthetic persons in the contract's shape.

    \b
    gatehouse synth register --out reg --persons 20000 --seed 1
    """
    from gatehouse.synthetic.register import make_register

    with workspace(memory) as connection, shown() as progress:
        made = make_register(connection, out, persons, seed, progress)
    say({"register": made.folder, "persons": made.persons, "seed": made.seed}, as_json=as_json)


@synth.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder to write. It is made if it does not exist.",
)
@click.option(
    "--register",
    "register_folder",
    type=click.Path(path_type=Path),
    help="The register to use. Default: a new one in OUT/register.",
)
@click.option(
    "--persons",
    type=int,
    default=20_000,
    show_default=True,
    help="The number of persons in the new register, without --register.",
)
@click.option("--requests", type=int, default=2_000, show_default=True, help="The number of requests.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same submission.")
@click.option("--kind", type=click.Choice(["ordinary", "august-2025"]), default="ordinary", show_default=True)
@click.option("--format", "file_format", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@click.option("--signed-on", type=click.DateTime(["%Y-%m-%d"]), default="2025-06-27", show_default=True)
@click.option("--memory", default="4GB", show_default=True, help="The most memory that DuckDB may use.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def submission(
    out: Path,
    register_folder: Path | None,
    persons: int,
    requests: int,
    seed: int,
    kind: str,
    file_format: str,
    signed_on: dt.datetime,
    memory: str,
    *,
    as_json: bool,
) -> None:
    """Make an unsigned submission about the persons of a synthetic register, with truth.parquet beside it.

    OUT is the submission, unsigned; the truth is OUT/truth.parquet and is not part of it. Without --register, the
    register of --persons and --seed is made in OUT/register, or used if it is already there.

    \b
    gatehouse synth submission --out syn --persons 20000 --requests 2000 --seed 1
    gatehouse synth submission --out aug --register reg --requests 12800 --seed 1 --kind august-2025
    """
    from gatehouse.synthetic.register import open_or_make_register
    from gatehouse.synthetic.submission import make_submission

    with workspace(memory) as connection, shown() as progress:
        if register_folder is None:
            register_folder = open_or_make_register(connection, out / "register", persons, seed, progress).folder
        made = make_submission(
            connection,
            out,
            register_folder,
            requests,
            seed,
            kind=kind,
            file_format=file_format,
            signed_on=signed_on.date(),
            progress=progress,
        )
    facts = {
        "submission": made.folder,
        "truth": made.truth,
        "register": register_folder,
        "requests": requests,
        "seed": seed,
        "sign it": f"gatehouse submission sign {made.folder} --key FILE",
    }
    say(facts, as_json=as_json)
