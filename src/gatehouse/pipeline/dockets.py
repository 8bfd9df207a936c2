"""A site's dockets: how each is called, and the one door to it, where every file is compared with its ledger entry.

A docket belongs to one agency: the same id from two agencies names two dockets. Its name is its folder's, and its key
in the ledger, the database and every address. The agency that was first at a site has dockets called by their ids
alone; any other's are called `ID~AGENCY`, whatever ids exist, so that no name tells an agency of another one's ids.

Whoever decides, releases, explains, reports, recalls or shows anything of a docket opens it here first. A file that was
exchanged since the docket was committed stops the work and is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gatehouse.determine import opened
from gatehouse.determine.docket import Docket
from gatehouse.determine.opened import OpenDocket
from gatehouse.kernel import digests, ids
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.ledger import checkpoint, log, tiles
from gatehouse.pipeline.site import Site

REFUSED = ".refused"
"""How the folder beside a docket ends that holds the receipt of a refused submission; no docket's name ends so."""
_LONGEST = 128  # characters of a name, which the database keeps


@dataclass(frozen=True)
class Named:
    """One docket of a site: its name here, and the agency and the submission's id that it was received under."""

    name: str
    agency: str
    id: str

    @property
    def full(self) -> str:
        """`AGENCY/ID`: how a person names it where two agencies use the same id."""
        return f"{self.agency}/{self.id}"


def known(dockets: Path) -> list[Named]:
    """Every docket in a site's folder of dockets, by name."""
    return [
        _named(folder, changed)
        for folder in (sorted(dockets.iterdir()) if dockets.is_dir() else [])
        if ids.is_docket(folder.name) and (changed := _changed(folder / "summary.json")) is not None
    ]


def own(dockets: Path, agency: str) -> dict[str, str]:
    """The names of one agency's dockets by the ids that it gave them."""
    return {one.id: one.name for one in known(dockets) if one.agency == agency}


def place(dockets: Path, agency: str, identifier: str) -> Path:
    """Where the docket of an agency's submission lies, or will lie once it is made."""
    listed = known(dockets)
    kept = next((one.name for one in listed if (one.agency, one.id) == (agency, identifier)), None)
    if kept is not None:
        return dockets / kept
    plain = [one for one in listed if "~" not in one.name]
    first = min(plain, key=lambda one: (Docket(dockets / one.name).received_at, one.name), default=None)
    alone = first is None or first.agency == agency
    free = not identifier.endswith(REFUSED) and not (dockets / identifier).exists()
    return dockets / (identifier if alone and free else _apart(agency, identifier))


def resolve(dockets: Path, text: str) -> str:
    """The name of the docket that a person means by `AGENCY/ID`, by its name, or by an id that one agency alone uses.

    Raises WrongInput where several agencies use the id; a text that names none is given back as it is.
    """
    agency, slash, identifier = text.rpartition("/")
    found = [
        one for one in known(dockets)
        if ((one.agency, one.id) == (agency, identifier) if slash else text in {one.name, one.id})
    ]  # fmt: skip
    if len(found) > 1:
        which = " or ".join(sorted(one.full for one in found))
        raise WrongInput(
            f"several agencies have a docket named {text}", where=str(dockets), remedy=f"Name it as {which}"
        )
    return found[0].name if found else text


def _apart(agency: str, identifier: str) -> str:
    name = f"{identifier}~{agency}"
    if len(name) <= _LONGEST and not name.endswith(REFUSED):
        return name
    return f"{identifier[:63]}~{digests.of_bytes(f'{agency}/{identifier}'.encode())}"


def _changed(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


@lru_cache(maxsize=4096)
def _named(folder: Path, _changed: tuple[int, int]) -> Named:
    """Read once for each state of its summary, so that a look among all dockets costs as much for any id."""
    summary = Docket(folder).read_summary()
    return Named(folder.name, str(summary.get("agency", "")), str(summary.get("submission", folder.name)))


@dataclass(frozen=True)
class Placed(OpenDocket):
    """An open docket of a site, and where the ledger holds its entry."""

    index: int

    @property
    def entry(self) -> str:
        """SHA-256 of its entry's bytes, which a decision about it names."""
        return digests.of_bytes(self.opening.entry)


def find(site: Site, name: str) -> Placed:
    """Open a docket of the site.

    Raises WrongInput when there is none of that name or it is not in the ledger yet, AnswerIsNo when a file of it is
    not the one that was committed, MachineFailed while no checkpoint covers it.
    """
    docket = Docket(site.dockets / name)
    if not ids.is_docket(name) or not docket.summary.is_file():
        raise WrongInput(
            f"there is no docket {name}", where=str(site.dockets), remedy="Make a docket with `gatehouse run`"
        )
    found = opened.check(docket)
    entered = log.place(site.ledger_state, f"{name}/{opened.DOCKET}")
    shown = checkpoint.parse((site.ledger / "checkpoint").read_bytes())
    if entered is None or found.docketed.docket != name:
        raise AnswerIsNo("the docket's entry is not in this ledger", where=name, remedy="Restore it from a backup")
    if entered.start >= shown.size:
        raise MachineFailed("no checkpoint covers the docket yet", where=name, remedy="Run `gatehouse run` again")
    if tiles.TileReader(site.ledger, shown.size).entry(entered.start) != found.opening.entry:
        raise AnswerIsNo(
            "the docket's entry differs from the one in the ledger", where=name, remedy="Report it as a finding"
        )
    return Placed(found.root, found.received, found.docketed, found.opening, entered.start)


def laid_down(site: Site, folder: Path) -> Docket:
    """A docket's folder as a page may show it: through the door, or as it is while nothing of it was committed."""
    docket = Docket(folder)
    return find(site, folder.name) if is_committed(site, folder.name) or opened.is_laid_down(docket) else docket


def is_committed(site: Site, name: str) -> bool:
    """Whether a docket's entry is in the ledger."""
    return log.place(site.ledger_state, f"{name}/{opened.DOCKET}") is not None
