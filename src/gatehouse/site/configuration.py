"""gatehouse.toml: read here and nowhere else, as one frozen `Configuration` that is passed on.

When the file is read, the document is parsed, `[site]` and `[parts]` are judged, and the names of all tables are
compared with the known ones. Every other section is judged when it is first asked for: what is wrong with the roster
takes authority from everybody, and must not keep a halt from being entered or a person from being answered.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from gatehouse.casework import roster as rosters
from gatehouse.casework.roster import Officer, Roster
from gatehouse.kernel import documents, files
from gatehouse.kernel.documents import Table
from gatehouse.kernel.errors import WrongInput, own
from gatehouse.law.signing import Offices
from gatehouse.site import entrance, offices, settings, timestamps, webhooks
from gatehouse.site.entrance import Entrance
from gatehouse.site.settings import Settings
from gatehouse.site.timestamps import Stamping
from gatehouse.site.webhooks import Webhook

NAME = "gatehouse.toml"
SECTIONS = ("site", "parts", "officers", "offices", "timestamps", "sign_in", "oidc", "limits", "webhooks")
"""The tables of the document."""


@dataclass(frozen=True)
class Configuration:
    """A gatehouse.toml as it stood when it was read. A section raises CustodianFault when it cannot be used."""

    path: Path
    text: str
    """The document, as it is put on record when a site is founded."""
    settings: Settings
    sockets: str | None
    """The folder where the parts of the site are called; None where it names no parts."""
    document: Table = field(repr=False, compare=False)
    version: tuple[int, ...] = field(repr=False, compare=False)
    """What tells this state of the file from a later one."""

    @property
    def changed(self) -> bool:
        """Whether the file is another one by now, or cannot be found."""
        try:
            return _version(self.path.stat()) != self.version
        except OSError:
            return True

    @cached_property
    def roster(self) -> Roster:
        """Who is stated to decide; empty without `[[officers]]`. `pipeline.people` says who of them counts."""
        with own():
            listed = self.document.entries("officers")
            return rosters.parse(
                [one.data for one in listed],
                where=self.document.file,
                line=lambda number, key: listed[number - 1].line(key),
            )

    @cached_property
    def offices(self) -> Offices:
        """Whose signatures put law in force."""
        with own():
            return offices.parse(self.document.inner("offices", required=False), self.roster)

    @cached_property
    def timestamps(self) -> Stamping | None:
        """Who stamps checkpoints; None where nobody is asked to."""
        with own():
            asked = "timestamps" in self.document
            return timestamps.parse(self.document.inner("timestamps"), self.path.parent) if asked else None

    @cached_property
    def entrance(self) -> Entrance:
        """How people come in."""
        with own():
            return entrance.parse(self.document, self.path.parent, demonstration=self.settings.demonstration)

    @cached_property
    def webhooks(self) -> tuple[Webhook, ...]:
        """Which agencies want to be told of what moved, and where."""
        with own():
            return webhooks.parse(self.document, demonstration=self.settings.demonstration)


@own()
def read(root: Path) -> Configuration:
    """Read the configuration of the site in a folder. Raises CustodianFault when it is none, or cannot be used."""
    path = root / NAME
    try:
        with path.open("rb") as stream:
            version, data = _version(os.fstat(stream.fileno())), stream.read()
    except FileNotFoundError:
        raise WrongInput(
            "this is not a site", where=str(root), remedy=f"Make one with: gatehouse init {root}"
        ) from None
    except OSError as failure:
        raise WrongInput(f"the file cannot be read ({failure.strerror})", where=str(path)) from None
    return parse(documents.decode(data, str(path)), path, version)


def parse(text: str, path: Path, version: tuple[int, ...] = ()) -> Configuration:
    """The configuration that a text is, as if it stood at `path`. Raises WrongInput as `read` raises CustodianFault."""
    document = documents.parse(text, str(path))
    document.spelled(*SECTIONS)
    return Configuration(
        path, text, settings.parse(document.inner("site"), path.parent), _sockets(document), document, version
    )


def _sockets(document: Table) -> str | None:
    if "parts" not in document:
        return None
    parts = document.inner("parts")
    parts.spelled("sockets")
    return parts.written("sockets")


def _version(state: os.stat_result) -> tuple[int, ...]:
    return state.st_mtime_ns, state.st_size, state.st_ino


def write(root: Path, text: str) -> None:
    """Write a site's configuration."""
    files.write(root / NAME, text.encode())


def entry(officer: Officer) -> str:
    """An officer as `[[officers]]` states one."""
    lines = (f"{key} = {_DATES.get(key, _quoted)(value)}" for key, value in officer.document().items())
    return "\n[[officers]]\n" + "".join(f"{line}\n" for line in lines)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


_DATES = dict.fromkeys(("from", "until", "revoked_on"), str)
"""The fields of an officer that TOML writes without quotes."""


def appoint(root: Path, officer: Officer) -> None:
    """State one officer more at a site."""
    write(root, read(root).text + entry(officer))


def move_database(root: Path, address: str) -> None:
    """Let a site keep people's work at another address, everything else as it stands.

    Raises WrongInput where the address does not stand on a line of its own.
    """
    before = read(root)
    if _stated_database(before) == address:
        return
    said = f"database = {json.dumps(address)}"
    text = re.sub(r"(?m)^[ \t]*database[ \t]*=.*$", lambda _: said, before.text, count=1)
    if _stated_database(parse(text, before.path)) != address:
        remedy = "Write [site] database on a line of its own"
        raise WrongInput("the site's database cannot be set", where=NAME, remedy=remedy)
    write(root, text)


def _stated_database(stated: Configuration) -> str:
    return stated.document.inner("site").written("database", settings.DATABASE)
