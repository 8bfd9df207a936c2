"""`gatehouse backup`, `gatehouse restore` and `gatehouse check`: keep a site, bring it back, see that it is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.cli.progress import shown
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo

if TYPE_CHECKING:
    from gatehouse.pipeline.consistency import Story
    from gatehouse.pipeline.site import Site

SITE = click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.command()
@SITE
@click.option("--out", "target", required=True, type=click.Path(path_type=Path), help="A new folder for the backup.")
@click.option(
    "--keys", is_flag=True, help="Also copy the private keys. Then protect the backup as you protect the keys."
)
def backup(folder: Path, target: Path, *, keys: bool) -> None:
    """Copy a site at one instant: files, ledger and database. Reading continues; writing waits.

    \b
    Example: gatehouse backup --site custodian --out /backups/2026-03-01
    """
    from gatehouse.pipeline.backup import back_up
    from gatehouse.pipeline.site import open_site

    with shown() as progress:
        made = back_up(open_site(folder), target, clock.now(), keys=keys, progress=progress)
    click.echo(f"{target}: {made.files:,} files, {made.bytes / 2**20:,.0f} MiB, ledger of {made.size:,} entries")
    if not keys:
        click.echo("private keys are not included: back up keys/ separately, or the restored site cannot sign")


@click.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--database", default="", help="An empty PostgreSQL database to load into: postgresql://…")
@click.option("--ledger", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A newer copy of the public ledger, from a mirror or a web server.")  # fmt: skip
@click.option("--keys", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="The keys/ folder, when the backup does not contain one.")  # fmt: skip
def restore(source: Path, folder: Path, database: str, ledger: Path | None, keys: Path | None) -> None:
    """Restore the backup SOURCE into the new site FOLDER, then report where the ledger, dockets and database disagree.

    \b
    Example: gatehouse restore /backups/2026-03-01 custodian --keys /safe/keys --ledger /mirror/ledger
    """
    import shutil

    from gatehouse.pipeline import backup as backups
    from gatehouse.pipeline import record

    with shown() as progress:
        site, made = backups.restore(source, folder, database=database, ledger=ledger, progress=progress)
    if keys is not None:
        shutil.copytree(keys, site.keys, dirs_exist_ok=True)
    click.echo(f"{folder}: restored as of {made.made_at}, {made.files:,} files match the backup")
    record.open_log(site).close()  # where the site's database is now is a change of configuration, and goes on record
    _tell(_compare(site), as_json=False)


@click.command()
@SITE
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def check(folder: Path, *, as_json: bool) -> None:
    """Check that the ledger, dockets and database of a site agree. Exit with status 1 and list the differences if not.

    \b
    Example: gatehouse check --site custodian
    """
    from gatehouse.pipeline.site import open_site

    _tell(_compare(open_site(folder)), as_json=as_json)


def _compare(site: Site) -> Story:
    from gatehouse import store
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import consistency

    store.configure(site.database)
    with open_workspace() as connection:
        return consistency.compare(connection, site)


def _tell(story: Story, *, as_json: bool) -> None:
    counted = f"{story.size:,} entries of the ledger, {story.dockets} dockets, {story.events} events"
    if as_json:
        found = [vars(each) for each in story.differences]
        click.echo(
            json.dumps(
                {
                    "entries": story.size,
                    "dockets": story.dockets,
                    "differences": found,
                    "lost": [one.where for one in story.lost],
                },
                indent=1,
            )
        )
    else:
        click.echo(f"compared: {counted}")
        for each in story.differences:
            click.echo(f"  {each.where}: {each.what}. {each.remedy}")
        for lost in story.lost:
            click.echo(f"  {lost.where}: {lost.what}; two officers have acknowledged the loss")
    if story.differences:
        raise AnswerIsNo(f"the ledger, dockets and database disagree in {len(story.differences)} places")
    if not as_json:
        click.echo("they agree")
