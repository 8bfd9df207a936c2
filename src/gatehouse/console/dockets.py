"""The dockets of one site as pages see them: which there are, and the most recently read ones kept open.

A docket is opened again as soon as one of its files was replaced, so a page never shows what is no longer on disk.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from gatehouse.console.reading import TABLES, TOLD, Reader
from gatehouse.kernel import ids
from gatehouse.pipeline.dockets import REFUSED

_MOST_OPEN = 16


class Dockets:
    """The dockets of one site, with the most recently read ones kept open."""

    def __init__(self, dockets: Path, door: Callable[[Path], object]) -> None:
        """`door` opens a docket's folder, or raises: a page shows nothing of files that were exchanged."""
        self._dockets = dockets
        self._door = door
        self._open: OrderedDict[str, tuple[object, Reader]] = OrderedDict()
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Every docket, newest first by the time its folder was made."""
        if not self._dockets.is_dir():
            return []
        folders = [path for path in self._dockets.iterdir() if path.is_dir() and _is_docket(path)]
        return [path.name for path in sorted(folders, key=lambda path: (-path.stat().st_mtime, path.name))]

    def identity(self, name: str) -> object:
        """What changes when a file of a docket is replaced; not even its files are opened for it."""
        return _identity(self._dockets / name)

    def reader(self, name: str) -> Reader | None:
        """The reader of one docket; None when there is none of that name (names are never paths)."""
        folder = self._dockets / name
        if not ids.is_docket(name) or not folder.is_dir():
            return None
        with self._lock:
            identity = _identity(folder)
            kept = self._open.get(name)
            if kept is not None and kept[0] == identity:
                self._open.move_to_end(name)
                return kept[1]
            self._door(folder)
            reader = Reader(folder)
            self._open[name] = (identity, reader)
            while len(self._open) > _MOST_OPEN:
                # Not closed here: another thread may be reading. It closes when the last reader lets go of it.
                self._open.popitem(last=False)
            return reader


def _is_docket(folder: Path) -> bool:
    """Whether a folder is a docket's, and not that of a refused submission's receipt beside one."""
    return ids.is_docket(folder.name) and (not folder.name.endswith(REFUSED) or (folder / "summary.json").is_file())


def _identity(folder: Path) -> object:
    """What changes when a file of the docket is replaced."""
    names = [*(f"{table}.parquet" for table in TABLES), "receipt.json", "summary.json", "answers.csv", TOLD]
    return tuple(_stat(folder / name) for name in names)


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
