"""The offices' part of `gatehouse law`: begin a pack, sign it, verify it, put it in force, print a page of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatehouse.cli.law_words import PACK, PACK_FOLDER
from gatehouse.cli.progress import shown
from gatehouse.kernel import clock

if TYPE_CHECKING:
    from gatehouse.law.signing import Offices


def offices_options(*, required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The public keys of both offices: files, or the key texts themselves."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for name, whose in (("custodian", "the custodian"), ("counsel", "counsel")):
            command = click.option(
                f"--{name}",
                multiple=True,
                required=required,
                help=f"A public key of {whose}: the text itself, or a file.",
            )(command)
        return command

    return add


def read_offices(counsel: tuple[str, ...], custodian: tuple[str, ...]) -> Offices:
    """Both offices' public keys from files or texts. Raises WrongInput for what is no key."""
    from gatehouse.law.signing import Offices
    from gatehouse.ledger.signers import Verifier, read_verifier

    def key(text: str) -> Verifier:
        return read_verifier(Path(text)) if Path(text).is_file() else Verifier.parse(text, where="public key")

    return Offices([key(each) for each in counsel], [key(each) for each in custodian])


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--id", "pack_id", default="example.body-of-law", show_default=True, help="The legal basis that the pack is for."
)
@click.option(
    "--like", type=PACK_FOLDER, help="Start from a copy of this pack: a folder, or the name of a shipped pack."
)
def new(folder: Path, pack_id: str, like: Path | None) -> None:
    """Start a pack in an empty FOLDER: a small sample statute to edit, or a copy of another pack.

    \b
    Examples:
      gatehouse law new my-statute --id us.example.statute
      gatehouse law new draft --like us-irs-6103-i-2
    """
    from gatehouse.law.template import write_copy, write_template

    write_template(folder, pack_id) if like is None else write_copy(folder, like)
    click.echo(f"{folder} holds a pack. Next: gatehouse law check {folder}")


@click.command()
@PACK
@click.option("--key", required=True, type=click.Path(path_type=Path), help="Your office's private key file.")
def sign(pack: Path, key: Path) -> None:
    """Check the pack again and add your office's signature to it.

    \b
    Example: gatehouse law sign packs/us-irs-6103-i-2 --key counsel.key
    """
    from gatehouse.law.check import check as check_pack
    from gatehouse.law.reading import load
    from gatehouse.law.signing import sign as sign_pack
    from gatehouse.ledger.signers import read_signer

    signer = read_signer(key)
    with shown() as progress:
        report = check_pack(load(pack), progress)
    path = sign_pack(report, signer)
    click.echo(f"{signer.name} signed {report.pack.id} {report.pack.version} ({report.pack.digest[:16]}…): {path}")


@click.command()
@PACK
@offices_options(required=True)
@click.option("--no-older-than", default="", help="Refuse any version lower than this one.")
def verify(pack: Path, counsel: tuple[str, ...], custodian: tuple[str, ...], no_older_than: str) -> None:
    """Verify that both offices signed exactly these files, and that every property was proved.

    \b
    Example: gatehouse law verify packs/us-irs-6103-i-2 --counsel counsel.vkey --custodian custodian.vkey
    """
    from gatehouse.law.signing import verify as verify_pack

    found = verify_pack(pack, read_offices(counsel, custodian), no_older_than=no_older_than)
    click.echo(f"{found.id} {found.version} is signed by both offices and proved, digest {found.digest}")


@click.command()
@PACK
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
def adopt(pack: Path, folder: Path) -> None:
    """Put a signed pack in force at a site, and record the adoption in its ledger.

    A pack that is unsigned, unproved, changed or older is refused, and the law in force stays.

    \b
    Example: gatehouse law adopt packs/us-irs-6103-i-2 --site custodian
    """
    from gatehouse.pipeline import packs
    from gatehouse.pipeline.site import open_site

    found = packs.adopt(open_site(folder), pack, clock.now())
    click.echo(
        f"{found.id} {found.version} is in force in {folder}, and its ledger records the adoption: {found.folder}"
    )


@click.command()
@PACK
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder to write the page to.")
@click.option("--before", type=PACK_FOLDER, help="The previous version, to show what changed.")
@click.option("--prove/--no-prove", default=True, help="Prove the properties for the page. Takes seconds.")
def page(pack: Path, out: Path, before: Path | None, *, prove: bool) -> None:
    """Write a readable page of the pack for a legal department's fact-check.

    \b
    Example: gatehouse law page packs/us-irs-6103-i-2 --out /tmp/page
    """
    from gatehouse.law.page import write_page
    from gatehouse.law.prove import prove_all
    from gatehouse.law.reading import load

    loaded = load(pack)
    with shown() as progress:
        verdicts = prove_all(loaded, progress=progress) if prove else []
    path = write_page(loaded, out, verdicts, load(before) if before else None)
    click.echo(f"Written to {path}")
