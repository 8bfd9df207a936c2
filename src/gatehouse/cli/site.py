"""`gatehouse init` and `gatehouse run`: make a site; carry one submission as far as a machine may."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gatehouse.cli.determine import print_summary
from gatehouse.cli.law_office import offices_options, read_offices
from gatehouse.cli.law_words import SHIPPED_PACKS
from gatehouse.cli.progress import shown
from gatehouse.kernel import clock
from gatehouse.kernel.errors import WrongInput


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", help="What the ledger is called for ever, such as gateway.agency.example/disclosures/2026.")
@click.option("--register", default="register", show_default=True, help="A folder of Parquet tables, or postgresql://…")
@click.option("--parties", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Copied into the site.")
@click.option("--pack", "packs", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A pack to put in force; those shipped, if none is named and no office brings a key.")  # fmt: skip
@offices_options(required=False)
@click.option("--after", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="The site of the year before: the new ledger begins with its newest checkpoint.")  # fmt: skip
@click.option("--demonstration", is_flag=True, help="Allow a pretended date; never on a real site.")
def init(
    folder: Path,
    name: str | None,
    register: str,
    parties: Path | None,
    packs: tuple[Path, ...],
    counsel: tuple[str, ...],
    custodian: tuple[str, ...],
    after: Path | None,
    *,
    demonstration: bool,
) -> None:
    """Make a site: its keys, its law in force, its ledger, and a commented gatehouse.toml.

    Packs named here are checked and proved first; those shipped bring the record of their proof. Two new offices sign
    them, unless counsel and the custodian bring keys of their own: then they must have signed them already, and
    `gatehouse law adopt` puts later ones in force.

    \b
    Example:
      gatehouse init custodian --name gateway.example/disclosures/2026 --parties parties.toml
      gatehouse init custodian-2027 --name gateway.example/disclosures/2027 --after custodian-2026
      gatehouse init custodian --counsel counsel.vkey --custodian custodian.vkey --pack my-statute
    """
    from gatehouse.pipeline import founding
    from gatehouse.pipeline.site import Founding

    if bool(counsel) != bool(custodian):
        raise WrongInput("one office has no key", where="--counsel, --custodian", remedy="Name both, or neither")
    beginning = Founding(
        name=name or f"gateway.example/disclosures/{clock.today().year}",
        register=register if "://" in register or register == "register" else str(Path(register).absolute()),
        parties=parties,
        demonstration=demonstration,
        offices=read_offices(counsel, custodian) if counsel else None,
        after=after,
    )
    shipped = () if counsel else tuple(sorted(path.parent for path in SHIPPED_PACKS.glob("*/pack.toml")))
    with shown() as progress:
        made = founding.found(folder, beginning, packs or shipped, clock.now(), shipped=not packs, progress=progress)
    click.echo(f"{folder}: a site was made. Next: put the register in {made.register}, name agencies in {made.parties}")
    for key in founding.keys_of_offices(made):
        click.echo(f"{key}: the office's key, made here because none was named; hand it over and remove it")


@click.command()
@click.argument("submission", type=click.Path(exists=True, path_type=Path))
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A columns.toml.")
@click.option("--by", "receiver", default="", help="Who hands the submission in; may not approve it later.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(submission: Path, folder: Path, mapping: Path | None, receiver: str, as_json: bool) -> None:
    """Receive a submission, decide every request, and commit each to the ledger; approvals are for people.

    Running it again after a crash finishes what was begun.

    Example: gatehouse run ICE-2025-0003 --site custodian
    """
    from gatehouse.pipeline import journey
    from gatehouse.pipeline.site import open_site

    with shown() as progress:
        docket = journey.run(
            open_site(folder), submission, now=clock.now(), mapping=mapping, receiver=receiver, progress=progress
        )
    summary = docket.read_summary()
    if as_json:
        click.echo(json.dumps({"docket": str(docket.root), **summary}, indent=2))
        return
    print_summary(summary)
    click.echo(f"docket: {docket.root}")
