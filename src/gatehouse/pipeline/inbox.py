"""What was handed in, from its first byte until nobody needs it: the files of `inbox/`, and who owns each of them.

A file waits under its arrival's name. Once its docket stands it lies in a folder called like the docket, and is
destroyed with it; one that is refused, or was never sent, is removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gatehouse.determine.docket import Docket
from gatehouse.kernel import files
from gatehouse.pipeline.site import Site

SUFFIX, FAULTS = ".zip", ".faults.csv"


def waiting(site: Site, arrival: str) -> Path:
    """Where a file that was handed in waits."""
    return site.inbox / f"{arrival}{SUFFIX}"


def faults(site: Site, arrival: str) -> Path:
    """The faults of form that were found in a file while it waited."""
    return site.inbox / f"{arrival}{FAULTS}"


def find(site: Site, arrival: str) -> Path:
    """Where a file that was handed in lies now: with its docket, or still where it waits."""
    settled = sorted(site.inbox.glob(f"*/**/{arrival}{SUFFIX}"))
    return settled[0] if settled else waiting(site, arrival)


def settle(site: Site, arrival: str, docket: Docket) -> None:
    """Lay a file with its docket, which it is destroyed with, now where that was. Doing it again changes nothing."""
    faults(site, arrival).unlink(missing_ok=True)
    path = find(site, arrival)
    folder = _folder(site, docket)
    if docket.is_destroyed:
        path.unlink(missing_ok=True)
    if path.parent == folder or not path.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    path.rename(folder / path.name)
    files.sync_folder(folder)
    files.sync_folder(site.inbox)


def names(site: Site) -> list[str]:
    """The arrivals whose files wait, those of an older release among them, which were never laid with their dockets."""
    return sorted(path.stem for path in site.inbox.glob(f"*{SUFFIX}") if path.is_file())


def discard(site: Site, arrival: str) -> None:
    """Remove a file that no docket is made of."""
    waiting(site, arrival).unlink(missing_ok=True)
    faults(site, arrival).unlink(missing_ok=True)


def of(site: Site, docket: Docket) -> list[Path]:
    """The files of a docket; the same submission may have been handed in more than once."""
    return sorted(path for path in _folder(site, docket).glob("*") if path.is_file())


def strays(site: Site, known: Iterable[str], before: float) -> list[Path]:
    """Files that wait for nobody: not of a `known` arrival, and older than an instant (seconds since 1970).

    What is younger may be on its way in.
    """
    wanted = {f"{arrival}{suffix}" for arrival in known for suffix in (SUFFIX, FAULTS)}
    found = [path for path in site.inbox.glob("*") if path.is_file() and path.name not in wanted]
    return sorted(path for path in found if path.stat().st_mtime < before)


def _folder(site: Site, docket: Docket) -> Path:
    return site.inbox / docket.root.relative_to(site.dockets)
