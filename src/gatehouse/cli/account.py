"""`gatehouse account`: who may come in, and keys for agencies' programs, made by whoever runs the machine, on record.

What the administrator does in the console can be done here, by the same rules: each change is in the ledger before it
is made, with the name of the person at the machine.
"""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.kernel.errors import WrongInput

if TYPE_CHECKING:
    from gatehouse.console.models import Account, Proposal

_SITE = click.option(
    "--site", "root", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="The site."
)
_ROLES = (
    "disclosure_officer", "disclosure_manager", "requester", "counsel", "inspector", "auditor", "administrator",
)  # fmt: skip


@click.group()
def account() -> None:
    """Make, list and close accounts, and make keys for programs.

    \b
    Example:
      gatehouse account new ruiz --site custodian --role disclosure_officer --officer do-1 --name "Ana Ruiz"
      gatehouse account confirm ruiz --site custodian --officer do-2 --key do-2.key
      gatehouse account password ruiz --site custodian
      gatehouse account key ice --site custodian --program nightly --scope agency:submission:send
    """


@account.command()
@click.argument("username")
@_SITE
@click.option("--role", required=True, type=click.Choice(_ROLES))
@click.option("--name", default="", help="The person's name, as others see it.")
@click.option("--agency", default="", help="For a requester: the agency, as parties.toml names it.")
@click.option("--officer", default="", help="For an officer who decides: the id under [[officers]] in gatehouse.toml.")
def new(username: str, root: Path, role: str, name: str, agency: str, officer: str) -> None:
    """Propose an account. It is created when an officer confirms it.

    Example: gatehouse account new ruiz --site custodian --role disclosure_officer --officer do-1
    """
    _open(root)
    from gatehouse.console import proposals

    proposals.make(username, name=name, role=role, agency=agency, officer=officer, by=_by())
    click.echo(f"{username}: proposed. Next, an officer runs: gatehouse account confirm {username} --site {root} "
               "--officer ID --key FILE")  # fmt: skip


@account.command()
@click.argument("username")
@_SITE
@click.option("--officer", required=True, help="Your id under [[officers]] in gatehouse.toml.")
@click.option("--key", "key_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Your own key file.")  # fmt: skip
def confirm(username: str, root: Path, officer: str, key_file: Path) -> None:
    """Confirm a proposal about an account as an officer: to create it, change its role or reopen it.

    The person who proposed it cannot confirm it, and officers cannot confirm their own accounts.

    Example: gatehouse account confirm ruiz --site custodian --officer do-2 --key do-2.key
    """
    _open(root)
    from gatehouse.casework import statement
    from gatehouse.console import proposals
    from gatehouse.console.models import Proposal
    from gatehouse.kernel import clock
    from gatehouse.ledger.signers import read_signer

    found = Proposal.objects.filter(username=username).first()
    if found is None:
        raise WrongInput("nothing has been proposed for this account", where=username, remedy="gatehouse account new")
    now = clock.now()
    made = proposals.confirm(
        found, statement.sign(proposals.statement_body(found, officer, now), read_signer(key_file)), now
    )
    onward = (
        f"Next, give it a first password: gatehouse account password {username}"
        if made.local
        else "The account's owner can now sign in"
    )
    click.echo(f"{username}: confirmed, {made.title.lower()}. {onward}")


@account.command(name="list")
@_SITE
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def list_(root: Path, *, as_json: bool) -> None:
    """List every account with its role, agency or officer, whether it is open, and any pending proposal.

    Example: gatehouse account list --site custodian
    """
    _open(root)
    from gatehouse.console.models import Account, Key, Proposal

    found = [
        {**_part(one), "open": one.is_active, "keys": Key.objects.filter(account=one).count()}
        for one in Account.objects.order_by("role", "username")
    ]
    found += [{**_part(one), "proposed": one.act, "by": one.by} for one in Proposal.objects.order_by("at")]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for one in found:
        belongs = one["agency"] or one["officer"] or "–"
        state = f"proposed: {one['proposed']}" if "proposed" in one else "open" if one["open"] else "closed"
        click.echo(f"{one['account']:<28} {one['role']:<20} {belongs:<20} {state}")


@account.command()
@click.argument("username")
@_SITE
def close(username: str, root: Path) -> None:
    """Close an account. Its sessions and keys end at once.

    Example: gatehouse account close ruiz --site custodian
    """
    _open(root)
    from gatehouse.console import accounts, chronicle

    found = _found(username)
    chronicle.enter("account_close", _event(found))
    accounts.close(found)
    click.echo(f"{username}: closed, and signed out everywhere")


@account.command()
@click.argument("username")
@_SITE
def password(username: str, root: Path) -> None:
    """Give an account a new first password, and print it.

    Example: gatehouse account password ruiz --site custodian
    """
    _open(root)
    from gatehouse.console import accounts, chronicle

    found = _found(username)
    if not found.local:
        raise WrongInput("this account has no password at this site", remedy="Ask its identity provider for a new one")
    chronicle.enter("account_reset", _event(found))
    click.echo(f"{username}: first password {accounts.reset(found)}")


@account.command()
@click.argument("username")
@_SITE
@click.option("--program", required=True, help="The name of the program that will use the key.")
@click.option(
    "--scope", "scopes", multiple=True, required=True, help="What the key may do, such as agency:submission:send."
)
@click.option("--days", default=30, show_default=True, help="How many days the key is valid.")
def key(username: str, root: Path, program: str, scopes: tuple[str, ...], days: int) -> None:
    """Make a key that lets a program call the API for an account, and print it. It is shown only once.

    Example: gatehouse account key ice --site custodian --program nightly --scope agency:submission:send
    """
    _open(root)
    from gatehouse.console import chronicle, tokens

    found = _found(username)
    tokens.check(found, program, scopes, days)
    event = {"account": username, "name": program, "scopes": " ".join(sorted(set(scopes))), "days": str(days)}
    chronicle.enter("key_made", {**event, "agency": found.agency, "by": _by()})
    click.echo(tokens.make(found, program, scopes, days, _by()))


def _open(root: Path) -> None:
    from gatehouse.cli import web
    from gatehouse.pipeline.site import open_site

    web.configure(open_site(root), works=False)


def _found(username: str) -> Account:
    from gatehouse.console.models import Account

    found = Account.objects.filter(username=username).first()
    if found is None:
        raise WrongInput("there is no such account", where=username, remedy="`gatehouse account list` shows them")
    return found


def _part(one: Account | Proposal) -> dict[str, object]:
    return {"account": one.username, "name": one.name, "role": one.role, "agency": one.agency, "officer": one.officer}


def _event(found: Account) -> dict[str, str]:
    return {"account": found.username, "role": found.role, "agency": found.agency, "by": _by()}


def _by() -> str:
    """Who is at the machine, and that it was there: as the administrator's own name stands in the console's entries."""
    from gatehouse.console.proposals import AT_MACHINE

    return f"{getpass.getuser()}{AT_MACHINE}"
