"""Durable files: a reader sees the old bytes or the new ones, never half, whatever instant the machine dies.

Write to a temporary name in the same folder, fsync, rename, fsync the folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make renames and new names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on leaving without an error it becomes `path`, durably.

    On an error the temporary file is removed and `path` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write bytes to a file, all or nothing, durably. Secrets take mode 0o600."""
    with replacing(path) as temporary:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)


def move(source: Path, target: Path) -> None:
    """Move a file that nobody else uses, also to another file system, all or nothing, durably."""
    with replacing(target) as temporary:
        shutil.move(source, temporary)


def sweep(folder: Path, name: str = "*") -> None:
    """Remove what writers that were killed left half-written of the files of a name.

    Only for whoever alone may write them, by a lock or a lease: a live writer's file would go too.
    """
    for left in folder.glob(f".{name}.*.tmp"):
        left.unlink(missing_ok=True)


def write_new(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file that must not exist yet; raises FileExistsError and leaves the old one alone."""
    if path.exists():
        raise FileExistsError(path)
    write(path, data, mode=mode)


def write_once(path: Path, data: bytes, *, mode: int = 0o644) -> bytes:
    """Write a file unless it exists, and give what it holds: of several processes that try at once one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
        write(temporary, data, mode=mode)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
        sync_folder(path.parent)
    return path.read_bytes()


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """One at a time, across processes: holds an exclusive lock on a file made for it, which stays and is empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
