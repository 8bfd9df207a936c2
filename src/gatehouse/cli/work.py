"""`gatehouse work`: a process that does nothing but carry on submissions handed in over the web.

Several may run beside several web processes, on one machine or more: each piece of work is a durable job with a lease,
so it is done once, and what a dead worker left another takes up.
"""

from __future__ import annotations

import getpass
import json
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.kernel.errors import WrongInput

if TYPE_CHECKING:
    from gatehouse.pipeline.site import Site
    from gatehouse.store.jobs import Failing

EVERY_SECONDS = 2.0
ANSWERS_EVERY_SECONDS = 60.0


@click.command()
@click.option("--site", "root", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--once", is_flag=True, help="Do what waits now, then end.")
@click.option("--failed", is_flag=True, help="Say what failed and why, and end with status 1 if anything did.")
@click.option("--retry", multiple=True, metavar="ID", help="Set work going again that had stopped; `all` is every one.")
@click.option("--json", "as_json", is_flag=True, help="With --failed: answer as JSON, for programs.")
def work(root: Path, *, once: bool, failed: bool, retry: tuple[str, ...], as_json: bool) -> None:
    """Carry on what was handed in over the web, and tell answers whose day has come.

    The web processes run with `serve --leave-work`. What fails is tried again every five minutes, twenty times; then it
    waits for a person: --failed names it with the file at fault, and --retry, once that is mended, sets it going again
    and puts that on record.

    \b
    Example:
      gatehouse work --site custodian
      gatehouse work --site custodian --failed
      gatehouse work --site custodian --retry in-7f3a
    """
    from gatehouse.cli import web
    from gatehouse.pipeline.site import open_site

    site = open_site(root)
    web.configure(site, works=False)
    if failed or retry:
        _set_going(retry)
        if failed:
            _show_failed(as_json=as_json)
        return
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if not once:
        click.echo(f"Carrying on what is handed in at {root} – stop with Ctrl-C")
    carry_on(site, ended, once=once)


def _set_going(wanted: tuple[str, ...]) -> None:
    from gatehouse.console import arrivals
    from gatehouse.store import jobs

    stopped = {job.subject: job for job in jobs.failing() if job.stopped}
    unknown = [name for name in wanted if name not in {"all", *stopped}]
    if unknown:
        raise WrongInput(f"no work called {unknown[0]} has stopped", where="--retry", remedy="--failed lists what has")
    for name, job in stopped.items():
        if name in wanted or "all" in wanted:
            arrivals.set_going(job, f"{getpass.getuser()}, gatehouse work")
            click.echo(f"{job.kind} {name}: set going again. {_next(job)}")


def _show_failed(*, as_json: bool) -> None:
    from gatehouse.kernel import clock
    from gatehouse.store import jobs

    found = jobs.failing()
    if as_json:
        again = [clock.stamp(job.again_at) if job.again_at and not job.stopped else None for job in found]
        told = [{**vars(job), "again_at": at, "stopped": job.stopped} for job, at in zip(found, again, strict=True)]
        click.echo(json.dumps(told, indent=1))
    else:
        for job in found:
            state = "stopped; it waits for a person" if job.stopped else "tried again by itself"
            click.echo(f"{job.kind} {job.subject}: begun {job.attempts} times, {state}")
            click.echo(f"  {job.fault or 'Its process ended each time without a word: look for memory and disk.'}")
        click.echo(f"{len(found)} failed, {sum(job.stopped for job in found)} of them stopped")
    sys.exit(1 if found else 0)


def _next(job: Failing) -> str:
    """Who takes it up: workers carry on arrivals; a release or recall is a person's command."""
    arrival = job.kind.endswith("-arrival")
    return "A worker takes it up within minutes." if arrival else f"Run the {job.kind} again to go on."


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
