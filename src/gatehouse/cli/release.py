"""`gatehouse release`: seal what two officers approved for the officers who were named, and take what comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gatehouse.cli.progress import shown
from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo

if TYPE_CHECKING:
    from gatehouse.pipeline.approve import Office

_SHOWN = 5


@click.command()
@click.argument("docket")
@click.option("--site", "folder", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--returned", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Record a returned receipt, use report or disposal certificate instead of releasing. May be repeated.",
)  # fmt: skip
@click.option("--reconcile", is_flag=True, help="Compare releases with what came back. Sign and print what is missing.")
@click.option(
    "--answers", is_flag=True, help="Publish the answers of a docket that has no open case, once they are due."
)
@click.option("--retry", is_flag=True, help="Restart a release that failed too often.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def release(
    docket: str, folder: Path, *, returned: tuple[Path, ...], reconcile: bool, answers: bool, retry: bool, as_json: bool
) -> None:
    """Seal every case that two officers approved, one package for each named officer.

    The packages are written to the docket's releases/, and what the agency needs to check them to SITE/trust. After a
    crash, run it again to finish. Nothing is ever sealed twice.

    \b
    Examples:
      gatehouse release ICE-2025-0003 --site custodian
      gatehouse release ICE-2025-0003 --site custodian --returned receipt.json
      gatehouse release ICE-2025-0003 --site custodian --reconcile
      gatehouse release ICE-2025-0003 --site custodian --answers
    """
    from gatehouse.pipeline import approve as people
    from gatehouse.pipeline import dockets
    from gatehouse.pipeline.site import open_site

    place = people.office(open_site(folder))
    docket = dockets.resolve(place.site.dockets, docket)
    if returned:
        _take(place, docket, returned, as_json=as_json)
        return
    if reconcile:
        from gatehouse.pipeline.returns import reconcile as reconcile_docket

        signed, path = reconcile_docket(place, docket, clock.now())
        click.echo(signed.encoded().decode().rstrip() if as_json else _told(dict(signed.body), path))
        return
    if answers:
        _answer(place, docket, as_json=as_json)
        return
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import closing
    from gatehouse.pipeline import release as stage
    from gatehouse.pipeline.approve import docket_of

    if retry:
        stage.retry(docket)
    with open_workspace() as connection, shown() as progress:
        done = stage.release(connection, place, docket, clock.now(), progress)
    if as_json:
        packages = [{"release": one.id, "officer": one.officer, "sha256": one.digest, "cases": len(one.cases)}
                    for one in done.releases]  # fmt: skip
        click.echo(
            json.dumps({"batch": done.batch, "cases": done.cases, "releases": packages, "left": dict(done.left)})
        )
        return
    click.echo(f"{done.batch}: {done.cases} cases released in {len(done.releases)} packages")
    for one in done.releases[:_SHOWN]:
        click.echo(f"  {one.id}.age  {one.officer}  {len(one.cases)} cases")
    if len(done.releases) > _SHOWN:
        click.echo(f"  … {len(done.releases) - _SHOWN} more")
    click.echo(f"Packages: {place.site.dockets / docket / 'releases'}")
    for reason, count in done.left.items():
        click.echo(f"  {count} approved cases stay: {reason}")
    click.echo(f"For the agency, to check them: {place.site.root / 'trust'}")
    day = closing.due(place, docket_of(place.site, docket))
    if day is not None:
        click.echo(f"No case is open any more; the answers are not due until {clock.stamp(day)}.")


def _answer(place: Office, name: str, *, as_json: bool) -> None:
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.pipeline import closing
    from gatehouse.pipeline.approve import docket_of

    docket = docket_of(place.site, name)
    day = closing.due(place, docket)
    if day is None:
        raise AnswerIsNo("cases are still open", where=name, remedy="`gatehouse approve … --queue` lists them")
    with open_workspace() as connection:
        closed = closing.answer(connection, place, docket, clock.now())
    if not closed:
        raise AnswerIsNo(f"the answers are not due until {clock.stamp(day)}", where=name, remedy="Run this again then")
    told = {"docket": name, "answers": str(docket.answers), "signature": f"{docket.answers}.sig"}
    click.echo(json.dumps(told) if as_json else f"{name} is closed; its answers, signed: {docket.answers}")


def _take(place: Office, docket: str, returned: tuple[Path, ...], *, as_json: bool) -> None:
    from gatehouse.pipeline.returns import take

    for path in returned:
        taken = take(place, docket, path, clock.now())
        result = {"kind": str(taken.kind), "release": taken.statement.text("release")}
        click.echo(json.dumps(result) if as_json else f"{path.name}: {result['kind']} for {result['release']} taken in")


def _told(body: dict[str, object], path: Path) -> str:
    lines = [f"{body['releases']} releases, {body['overdue']} overdue; signed report: {path}"]
    discrepancies = body["discrepancies"]
    assert isinstance(discrepancies, list)  # noqa: S101 - we made it
    lines += [f"  {one['release']}  {one['officer']}  {one['kind']}: {one['detail']}" for one in discrepancies]
    return "\n".join(lines)
