"""`gatehouse init` and `gatehouse run`: make a site; carry one submission as far as a machine may."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.cli.determine import print_summary
from gatehouse.cli.law_office import offices_options, read_offices
from gatehouse.cli.law_words import PACK_FOLDER
from gatehouse.cli.progress import shown
from gatehouse.kernel import clock, ids
from gatehouse.kernel.errors import WrongInput
from gatehouse.kernel.postgres import is_address, name_of

if TYPE_CHECKING:
    from gatehouse.casework.roster import Officer


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", help="The permanent name of the ledger, such as gateway.agency.example/disclosures/2026.")
@click.option("--register", default="register", show_default=True, help="A folder of Parquet tables, or postgresql://…")
@click.option("--database", default="sqlite:///gatehouse.sqlite3", show_default=True,
              help="The database for people's work. In production: any address that psql accepts.")  # fmt: skip
@click.option(
    "--parties",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The parties.toml to copy into the site.",
)
@click.option("--officer", "officers", multiple=True, metavar="ID=FILE",
              help="A disclosure officer's id and the public key that `gatehouse key new` printed.")  # fmt: skip
@click.option("--pack", "packs", multiple=True, type=PACK_FOLDER,
              help="A pack to put in force. Default: the shipped packs, if no office brings its own key.")  # fmt: skip
@offices_options(required=False)
@click.option("--after", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="The previous year's site. The new ledger begins with its newest checkpoint.")  # fmt: skip
@click.option("--demonstration", is_flag=True, help="Allow a pretended date. Never use this on a real site.")
def init(
    folder: Path,
    name: str | None,
    register: str,
    database: str,
    parties: Path | None,
    officers: tuple[str, ...],
    packs: tuple[Path, ...],
    counsel: tuple[str, ...],
    custodian: tuple[str, ...],
    after: Path | None,
    *,
    demonstration: bool,
) -> None:
    """Make a site: its keys, its law in force, its ledger, and a commented gatehouse.toml.

    Packs that you name are checked and proved first; the shipped packs include a record of their proof. Two new offices
    sign them, unless counsel and the custodian bring their own keys: then both must have signed them already, and
    `gatehouse law adopt` puts later ones in force.

    \b
    Example:
      gatehouse init custodian --name gateway.example/disclosures/2026 --parties parties.toml --officer do-1=do-1.vkey
      gatehouse init custodian-2027 --name gateway.example/disclosures/2027 --after custodian-2026
      gatehouse init custodian --counsel counsel.vkey --custodian custodian.vkey --pack my-statute
    """
    from gatehouse import store
    from gatehouse.law import shipped
    from gatehouse.pipeline import founding
    from gatehouse.pipeline.site import Founding

    store.database(database)  # a wrong address is said before anything is made
    if bool(counsel) != bool(custodian):
        raise WrongInput(
            "only one of the two offices has a key", where="--counsel, --custodian", remedy="Name both, or neither"
        )
    beginning = Founding(
        name=name or f"gateway.example/disclosures/{clock.today().year}",
        register=register if is_address(register) or register == "register" else str(Path(register).absolute()),
        database=database,
        parties=parties,
        officers=tuple(map(_appointed, officers)),
        demonstration=demonstration,
        offices=read_offices(counsel, custodian) if counsel else None,
        after=after,
    )
    chosen = packs or (() if counsel else shipped.packs())
    ours = all(pack.resolve().parent == shipped.folder().resolve() for pack in chosen)
    with shown() as progress:
        made = founding.found(folder, beginning, chosen, clock.now(), shipped=ours, progress=progress)
    where = made.register if not is_address(made.register) else name_of(made.register)
    click.echo(f"{folder}: a site was made. Next: put the register in {where}, name agencies in {made.parties}")
    _tell_witnesses(made.policy, made.root / "log.vkey", after)
    if not chosen:
        click.echo(
            "No law is in force yet, so nothing can be decided: `gatehouse law adopt` puts a signed pack in force"
        )
    for key in founding.keys_of_offices(made):
        click.echo(f"{key}: made because no key of the office was named. Hand it to the office and delete it here")


def _tell_witnesses(policy_file: Path, key: Path, after: Path | None) -> None:
    from gatehouse.ledger import policy

    trusted = policy.read(policy_file)
    if trusted.quorum == "none":
        click.echo(f"{policy_file}: no witness is asked. Name witnesses and a quorum there before the first submission")
    elif after is not None:
        names = ", ".join(witness.name for witness in trusted.witnesses)
        click.echo(f"{policy_file}: the quorum of {after} stands here too. Give {key} to each witness ({names}) now;")
        click.echo("nothing is published before they have it. The earlier site decides nothing new from now on.")


def _appointed(text: str) -> Officer:
    """An officer named on the command line."""
    from gatehouse.casework.roster import Officer
    from gatehouse.ledger.signers import read_verifier

    identity, _, file = text.partition("=")
    if not ids.is_name(identity) or not Path(file).is_file():
        remedy = "Write --officer do-1=do-1.vkey, with the file of the public key"
        raise WrongInput("this names no officer and key", where="--officer", remedy=remedy)
    return Officer(identity, identity, "disclosure_officer", read_verifier(Path(file)), clock.today())


@click.command()
@click.argument("submission", type=click.Path(exists=True, path_type=Path))
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A columns.toml that maps another layout.",
)
@click.option(
    "--by", "receiver", default="", help="The person who hands in the submission. They may not approve it later."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(submission: Path, folder: Path, mapping: Path | None, receiver: str, as_json: bool) -> None:
    """Receive a submission, decide every request, and commit each decision to the ledger. People approve afterwards.

    After a crash, run it again to finish.

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
