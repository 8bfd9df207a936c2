"""`gatehouse register`: the register contract, printed, and a folder or database held against it."""

from __future__ import annotations

import json

import click

from gatehouse.cli.progress import shown
from gatehouse.kernel import clock


@click.group()
def register() -> None:
    """The custodian's register: what it must look like, and whether one does.

    \b
    Example:
      gatehouse register describe
      gatehouse register check postgresql://reader@db.agency.example/records
    """


@register.command()
@click.option("--sql", is_flag=True, help="Print SQL statements that make the tables in PostgreSQL.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def describe(*, sql: bool, as_json: bool) -> None:
    """Print every table of a register with its columns, their types and what they mean.

    Example: gatehouse register describe --sql
    """
    from gatehouse.match import described

    if as_json:
        click.echo(json.dumps(described.document(), indent=2))
    elif sql:
        click.echo(described.sql())
    else:
        click.echo(described.text())


@register.command()
@click.argument("address")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def check(address: str, *, as_json: bool) -> None:
    """Check ADDRESS, a folder of Parquet files or a PostgreSQL database, against the register contract, and "
        "count its rows.

    Only reads. If the register breaks the contract, lists the first faults of each kind and exits with status 2.

    Example: gatehouse register check register
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.match import contract, open_register

    with shown() as progress, open_workspace() as connection:
        progress("read", 0, 2)
        records = open_register(address)
        progress("check", 1, 2)
        census = contract.check(connection, records, clock.today())
        progress("check", 2, 2)
        digest = records.digest
    found = {"register": records.address, "digest": digest, **vars(census)}
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"{records.address}: keeps the contract, snapshot {digest[:16]}…")
    for name, count in vars(census).items():
        click.echo(f"  {count:>13,}  {name.replace('_', ' ')}")
