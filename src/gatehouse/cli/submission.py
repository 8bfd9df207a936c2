"""`gatehouse submission`: the requesting side makes, checks and signs what it sends."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

_SHOWN = 200
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_MAPPING = click.option(
    "--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A columns.toml for another layout."
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
    """Bind the tables of FOLDER by digest and row count into submission.json, and sign it with the agency's key.

    Example: gatehouse submission sign ICE-2025-0003 --key agency.key
    """
    from gatehouse.intake import drafting
    from gatehouse.ledger.signers import read_signer

    manifest = drafting.sign(folder, read_signer(key), mapping)
    click.echo(f"signed: {manifest.id}, {manifest.rows:,} requests, {len(manifest.officers)} officers")


@submission.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--parties",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Check the signature against it too.",
)
@_MAPPING
@click.option("--all", "everything", is_flag=True, help=f"Print every fault, not the first {_SHOWN}.")
@click.option("--json", "as_json", is_flag=True, help="Print all faults as JSON lines.")
def check(folder: Path, parties: Path | None, mapping: Path | None, everything: bool, as_json: bool) -> None:
    """Check the form of a submission, signed or not: every fault by row and column. Searches no record.

    Ends with status 1 when a row has a fault, 2 when the whole would be refused.

    Example: gatehouse submission check ICE-2025-0003
    """
    from gatehouse.intake import drafting, form
    from gatehouse.intake import parties as parties_file
    from gatehouse.intake.submission import receive
    from gatehouse.intake.workspace import open_workspace

    known = parties_file.read(parties) if parties else None
    with open_workspace() as connection, drafting.as_it_stands(folder, mapping) as draft:
        received = receive(connection, draft, known, mapping=mapping, unsigned=known is None)
        count = 0
        for fault in form.find(connection, "requests", received.manifest):
            count += 1
            if as_json:
                click.echo(json.dumps(vars(fault)))
            elif everything or count <= _SHOWN:
                click.echo(f"row {fault.row} ({fault.request_id}), {fault.column}: {fault.problem}")
    if as_json:
        sys.exit(1 if count else 0)
    if count > _SHOWN and not everything:
        click.echo(f"… {count - _SHOWN:,} more; --all prints them")
    click.echo(f"{received.requests:,} requests, {count:,} faults of form")
    sys.exit(1 if count else 0)
