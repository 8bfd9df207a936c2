"""`gatehouse part`: one part of a site as a process of its own, as the units in deploy/ run it."""

from __future__ import annotations

import os
import pwd
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.kernel.errors import WrongInput

if TYPE_CHECKING:
    from gatehouse.pipeline.parts import Part
    from gatehouse.pipeline.site import Site


@click.command()
@click.argument("name", type=click.Choice(["writer", "sealer", "decider"]))
@click.option("--site", "root", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--admit", multiple=True, metavar="PART=USER", help="The user that another part runs as. May be repeated."
)
@click.option("--with-parent", is_flag=True, hidden=True)
def part(name: str, root: Path, admit: tuple[str, ...], *, with_parent: bool) -> None:
    """Run one part of a site (the log writer, the sealer or the decider) that the other parts call.

    The section [parts] of gatehouse.toml names their sockets. Each part runs as its own user. Name the users that may
    call it with --admit; the kernel confirms who calls. See docs/deploy.md.

    \b
    Example:
      gatehouse part writer --site custodian --admit web=gatehouse-web --admit decider=gatehouse-decider
    """
    from gatehouse.pipeline import parts
    from gatehouse.pipeline.parts import Part, running, sealer
    from gatehouse.pipeline.site import open_site

    if with_parent:
        running.end_with_parent()
    os.environ[parts.OWN] = name
    site, admitted = open_site(root), dict(map(_admitted, admit))
    if name == Part.SEALER:
        sealer.ready(site)
    if name == Part.DECIDER:
        _decide(site, admitted)
    else:
        running.serve(site, Part(name), admitted)


def _decide(site: Site, admitted: dict[int, Part]) -> None:
    """Carry on what was handed in, as `gatehouse work` does, and answer the web beside it."""
    from gatehouse.cli import web
    from gatehouse.cli.work import carry_on
    from gatehouse.pipeline.parts import Part, running

    web.configure(site, works=False)
    threading.Thread(target=running.serve, args=(site, Part.DECIDER, admitted), daemon=True).start()
    carry_on(site, threading.Event())


def _admitted(given: str) -> tuple[int, Part]:
    from gatehouse.pipeline.parts import Part

    name, _, user = given.partition("=")
    try:
        return int(user) if user.isdecimal() else pwd.getpwnam(user).pw_uid, Part(name)
    except (KeyError, ValueError):
        raise WrongInput("there is no such part or user", where=f"--admit {given}", remedy="Write PART=USER") from None
