"""`gatehouse drill`: rehearse what must be quick when it is needed, on a copy, and measure it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click

from gatehouse.kernel import clock


@click.group()
def drill() -> None:
    """Rehearse on a copy of the site; nothing of the site is changed and nothing real is signed.

    Example: gatehouse drill recall --site custodian
    """


@drill.command()
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--docket", "dockets", multiple=True, help="Only this docket; may be given again. Default: all.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def recall(folder: Path, dockets: tuple[str, ...], *, as_json: bool) -> None:
    """Take every released case for wrong, and measure from that correction until each signed notice lies ready.

    The law in force is asked again about all of them, releases and persons are listed, notices and incident reports are
    signed with keys made for the drill. The copy is removed afterwards.

    Example: gatehouse drill recall --site custodian
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import drill as stage
    from gatehouse.pipeline.site import open_site

    with tempfile.TemporaryDirectory(prefix="gatehouse-drill-") as workshop, open_workspace() as connection:
        done = stage.drill(connection, open_site(folder), Path(workshop), clock.now(), dockets=dockets)
    recalls = [
        {"docket": one.docket, "cases": one.cases, "persons": one.persons, "notices": len(one.notices)}
        for one in done.recalls
    ]
    if as_json:
        click.echo(json.dumps({"recalls": recalls, "listed": round(done.listed, 3), "told": round(done.told, 3)}))
        return
    for one in recalls:
        click.echo(f"{one['docket']}: {one['cases']} cases of {one['persons']} persons, {one['notices']} notices")
    click.echo(
        f"until releases and persons were listed {done.listed:.1f} s, until notices were signed {done.told:.1f} s"
    )
    click.echo("This was a drill on a copy with keys of its own; the site is as it was.")
