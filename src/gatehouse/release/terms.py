"""What an officer agrees to on opening: whose the data is, what for, until when, and what must come back.

The text travels inside the package and its digest in the certificate, so that nobody can say they were shown another.
"""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from gatehouse.law.wording import DEFAULT, Wording

USE_DAYS = 90
"""How long a release may be opened and kept, unless the custodian says otherwise: policy, not law."""
RECEIPT_DAYS = 10
REPORT_DAYS = 90


@dataclass(frozen=True)
class Terms:
    """The conditions of one release."""

    release: str
    docket: str
    agency: str
    officer: str
    basis: str
    matters: Sequence[str]
    released_on: dt.date
    expires_on: dt.date
    demonstration: bool = False
    wording: Wording = DEFAULT
    """The words of the law under which it was decided."""

    def text(self) -> str:
        """The terms as shown before anything else is."""
        banner = "DEMONSTRATION - every person in this release is invented.\n\n" if self.demonstration else ""
        matters = "\n".join(f"  {matter}" for matter in self.matters) or "  (none was given)"
        return (
            f"{banner}TERMS OF USE OF RELEASE {self.release}\n\n"
            f"Docket {self.docket}, released on {self.released_on} to officer {self.officer} of {self.agency} alone,\n"
            f"under {self.basis}.\n\n"
            f"{self._conditions()}\n\n"
            f"Matters:\n{matters}\n"
        )

    def _conditions(self) -> str:
        use = (
            f"Only the named officer may open it, only for the matters below, and only for {self.wording.purposes}. No "
            "other purpose, no other file, no passing on to anyone who is not personally and directly engaged in the "
            "same matter."
        )
        end = (
            f"It expires on {self.expires_on}. Until then every use is logged; by then every copy is destroyed and a "
            "disposal certificate with the method is returned."
        )
        due = f"A signed receipt is due within {RECEIPT_DAYS} days, a use report every {REPORT_DAYS} days."
        recall = "On a recall notice use stops at once and every copy is destroyed."
        said = (self.wording.confidential, use, end, due, recall, self.wording.breach)
        return "\n".join(
            textwrap.fill(text, 110, initial_indent=f"{number}. ", subsequent_indent="   ")
            for number, text in enumerate(said, 1)
        )


def expiry(released_on: dt.date, days: int = USE_DAYS) -> dt.date:
    """The last day on which a release may be opened."""
    return released_on + dt.timedelta(days=days)
