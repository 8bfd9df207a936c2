"""`gatehouse order`: show what a court's order would change, sign it in two offices, put it in force at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatehouse.cli.progress import shown
from gatehouse.kernel import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatehouse.pipeline.orders import Entered

_SITE = click.option(
    "--site", "site_folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
_PARCEL = click.argument("parcel", type=click.Path(exists=True, file_okay=False, path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group()
def order() -> None:
    """Enter a court's order: preview its effect, sign in two offices, enter; everything open is looked at again.

    An order may only tighten. One that ends another goes through `gatehouse law adopt`.
    """


@order.command()
@click.argument("packs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@_SITE
@click.option("--text", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The order's text as the court issued it. Its digest goes on record.")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder for the prepared order.")
@_JSON
def preview(packs: tuple[Path, ...], site_folder: Path, text: Path, out: Path, *, as_json: bool) -> None:
    """Show what an order would do to every docket, and prepare it for signing. Nothing changes at the site.

    PACKS are copies of the site's packs, each with this one order added and a higher version.

    \b
    Example:
      gatehouse order preview draft --site custodian --text stay.pdf --out stay
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import approve, orders
    from gatehouse.pipeline.site import open_site

    place = approve.office(open_site(site_folder))
    with open_workspace() as connection:
        parcel, effect = orders.preview(connection, place, packs, text=text, out=out, now=clock.now())
    if as_json:
        click.echo(json.dumps({"order": parcel.order, "parcel": str(out), **effect}))
        return
    click.echo(f"{parcel.record['title']} ({parcel.record['cite']}), in force from {parcel.record['from']}")
    for one in parcel.record["packs"]:
        click.echo(
            f"  {one['pack']}: {one['before']['version']} → {one['after']['version']}; permits nothing in addition"
        )
    for docket in effect["dockets"]:
        _show(docket)
    click.echo(f"Prepared in {out}. Next, each office: gatehouse order sign {out} --key office.key")


def _show(docket: Mapping[str, Any]) -> None:
    click.echo(f"{docket['docket']}: {docket['to_hold']} open cases to hold, {docket['to_recall']} sealed to recall")
    for change in docket["changes"]:
        rules = ", ".join(change["rules"])
        click.echo(
            f"    if decided today: {change['old']} → {change['new']}: {change['requests']:,} requests ({rules})"
        )
    if docket["opened_before"]:
        click.echo(f"    already opened: {', '.join(docket['opened_before'])}; recall them with `gatehouse recall`")


@order.command()
@_PARCEL
@click.option("--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Your office's private key.")  # fmt: skip
def sign(parcel: Path, key: Path) -> None:
    """Sign a prepared order for your office, after checking and proving its packs again.

    \b
    Example: gatehouse order sign stay --key counsel.key
    """
    from gatehouse.ledger.signers import read_signer
    from gatehouse.pipeline import orders

    signer = read_signer(key)
    with shown() as progress:
        signed = orders.sign(parcel, signer, progress)
    click.echo(f"{signer.name} signed {signed.order}")


@order.command()
@_PARCEL
@_SITE
@click.option("--officer", required=True, help="Your officer id in gatehouse.toml. You sign the holds and recalls.")
@click.option("--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Your own signing key.")  # fmt: skip
@click.option("--reason", default="", help="Text to add to the order's title in each decision.")
@_JSON
def enter(parcel: Path, site_folder: Path, officer: str, key: Path, reason: str, *, as_json: bool) -> None:
    """Put a signed order in force at once. Approved cases that it stops are held; sealed, unopened ones are recalled.

    Run it again after a crash, and again on the day when a future-dated order comes into force.

    \b
    Example: gatehouse order enter stay --site custodian --officer do-1 --key do-1.key
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.ledger.signers import read_signer
    from gatehouse.pipeline import approve, orders
    from gatehouse.pipeline.recheck import By
    from gatehouse.pipeline.site import open_site

    place = approve.office(open_site(site_folder))
    by = By(officer, read_signer(key), reason)
    with open_workspace() as connection:
        _tell(orders.enter(connection, place, parcel, by, clock.now()), as_json=as_json)


@order.command(name="list")
@_SITE
@_JSON
def list_(site_folder: Path, *, as_json: bool) -> None:
    """List the orders entered at a site.

    \b
    Example: gatehouse order list --site custodian
    """
    from gatehouse.pipeline import orders
    from gatehouse.pipeline.site import open_site

    found = [dict(parcel.record) for parcel in orders.entered(open_site(site_folder))]
    if as_json:
        click.echo(json.dumps(found))
        return
    for one in found:
        packs = ", ".join(f"{each['pack']} {each['after']['version']}" for each in one["packs"])
        click.echo(f"{one['order']}: {one['title']} ({one['cite']}), from {one['from']}; {packs}")
    if not found:
        click.echo("no order has been entered at this site")


def _tell(done: Entered, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"order": done.order, "held": dict(done.held), "recalled": dict(done.recalled),
                               "opened_before": dict(done.opened)}))  # fmt: skip
        return
    click.echo(f"{done.order} is in force")
    for docket in sorted({*done.held, *done.recalled, *done.opened}):
        recalled = done.recalled.get(docket, ())
        click.echo(f"{docket}: {done.held.get(docket, 0)} cases held, {len(recalled)} packages recalled")
        for release in done.opened.get(docket, ()):
            click.echo(f"    opened before: {release}; `gatehouse recall --docket {docket}` takes it back")
