"""`gatehouse serve`: the console and the API of a site in one process, with no other web server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.kernel import extras
from gatehouse.kernel.errors import WrongInput

if TYPE_CHECKING:
    from gatehouse.pipeline.site import Site

POST_EVERY_SECONDS = 60.0


@click.command()
@click.option("--site", "root", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--name", "names", multiple=True, help="The host name that browsers use, if it is not the address.")
@click.option("--https", is_flag=True, help="Browsers use https, through a proxy that terminates it.")
@click.option(
    "--proxy", default="127.0.0.1", show_default=True, help="With --https: the address of the one proxy to trust."
)
@click.option("--leave-work", is_flag=True, help="Leave the processing of uploaded submissions to `gatehouse work`.")
@click.option("--log", is_flag=True, help="Log every request to standard error, as one line of JSON each.")
@click.option("--one-click", is_flag=True, help="For a demonstration on this machine: sign in by clicking a role.")
@click.option("--browser/--no-browser", default=True, help="Open a browser when the server is ready.")
def serve(
    *,
    root: Path,
    port: int,
    host: str,
    names: tuple[str, ...],
    https: bool,
    proxy: str,
    leave_work: bool,
    log: bool,
    one_click: bool,
    browser: bool,
) -> None:
    """Serve the console and the API of a site.

    Example: gatehouse serve --site custodian --port 8000
    """
    from gatehouse.cli.web import api_installed, application, taken
    from gatehouse.pipeline.site import open_site

    if taken():
        # Another command opened the database in this process, and Django learns its apps only once.
        again = _again(root, port, host, browser=browser, one_click=one_click)
        sys.exit(subprocess.run([sys.executable, "-m", "gatehouse", *again], check=False).returncode)  # noqa: S603
    if one_click:
        _check_one_click(open_site(root), host, https=https)
    hosts = (host, "localhost", "127.0.0.1", *names)
    decider = _apart(root)
    served = application(root, hosts=hosts, https=https, works=False, logs=log, one_click=one_click)
    from gatehouse.cli import web_server

    server = web_server.create(served, host, port, proxy=proxy if https else None)
    address = f"http://{'localhost' if host in {'0.0.0.0', '127.0.0.1'} else host}:{server.effective_port}/"  # noqa: S104
    click.echo(f"Gatehouse is served at {address} – stop with Ctrl-C")
    if not api_installed():
        click.echo(f"The API is not installed. {extras.remedy('api')}", err=True)
    _say_who_may_sign_in(root, one_click=one_click)
    if decider is not None and not leave_work:
        decider()  # which carries on what is handed in
    threading.Thread(target=_post, name="hooks", daemon=True).start()
    if browser:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    try:
        server.run()
    except KeyboardInterrupt:
        server.close()


def _post() -> None:
    """Tell webhooks what the decider found, once a minute for as long as the site is served."""
    import logging

    from django.db import Error, close_old_connections

    from gatehouse.console import hooks
    from gatehouse.kernel import clock
    from gatehouse.kernel.errors import GatehouseError

    while True:
        time.sleep(POST_EVERY_SECONDS)
        try:
            close_old_connections()
            hooks.post(clock.now())
        except (Error, GatehouseError) as failed:
            logging.getLogger("gatehouse.hooks").warning("webhooks were not told", exc_info=failed)


def _apart(root: Path) -> Callable[[], None] | None:
    """Become the web and nothing else; where the site names no parts, give what starts those of our own."""
    from gatehouse.pipeline import parts
    from gatehouse.pipeline.parts import Part, running
    from gatehouse.pipeline.site import open_site

    if open_site(root).parts is None:
        return partial(running.Children(root, Part.WEB).ensure, Part.DECIDER)
    os.environ[parts.OWN] = Part.WEB
    return None


def _again(root: Path, port: int, host: str, *, browser: bool, one_click: bool) -> list[str]:
    given = ["serve", "--site", str(root), "--port", str(port), "--host", host]
    return [*given, *([] if browser else ["--no-browser"]), *(["--one-click"] if one_click else [])]


def _check_one_click(site: Site, host: str, *, https: bool) -> None:
    """Raise WrongInput unless nobody but this machine reaches invented records by a click."""
    if not site.demonstration or https or host not in {"127.0.0.1", "localhost", "::1"}:
        raise WrongInput(
            "one-click sign-in is only for a demonstration that no other machine can reach",
            where="--one-click",
            remedy="Leave it out, or serve a site with demonstration = true on 127.0.0.1",
        )


def _say_who_may_sign_in(root: Path, *, one_click: bool) -> None:
    """On a demonstration site, accounts with new passwords; a real site's accounts are its administrator's."""
    from gatehouse.console import accounts, chronicle, demonstration, entrance
    from gatehouse.pipeline.site import open_site

    site = open_site(root)
    if one_click:
        demonstration.people(site)
    elif site.demonstration:
        click.echo("Sign in as one of these; the passwords are new each time:")
        for username, title, password in demonstration.people(site):
            click.echo(f"  {username:<14} {password:<18} {title}")
    elif accounts.none_yet() and entrance.entrance().passwords:
        chronicle.enter("account_made", {"account": "administrator", "role": "administrator", "by": "gatehouse serve"})
        _, password = accounts.create("administrator", name="Administrator", role="administrator", provisional=True)
        click.echo(f"The first account: administrator, password {password} (shown once; it makes the others)")
