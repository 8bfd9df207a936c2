"""SHA-256 digests as lower-case hexadecimal text, of bytes, files and folders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_CHUNK = 1 << 20


def of_bytes(data: bytes) -> str:
    """SHA-256 of bytes, 64 hexadecimal digits (FIPS 180-4)."""
    return hashlib.sha256(data).hexdigest()


def of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in constant memory."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def of_files(root: Path, paths: Iterable[Path]) -> str:
    """One digest over several files below a root: SHA-256 of sorted lines `<digest>  <relative path>`.

    The lines are those of `sha256sum`, so an outsider makes the same digest with public tools.
    """
    lines = sorted(f"{of_file(path)}  {path.relative_to(root).as_posix()}\n" for path in paths)
    return of_bytes("".join(lines).encode())
