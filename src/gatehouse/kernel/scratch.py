"""Private folders for what must not stay: only their owner reads them, and nothing in them outlives their process.

Each is locked while its process lives. One whose lock is free was left by a process that was killed, and the next
process that works in the same place removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path

PREFIX = "gatehouse-"
_swept: set[tuple[Path, str]] = set()


class Scratch:
    """One private folder, removed with all it holds by `close`, with this object, or at the end of the process."""

    def __init__(self, path: Path, held: int) -> None:
        self.path = path
        self._end = weakref.finalize(self, _remove, path, held)

    def close(self) -> None:
        """Remove the folder; a second time does nothing."""
        self._end()


def take(place: Path | None = None, prefix: str = PREFIX) -> Scratch:
    """A new private folder in `place`, or where the system keeps temporary files; its name begins with `prefix`.

    The first call of a process also removes what processes that were killed left in that place.
    """
    where = Path(place or tempfile.gettempdir())
    where.mkdir(parents=True, exist_ok=True)
    if (where, prefix) not in _swept:
        _swept.add((where, prefix))
        sweep(where, prefix)
    while True:
        path = where / f"{prefix}{secrets.token_hex(8)}"
        path.mkdir(mode=0o700)
        held = _locked(path)
        if held is not None:
            return Scratch(path, held)


@contextlib.contextmanager
def folder(place: Path | None = None, prefix: str = PREFIX) -> Iterator[Path]:
    """A private folder for the length of a block."""
    taken = take(place, prefix)
    try:
        yield taken.path
    finally:
        taken.close()


def _remove(path: Path, held: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(held)


def sweep(where: Path, prefix: str = PREFIX) -> int:
    """Remove the private folders in a place whose process is no more; returns how many there were."""
    removed = 0
    for left in where.glob(f"{prefix}{'[0-9a-f]' * 16}"):
        if left.is_symlink() or not left.is_dir() or left.stat().st_uid != os.geteuid():
            continue
        held = _locked(left)
        if held is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(held)
            removed += 1
    return removed


def _locked(path: Path) -> int | None:
    """The folder's lock, held; None where somebody else holds it or the folder was removed meanwhile."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(handle).st_ino:
            return handle
    except OSError:
        pass
    os.close(handle)
    return None
