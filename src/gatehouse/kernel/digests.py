"""SHA-256 digests as lower-case hexadecimal text, of bytes, files and folders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
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
    """One digest over several files below a root, by `of_listing`."""
    return of_listing({path.relative_to(root).as_posix(): of_file(path) for path in paths})


def of_listing(files: Mapping[str, str]) -> str:
    """One digest over digests by relative path: SHA-256 of sorted lines `<digest>  <relative path>`.

    The lines are those of `sha256sum`, so an outsider makes the same digest with public tools.
    """
    return of_bytes("".join(sorted(f"{digest}  {path}\n" for path, digest in files.items())).encode())
