"""`gatehouse open` and `gatehouse use`: the officer's side, which needs no connection to the custodian."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gatehouse.kernel import clock

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class _Terminal:
    """What the plugin of a hardware key says and asks, on the terminal."""

    def display_message(self, message: str) -> None:
        click.echo(message, err=True)

    def confirm(self, message: str, yes: str, no: str | None) -> bool | None:
        return click.confirm(f"{message} ({yes}{f' / {no}' if no else ''})", err=True)

    def request_public_string(self, description: str) -> str | None:
        answer: str = click.prompt(description, err=True)
        return answer

    def request_passphrase(self, description: str) -> str | None:
        secret: str = click.prompt(description, hide_input=True, err=True)
        return secret


@click.command("open")
@click.argument("release", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Your age key, in a file or in hardware. The submission names its public half.")  # fmt: skip
@click.option("--trust", required=True, type=_FOLDER, help="The custodian's trust folder, as you received it.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder for the opened release.")
@click.option("--agency-key", "agency_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Your agency's public key, which must have signed the submission.")  # fmt: skip
@click.option(
    "--allow-format-1", "old", is_flag=True, help="Open a package in the older 2025 format, whose proof shows less."
)
@click.option("--trust-anew", "anew", is_flag=True,
              help="Trust a folder or ledger that differs from the earlier one. Ask the custodian first.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def open_(
    release: Path, key: Path, trust: Path, out: Path, *, agency_file: Path | None, old: bool, anew: bool, as_json: bool
) -> None:
    """Check a release's proof, accept its use terms, and open its records. Writes a signed receipt to send back.

    The release is decrypted only if its certificate verifies, never after expiry or recall. Opening accepts the terms.
    KEY.known remembers log, custodian, witnesses, roster, agencies' keys and the largest ledger seen. A trust folder or
    package that contradicts them is refused until you have asked the custodian's officers and say --trust-anew.

    \b
    Examples:
      gatehouse open rel-….age --key officer.key --trust custodian-trust --out opened
      gatehouse open rel-….age --key officer.key --trust custodian-trust --agency-key ice.vkey --out opened
    """
    from gatehouse.ledger.signers import read_verifier
    from gatehouse.release import acquaintance, officer
    from gatehouse.release.recipients import read_identity

    agency = (read_verifier(agency_file),) if agency_file else None
    identity = read_identity(key, _Terminal())
    seen = acquaintance.beside(key)
    opened = officer.open_release(
        release, identity, trust, out, clock.now(), agency=agency, old=old, known=seen, anew=anew
    )
    header, times = opened.verified.header, opened.verified.times
    if old:
        click.echo(
            "Warning: this proof does not show that the ledger contains the release, or whose data the release "
            "contains.",
            err=True,
        )
    if as_json:
        facts = {"release": header.release, "docket": header.docket, "records": len(opened.rows), "times": times}
        click.echo(json.dumps({**facts, "expires_on": header.expires_on.isoformat(), "folder": str(out)}))
        return
    click.echo(opened.terms.decode())
    for line in times:
        click.echo(line)
    click.echo(f"{len(opened.rows)} records: {out / 'records.csv'}")
    click.echo(f"Send this back within the time that the terms set: {out / 'receipt.json'}")


@click.group()
def use() -> None:
    """Log every use of an opened release, report it, and dispose of it.

    Example: gatehouse use log opened --action viewed --matter HSI-77 --purpose investigation --trust custodian-trust
    """


@use.command("log")
@click.argument("folder", type=_FOLDER)
@click.option("--action", required=True, type=click.Choice(["viewed", "copied", "disclosed"]))
@click.option("--matter", required=True, help="The matter number, as the request states it.")
@click.option("--purpose", required=True, type=click.Choice(["preparation", "investigation", "grand_jury", "other"]))
@click.option("--trust", required=True, type=_FOLDER, help="The custodian's trust folder, with its recall notices.")
@click.option("--by", default="", help="The person who used the records, if not the named officer.")
@click.option("--note", default="", help="Who received the records, or where a copy is kept.")
def log(folder: Path, action: str, matter: str, purpose: str, trust: Path, by: str, note: str) -> None:
    """Log one use of the records before it happens. Refused after expiry or recall.

    Example: gatehouse use log opened --action viewed --matter HSI-77 --purpose investigation --trust custodian-trust
    """
    from gatehouse.release import officer
    from gatehouse.release.uselog import Entry, Use

    person = by or str(officer.state(folder)["officer"])
    inside = officer.log_use(folder, Entry(Use(action), person, matter, purpose, note), trust, clock.now())
    click.echo("logged" if inside else "logged as a use outside the release's matters or purposes")


@use.command("report")
@click.argument("folder", type=_FOLDER)
def report(folder: Path) -> None:
    """Make a signed use report with the whole use log, to send to the custodian.

    Example: gatehouse use report opened
    """
    from gatehouse.release import officer

    signed = officer.report(folder, clock.now())
    click.echo(f"{len(signed.body['uses'])} uses reported; send the newest use-report-*.json in {folder}")


@use.command("dispose")
@click.argument("folder", type=_FOLDER)
@click.option(
    "--method", required=True,
    type=click.Choice(["cryptographic_erase", "overwrite", "degauss", "shred", "incinerate"]),
    help="The method by which every copy was destroyed (NIST SP 800-88).",
)  # fmt: skip
@click.option("--note", default="", help="Other copies that were destroyed: backups, paper.")
def dispose(folder: Path, method: str, note: str) -> None:
    """Destroy the records in the folder and make a signed disposal certificate.

    Example: gatehouse use dispose opened --method overwrite
    """
    from gatehouse.release import officer

    officer.dispose(folder, method, clock.now(), note=note)
    click.echo(f"the release is disposed of. Send {folder / 'disposal.json'} to the custodian")
