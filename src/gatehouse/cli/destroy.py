"""`gatehouse destroy`: the end of a docket, on record."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gatehouse.kernel import clock


@click.command()
@click.argument("docket")
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--reason", required=True, help="Why, such as the retention rule that applies; it goes on record.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def destroy(docket: str, folder: Path, reason: str, as_json: bool) -> None:
    """Destroy the keys, tables, packages and certificates of a DOCKET that is closed, answered and no longer in use.

    Receipts, signed statements and the list of disclosures stay; so does every proof in the ledger, though nothing can
    be opened any more. Copies and backups must go the same way. Run again after a crash, it finishes.

    Example: gatehouse destroy ICE-2025-0003 --site custodian --reason "Retention schedule 12: three years"
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import destruction
    from gatehouse.pipeline.approve import office
    from gatehouse.pipeline.site import open_site

    place = office(open_site(folder))
    with open_workspace() as connection:
        done = destruction.destroy(connection, place, docket, reason, clock.now())
    if as_json:
        click.echo(json.dumps({"docket": done.docket, "entry": done.entry, "files": done.files}))
        return
    click.echo(f"{done.docket}: {done.files} files destroyed; on record as entry {done.entry}")
