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

from gatehouse.kernel.errors import MachineFailed, WrongInput

if TYPE_CHECKING:
    from gatehouse.pipeline.approve import Office
    from gatehouse.pipeline.site import Site

EVERY_SECONDS = 2.0
LOOK_EVERY_SECONDS = 60.0


@click.command()
@click.option("--site", "root", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--once", is_flag=True, help="Do the work that waits now, then exit.")
@click.option("--failed", is_flag=True, help="Show what failed and why. Exits with status 1 if anything did.")
@click.option(
    "--retry", multiple=True, metavar="ID", help="Restart work that stopped, by its name. `all` restarts all of it."
)
@click.option("--json", "as_json", is_flag=True, help="With --failed: print the result as JSON.")
def work(root: Path, *, once: bool, failed: bool, retry: tuple[str, ...], as_json: bool) -> None:
    """Process what was handed in over the web, finish what was signed, and publish answers that are due.

    The web processes run with `serve --leave-work`. What fails is tried again every five minutes, twenty times; then it
    waits for a person: --failed names it and the file at fault. Correct the fault, then use --retry to restart the work
    and put that on record.

    \b
    Example:
      gatehouse work --site custodian
      gatehouse work --site custodian --failed
      gatehouse work --site custodian --retry in-7f3a
    """
    from gatehouse.cli import web
    from gatehouse.pipeline.parts import Part, running
    from gatehouse.pipeline.site import open_site

    site = open_site(root)
    if site.parts is not None and not (failed or retry):
        raise WrongInput(
            "the decider does the work of this site", where="[parts]", remedy="Run: gatehouse part decider"
        )
    if not (once or failed or retry):
        running.Children(root, Part.DECIDER)
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
        raise WrongInput(
            f"no stopped work has the name {unknown[0]}", where="--retry", remedy="List the stopped work with --failed"
        )
    for name, job in stopped.items():
        if name in wanted or "all" in wanted:
            arrivals.set_going(job, f"{getpass.getuser()}, gatehouse work")
            click.echo(f"{job.kind} {name}: set going again. A worker takes it up within minutes.")


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


def carry_on(site: Site, ended: threading.Event, *, once: bool = False) -> None:
    """Do what waits, finish what was begun, tell answers whose day has come; again and again until told to end.

    A database that restarts, or is away for a while, is waited for.
    """
    from django.db import DatabaseError, InterfaceError, close_old_connections

    from gatehouse.pipeline.site import current

    place, due, away = None, 0.0, False
    while True:
        done = 0
        try:
            close_old_connections()  # one that broke is opened anew
            if place is None or place.site.configuration.changed:
                place = _office(current(site))
            due, done = _round(place, due)
            if away:
                click.echo("The database answers again", err=True)
            away = False
        except (DatabaseError, InterfaceError) as gone:
            if once:
                raise MachineFailed("the database does not answer", remedy="Start the database and try again") from gone
            if not away:
                click.echo("The database does not answer; it is tried again every few seconds", err=True)
            away = True
        if once or (ended.is_set() if done else ended.wait(EVERY_SECONDS)):
            break


def _office(site: Site) -> Office:
    from django.db import DatabaseError

    from gatehouse.pipeline import approve

    try:
        return approve.office(site)
    except MachineFailed as failed:
        if isinstance(failed.__cause__, DatabaseError):
            raise failed.__cause__ from None
        raise


def _round(place: Office, due: float) -> tuple[float, int]:
    """One round of work; gives when to look next at what comes due by itself, and how much was done."""
    from gatehouse.console import arrivals, hooks
    from gatehouse.kernel import clock
    from gatehouse.pipeline import closing, finishing
    from gatehouse.pipeline.parts import Part

    done = arrivals.work()
    if time.monotonic() >= due:
        done += finishing.finish(place, clock.now()) + closing.tell_due(place, clock.now())
        hooks.compose(clock.now())
        if place.site.parts is None or place.site.parts.own is not Part.DECIDER:  # which has no network; the web posts
            hooks.post(clock.now())
        due = time.monotonic() + LOOK_EVERY_SECONDS
    return due, done
