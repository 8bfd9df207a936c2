"""`gatehouse work`: a process that does nothing but carry on submissions handed in over the web.

Several may run beside several web processes, on one machine or more: each piece of work is a durable job with a lease,
so it is done once, and what a dead worker left another takes up.
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

EVERY_SECONDS = 2.0


@click.command()
@click.option("--site", "root", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--once", is_flag=True, help="Do what waits now, then end.")
def work(root: Path, *, once: bool) -> None:
    """Carry on what was handed in over the web; the web processes run with `serve --leave-work`.

    \b
    Example: gatehouse work --site custodian
    """
    from gatehouse.cli import web
    from gatehouse.pipeline.site import open_site

    web.configure(open_site(root), works=False)
    from gatehouse.console import arrivals

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if not once:
        click.echo(f"Carrying on what is handed in at {root} – stop with Ctrl-C")
    while True:
        done = arrivals.work()
        if once or (ended.is_set() if done else ended.wait(EVERY_SECONDS)):
            break
