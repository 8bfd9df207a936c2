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
              help="Your age key, in a file or in hardware; its public half is in the submission.")  # fmt: skip
@click.option("--trust", required=True, type=_FOLDER, help="The custodian's trust folder, as it was handed to you.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder for what is opened.")
@click.option("--json", "as_json", is_flag=True, help="Print what was opened as JSON.")
def open_(release: Path, key: Path, trust: Path, out: Path, *, as_json: bool) -> None:
    """Check a release's proof, then open it: use terms first, records, and a signed receipt to send back.

    Nothing is decrypted unless the certificate holds, nothing at all after expiry or recall. Opening accepts the terms.

    Example: gatehouse open rel-….age --key officer.key --trust custodian-trust --out opened
    """
    from gatehouse.release import officer
    from gatehouse.release.recipients import read_identity

    opened = officer.open_release(release, read_identity(key, _Terminal()), trust, out, clock.now())
    header = opened.verified.header
    if as_json:
        facts = {"release": header.release, "docket": header.file.docket, "records": len(opened.rows)}
        click.echo(json.dumps({**facts, "expires_on": header.expires_on.isoformat(), "folder": str(out)}))
        return
    click.echo(opened.terms.decode())
    click.echo(f"{len(opened.rows)} records: {out / 'records.csv'}")
    click.echo(f"Send back within the time the terms name: {out / 'receipt.json'}")


@click.group()
def use() -> None:
    """Log every use of an opened release, report it, and dispose of it.

    Example: gatehouse use log opened --action viewed --matter HSI-77 --purpose investigation --trust custodian-trust
    """


@use.command("log")
@click.argument("folder", type=_FOLDER)
@click.option("--action", required=True, type=click.Choice(["viewed", "copied", "disclosed"]))
@click.option("--matter", required=True, help="The matter number, as in the request.")
@click.option("--purpose", required=True, type=click.Choice(["preparation", "investigation", "grand_jury", "other"]))
@click.option("--trust", required=True, type=_FOLDER, help="The custodian's trust folder, with recall notices.")
@click.option("--by", default="", help="Who used it, if not the named officer.")
@click.option("--note", default="", help="To whom it was disclosed, or where a copy lies.")
def log(folder: Path, action: str, matter: str, purpose: str, trust: Path, by: str, note: str) -> None:
    """Log one use before it happens. Refused after expiry or recall.

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
    """Make the signed use report: the whole log, to send to the custodian.

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
    help="How every copy was destroyed (NIST SP 800-88).",
)  # fmt: skip
@click.option("--note", default="", help="What else there was: copies, backups, paper.")
def dispose(folder: Path, method: str, note: str) -> None:
    """Destroy the records here and make the signed disposal certificate.

    Example: gatehouse use dispose opened --method overwrite
    """
    from gatehouse.release import officer

    officer.dispose(folder, method, clock.now(), note=note)
    click.echo(f"disposed of; send {folder / 'disposal.json'} to the custodian")
