"""`gatehouse drill`: rehearse what must be quick when it is needed, on a copy, and measure it."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatehouse.kernel import clock, scratch
from gatehouse.kernel.errors import WrongInput

if TYPE_CHECKING:
    from gatehouse.pipeline.review import Measured


@click.group()
def drill() -> None:
    """Rehearse on a copy of the site; nothing of the site is changed and nothing real is signed.

    Example: gatehouse drill recall --site custodian
    """


@drill.command()
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--docket", "dockets", multiple=True, help="Only this docket. May be repeated. Default: all dockets.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def recall(folder: Path, dockets: tuple[str, ...], *, as_json: bool) -> None:
    """Assume that every released case is wrong, and measure the time until every signed notice is ready.

    The drill evaluates all of them under the law in force, lists releases and persons, and signs notices and incident
    reports with keys made for the drill. It works on a copy, which is removed afterwards.

    Example: gatehouse drill recall --site custodian
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import drill as stage
    from gatehouse.pipeline.dockets import resolve
    from gatehouse.pipeline.site import open_site

    site = open_site(folder)
    dockets = tuple(resolve(site.dockets, one) for one in dockets)
    with scratch.folder(site.spill) as workshop, open_workspace() as connection:
        done = stage.drill(connection, site, workshop, clock.now(), dockets=dockets)
    recalls = [
        {"docket": one.docket, "cases": one.cases, "persons": one.persons, "notices": len(one.notices)}
        for one in done.recalls
    ]
    if as_json:
        click.echo(json.dumps({"recalls": recalls, "listed": round(done.listed, 3), "told": round(done.told, 3)}))
        return
    for one in recalls:
        click.echo(f"{one['docket']}: {one['cases']} cases of {one['persons']} persons, {one['notices']} notices")
    click.echo(f"time to list releases and persons {done.listed:.1f} s, time to sign the notices {done.told:.1f} s")
    click.echo("This was a drill on a copy with its own keys. The site is unchanged.")


@drill.command()
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--docket", help="To begin: the docket whose held cases are copied.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="To begin: a new folder outside the site, for the copy and its key."
)
@click.option(
    "--planted", type=click.IntRange(min=1), default=30, show_default=True, help="The number of known cases to plant."
)
@click.option(
    "--cases",
    type=click.IntRange(min=2),
    default=200,
    show_default=True,
    help="The most cases in the drill, known and real.",
)
@click.option(
    "--known", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own faults, as CSV: kind,column,value.",
)  # fmt: skip
@click.option("--seed", type=int, help="Repeat an earlier drawing. The key file holds its seed.")
@click.option(
    "--measure",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="To measure: the folder of the drill.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def review(folder: Path, measure: Path | None, *, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - by name
    """Plant known cases among copies of real held cases, and measure how many of them the officers catch.

    Begin with --docket and --out: this makes a site with one docket, in which officers decide as usual. The file
    key.json lists the known cases; keep it from the officers. The copy cannot release anything. Afterwards,
    --measure counts the known cases caught, with exact 95 % intervals. The site's ledger records begin and result.

    \b
    Examples:
      gatehouse drill review --site custodian --docket ICE-2025-0003 --out review
      gatehouse approve ICE-2025-0003-review-1 --site review/site --officer do-1 --queue
      gatehouse drill review --site custodian --measure review
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import review as stage
    from gatehouse.pipeline.dockets import resolve
    from gatehouse.pipeline.site import open_site

    if measure is not None:
        _print_measured(stage.measure(open_site(folder), measure, clock.now()), as_json=as_json)
        return
    if not options["docket"] or options["out"] is None:
        raise WrongInput(
            "it is unclear whether to begin a drill or measure one",
            remedy="Give --docket and --out, or --measure FOLDER",
        )
    known = stage.read_known(options["known"] or stage.KNOWN)
    site = open_site(folder)
    seed = options["seed"] if options["seed"] is not None else secrets.randbits(53)
    with open_workspace() as connection:
        begun = stage.begin(
            connection, site, resolve(site.dockets, options["docket"]), options["out"], now=clock.now(), known=known,
            planted=options["planted"], cases=options["cases"], seed=seed,
        )  # fmt: skip
    if as_json:
        told = {"site": str(begun.site.root), "docket": begun.docket, "cases": begun.cases, "planted": begun.planted}
        click.echo(json.dumps(told))
        return
    click.echo(
        f"{begun.cases} cases lie in {begun.site.root}, docket {begun.docket}; {begun.planted} of them are known"
    )
    click.echo(f"Keep {options['out'] / stage.KEY} from the officers. The copy cannot release anything.")


def _print_measured(found: Measured, *, as_json: bool) -> None:
    if as_json:
        from gatehouse.pipeline.review import document

        click.echo(json.dumps(document(found)))
        return
    click.echo(f"{found.docket}: {found.planted} known cases, {found.undecided} not decided yet")
    for one in (found.all, *found.officers, *found.kinds):
        share = f"{one.caught / one.decided:.0%}" if one.decided else "–"
        click.echo(
            f"  {one.of:<24} {one.caught:>4} of {one.decided:>4} caught, {share:>4} ({one.low:.0%} to {one.high:.0%})"
        )
    click.echo(f"  real cases stopped too   {found.real_stopped:>4} of {found.real_decided:>4} decided")
