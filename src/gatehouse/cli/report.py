"""`gatehouse report`: the reports that statute asks for, counted anew from dockets that the ledger bears out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

if TYPE_CHECKING:
    import duckdb

    from gatehouse.oversight.report import Report
    from gatehouse.oversight.sources import Period, Sources

FORMATS = ("text", "csv", "json", "pdf", "documents")
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FROM = (
    click.option("--site", type=_FOLDER, help="A site. The report covers its ledger and all its dockets."),
    click.option("--docket", "dockets", multiple=True,
                 help="Only this docket: its name with --site, otherwise its folder. May be repeated."),
    click.option("--ledger", type=_FOLDER, help="The ledger's folder, if you do not give --site."),
    click.option("--policy", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                 help="Your own policy: the log and witnesses you trust. Default: the site's."),
    click.option("--returned", type=_FOLDER,
                 help="A folder of receipts, use reports and disposal certificates (JSON), if you do not give --site."),
)  # fmt: skip
_ABOUT = (
    click.option("--year", type=int, help="Only this calendar year (UTC)."),
    click.option("--from", "first", metavar="DATE", help="From this day, inclusive."),
    click.option("--to", "last", metavar="DATE", help="To this day, inclusive."),
    click.option("--as-of", "size", type=int, metavar="SIZE", help="As of the published checkpoint of this size."),
    click.option("--format", "form", type=click.Choice(FORMATS), help="Default: text, or the format that the "
        "ending of --out names."),
    click.option("--out", type=click.Path(path_type=Path), help="The file to write, or a folder for CSV with "
        "several tables."),
)  # fmt: skip


def _with(*options: Callable[..., Any]) -> Callable[..., Any]:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.group()
def report() -> None:
    """Statutory reports, rebuilt from ledger and dockets by anyone who has them.

    Every docket is verified against the ledger before anything is counted; what does not hold stops the report. Each
    report says the checkpoint, the period, the law and the dockets it is made from (docs/reports.md).

    \b
    Examples:
      gatehouse report disclosures --site custodian --year 2025
      gatehouse report accounting --site custodian --year 2025 --out accounting
      gatehouse report declaration --site custodian --out declaration.pdf
      gatehouse report verify declaration.json --site custodian
      gatehouse report errors --docket ICE-2025-0003 --ledger ledger --policy my.policy
    """


def _command(name: str, summary: str, example: str, *more: Callable[..., Any]) -> None:
    """Add the command of one report; `more` are the options that only it takes."""

    @_with(*more, *_FROM, *_ABOUT)
    def command(**given: Any) -> None:  # noqa: ANN401 - options by name, as click hands them over
        origin = _Origin(**{key: given.pop(key) for key in ("site", "dockets", "ledger", "policy", "returned")})
        period = _period(given.pop("year"), given.pop("first"), given.pop("last"))
        size, form, out = given.pop("size"), given.pop("form"), given.pop("out")
        _make(name, origin, period, size, _Target(form, out), given)

    command.__doc__ = f"{summary}\n\n\b\nExample:\n  gatehouse report {example}"
    report.command(name, short_help=summary)(command)


_PERSON = click.option("--person", type=int, required=True, help="The person's number in the register.")
_RECALL = click.option("--recall", required=True, help="The recall's id, as `gatehouse recall` printed it.")

_command("disclosures", "Per agency: requests, instances of disclosure, persons, purposes.",
         "disclosures --site custodian --year 2025 --out disclosures.pdf")  # fmt: skip
_command("accounting", "The permanent accounting of every request, released or not; to a file only.",
         "accounting --site custodian --year 2025 --out accounting")  # fmt: skip
_command("disclosure-records", "The records made at the time of each disclosure, after the IRS's Form 5466-B.",
         "disclosure-records --site custodian --release rel-1f… --out record.pdf",
         click.option("--release", help="Only this sealed package."))  # fmt: skip
_command("errors", "Requests not cleared, by party and cause; for the requester without what depends on the register.",
         "errors --site custodian --for requester --out errors.pdf",
         click.option("--for", "reader", type=click.Choice(["custodian", "requester"]), default="custodian",
                      show_default=True, help="The person or body that will read the report."))  # fmt: skip
_command("person", "One person's accounting: what was asked and disclosed about them; to a file only.",
         "person --site custodian --person 4711 --out person.pdf", _PERSON)  # fmt: skip
_command("safeguards-log", "The log of what was disclosed, without data about persons.",
         "safeguards-log --site custodian --out log.csv")  # fmt: skip
_command("inquiry", "What an inquiry of Congress asks for, as tables without personal data.",
         "inquiry --site custodian --format csv --out inquiry")  # fmt: skip
_command("declaration", "A declaration for a court whose every number names its query and checkpoint.",
         'declaration --site custodian --case "No. 1:25-cv-00457" --out declaration.pdf',
         click.option("--court", help="The court's name."), click.option("--case", help="The case, as the court "
        "cites it."),
         click.option("--declarant", help="The name of the declarant."), click.option("--title", help="The "
        "declarant's title."))  # fmt: skip
_command("incident", "The incident report of a recall, addressed as the law says.",
         "incident --site custodian --recall recall-9c… --contact NAME --out incident.pdf", _RECALL,
         click.option("--contact", help="The contact at the custodian."),
         click.option("--address", help="The place of the incident."),
         click.option("--systems", help="The information technology that was involved."))  # fmt: skip
_command("notices", "Whom a recall concerns, with the dates of the acts, for notices; to a file only.",
         "notices --site custodian --recall recall-9c… --out notices.csv", _RECALL)  # fmt: skip
_command("audit-events", "Disclosures as FHIR AuditEvents after IHE BALP (--format documents gives one a line).",
         "audit-events --site custodian --format documents --out events.ndjson")  # fmt: skip
_command("usage", "One person's disclosures in the shape of findUsage of Estonia's Data Tracker; to a file only.",
         "usage --site custodian --person 4711 --format documents --out usage.json", _PERSON)  # fmt: skip


@report.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_with(*_FROM)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(file: Path, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - options by name
    """Recompute every number of a JSON report from the dockets and ledger as of its checkpoint, and list any "
        "differences.

    A PDF of a report without personal data carries the JSON as an attachment.

    \b
    Example:
      gatehouse report verify declaration.json --site custodian
    """
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.oversight.rebuild import rebuild

    with open_workspace() as connection:
        found = rebuild(connection, file, _sources(_Origin(**given)))
    if as_json:
        answer = {
            "report": found.report, "values": found.values, "differences": found.differences,
            "destroyed": found.destroyed,
        }  # fmt: skip
        click.echo(json.dumps({"agrees": not found.differences, **answer}))
    elif not found.differences:
        click.echo(f"agrees: {found.report}, {found.values:,} values asked again")
    for line in (*found.destroyed, *found.differences) if not as_json else ():
        click.echo(line)
    if found.differences and found.destroyed:
        gone = "1 docket was" if len(found.destroyed) == 1 else f"{len(found.destroyed)} dockets were"
        raise AnswerIsNo(
            f"{len(found.differences)} differences, and {gone} destroyed on record since the report was made",
            where=file.name, remedy="Figures that counted a destroyed docket cannot be recomputed",
        )  # fmt: skip
    if found.differences:
        raise AnswerIsNo(f"{len(found.differences)} differences", where=file.name)


@dataclass(frozen=True)
class _Origin:
    """Where dockets and ledger lie."""

    site: Path | None
    dockets: tuple[str, ...]
    ledger: Path | None
    policy: Path | None
    returned: Path | None


@dataclass(frozen=True)
class _Target:
    """In which form, and where to."""

    form: str | None
    out: Path | None

    @property
    def format(self) -> str:
        """The format asked for, or the one that the file's name says."""
        if self.form is not None:
            return self.form
        if self.out is None:
            return "text"
        ending = {".csv": "csv", ".json": "json", ".pdf": "pdf", "": "csv"}.get(self.out.suffix)
        if ending is None:
            raise WrongInput("the file name does not show the format", where=str(self.out), remedy="Give --format")
        return ending


def _period(year: int | None, first: str | None, last: str | None) -> Period:
    from gatehouse.oversight.sources import Period

    if year is not None:
        if first or last:
            raise WrongInput("--year cannot be combined with --from or --to", remedy="Give --year, or --from and --to")
        if not 1 <= year <= 9999:
            raise WrongInput("there is no such year", where="--year")
        return Period.of_year(year)
    days = []
    for option, text in (("--from", first), ("--to", last)):
        day = clock.read_date(text) if text else None
        if text and day is None:
            raise WrongInput("this is not a date", where=option, remedy="Write it as 2025-11-21")
        days.append(day)
    begins, ends = days
    if begins and ends and begins > ends:
        raise WrongInput("the period ends before it begins", where="--to", remedy="Give the earlier day to --from")
    return Period(begins, ends)


def _sources(origin: _Origin) -> Sources:
    from gatehouse.determine.docket import Docket
    from gatehouse.ledger import policy as policies
    from gatehouse.oversight import sources
    from gatehouse.pipeline.dockets import resolve

    if origin.site is not None:
        if origin.ledger is not None:
            raise WrongInput(
                "--site cannot be combined with --ledger", remedy="A site has its own ledger. Leave out one of the two"
            )
        believed = policies.read(origin.policy or origin.site / "witnesses.policy")
        returned = _read_returned(origin.returned) if origin.returned else _kept(origin.site)
        only = [resolve(origin.site / "dockets", one) for one in origin.dockets]
        return sources.of_site(origin.site, believed, only, returned)
    if not origin.dockets or origin.ledger is None or origin.policy is None:
        raise WrongInput("no data is named for the report", remedy="Give --site, or --docket, --ledger and --policy")
    folders = [Path(one) for one in origin.dockets]
    for folder in folders:
        if not folder.is_dir():
            raise WrongInput("this folder is not a docket", where=str(folder))
    return sources.Sources(
        tuple(Docket(folder.resolve()) for folder in folders),
        origin.ledger,
        policies.read(origin.policy),
        returned=_read_returned(origin.returned) if origin.returned else (),
    )


def _kept(folder: Path) -> tuple[Any, ...]:
    """What recipients sent back, as the site's database keeps it; a copy of a site may be without a database."""
    from gatehouse.pipeline import approve
    from gatehouse.pipeline.site import open_site

    site = open_site(folder)
    if site.database.startswith("sqlite:///") and not Path(site.database.removeprefix("sqlite:///")).is_file():
        return ()
    approve.office(site)
    from gatehouse.store.shelf import Shelf

    shelf = Shelf()
    return tuple(one.statement for release in shelf.releases() for one in shelf.returned(release.id))


def _read_returned(folder: Path) -> tuple[Any, ...]:
    from gatehouse.casework import statement as statements

    paths = sorted(folder.glob("**/*.json"))
    return tuple(statements.parse(path.read_bytes(), where=path.name) for path in paths)


@contextmanager
def _report(name: str, origin: _Origin, period: Period, size: int | None, asked: dict[str, Any]) -> Iterator[
    tuple[duckdb.DuckDBPyConnection, Report]
]:  # fmt: skip
    from gatehouse.cli.progress import shown
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.oversight import counted, reports, sources

    with open_workspace() as connection, shown() as progress:
        record = sources.verify(connection, _sources(origin), period=period, size=size, progress=progress)
        counted.gather(connection, record)
        yield connection, reports.make(connection, record, name, asked)


def _make(name: str, origin: _Origin, period: Period, size: int | None, target: _Target, asked: dict[str, Any]) -> None:
    from gatehouse.oversight import reports, typeset, writing

    form, out = target.format, target.out
    if reports.CATALOGUE[name].personal and (form == "text" or out is None):
        raise WrongInput("this report contains personal data", remedy="Write it to a private file: --out FILE")
    if form == "pdf":
        typeset.ready()
    if out is None and form in {"pdf", "documents"}:
        raise WrongInput(f"a report in {form} format must be written to a file", remedy="Name the file with --out FILE")
    with _report(name, origin, period, size, asked) as (connection, made):
        if out is None:
            _show(made, connection, form)
            return
        if form == "csv":
            written = writing.write_csv(made, connection, out)
        else:
            write = {"json": writing.write_json, "pdf": typeset.write_pdf, "documents": writing.write_documents,
                     "text": writing.write_text}[form]  # fmt: skip
            write(made, connection, out)
            written = [out]
    click.echo(f"{made.title}: {', '.join(str(path) for path in written)}")


def _show(made: Report, connection: duckdb.DuckDBPyConnection, form: str) -> None:
    from gatehouse.oversight import writing

    if form == "json":
        click.echo(json.dumps(made.document(connection), ensure_ascii=False, indent=2, sort_keys=True))
    elif form == "csv":
        sys.stdout.write(writing.csv_text(made, connection))
    else:
        click.echo("\n".join(writing.lines(made, connection)))
