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
    from gatehouse.pipeline.agreement import Story
    from gatehouse.pipeline.site import Site

SITE = click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.command()
@SITE
@click.option("--out", "target", required=True, type=click.Path(path_type=Path), help="A new folder for this backup.")
@click.option("--keys", is_flag=True, help="Copy private keys too; then keep the backup as the keys are kept.")
def backup(folder: Path, target: Path, *, keys: bool) -> None:
    """Copy a site at one instant: files, ledger and database. Reading goes on; writing waits.

    \b
    Example: gatehouse backup --site custodian --out /backups/2026-03-01
    """
    from gatehouse.pipeline.backup import back_up
    from gatehouse.pipeline.site import open_site

    with shown() as progress:
        made = back_up(open_site(folder), target, clock.now(), keys=keys, progress=progress)
    click.echo(f"{target}: {made.files:,} files, {made.bytes / 2**20:,.0f} MiB, ledger of {made.size:,} entries")
    if not keys:
        click.echo("private keys are not in it: keep keys/ apart, or the restored site cannot sign")


@click.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--database", default="", help="An empty PostgreSQL database to load into: postgresql://…")
@click.option("--ledger", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A newer copy of the public ledger, from a mirror or a web server.")  # fmt: skip
@click.option("--keys", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="The keys/ folder, where the backup has none.")  # fmt: skip
def restore(source: Path, folder: Path, database: str, ledger: Path | None, keys: Path | None) -> None:
    """Make the site FOLDER from the backup SOURCE, then say where ledger, dockets and database disagree.

    \b
    Example: gatehouse restore /backups/2026-03-01 custodian --keys /safe/keys --ledger /mirror/ledger
    """
    import shutil

    from gatehouse.pipeline import backup as backups

    with shown() as progress:
        site, made = backups.restore(source, folder, database=database, ledger=ledger, progress=progress)
    if keys is not None:
        shutil.copytree(keys, site.keys, dirs_exist_ok=True)
    click.echo(f"{folder}: restored as of {made.made_at}, {made.files:,} files as they were backed up")
    _tell(_compare(site), as_json=False)


@click.command()
@SITE
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, for programs.")
def check(folder: Path, *, as_json: bool) -> None:
    """See whether ledger, dockets and database of a site tell one story; exit 1 and say where not.

    \b
    Example: gatehouse check --site custodian
    """
    from gatehouse.pipeline.site import open_site

    _tell(_compare(open_site(folder)), as_json=as_json)


def _compare(site: Site) -> Story:
    from gatehouse import store
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import agreement

    store.configure(site.database)
    with open_workspace() as connection:
        return agreement.compare(connection, site)


def _tell(story: Story, *, as_json: bool) -> None:
    counted = f"{story.size:,} entries of the ledger, {story.dockets} dockets, {story.events} events"
    if as_json:
        found = [vars(each) for each in story.differences]
        click.echo(json.dumps({"entries": story.size, "dockets": story.dockets, "differences": found}, indent=1))
    else:
        click.echo(f"compared: {counted}")
        for each in story.differences:
            click.echo(f"  {each.where}: {each.what}. {each.remedy}")
    if story.differences:
        raise AnswerIsNo(f"ledger, dockets and database disagree in {len(story.differences)} places")
    if not as_json:
        click.echo("they agree")
