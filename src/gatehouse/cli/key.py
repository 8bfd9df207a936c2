"""`gatehouse key`: make a key; the private half stays in a file that only its owner reads, the public is printed."""

from __future__ import annotations

from pathlib import Path

import click

from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput


@click.group()
def key() -> None:
    """Make keys. The private half never leaves its file; the public half is printed, to be handed to others.

    Example: gatehouse key new agency.key --name us.dhs.ice
    """


@key.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="The name of the key's owner. Default: the file's name without its extension.")
@click.option(
    "--kind",
    type=click.Choice(["signing", "recipient"]),
    default="signing",
    show_default=True,
    help="A signing key (Ed25519), or an officer's key that releases are sealed to (age X25519).",
)
def new(file: Path, name: str | None, kind: str) -> None:
    """Make a key in FILE, which must not exist, and print its public half.

    \b
    Examples:
      gatehouse key new agency.key --name us.dhs.ice
      gatehouse key new officer.key --kind recipient
    """
    private, public = _recipient() if kind == "recipient" else _signing(name or file.stem)
    try:
        files.write_new(file, f"{private}\n".encode(), mode=0o600)
    except FileExistsError:
        raise WrongInput(
            "a file with that name already exists",
            where=str(file),
            remedy="Choose another name. A key is never overwritten",
        ) from None
    click.echo(public)


@key.command()
@click.argument("files_", metavar="FILE...", nargs=-1, required=True,
                type=click.Path(exists=True, dir_okay=False, path_type=Path))  # fmt: skip
@click.option("--key", "key_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Your private key file.")  # fmt: skip
def sign(files_: tuple[Path, ...], key_file: Path) -> None:
    """Sign files on the machine that holds the key: decisions, orders and law downloaded from the console.

    Read them first. The signature of FILE is written to FILE.sig. Upload it on the page the file came from.

    \b
    Example: gatehouse key sign to-sign-1.txt --key do-1.key
    """
    from gatehouse.kernel import digests
    from gatehouse.ledger.note import sign_file
    from gatehouse.ledger.signers import read_signer

    signer = read_signer(key_file)
    for file in files_:
        signature = file.with_name(f"{file.name}.sig")
        files.write(signature, sign_file(file, signer).encode())
        click.echo(f"{signature}: {signer.name} signed SHA-256 {digests.of_file(file)}")


@key.command("next")
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
def next_(folder: Path) -> None:
    """Announce the ledger's next key and print its public half, which every witness and verifier must add.

    To announce a key in a hardware module, first write its address to SITE/keys/log.key.next.

    Example: gatehouse key next --site custodian
    """
    from gatehouse.kernel import clock
    from gatehouse.pipeline import rotation
    from gatehouse.pipeline.site import open_site

    click.echo(rotation.announce(open_site(folder), clock.now()))


@key.command()
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
def rotate(folder: Path) -> None:
    """Let the announced key sign the ledger from now on. Run this after every witness has added the new key.

    Example: gatehouse key rotate --site custodian
    """
    from gatehouse.kernel import clock
    from gatehouse.pipeline import rotation
    from gatehouse.pipeline.site import open_site

    shown = rotation.rotate(open_site(folder), clock.now())
    click.echo(f"the new key now signs: {shown.size} entries, root {shown.root.hex()}")


def _signing(name: str) -> tuple[str, str]:
    from gatehouse.ledger.signers import new_key

    return new_key(name)


def _recipient() -> tuple[str, str]:
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())
