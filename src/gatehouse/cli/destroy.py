"""`gatehouse destroy`: the end of a docket, on record."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gatehouse.kernel import clock


@click.command()
@click.argument("docket")
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--reason", required=True, help="The reason, such as the retention rule that applies. It goes on record.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def destroy(docket: str, folder: Path, reason: str, as_json: bool) -> None:
    """Destroy the keys, tables, packages and certificates of a DOCKET that is closed, answered and no longer in use.

    Receipts, signed statements, the list of disclosures and every proof in the ledger stay, but nothing can
    be opened any more. Destroy copies and backups too. After a crash, run the command again to finish.

    Example: gatehouse destroy ICE-2025-0003 --site custodian --reason "Retention schedule 12: three years"
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import destruction, dockets
    from gatehouse.pipeline.approve import office
    from gatehouse.pipeline.site import open_site

    place = office(open_site(folder))
    docket = dockets.resolve(place.site.dockets, docket)
    with open_workspace() as connection:
        done = destruction.destroy(connection, place, docket, reason, clock.now())
    if as_json:
        click.echo(json.dumps({"docket": done.docket, "entry": done.entry, "files": done.files}))
        return
    click.echo(f"{done.docket}: {done.files} files destroyed; on record as entry {done.entry}")
