"""`gatehouse prove`: open part of one determination, or of one event, for somebody outside, with a proof."""

from __future__ import annotations

from pathlib import Path

import click

from gatehouse.kernel import files, ids

_SITE = click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
_OUT = click.option("--out", required=True, type=click.Path(path_type=Path), help="The file to write the proof to.")
_SHOW = click.option("--show", multiple=True, metavar="FIELD", help="Open only this field. May be repeated.")


@click.group()
def prove() -> None:
    """Write a proof for somebody outside: what was committed, where it stands, under which checkpoint.

    \b
    Examples:
      gatehouse prove case ICE-2025-0003 R-000017 --site custodian --show answer --out case-17.tlog-proof
      gatehouse prove event custodian/events/founded.json --site custodian --out founded.tlog-proof
    """


@prove.command()
@click.argument("docket")
@click.argument("request")
@_SITE
@_SHOW
@_OUT
def case(docket: str, request: str, folder: Path, show: tuple[str, ...], out: Path) -> None:
    """Open fields of one REQUEST's determination, with a proof. Default: `request`, `answer` and `grounds`.

    Example: gatehouse prove case ICE-2025-0003 R-000017 --site custodian --show answer --out case-17.tlog-proof
    """
    from gatehouse.determine.docket import Docket
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.kernel.errors import WrongInput
    from gatehouse.pipeline import dockets, proving
    from gatehouse.pipeline.site import open_site

    site = open_site(folder)
    found = Docket(site.dockets / dockets.resolve(site.dockets, docket))
    if not ids.is_docket(found.id) or not found.summary.is_file():
        raise WrongInput(f"there is no docket {docket}", where=str(site.dockets))
    with open_workspace() as connection:
        data = proving.prove_case(connection, site, found, request, show or proving.SHOWN)
    files.write(out, data)
    click.echo(f"{out}: {len(data)} bytes")


@prove.command()
@click.argument("opening", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_SITE
@_SHOW
@_OUT
def event(opening: Path, folder: Path, show: tuple[str, ...], out: Path) -> None:
    """Open an event, with a proof, from its OPENING in `events/` of the site or a docket.

    Example: gatehouse prove event custodian/events/founded.json --site custodian --out founded.tlog-proof
    """
    from gatehouse.pipeline import proving
    from gatehouse.pipeline.site import open_site

    data = proving.prove_event(open_site(folder), opening, show)
    files.write(out, data)
    click.echo(f"{out}: {len(data)} bytes")
