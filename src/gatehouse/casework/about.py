"""What a decision is about beyond its cases: which docket, whose records, what would go to whom, under which law.

All of it is signed with the decision, so that nothing of it can be exchanged afterwards. The candidates are named by a
digest under each record's own key in the vault: whoever has the docket compares it, nobody else learns a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Recipient:
    """An officer of the agency, and the key that the agency's signed manifest names for them."""

    officer: str
    recipient: str

    def document(self) -> dict[str, str]:
        """The same as JSON."""
        return {"officer": self.officer, "recipient": self.recipient}


@dataclass(frozen=True)
class About:
    """What the cases of one decision are and what follows from it."""

    index: int
    """Where the docket's entry stands in the ledger."""
    entry: str
    """SHA-256 of that entry's bytes."""
    batch: str
    """The batch of the determinations."""
    candidates: str
    """Digest of the one candidate shown for each case (`pipeline.subject`)."""
    items: tuple[str, ...]
    """Every item that a release of these cases could hold, sorted."""
    recipients: tuple[Recipient, ...]
    """Everybody to whom these cases could go, sorted by officer."""
    pack: str
    as_of: str
    """The law and the day under which the cases were determined."""

    def document(self) -> dict[str, Any]:
        """The fields that a statement holds of it."""
        return {
            "docket_entry": {"index": self.index, "sha256": self.entry},
            "batch": self.batch,
            "candidates": self.candidates,
            "items": list(self.items),
            "recipients": [each.document() for each in self.recipients],
            "law": {"pack_digest": self.pack, "as_of": self.as_of},
        }
