"""The packs of law that come with this software, in a checkout and in an installed package alike."""

from __future__ import annotations

from pathlib import Path

from gatehouse.kernel import extras

_PACKAGE = Path(__file__).parents[1]


def folder() -> Path:
    """Where the shipped packs lie, one folder each."""
    root = extras.checkout()
    return (root or _PACKAGE) / "packs"


def pack(name: str) -> Path:
    """The folder of one shipped pack, such as `us-irs-6103-i-2`."""
    return folder() / name


def packs() -> tuple[Path, ...]:
    """The folders of all shipped packs, in the order of their names."""
    return tuple(sorted(path.parent for path in folder().glob("*/pack.toml")))
