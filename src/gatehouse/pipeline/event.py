"""One event of a site as its ledger has it. What follows from events is in the modules that are named after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatehouse.pipeline import events

SITE = "site"
"""The scope of what is no docket's."""


@dataclass(frozen=True)
class Event:
    """Where it stands in the ledger, whose it is (a docket's id, or `site`), its name and what it says."""

    index: int
    scope: str
    name: str
    fields: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The kind, one of `events.WORDS`."""
        return events.kind(self.name)

    def text(self, field: str) -> str:
        """One field as text; empty where the event does not have it."""
        return str(self.fields.get(field, ""))
