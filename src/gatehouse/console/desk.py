"""The site behind the console: which folder is served, its dockets, its law and its register."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import Http404

from gatehouse.console.dockets import Dockets
from gatehouse.console.law import Proof, proof_of
from gatehouse.console.reading import Reader
from gatehouse.kernel.errors import GatehouseError
from gatehouse.law import adoption
from gatehouse.law.pack import Pack
from gatehouse.law.reading import load
from gatehouse.pipeline import dockets as placed
from gatehouse.pipeline import people
from gatehouse.pipeline.approve import Office
from gatehouse.pipeline.site import Site, current, open_site
from gatehouse.store.casebook import Casebook

_opened: dict[str, Site] = {}


def site() -> Site:
    """The site that this process serves, as its configuration stands now."""
    root = str(settings.GATEHOUSE_SITE)
    known = _opened.get(root)
    _opened[root] = found = current(known) if known else open_site(Path(root))
    return found


def office() -> Office:
    """The site with its records and its people, as the stages of the journey take it."""
    return Office(site(), Casebook(), people.roster(site()))


@lru_cache(maxsize=4)
def _dockets(folder: str) -> Dockets:
    return Dockets(Path(folder), lambda docket: placed.laid_down(site(), docket))


def dockets() -> Dockets:
    """The dockets of the site."""
    return _dockets(str(site().dockets))


def docket(name: str) -> Reader:
    """One docket, or `not found`."""
    reader = dockets().reader(name)
    if reader is None:
        raise Http404
    return reader


def own(agency: str, identifier: str) -> Reader:
    """An agency's docket by the id that the agency gave it, or `not found`.

    It is looked for among the agency's own names, so that neither the answer nor its time depends on another's ids.
    """
    name = placed.own(site().dockets, agency).get(identifier)
    if name is None:
        raise Http404
    return docket(name)


def own_ids(agency: str) -> dict[str, str]:
    """The names of an agency's dockets by the ids it gave them, newest first."""
    ids = {name: identifier for identifier, name in placed.own(site().dockets, agency).items()}
    return {ids[name]: name for name in dockets().names() if name in ids}


def packs() -> list[Pack]:
    """Every pack in force at the site that can be loaded, by id."""
    return [pack for folder in _in_force() if (pack := _pack(folder)) is not None]


def broken_packs() -> list[str]:
    """Folders of packs in force that cannot be loaded: nothing is decided under them."""
    return [folder.name for folder in _in_force() if _pack(folder) is None]


def _in_force() -> list[Path]:
    return [site().packs / pin.folder for _, pin in sorted(adoption.pinned(site().packs).items())]


def pack(identifier: str) -> Pack | None:
    """The pack of an id; None when the site has none."""
    return next((found for found in packs() if found.id == identifier), None)


def kept_pack(docket: Path) -> Pack | None:
    """The copy of the pack that a docket keeps; None when it keeps none that can be loaded."""
    folder = docket / "pack"
    return _pack(folder) if (folder / "pack.toml").is_file() else None


def proof(found: Pack) -> Proof:
    """Whether a pack in force is proved and signed, verified once for each state of its files and of the offices."""
    return _proven(found.folder, _newest(found.folder), site().configuration.version)


@lru_cache(maxsize=16)
def _proven(folder: Path, _changed: int, _offices: tuple[int, ...]) -> Proof:
    return proof_of(load(folder), site())


def _newest(folder: Path) -> int:
    return max((path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()), default=0)


def _pack(folder: Path) -> Pack | None:
    return _loaded(str(folder), _newest(folder))


@lru_cache(maxsize=8)
def _loaded(folder: str, _changed: int) -> Pack | None:
    try:
        return load(Path(folder))
    except GatehouseError:
        return None
