"""Lists of words and phrases that judges read: data files in sections, one phrase a line under `[section]`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.resources import files


@functools.cache
def sections(name: str) -> Mapping[str, tuple[str, ...]]:
    """The sections of `data/<name>` in the order of the file; lines that begin with `#` are comments."""
    found: dict[str, list[str]] = {}
    section: list[str] = []
    for line in files("gatehouse.intake").joinpath(f"data/{name}").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            section.append(line)
    return {title: tuple(lines) for title, lines in found.items()}


@functools.cache
def words(name: str, section: str) -> frozenset[str]:
    """The words of one section, parted by spaces and line ends."""
    return frozenset(" ".join(sections(name)[section]).split())
