"""The public log as pages and files: its newest checkpoint, one entry, and the tiles themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger import checkpoint, tiles

_FILE = re.compile(
    r"checkpoint|checkpoints/[0-9]{1,19}(\.tsr)?|tile/(entries|[0-9]{1,2})(/x[0-9]{3}){0,6}/[0-9]{3}(\.p/[0-9]{1,3})?"
)


@dataclass(frozen=True)
class Head:
    """The newest checkpoint as published."""

    origin: str
    size: int
    root: str
    signatures: tuple[str, ...]
    text: str


def head(ledger: Path) -> Head | None:
    """The newest checkpoint; None when nothing is published yet, or it is no checkpoint."""
    try:
        data = (ledger / "checkpoint").read_bytes()
        found = checkpoint.parse(data)
    except (OSError, GatehouseError):
        return None
    return Head(
        found.origin,
        found.size,
        found.root.hex(),
        tuple(line.name for line in found.note.lines),
        data.decode("utf-8", errors="replace"),
    )


def entry(ledger: Path, size: int, index: int) -> bytes | None:
    """The bytes of one entry below the checkpoint's size; None when there is none or it cannot be read."""
    if not 0 <= index < size:
        return None
    bundle, place = divmod(index, tiles.WIDTH)
    width = min(tiles.WIDTH, size - bundle * tiles.WIDTH)
    for candidate in dict.fromkeys((width, tiles.WIDTH)):
        try:
            data = (ledger / tiles.entries_name(bundle, candidate)).read_bytes()
            return tiles.decode_bundle(data, candidate)[place]
        except (OSError, GatehouseError, IndexError):
            continue
    return None


def file(ledger: Path, name: str) -> Path | None:
    """The path of one published file by its public name; None for any other name or an absent file."""
    if _FILE.fullmatch(name) is None:
        return None
    path = ledger / name
    return path if path.is_file() else None
