"""`columns.toml`: how another layout of the request table becomes the contract's columns.

It is written into submission.json when that is signed, so that it travels with the tables. A mapping renames, splits by
position, or takes a whole address from one column. It holds no values: nothing that every request must say for itself
can be filled in from here.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatehouse.intake.document import Faults, Section, read_toml
from gatehouse.intake.wire import COLUMNS
from gatehouse.kernel.errors import WrongInput

FREE_ADDRESS = "address"
"""The name under which a mapping gives one column that holds the whole address."""

_ADDRESS_COLUMNS = ("address_line1", "address_line2", "city", "state", "postal_code")
_TARGETS = frozenset((*COLUMNS, FREE_ADDRESS))
KEYS = ("separator", "columns", "fixed", "absent")
"""What a columns.toml, and `layout` of a manifest, may hold."""


@dataclass(frozen=True)
class Layout:
    """What a request table looks like.

    `names` gives the file's column for a contract column (itself where not said); `fixed` gives first character (from
    1) and width for files without separators; `absent` are contract columns that the file does not have.
    """

    separator: str = ","
    names: MappingOf[str, str] = field(default_factory=dict)
    fixed: MappingOf[str, tuple[int, int]] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()

    @property
    def targets(self) -> tuple[str, ...]:
        """The contract columns that the file has, FREE_ADDRESS standing for its one column of addresses."""
        if self.fixed:
            return tuple(self.fixed)
        free = (FREE_ADDRESS,) if FREE_ADDRESS in self.names else ()
        skipped = self.absent | (frozenset(_ADDRESS_COLUMNS) if free else frozenset())
        return tuple(column for column in COLUMNS if column not in skipped) + free

    def file_column(self, target: str) -> str:
        """The name in the file of a contract column."""
        return self.names.get(target, target)


CONTRACT = Layout()
"""The layout of design §5.2."""


def read(path: Path) -> Layout:
    """Read a columns.toml. Raises WrongInput naming every fault by its path in the document."""
    try:
        data = path.read_bytes()
    except OSError as failure:
        raise WrongInput(f"the file cannot be read ({failure.strerror})", where=path.name) from None
    faults = Faults(path.name)
    layout = _layout(Section(read_toml(data, path.name), "", faults, KEYS))
    faults.finish("See docs/submission.md")
    return layout


def stated(section: Section) -> Layout:
    """The layout that a manifest states under `layout`, with the keys of a columns.toml; faults go to the section's."""
    return _layout(section)


def document(layout: Layout) -> dict[str, Any]:
    """A layout as a manifest states it."""
    said: dict[str, Any] = {"separator": layout.separator, "columns": dict(layout.names), "fixed": {
        name: list(place) for name, place in layout.fixed.items()}, "absent": sorted(layout.absent)}  # fmt: skip
    return {key: value for key, value in said.items() if value}


def _layout(top: Section) -> Layout:
    faults = top.faults
    separator = top.text("separator", optional=True) if top.value.get("separator") != "\t" else "\t"
    if len(separator) > 1 or separator in ('"', "\n", "\r"):
        faults.add(top.at("separator"), "must be one character and no quotation mark")
    names = top.section("columns", sorted(_TARGETS)) if "columns" in top.value else None
    fixed = top.section("fixed", sorted(_TARGETS)) if "fixed" in top.value else None
    absent = frozenset(top.texts("absent")) if "absent" in top.value else frozenset()
    if not absent <= frozenset(COLUMNS) - {"request_id"}:
        faults.add(top.at("absent"), "must name columns of the request table, and not request_id")
    if names and fixed:
        faults.add(top.at("fixed"), "stands instead of columns, not beside it")
    layout = Layout(
        separator or ",",
        {key: names.text(key) for key in names.value if key in _TARGETS} if names else {},
        {key: _position(fixed, key) for key in fixed.value if key in _TARGETS} if fixed else {},
        absent,
    )
    _check(layout, faults)
    return layout


def _position(section: Section, key: str) -> tuple[int, int]:
    value = section.value[key]
    whole = isinstance(value, list) and len(value) == 2 and all(type(each) is int and each > 0 for each in value)
    if not whole:
        section.faults.add(f"{section.path}.{key}", "must be [first character, width], counted from 1")
        return (1, 1)
    return (value[0], value[1])


def _check(layout: Layout, faults: Faults) -> None:
    if len(set(layout.names.values())) != len(layout.names):
        faults.add("columns", "must not use one column of the file twice")
    if layout.absent & (set(layout.names) | set(layout.fixed)):
        faults.add("absent", "must not name a column that is given")
    given = set(layout.targets)
    covered = given | layout.absent | (set(_ADDRESS_COLUMNS) if FREE_ADDRESS in given else set())
    said = set(layout.names) | set(layout.fixed)
    if FREE_ADDRESS in said and said & set(_ADDRESS_COLUMNS):
        faults.add(FREE_ADDRESS, f"stands instead of {', '.join(_ADDRESS_COLUMNS)}")
    missing = [column for column in COLUMNS if column not in covered]
    if missing:
        faults.add("fixed", f"leaves out {', '.join(missing)}; name them in absent if the file has none")
