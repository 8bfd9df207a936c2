"""`gatehouse work`: a process that does nothing but carry on submissions handed in over the web.

Several may run beside several web processes, on one machine or more: each piece of work is a durable job with a lease,
so it is done once, and what a dead worker left another takes up.
"""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gatehouse.pipeline.site import Site

EVERY_SECONDS = 2.0
ANSWERS_EVERY_SECONDS = 60.0


@click.command()
@click.option("--site", "root", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--once", is_flag=True, help="Do what waits now, then end.")
def work(root: Path, *, once: bool) -> None:
    """Carry on what was handed in over the web, and tell answers whose day has come.

    The web processes run with `serve --leave-work`.

    \b
    Example: gatehouse work --site custodian
    """
    from gatehouse.cli import web
    from gatehouse.pipeline.site import open_site

    site = open_site(root)
    web.configure(site, works=False)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if not once:
        click.echo(f"Carrying on what is handed in at {root} – stop with Ctrl-C")
    carry_on(site, ended, once=once)


def carry_on(site: Site, ended: threading.Event, *, once: bool = False) -> None:
    """Do what waits, tell answers whose day has come, wait a little, and again, until told to end."""
    from gatehouse.console import arrivals
    from gatehouse.kernel import clock
    from gatehouse.pipeline import approve, closing

    place, looked = approve.office(site), float("-inf")
    while True:
        done = arrivals.work()
        if time.monotonic() - looked > ANSWERS_EVERY_SECONDS:
            looked = time.monotonic()
            done += closing.tell_due(place, clock.now())
        if once or (ended.is_set() if done else ended.wait(EVERY_SECONDS)):
            break
