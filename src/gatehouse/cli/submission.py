"""`gatehouse submission`: the requesting side makes, checks and signs what it sends."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.cli.law_words import PACK_FOLDER
from gatehouse.kernel.errors import WrongInput

if TYPE_CHECKING:
    from gatehouse.intake.form import Asked

_SHOWN = 200
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_MAPPING = click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A columns.toml that maps another layout.",
)


@click.group()
def submission() -> None:
    """Make, check and sign a submission.

    \b
    Example:
      gatehouse submission new ICE-2025-0003
      gatehouse submission check ICE-2025-0003
      gatehouse submission sign ICE-2025-0003 --key agency.key
    """


@submission.command()
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Make FOLDER with a submission.json and an empty requests.csv to fill in.

    Example: gatehouse submission new ICE-2025-0003
    """
    from gatehouse.intake import drafting

    drafting.new(folder)
    click.echo(f"{folder}: fill in submission.json and requests.csv; README.txt says how")


@submission.command()
@click.argument("folder", type=_FOLDER)
@click.option("--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_MAPPING
def sign(folder: Path, key: Path, mapping: Path | None) -> None:
    """Record the digest and row count of FOLDER's tables in submission.json, and sign it with the agency's key.

    Example: gatehouse submission sign ICE-2025-0003 --key agency.key
    """
    from gatehouse.intake import drafting
    from gatehouse.ledger.signers import read_signer

    manifest = drafting.sign(folder, read_signer(key), mapping)
    officers = len(manifest.officers)
    click.echo(
        f"signed: {manifest.id}, {manifest.rows:,} request{'s'[: manifest.rows != 1]}, "
        f"{officers} officer{'s'[: officers != 1]}"
    )


@submission.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--parties",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The parties.toml with the agency's key, to check the signature too.",
)
@_MAPPING
@click.option(
    "--pack",
    "law",
    type=PACK_FOLDER,
    help="The pack of law that the request relies on. Default: the shipped pack for its basis.",
)
@click.option("--all", "everything", is_flag=True, help=f"Print every fault, not only the first {_SHOWN}.")
@click.option("--json", "as_json", is_flag=True, help="Print all faults as JSON, one per line.")
def check(
    folder: Path, parties: Path | None, mapping: Path | None, law: Path | None, everything: bool, as_json: bool
) -> None:
    """Check the form of a submission, signed or not, and list every fault by row and column. Searches no records.

    Exits with status 1 if a row has a fault, and 2 if the whole submission would be refused.

    Example: gatehouse submission check ICE-2025-0003
    """
    from gatehouse.intake import drafting, form
    from gatehouse.intake import parties as parties_file
    from gatehouse.intake.submission import receive
    from gatehouse.intake.workspace import open_workspace

    known = parties_file.read(parties) if parties else None
    with open_workspace() as connection, drafting.as_it_stands(folder, mapping) as draft:
        received = receive(connection, draft, known, mapping=mapping, unsigned=known is None)
        asked = _asked(received.manifest.basis, law)
        count = 0
        for fault in form.find(connection, "requests", received.manifest, asked or form.NOTHING):
            count += 1
            if as_json:
                click.echo(json.dumps(vars(fault)))
            elif everything or count <= _SHOWN:
                place = f"row {fault.row} ({fault.request_id})" if fault.row else fault.request_id
                click.echo(f"{place}, {fault.column}: {fault.problem}")
    if as_json:
        sys.exit(1 if count else 0)
    if count > _SHOWN and not everything:
        click.echo(f"… {count - _SHOWN:,} more; --all prints them")
    requests = f"{received.requests:,} request{'s'[: received.requests != 1]}"
    click.echo(f"{requests}, {count:,} fault{'s'[: count != 1]} of form")
    if asked is None:
        basis = received.manifest.basis
        click.echo(f"No pack for {basis} is at hand, so only what every law asks was looked at; --pack names one")
    sys.exit(1 if count else 0)


def _asked(basis: str, law: Path | None) -> Asked | None:
    """What the law of a basis asks each request to say: of the pack named, or of the shipped one; None without one."""
    from gatehouse.intake.form import Asked
    from gatehouse.law import shipped
    from gatehouse.law.reading import load

    for pack in map(load, [law] if law else shipped.packs()):
        if pack.basis == basis:
            return Asked(pack.wording.form, pack.wording.proceedings)
    if law:
        raise WrongInput(f"this pack is not for {basis}", where=str(law), remedy="Name the pack for that basis")
    return None
