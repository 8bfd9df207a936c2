"""`gatehouse determine`: decide a submission without any power to release: back-test, impact, replay."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import click

from gatehouse.cli.engine import engine_options
from gatehouse.cli.law_words import PACK_FOLDER
from gatehouse.cli.progress import shown
from gatehouse.kernel import clock, scratch
from gatehouse.kernel.errors import WrongInput

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def read_day(_context: click.Context, _parameter: click.Parameter, text: str) -> dt.date:
    """A strict ISO date given on the command line."""
    day = clock.read_date(text)
    if day is None:
        raise click.BadParameter("write the date as 2025-08-07")
    return day


@click.command()
@click.argument("submission", type=click.Path(exists=True, path_type=Path))
@click.option("--register", required=True, help="A folder of Parquet tables, or postgresql://…")
@click.option(
    "--pack",
    "folder",
    required=True,
    type=PACK_FOLDER,
    help="The pack of law: a folder, or the name of a shipped pack.",
)
@click.option("--parties", "parties_file", type=_FILE, help="The parties.toml file. Without it, no request is cleared.")
@click.option(
    "--as-of", required=True, callback=read_day, help="Decide under the law in force on this date, such as 2025-08-07."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The docket folder to make.")
@click.option(
    "--index", type=click.Path(path_type=Path), help="The folder in which the register's index is kept for reuse."
)
@click.option("--mapping", type=_FILE, help="A columns.toml that maps another layout.")
@engine_options
@click.option(
    "--memory", default="3GB", show_default=True, help="The most memory that DuckDB, or a Spark executor, may use."
)
@click.option("--unsigned", is_flag=True, help="Back-test a submission without a signature. No request is cleared.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary, with the seconds of each stage, as JSON.")
def determine(
    submission: Path,
    register: str,
    folder: Path,
    parties_file: Path | None,
    as_of: dt.date,
    out: Path,
    index: Path | None,
    mapping: Path | None,
    engine: str,
    master: str | None,
    memory: str,
    unsigned: bool,
    as_json: bool,
) -> None:
    """Decide every request of SUBMISSION and write a docket, with no ledger, no approvals and no power to release.

    Example: gatehouse determine ICE-2025-0003 --register register --pack us-irs-6103-i-2
    --parties parties.toml --as-of 2025-08-07 --out docket
    """
    from gatehouse.intake.parties import read as read_parties
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.law.reading import load
    from gatehouse.pipeline import determine as pipeline
    from gatehouse.site.settings import Choice

    chosen = Choice(engine, master)
    if out.exists():
        raise WrongInput("this folder already exists", where=str(out), remedy="Name another folder for the docket")
    try:
        with (
            scratch.folder() as made,
            shown() as progress,
            open_workspace(temporary=out.with_name(f".{out.name}.spill")) as connection,
        ):
            docket, seconds = pipeline.determine(
                connection,
                submission,
                out,
                law=pipeline.Law(load(folder), folder, as_of),
                records=pipeline.Records(register, index or made, memory, chosen),
                standing=pipeline.Standing(read_parties(parties_file) if parties_file else None, unsigned=unsigned),
                now=clock.now(),
                mapping=mapping,
                progress=progress,
            )
    finally:
        shutil.rmtree(out.with_name(f".{out.name}.spill"), ignore_errors=True)
    summary = docket.read_summary()
    if as_json:
        click.echo(json.dumps({**summary, "seconds": seconds}, indent=2))
        return
    print_summary(summary)
    click.echo(f"docket: {out}")


def print_summary(summary: dict[str, object]) -> None:
    """Print outcomes and the rules that stopped most, for a person."""
    outcomes, rules = summary["outcomes"], summary["rules"]
    assert isinstance(outcomes, dict)  # noqa: S101 - we wrote it
    assert isinstance(rules, dict)  # noqa: S101 - we wrote it
    for outcome, count in outcomes.items():
        click.echo(f"{outcome:>11}  {count:>9,}")
    stopping = {rule: counts for rule, counts in rules.items() if counts["effect"] != "limit"}
    if stopping:
        known = {rule: counts["fired"] - counts["unknown"] for rule, counts in stopping.items()}
        click.echo("most frequent reasons: requests stopped for a fact, and requests stopped by this rule alone")
        for rule, count in sorted(known.items(), key=lambda item: -item[1])[:8]:
            if count:
                click.echo(f"  {rule:<36} {count:>9,} {stopping[rule]['alone']:>9,}")
        lacking = max((counts["unknown"] for counts in stopping.values()), default=0)
        if lacking:
            click.echo(f"  {'a fact was missing as well, in up to':<36} {lacking:>9,}")
