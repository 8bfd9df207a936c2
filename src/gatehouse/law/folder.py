"""The files that make a pack: TOML files in known places and nothing else, so that the digest covers all of it."""

from __future__ import annotations

from pathlib import Path

from gatehouse.kernel.errors import WrongInput
from gatehouse.law.tables import FILE_NAME

UNSIGNED = frozenset({"pack.lock", "pack.sig", "proof.json"})
FOLDERS = ("law", "orders", "lists", "examples", "texts")
LARGEST_PACK = 4 << 20


def pack_files(folder: Path) -> list[Path]:
    """Every file the digest covers, sorted by path. Raises WrongInput for anything that is no part of a pack."""
    if not (folder / "pack.toml").is_file():
        raise WrongInput("there is no pack here", where=str(folder), remedy="Name a folder that holds a pack.toml")
    found: list[Path] = []
    size = 0
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_symlink():
            raise WrongInput("a pack must not contain links", where=str(path), remedy="Copy the file into the pack")
        if path.is_dir():
            continue
        if not path.is_file() or not FILE_NAME.fullmatch(path.name):
            raise WrongInput(
                "a pack may contain only regular files with plain names", where=ascii(str(path)),
                remedy="Name it with letters, digits, dots, hyphens and underscores",
            )  # fmt: skip
        if str(relative) in UNSIGNED:
            continue
        top_level = str(relative) in ("pack.toml", "properties.toml")
        if not top_level and not (len(relative.parts) == 2 and relative.parts[0] in FOLDERS and path.suffix == ".toml"):
            raise WrongInput(
                "this file does not belong in a pack",
                where=str(path),
                remedy=f"A pack contains pack.toml, properties.toml and .toml files in {', '.join(FOLDERS)}",
            )
        size += path.stat().st_size
        found.append(path)
    if size > LARGEST_PACK:
        raise WrongInput("the pack is larger than 4 MiB", where=str(folder), remedy="Move long texts out of the pack")
    return found
