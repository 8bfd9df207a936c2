"""`submission.json`: who asks, on what basis, for which officers, with which tables (design §5.2).

Parsed once at the door; what comes out is typed, and every fault of the document is named by its path.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from gatehouse.intake import mapping, officers, recipients
from gatehouse.intake.document import Faults, Section, read_json
from gatehouse.intake.mapping import Layout
from gatehouse.kernel import ids
from gatehouse.kernel.errors import WrongInput

FORMAT = "gatehouse-submission/1"
NAME = "submission.json"
SIGNATURE = "submission.json.sig"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Capacity(StrEnum):
    """In what capacity a signatory asks (26 USC 6103(i)(2)(A) names the first three)."""

    AGENCY_HEAD = "agency_head"
    INSPECTOR_GENERAL = "inspector_general"
    DOJ_LISTED = "doj_listed"
    DELEGATE = "delegate"
    OTHER = "other"


@dataclass(frozen=True)
class Signatory:
    """Who signs the request."""

    name: str
    title: str
    capacity: str

    @cached_property
    def state(self) -> str:
        """Whether the name is a `person`, a `placeholder` or `role_only` (`intake.officers`)."""
        return officers.judge(self.name, self.title).verdict

    @property
    def why(self) -> str | None:
        """Why the name is none, a code of `intake.officers.WHY`; None for a person's."""
        return officers.judge(self.name, self.title).why


@dataclass(frozen=True)
class Officer:
    """One person to whom information may go."""

    id: str
    name: str
    title: str
    employee: bool
    recipient: str
    """The officer's age recipient; empty when none was given."""
    attests_sole_use: bool

    @cached_property
    def named(self) -> bool:
        """Whether the name is a person's, and neither a placeholder nor a rank or a unit."""
        return officers.judge(self.name, self.title).verdict == officers.PERSON

    @cached_property
    def reachable(self) -> bool:
        """Whether a release can be sealed to this officer: the recipient is a well-formed age key."""
        try:
            recipients.parse(self.recipient)
        except WrongInput:
            return False
        return True


@dataclass(frozen=True)
class Table:
    """One file of requests, bound by digest and row count."""

    file: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Manifest:
    """A whole, well-formed submission.json."""

    id: str
    agency: str
    basis: str
    agreement: str
    signed_on: dt.date
    signatory: Signatory
    officers: tuple[Officer, ...]
    tables: tuple[Table, ...]
    layout: Layout | None = None
    """What the tables look like, where they have not the columns of the contract."""

    @property
    def rows(self) -> int:
        """How many requests the manifest states."""
        return sum(table.rows for table in self.tables)


_KEYS = ("format", "id", "agency", "basis", "agreement", "signed_on", "signatory", "officers", "tables", "layout")
_SIGNATORY = ("name", "title", "capacity")
_OFFICER = ("id", "name", "title", "employee", "recipient", "attests_sole_use")
_TABLE = ("file", "sha256", "rows")
SUFFIXES = (".csv", ".parquet", ".jsonl")


def parse(data: bytes, where: str = NAME) -> Manifest:
    """Read a manifest. Raises WrongInput naming every fault by its path, such as `officers[2].recipient`."""
    faults = Faults(where)
    top = Section(read_json(data, where), "", faults, _KEYS)
    top.text("format", among=(FORMAT,))
    signatory = top.section("signatory", _SIGNATORY)
    signed_on = top.date("signed_on")
    manifest = Manifest(
        id=_name(top, "id"),
        agency=_name(top, "agency"),
        basis=_name(top, "basis"),
        agreement=_name(top, "agreement"),
        signed_on=signed_on or dt.date.min,
        signatory=Signatory(
            signatory.text("name"), signatory.text("title"), signatory.text("capacity", among=tuple(Capacity))
        ),
        officers=tuple(_officer(each) for each in top.sections("officers", _OFFICER)),
        tables=tuple(_table(each) for each in top.sections("tables", _TABLE)),
        layout=mapping.stated(top.section("layout", mapping.KEYS)) if "layout" in top.value else None,
    )
    _check_lists(manifest, faults)
    faults.finish("Correct these places, then sign again")
    return manifest


def _name(section: Section, key: str) -> str:
    value = section.text(key)
    if value and not ids.is_name(value):
        section.faults.add(key, "must be a plain name: letters, digits, dot, dash, underscore")
    return value


def _officer(section: Section) -> Officer:
    officer_id = section.text("id")
    if ";" in officer_id or officer_id != officer_id.strip():
        section.faults.add(f"{section.path}.id", "must hold no semicolon and no outer spaces")
    return Officer(
        id=officer_id,
        name=section.text("name"),
        title=section.text("title"),
        employee=section.truth("employee"),
        recipient=section.text("recipient", optional=True),
        attests_sole_use=section.truth("attests_sole_use"),
    )


def _table(section: Section) -> Table:
    file, digest, rows = section.text("file"), section.text("sha256"), section.count("rows")
    if file and not (ids.is_name(file) and file.lower().endswith(SUFFIXES)):
        section.faults.add(f"{section.path}.file", f"must be a plain file name ending in {', '.join(SUFFIXES)}")
    if digest and not _SHA256.fullmatch(digest):
        section.faults.add(f"{section.path}.sha256", "must be 64 lower-case hexadecimal digits")
    return Table(file, digest, rows or 0)


def _check_lists(manifest: Manifest, faults: Faults) -> None:
    if not manifest.tables:
        faults.add("tables", "must name at least one table of requests")
    for key, names in (
        ("tables", [table.file for table in manifest.tables]),
        ("officers", [officer.id for officer in manifest.officers]),
    ):
        if len(set(names)) != len(names):
            faults.add(key, "must not name the same one twice")
