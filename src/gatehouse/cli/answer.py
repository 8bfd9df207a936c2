"""`gatehouse answer`: what was disclosed about one person, with a proof; built on a schedule, given one at a time."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gatehouse.cli.progress import shown
from gatehouse.kernel import clock, files

_SITE = click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group()
def answer() -> None:
    """What was disclosed about one person, or that nothing was, with a proof that anyone can check.

    An answer is asked for by the number that the register gives a person; there is no search by name. The notice map is
    for the person and shows what may be told by now; the sealed map is for oversight and shows everything.

    \b
    Examples:
      gatehouse answer build --site custodian
      gatehouse answer person 4711 --site custodian --out 4711.answer
      gatehouse verify answer 4711.answer --policy my.policy
    """


@answer.command()
@_SITE
@_JSON
def build(folder: Path, as_json: bool) -> None:
    """Build both maps from all releases so far and record their roots in the ledger. Run this every night.

    Example: gatehouse answer build --site custodian
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import answers
    from gatehouse.pipeline.approve import office
    from gatehouse.pipeline.site import open_site

    place = office(open_site(folder))
    with open_workspace("3GB") as connection, shown() as progress:
        built = answers.build(connection, place, clock.now(), progress=progress)
    if as_json:
        click.echo(json.dumps({"as_of": str(built.as_of), "persons": built.persons, "entry": int(built.folder.name)}))
        return
    click.echo(f"answers as of {built.as_of} for {built.persons:,} persons; both roots are entry {built.folder.name}")


@answer.command()
@click.argument("number", type=int)
@_SITE
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file to write the answer to.")
@click.option(
    "--sealed",
    is_flag=True,
    help="Use the sealed map. The result is for oversight only and must never go to the person.",
)
@click.option(
    "--page",
    type=int,
    default=1,
    show_default=True,
    help="The page to write, when the list has more than four disclosures.",
)
def person(number: int, folder: Path, out: Path, sealed: bool, page: int) -> None:
    """Write the answer about the person with this NUMBER in the register. Read it with `gatehouse verify answer`.

    Example: gatehouse answer person 4711 --site custodian --out 4711.answer
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.ledger.answer import Map
    from gatehouse.pipeline import answers
    from gatehouse.pipeline.site import open_site

    with open_workspace() as connection:
        data = answers.answer(connection, open_site(folder), number, Map.SEALED if sealed else Map.NOTICE, page=page)
    files.write(out, data, mode=0o600)
    click.echo(f"{out}: {len(data)} bytes")


@answer.command()
@_SITE
@click.option("--all", "earlier", is_flag=True, help="Also rebuild every earlier epoch.")
@_JSON
def check(folder: Path, earlier: bool, as_json: bool) -> None:
    """Rebuild the maps from the releases in the ledger, and report any disclosure that is missing or wrongly withheld.

    Example: gatehouse answer check --site custodian --all
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import answers
    from gatehouse.pipeline.approve import office
    from gatehouse.pipeline.site import open_site

    place = office(open_site(folder))
    with open_workspace("3GB") as connection, shown() as progress:
        found = answers.check(connection, place, progress=progress)
        before = answers.check_earlier(connection, place, progress=progress) if earlier else None
    if as_json:
        click.echo(json.dumps({**vars(found), "as_of": str(found.as_of), "earlier": before}))
        return
    click.echo(f"identical: both maps as of {found.as_of}, {found.persons:,} persons")
    if before is not None:
        click.echo(f"identical: {before} earlier epochs, each within those that follow")
    click.echo(f"disclosures: {found.disclosures:,}, of which {found.told:,} may be shown to the person")
    click.echo(f"persons added to the register since then: {found.unlisted:,}")
