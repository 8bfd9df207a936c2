"""`gatehouse report`: the reports that statute asks for, counted anew from dockets and releases."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.kernel import clock

if TYPE_CHECKING:
    import duckdb

    from gatehouse.oversight.reports import Report

_SITE = click.option("--site", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
_YEAR = click.option("--year", type=int, help="The calendar year of receipt; this year, if not given.")
_FORM = click.option("--format", "form", type=click.Choice(["text", "csv", "json"]), default="text", show_default=True)


@click.group()
def report() -> None:
    """Statutory reports, rebuilt from ledger and dockets.

    \b
    Examples:
      gatehouse report disclosures --site custodian --year 2025
      gatehouse report accounting --site custodian --year 2025 --out accounting.csv
    """


@report.command()
@_SITE
@_YEAR
@_FORM
def disclosures(site: Path, year: int | None, form: str) -> None:
    """Per agency: requests, instances of disclosure, taxpayers, general purposes (26 USC 6103(p)(3)(C)).

    Example: gatehouse report disclosures --site custodian --year 2025 --format csv
    """
    from gatehouse.oversight import reports

    with _gathered(site, year) as connection:
        _show(reports.disclosures(connection), form)


@report.command()
@_SITE
@_YEAR
@_FORM
def errors(site: Path, year: int | None, form: str) -> None:
    """Requests that were not cleared, by agency, outcome and cause.

    Example: gatehouse report errors --site custodian --year 2025
    """
    from gatehouse.oversight import reports

    with _gathered(site, year) as connection:
        _show(reports.errors(connection), form)


@report.command()
@_SITE
@_YEAR
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The CSV file to write.")
def accounting(site: Path, year: int | None, out: Path) -> None:
    """The permanent accounting of every request, released or not (26 USC 6103(p)(3)(A)), for the custodian's files.

    Example: gatehouse report accounting --site custodian --year 2025 --out accounting.csv
    """
    from gatehouse.oversight import reports

    with _gathered(site, year) as connection:
        rows = reports.write_accounting(connection, out)
    click.echo(f"{out}: {rows:,} requests")


@contextmanager
def _gathered(folder: Path, year: int | None) -> Iterator[duckdb.DuckDBPyConnection]:
    from gatehouse.determine.docket import Docket
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.oversight import reports
    from gatehouse.pipeline import approve
    from gatehouse.pipeline.site import open_site

    place = approve.office(open_site(folder))
    from gatehouse.store.shelf import Shelf

    dockets = [Docket(path.parent) for path in sorted(place.site.dockets.glob("*/summary.json"))]
    with open_workspace(temporary=place.site.root / "spill") as connection:
        reports.gather(connection, dockets, Shelf().releases(), year or clock.today().year)
        yield connection


def _show(made: Report, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(made.document(), default=str, indent=2))
        return
    if form == "csv":
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(made.columns)
        writer.writerows(made.rows)
        click.echo(written.getvalue(), nl=False)
        return
    click.echo(f"{made.title} ({made.source})")
    cells = [made.columns, *[tuple("" if cell is None else str(cell) for cell in row) for row in made.rows]]
    widths = [max(len(row[at]) for row in cells) for at in range(len(made.columns))]
    for row in cells:
        click.echo("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
