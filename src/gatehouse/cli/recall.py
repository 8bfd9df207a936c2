"""`gatehouse recall`: take releases back and tell their recipients."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    import duckdb

    from gatehouse.casework.selection import Selection
    from gatehouse.pipeline.approve import Office
    from gatehouse.pipeline.recall import Recalled


@click.command()
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--docket", "dockets", multiple=True, help="Only this docket. May be repeated. Default: all dockets.")
@click.option("--rule", help="Recall released cases that this rule of the pack in force now stops.")
@click.option(
    "--pack-change", is_flag=True, help="Recall released cases that the pack in force now refuses or returns."
)
@click.option(
    "--as-of",
    metavar="DATE",
    help="With --rule or --pack-change: apply the law as of this day, such as the day of an order.",
)
@click.option("--requests", multiple=True, help="The id of one request (with one --docket). May be repeated.")
@click.option("--officer", help="Your id in gatehouse.toml.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Your own signing key.")
@click.option("--reason", default="", help="The reason: what was found wrong with these releases.")
@click.option("--dry-run", is_flag=True, help="Only show what would be recalled.")
@click.option("--list", "listing", type=click.Path(path_type=Path), metavar="FILE.parquet",
              help="With --dry-run: write the persons affected and the recipients to this private file.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def recall(
    folder: Path, dockets: tuple[str, ...], rule: str | None, pack_change: bool, as_of: str | None,
    requests: tuple[str, ...], officer: str | None, key: Path | None, reason: str, dry_run: bool, listing: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Recall releases: list them, sign notices to their recipients, and prepare the incident report.

    \b
    Examples:
      gatehouse recall --site custodian --pack-change --dry-run
      gatehouse recall --site custodian --pack-change --as-of 2025-11-21 --dry-run
      gatehouse recall --site custodian --rule RULE --officer do-1 --key do-1.key --reason "The rule was wrong."
      gatehouse recall --site custodian --docket ICE-2025-0003 --requests R-17 --officer do-1 --key do-1.key \\
        --reason "The person is another one."
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.ledger.signers import read_signer
    from gatehouse.pipeline import approve as people
    from gatehouse.pipeline import recall as stage
    from gatehouse.pipeline.dockets import resolve
    from gatehouse.pipeline.site import open_site
    from gatehouse.release.recall import Cause

    if [bool(rule), pack_change, bool(requests)].count(True) != 1:
        raise WrongInput(
            "nothing is selected to recall", remedy="Give exactly one of --rule, --pack-change or --requests"
        )
    started = time.monotonic()
    place = people.office(open_site(folder))
    dockets = tuple(resolve(place.site.dockets, one) for one in dockets)
    cause = Cause("rule" if rule else "pack_change" if pack_change else "requests", rule or "", reason)
    done: list[Recalled] = []
    with open_workspace() as connection:
        if not dry_run:
            done += stage.resume(connection, place)
        found = dict(_concerned(connection, place, dockets, rule=rule, as_of=_day(as_of), requests=requests))
        if dry_run:
            _tell(connection, place, found, listing, as_json=as_json)
            return
        if not found and not done:
            raise AnswerIsNo("no released case is affected")
        if found and (officer is None or key is None):
            raise WrongInput(
                "--officer and --key are required", remedy="Give your id with --officer and your key file with --key"
            )
        for name, cases in found.items():
            done.append(
                stage.recall(
                    connection,
                    place,
                    name,
                    cases,
                    cause=cause,
                    officer=officer or "",
                    signer=read_signer(key or Path()),
                    now=clock.now(),
                )
            )
    _report(done, time.monotonic() - started, as_json=as_json)


def _day(text: str | None) -> dt.date | None:
    day = clock.read_date(text) if text is not None else None
    if text is not None and day is None:
        raise WrongInput("this is not a date", where="--as-of", remedy="Write it as 2025-11-21")
    return day


def _concerned(
    connection: duckdb.DuckDBPyConnection,
    place: Office,
    dockets: tuple[str, ...],
    *,
    rule: str | None,
    as_of: dt.date | None,
    requests: tuple[str, ...],
) -> Iterator[tuple[str, Selection]]:
    from gatehouse.casework import queue
    from gatehouse.casework.selection import Selection
    from gatehouse.casework.states import State
    from gatehouse.pipeline import recall as stage
    from gatehouse.pipeline.approve import docket_of

    if requests and len(dockets) != 1:
        raise WrongInput("request ids are unique within a docket only", remedy="Name their docket with one --docket")
    standing = [name for name in place.casebook.known() if not docket_of(place.site, name).is_destroyed]
    for name in dockets or standing:
        if requests:
            rows = queue.find(connection, place.site.dockets / name, requests)
            cases = Selection.of(rows.values()) & place.casebook.board(name).states[State.RELEASED]
        else:
            cases = stage.stopped(connection, place, name, rule=rule, as_of=as_of)
        if cases:
            yield name, cases


def _tell(
    connection: duckdb.DuckDBPyConnection, place: Office, found: dict[str, Selection], listing: Path | None, *,
    as_json: bool,
) -> None:  # fmt: skip
    from gatehouse.pipeline import recall as stage

    lists = []
    connection.execute("CREATE OR REPLACE TEMP TABLE recall_all (docket VARCHAR, person_id BIGINT, request_id VARCHAR, "
                       "release VARCHAR, officer VARCHAR)")  # fmt: skip
    for name, cases in found.items():
        lists.append(stage.concerned(connection, place, name, cases))
        connection.execute("INSERT INTO recall_all SELECT $docket, * FROM recall_list", {"docket": name})
    if listing is not None:
        stage.write_private(connection, "SELECT * FROM recall_all", listing)
    if as_json:
        click.echo(json.dumps([
            {"docket": one.docket, "cases": len(one.cases), "persons": one.persons,
             "releases": [release.id for release, _ in one.releases]}
            for one in lists
        ]))  # fmt: skip
        return
    for one in lists:
        click.echo(f"{one.docket}: {len(one.cases)} cases of {one.persons} persons in {len(one.releases)} releases")
    if not found:
        click.echo("no released case is affected")
    elif listing is not None:
        click.echo(f"persons, requests, releases and officers: {listing}")


def _report(done: list[Recalled], seconds: float, *, as_json: bool) -> None:
    if as_json:
        results = [{"recall": one.id, "docket": one.docket, "cases": one.cases, "persons": one.persons,
                    "notices": len(one.notices), "folder": str(one.folder)} for one in done]  # fmt: skip
        click.echo(json.dumps({"recalls": results, "seconds": round(seconds, 3)}))
        return
    for one in done:
        click.echo(f"{one.id}: {one.cases} cases of {one.persons} persons, {len(one.notices)} notices in {one.folder}")
        click.echo(f"  incident report due by {one.incident.body['report_by']}: {one.folder / 'incident.json'}")
    click.echo(f"from correction to notices: {seconds:.1f} s")
