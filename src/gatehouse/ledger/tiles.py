"""Tiles: the tree's hashes in files of 256, and the entries in bundles of 256 (c2sp.org/tlog-tiles).

A file is written once and never changed: a tile that is not full carries its width in its name. So any copy of the
folder is a mirror, and a copy that ends early is an older ledger, not a broken one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger import tree

WIDTH = 256
HEIGHT = 8
TILE_BYTES = WIDTH * tree.HASH
_MAX_ENTRY = 65_535


def tile_name(level: int, index: int, width: int = WIDTH) -> str:
    """The path of a tile of hashes below the ledger's folder, `tile/0/x001/067.p/5`."""
    return f"tile/{level}/{_number(index)}{_partial(width)}"


def entries_name(index: int, width: int = WIDTH) -> str:
    """The path of a bundle of entries below the ledger's folder, `tile/entries/x001/067.p/5`."""
    return f"tile/entries/{_number(index)}{_partial(width)}"


def names(size: int) -> list[str]:
    """Every file that a tree of this size consists of: the tiles of all levels and the entry bundles."""
    found = [entries_name(index, width) for index, width in _spans(size)]
    level, count = 0, size
    while count:
        found += [tile_name(level, index, width) for index, width in _spans(count)]
        level, count = level + 1, count >> HEIGHT
    return found


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries one after another, each behind its length as two big-endian bytes."""
    if len({*map(len, entries)}) == 1:  # as commitments are: a million in one go
        length = len(entries[0]).to_bytes(2, "big")
        return length + length.join(entries)
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def decode_bundle(data: bytes, count: int, *, where: str = "") -> list[bytes]:
    """Take a bundle of exactly `count` entries apart; raises AnswerIsNo when it is anything else."""
    entries: list[bytes] = []
    at = 0
    for _ in range(count):
        if at + 2 > len(data):
            raise AnswerIsNo("an entry bundle ends early", where=where)
        length = struct.unpack_from(">H", data, at)[0]
        entries.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    if at != len(data):
        raise AnswerIsNo("an entry bundle does not have the expected number of bytes", where=where)
    return entries


def tile_root(hashes: bytes) -> bytes:
    """The hash above one full tile, or above a perfect part of one."""
    while len(hashes) > tree.HASH:
        hashes = tree.parents(hashes)
    return hashes


class TileReader:
    """Reads nodes and entries of the tree of one size from a ledger's folder. Trusts nothing it has not to.

    What it reads is not verified here: a proof made from it verifies or does not.
    """

    def __init__(self, root: Path, size: int) -> None:
        self._root = root
        self._size = size
        self._kept: dict[tuple[int, int], bytes] = {}

    def node(self, level: int, index: int) -> bytes:
        """The hash of the perfect node at a level and index, as `tree.ReadNode`."""
        tile_level, inner = divmod(level, HEIGHT)
        first = index << inner
        hashes = self._tile(tile_level, first // WIDTH)
        at = first % WIDTH * tree.HASH
        part = hashes[at : at + (tree.HASH << inner)]
        if len(part) != tree.HASH << inner:
            raise AnswerIsNo("the ledger is shorter than its checkpoint", where=tile_name(tile_level, first // WIDTH))
        return tile_root(part)

    def root(self) -> bytes:
        """The root of the whole tree."""
        return tree.range_hash(0, self._size, self.node)

    def entry(self, index: int) -> bytes:
        """One entry, from its bundle."""
        bundle, at = divmod(index, WIDTH)
        width = min(WIDTH, self._size - bundle * WIDTH)
        return self.entries(bundle, width)[at]

    def entries(self, bundle: int, width: int) -> list[bytes]:
        """The first `width` entries of a bundle."""
        name = entries_name(bundle, width)
        data = read_file(self._root, name)
        return decode_bundle(data, width, where=name)

    def span(self, first: int, count: int) -> Iterator[bytes]:
        """The entries from `first` on, in order."""
        end = first + count
        for bundle in range(first // WIDTH, (end + WIDTH - 1) // WIDTH):
            start = bundle * WIDTH
            held = self.entries(bundle, min(WIDTH, self._size - start))
            yield from held[max(0, first - start) : end - start]

    def _tile(self, level: int, index: int) -> bytes:
        key = (level, index)
        if key not in self._kept:
            width = min(WIDTH, (self._size >> HEIGHT * level) - index * WIDTH)
            name = tile_name(level, index, width) if width > 0 else ""
            data = read_file(self._root, name) if name else b""
            if len(data) != max(width, 0) * tree.HASH:
                raise AnswerIsNo("a tile does not have the expected size", where=name or "ledger")
            self._kept[key] = data
        return self._kept[key]


def read_file(root: Path, name: str) -> bytes:
    """The bytes of one tile or bundle; raises AnswerIsNo when it is missing or absurdly long."""
    limit = WIDTH * (_MAX_ENTRY + 2)
    try:
        with (root / name).open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise AnswerIsNo(f"a part of the ledger cannot be read ({error.strerror})", where=name) from None
    if len(data) > limit:
        raise AnswerIsNo("a part of the ledger is too long", where=name)
    return data


def _spans(count: int) -> list[tuple[int, int]]:
    full, rest = divmod(count, WIDTH)
    return [(index, WIDTH) for index in range(full)] + ([(full, rest)] if rest else [])


def _number(index: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def _partial(width: int) -> str:
    if not 0 < width <= WIDTH:
        raise ValueError("a tile must contain 1 to 256 hashes")
    return "" if width == WIDTH else f".p/{width}"
