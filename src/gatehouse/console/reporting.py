"""Statutory reports made on a page: counted anew from dockets that the ledger bears out, kept as files to fetch.

Only reports without personal data are made here; those that hold any are commands of the custodian's own. A report is
made in the background, for every docket is verified against the ledger before anything is counted.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gatehouse.console import desk
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import files, ids
from gatehouse.kernel.errors import GatehouseError, WrongInput
from gatehouse.kernel.progress import Progress
from gatehouse.ledger import policy as policies
from gatehouse.oversight import counted, reports, sources, typeset, writing
from gatehouse.oversight.reports import CATALOGUE, Kind
from gatehouse.oversight.sources import Period, Sources
from gatehouse.store.shelf import Shelf

FOLDER = "reports"
FORMATS = {"pdf": "PDF", "csv": "CSV", "json": "JSON"}
DETAILS = {
    "recall": "Recall (for the incident report)", "court": "Court", "case": "Case, as it is cited",
    "declarant": "Who declares", "title": "Their title",
}  # fmt: skip
"""What some reports may be told besides the year, in words."""
SHOWN = 50


@dataclass(frozen=True)
class Made:
    """A report that was made and can be fetched."""

    id: str
    file: Path

    @property
    def title(self) -> str:
        """Its title, by the file's name."""
        name = self.file.name.partition(".")[0].rpartition("-")[0]
        return CATALOGUE[name].title if name in CATALOGUE else self.file.name


def kinds() -> list[Kind]:
    """The reports that are made here, in the order of the catalogue."""
    return [kind for kind in CATALOGUE.values() if not kind.personal and set(kind.needs) <= set(DETAILS)]


def formats() -> dict[str, str]:
    """The forms that this installation can write."""
    try:
        typeset.ready()
    except GatehouseError:
        return {key: name for key, name in FORMATS.items() if key != "pdf"}
    return FORMATS


def check(name: str, year: str, form: str) -> Kind:
    """The kind of report meant. Raises WrongInput for one that is not made here, an impossible year or form."""
    kind = next((one for one in kinds() if one.name == name), None)
    if kind is None:
        raise WrongInput("this report cannot be made here", remedy="Choose one from the list")
    if form not in formats() or (form == "pdf" and not kind.paper):
        raise WrongInput("this format cannot be written here", remedy="Choose one from the list")
    if year and not (year.isascii() and year.isdecimal() and len(year) == len("2025") and int(year)):
        raise WrongInput("there is no such year", remedy="Write it with four digits, or leave it empty")
    return kind


def make(kind: Kind, year: str, form: str, told: Mapping[str, str], progress: Progress) -> str:
    """Make a report and keep it; gives its id. Raises what does not hold between dockets and ledger."""
    identifier = ids.fresh("report")
    folder = desk.site().root / FOLDER / identifier
    name = f"{kind.name}-{year or 'all'}"
    asked = {key: value for key, value in told.items() if value and key in {*kind.needs, *kind.takes}}
    period = Period.of_year(int(year)) if year else Period()
    with open_workspace(memory="2GB", threads=2) as connection:
        record = sources.verify(connection, _sources(), period=period, progress=progress)
        counted.gather(connection, record)
        made = reports.make(connection, record, kind.name, asked)
        building = folder.with_name(f".{identifier}.making")
        building.mkdir(parents=True)
        try:
            if form == "csv":
                writing.write_csv(
                    made, connection, building / "csv" / (f"{name}.csv" if len(made.tables) == 1 else name)
                )
                _zip(building / "csv", building / f"{name}.csv.zip")
            else:
                write = writing.write_json if form == "json" else typeset.write_pdf
                write(made, connection, building / f"{name}.{form}")
            building.rename(folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    files.sync_folder(folder.parent)
    return identifier


def _sources() -> Sources:
    site, shelf = desk.site(), Shelf()
    returned = tuple(one.statement for release in shelf.releases() for one in shelf.returned(release.id))
    return sources.of_site(site.root, policies.read(site.policy), (), returned)


def _zip(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    shutil.rmtree(folder)


def made() -> list[Made]:
    """The reports that can be fetched, newest first."""
    folders = sorted((desk.site().root / FOLDER).glob("report-*"), key=lambda path: -path.stat().st_mtime)
    return [one for path in folders[:SHOWN] if (one := find(path.name)) is not None]


def find(identifier: str) -> Made | None:
    """One report by its id."""
    folder = desk.site().root / FOLDER / identifier
    if not ids.is_name(identifier) or not folder.is_dir():
        return None
    [*held] = [path for path in folder.iterdir() if path.is_file()]
    return Made(identifier, held[0]) if len(held) == 1 else None
