"""`gatehouse halt`: overseers stop a docket, an agency or everything, and let it go on."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gatehouse.kernel import clock, files
from gatehouse.kernel.errors import WrongInput

_KEY = click.option("--key", "key_file", type=click.Path(path_type=Path), required=True, help="Your own key file.")
_OUT = click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write the statement to.")


@click.group()
def halt() -> None:
    """Stop a docket, an agency or everything, or let it go on, by signed word of the overseers.

    A statement needs as many signatures as the oversight file asks for. The last word on a scope counts.
    """


@halt.command()
@click.argument("scope", nargs=-1, required=True)
@click.option("--reason", required=True, help="The reason, in one line. It goes on record.")
@click.option("--resume", is_flag=True, help="Resume instead of halting.")
@_KEY
@_OUT
def sign(scope: tuple[str, ...], reason: str, key_file: Path, out: Path, *, resume: bool) -> None:
    """Write and sign a statement. SCOPE is `everything`, `agency NAME`, `docket AGENCY/ID` or `docket ID`.

    \b
    Example:
      gatehouse halt sign agency us.dhs.ice --reason "Court order of 5 Feb 2026" --key ig.key --out stop.halt
    """
    from gatehouse.ledger import halt as halts
    from gatehouse.ledger.signers import read_signer

    action = halts.Action.RESUME if resume else halts.Action.HALT
    covered = halts.Scope.parse(" ".join(scope))
    files.write(out, halts.write(action, covered, clock.now(), reason, read_signer(key_file)))
    click.echo(f"{action} {covered}: {out}")


@halt.command()
@click.argument("statement", type=click.Path(path_type=Path))
@_KEY
@_OUT
def join(statement: Path, key_file: Path, out: Path) -> None:
    """Add your signature to another overseer's statement.

    \b
    Example:
      gatehouse halt join go-on.halt --key court.key --out go-on.halt
    """
    from gatehouse.ledger import halt as halts
    from gatehouse.ledger.signers import read_signer

    files.write(out, halts.join(_read(statement), read_signer(key_file), where=statement.name))
    click.echo(f"signed: {out}")


@halt.command()
@click.argument("statement", type=click.Path(path_type=Path))
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
def enter(statement: Path, folder: Path) -> None:
    """Enter a statement that enough overseers signed. It takes effect at once and is recorded in the ledger.

    \b
    Example:
      gatehouse halt enter stop.halt --site custodian
    """
    from gatehouse.pipeline import halts
    from gatehouse.pipeline.site import open_site

    entered = halts.enter(open_site(folder), _read(statement), clock.now(), where=statement.name)
    click.echo(f"in force: {entered.action} {entered.scope}, by {', '.join(entered.signers)}")


@halt.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--oversight", type=click.Path(path_type=Path), help="The oversight policy: the overseers and how many must sign."
)
@click.option(
    "--site",
    "root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The site whose halts to show.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def show(folder: Path | None, oversight: Path | None, root: Path | None, *, as_json: bool) -> None:
    """Show the halts in force. Fails if a statement cannot be verified.

    At a site, statements apply in the order of their ledger entries. For a FOLDER of halts with --oversight,
    they apply in the order of the times that their signers wrote.

    \b
    Example:
      gatehouse halt show --site custodian
      gatehouse halt show copies/halts --oversight copies/oversight.policy
    """
    from gatehouse.ledger import halt as halts
    from gatehouse.pipeline import halts as kept
    from gatehouse.pipeline.site import open_site

    if root is not None and folder is None and oversight is None:
        found = kept.standing(open_site(root))
    elif root is None and folder is not None and oversight is not None:
        believed = halts.Oversight.parse(_read(oversight).decode(errors="replace"), where=oversight.name)
        found = halts.standing(halts.by_stated_time(halts.read_folder(folder, believed)))
    else:
        raise WrongInput("nothing is named to show", remedy="Give --site, or a folder of halts and --oversight")
    if as_json:
        click.echo(json.dumps([{"scope": str(one.scope), "since": one.at, "reason": one.reason} for one in found]))
        return
    for one in found:
        click.echo(f"{one.scope}, since {one.at}, by {', '.join(one.signers)}: {one.reason}")
    if not found:
        click.echo("nothing is halted")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongInput(f"the file cannot be read ({error.strerror})", where=path.name) from None
