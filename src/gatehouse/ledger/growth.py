"""Growing a tree on disk: which files come to be when entries are added to a tree of some size.

Existing files are read, never changed. The result depends on nothing but the entries, so doing it again after a crash
writes the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from gatehouse.kernel import files
from gatehouse.ledger import hashing, tiles, tree
from gatehouse.ledger.opening import PACKED_BYTES

_MANY = 200


def extend(root: Path, size: int, packed: bytes) -> list[Path]:
    """Write the tiles and bundles that entries add to a tree of `size`; returns their paths, not yet durable.

    `packed` holds the commitments as a bundle does, each behind its length.
    """
    written = [_place(root, name, data) for name, data in _bundles(root, size, packed)]
    level, count, hashes = 0, size, hashing.leaf_hashes(packed)
    while hashes:
        start = count - count % tiles.WIDTH
        kept = _head(root, level, count)
        hashes = kept + hashes
        total = start + len(hashes) // tree.HASH
        for name, data in _hash_tiles(level, start, hashes):
            written.append(_place(root, name, data))
        full = (total - start) // tiles.WIDTH * tiles.TILE_BYTES
        hashes = hashing.tile_roots(hashes[:full])
        level, count = level + 1, count >> tiles.HEIGHT
    return written


def make_durable(paths: Sequence[Path]) -> None:
    """Make written files and their names survive a power cut."""
    if len(paths) > _MANY:
        os.sync()  # ten thousand calls of fsync take longer than everything else together
        return
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    folders = {parent for path in paths for parent in list(path.parents)[:5]}
    for folder in folders:
        files.sync_folder(folder)


def _bundles(root: Path, size: int, packed: bytes) -> Iterator[tuple[str, bytes]]:
    index, width = divmod(size, tiles.WIDTH)
    head = tiles.read_file(root, tiles.entries_name(index, width)) if width else b""
    at = 0
    while at < len(packed):
        more = packed[at : at + (tiles.WIDTH - width) * PACKED_BYTES]
        yield tiles.entries_name(index, width + len(more) // PACKED_BYTES), head + more
        at, index, width, head = at + len(more), index + 1, 0, b""


def _head(root: Path, level: int, count: int) -> bytes:
    index, width = divmod(count, tiles.WIDTH)
    return tiles.read_file(root, tiles.tile_name(level, index, width)) if width else b""


def _hash_tiles(level: int, start: int, hashes: bytes) -> Iterator[tuple[str, bytes]]:
    for at in range(0, len(hashes), tiles.TILE_BYTES):
        data = hashes[at : at + tiles.TILE_BYTES]
        index = (start + at // tree.HASH) // tiles.WIDTH
        yield tiles.tile_name(level, index, len(data) // tree.HASH), data


def _place(root: Path, name: str, data: bytes) -> Path:
    # written in place, not renamed: no checkpoint speaks of this file yet, and a torn one is written again
    path = root / name
    try:
        path.write_bytes(data)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return path
