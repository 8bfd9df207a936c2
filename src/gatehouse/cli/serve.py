"""`gatehouse serve`: the console and the API of a site in one process, with no other web server."""

from __future__ import annotations

import subprocess
import sys
import threading
import webbrowser
from pathlib import Path

import click


@click.command()
@click.option("--site", "root", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--name", "names", multiple=True, help="A host name that browsers use, when it is not the address.")
@click.option("--https", is_flag=True, help="Browsers come over https, through a proxy that ends it.")
@click.option("--proxy", default="127.0.0.1", show_default=True, help="With --https, the one proxy that is believed.")
@click.option("--leave-work", is_flag=True, help="Leave submissions handed in to `gatehouse work`.")
@click.option("--log", is_flag=True, help="Tell every request on standard error, one line of JSON each.")
@click.option("--browser/--no-browser", default=True, help="Open a browser when ready.")
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
    browser: bool,
) -> None:
    """Serve the console and the API of a site.

    Example: gatehouse serve --site custodian --port 8000
    """
    from gatehouse.cli.web import api_installed, application, taken
    from gatehouse.cli.work import carry_on
    from gatehouse.pipeline.site import open_site

    if taken():
        # Another command opened the database in this process, and Django learns its apps only once.
        sys.exit(subprocess.run([sys.executable, "-m", "gatehouse", *_again(root, port, host, browser)]).returncode)  # noqa: S603, PLW1510
    hosts = (host, "localhost", "127.0.0.1", *names)
    served = application(root, hosts=hosts, https=https, works=not leave_work, logs=log)
    from gatehouse.cli import web_server

    server = web_server.create(served, host, port, proxy=proxy if https else None)
    address = f"http://{'localhost' if host in {'0.0.0.0', '127.0.0.1'} else host}:{server.effective_port}/"  # noqa: S104
    click.echo(f"Gatehouse is served at {address} – stop with Ctrl-C")
    if not api_installed():
        click.echo("The API is not installed. Add it with: pip install 'gatehouse[api]'", err=True)
    _say_who_may_sign_in(root)
    if not leave_work:
        threading.Thread(target=carry_on, args=(open_site(root), threading.Event()), daemon=True).start()
    if browser:
        threading.Timer(0.5, webbrowser.open, [address]).start()
    try:
        server.run()
    except KeyboardInterrupt:
        server.close()


def _again(root: Path, port: int, host: str, browser: bool) -> list[str]:
    given = ["serve", "--site", str(root), "--port", str(port), "--host", host]
    return given if browser else [*given, "--no-browser"]


def _say_who_may_sign_in(root: Path) -> None:
    """On a demonstration site, accounts with new passwords; a real site's accounts are its administrator's."""
    from gatehouse.console import accounts, chronicle, demonstration, entrance
    from gatehouse.pipeline.site import open_site

    site = open_site(root)
    if site.demonstration:
        click.echo("Sign in as one of these; the passwords are new each time:")
        for username, title, password in demonstration.people(site):
            click.echo(f"  {username:<14} {password:<18} {title}")
    elif accounts.none_yet() and entrance.entrance().passwords:
        chronicle.enter("account_made", {"account": "administrator", "role": "administrator", "by": "gatehouse serve"})
        _, password = accounts.create("administrator", name="Administrator", role="administrator", provisional=True)
        click.echo(f"The first account: administrator, password {password} (shown once; it makes the others)")
