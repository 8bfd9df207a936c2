"""`gatehouse law crosscheck`: do two engines and the solver's formula read a pack alike?"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import click

from gatehouse.cli.law_words import AS_JSON, DAY, PACK
from gatehouse.cli.progress import shown
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed

PART = 20_000


@click.command()
@PACK
@click.option("--rows", "count", default=100_000, show_default=True, help="The number of random requests to evaluate.")
@click.option(
    "--as-of", type=DAY, multiple=True, help="Evaluate the law on these dates. Default: today and two leap days."
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same requests.")
@AS_JSON
def crosscheck(pack: Path, count: int, as_of: tuple[dt.date, ...], seed: int, *, as_json: bool) -> None:
    """Evaluate random requests and a fixed table of edge cases with DuckDB, Polars and the solver's formula.

    They must agree on the outcome, every rule and every item of every row. Needs Polars, a development dependency.

    \b
    Example: gatehouse law crosscheck packs/us-irs-6103-i-2 --rows 100000 --as-of 2025-08-07
    """
    try:
        from gatehouse.law.crosscheck import crosscheck as compare
    except ImportError as missing:
        raise MachineFailed(
            "Polars is not installed", remedy="Set up the development environment: ./gatehouse test --version"
        ) from missing
    from gatehouse.law.admission import LEAP_DAYS
    from gatehouse.law.edges import edge_rows, rows
    from gatehouse.law.reading import load

    loaded = load(pack)
    days = list(as_of) or [clock.today(), *LEAP_DAYS]
    pinned = edge_rows(loaded)
    found = []
    with shown() as progress:
        for day in days:
            found += compare(loaded, pinned, day)
            for start in range(0, count, PART):
                progress(f"requests on {day}", start, count)
                part = rows(loaded, min(PART, count - start), day, seed * 1_000_003 + start)
                found += compare(loaded, list(part), day)
            progress(f"requests on {day}", count, count)
    stops = sum(rule.effect != "grant" for rule in loaded.rules) + 1
    readers = ["DuckDB", "Polars", "the solver's formula"]
    answer = {
        "readers": readers,
        "rows": count,
        "pinned": len(pinned),
        "days": [str(day) for day in days],
        "rules": stops,
    }
    if as_json:
        click.echo(json.dumps({**answer, "disagreements": [vars(each) for each in found]}, indent=1))
    else:
        click.echo(f"{', '.join(readers)} read {count:,} random requests and {len(pinned):,} pinned edge cases")
        click.echo(f"on {', '.join(map(str, days))}, {stops} rules in each row:")
        click.echo(f"  {len(found) or 'no'} disagreement{'s' * (len(found) > 1)}")
        for each in found[:20]:
            click.echo(f"  row {each.seq}, {each.readings}: {each.first} and {each.second}")
    if found:
        raise AnswerIsNo(
            "the engines evaluate the pack differently",
            where=str(pack),
            remedy="Do not rely on any proof of it until they agree",
        )
