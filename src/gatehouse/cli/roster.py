"""`gatehouse roster`: who may decide, who vouches for whom, and what two officers acknowledge as lost."""

from __future__ import annotations

from pathlib import Path

import click

from gatehouse.kernel import clock

_SITE = click.option(
    "--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="The site."
)
_OFFICER = click.option("--officer", required=True, help="Your id on the roster.")
_KEY = click.option("--key", "key_file", required=True, type=click.Path(path_type=Path), help="Your own key file.")


@click.group()
def roster() -> None:
    """Show who may decide at a site, and endorse a new officer, a new key or more authority.

    The custodian names the first two officers in gatehouse.toml. From then on an entry counts once two officers who
    stood on the roster before it have endorsed it.
    """


@roster.command()
@_SITE
def show(folder: Path) -> None:
    """Show every officer on the roster, and whether the entry is in effect.

    Example: gatehouse roster show --site custodian
    """
    from gatehouse.pipeline import people
    from gatehouse.pipeline.site import open_site

    site = open_site(folder)
    counted = people.roster(site)
    for identifier, officer in sorted(site.configuration.roster.officers.items()):
        why = counted.why_not(identifier, clock.today())
        click.echo(f"{identifier}  {officer.name}  {officer.role}  {why or 'may decide'}")


@roster.command()
@click.argument("new")
@_SITE
@_OFFICER
@_KEY
def endorse(new: str, folder: Path, officer: str, key_file: Path) -> None:
    """Endorse the entry of the officer NEW, as gatehouse.toml states it. Two officers must endorse it.

    Example: gatehouse roster endorse do-3 --site custodian --officer do-1 --key do-1.key
    """
    from gatehouse.ledger.signers import read_signer
    from gatehouse.pipeline import people
    from gatehouse.pipeline.site import open_site

    site = open_site(folder)
    people.endorse(site, new, officer, read_signer(key_file))
    waits = new in people.roster(site).unendorsed
    click.echo(f"{new}: endorsed by {officer}. {'Another officer must endorse it too' if waits else 'It counts now'}")


@roster.command("acknowledge-loss")
@click.argument("first", type=click.IntRange(min=0))
@click.argument("count", type=click.IntRange(min=1))
@_SITE
@_OFFICER
@_KEY
@click.option("--reason", required=True, help="What was lost and how. It goes on record.")
def acknowledge_loss(first: int, count: int, folder: Path, officer: str, key_file: Path, reason: str) -> None:
    """Acknowledge that COUNT ledger entries, starting at FIRST, can no longer be opened. Two officers must do so.

    Work at the site then continues. `gatehouse check` and the reports keep naming the loss.

    Example: gatehouse roster acknowledge-loss 117 3 --site custodian --officer do-1 --key do-1.key --reason "…"
    """
    from gatehouse.ledger.signers import read_signer
    from gatehouse.pipeline import people
    from gatehouse.pipeline.site import open_site

    site = open_site(folder)
    lost = range(first, first + count)
    done = people.acknowledge(site, officer, read_signer(key_file), lost, reason=reason, now=clock.now())
    last = f"entries {first} to {lost.stop - 1}" if count > 1 else f"entry {first}"
    click.echo(f"{last}: {'acknowledged as lost, on record' if done else 'another officer must acknowledge it too'}")
