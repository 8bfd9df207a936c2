"""How an event is called, and that it is about what its name says. Pure.

Names stand in the log's private state and on the files of openings, which whoever has the disk can change; what an
event says is committed. So a name is believed only where the event says the same: its kind, its docket, and what tells
it apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SAID = {
    "pack": ("pack in force",), "report": ("use report",), "destroyed": ("destruction",),
    "configuration": ("configuration change",), "key": ("key change",), "rotation": ("key change",),
    "answers_begun": ("answers begun",), "order": ("order", "order looked again"),
}  # fmt: skip
"""What an event of a kind says that it is, where that is not the name of the kind."""
_OF_DOCKET = frozenset(
    {
        "received", "docket", "decision", "release", "unsealed", "sealed", "answered", "receipt", "report", "disposal",
        "reconciliation", "recall", "withdrawal", "destroyed",
    }
)  # fmt: skip
"""What happens to a docket and is counted there. Among the events of the site nobody would look for it."""
_APART = {"decision": "number", "release": "release", "sealed": "release", "unsealed": "release"}
"""The field that the rest of a name repeats, for events that are looked up by their names."""


def kind(name: str) -> str:
    """The kind that a name tells: `decision` of `ICE-1/decision-3`."""
    return name.rpartition("/")[2].partition("-")[0]


def is_about(name: str, docket: str | None, fields: Mapping[str, Any]) -> bool:
    """Whether an event says what its name does, and stands where its kind does; `docket` is None for the site's."""
    told = kind(name)
    if fields.get("event") not in _SAID.get(told, (told,)) or (docket is not None) != (told in _OF_DOCKET):
        return False
    if docket is not None and fields.get("docket") != docket:
        return False
    apart = _APART.get(told)
    return apart is None or name.rpartition("/")[2] == f"{told}-{fields.get(apart)}"
