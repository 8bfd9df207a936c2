"""What an officer agrees to on opening: whose the data is, what for, until when, and what must come back.

The text travels inside the package and its digest in the certificate, so that nobody can say they were shown another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

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

    def text(self) -> str:
        """The terms as shown before anything else is."""
        banner = "DEMONSTRATION - every person in this release is invented.\n\n" if self.demonstration else ""
        matters = "\n".join(f"  {matter}" for matter in self.matters) or "  (none was given)"
        return (
            f"{banner}TERMS OF USE OF RELEASE {self.release}\n\n"
            f"Docket {self.docket}, released on {self.released_on} to officer {self.officer} of {self.agency} alone,\n"
            f"under {self.basis}.\n\n"
            "1. Return information is confidential (26 USC 6103(a)). Unlawful disclosure or inspection is a crime\n"
            "   (26 USC 7213, 7213A) and gives the taxpayer a claim for damages (26 USC 7431).\n"
            "2. Only the named officer may open it, only for the matters below, and only for the preparation,\n"
            "   investigation or grand jury proceeding that the request named. No other purpose, no other file, no\n"
            "   passing on to anyone who is not personally and directly engaged in the same matter.\n"
            f"3. It expires on {self.expires_on}. Until then every use is logged; by then every copy is destroyed\n"
            "   and a disposal certificate with the method is returned.\n"
            f"4. A signed receipt is due within {RECEIPT_DAYS} days of the release, a use\n"
            f"   report every {REPORT_DAYS} days.\n"
            "5. On a recall notice use stops at once and every copy is destroyed.\n"
            "6. An improper inspection or disclosure is reported to TIGTA and to the IRS Office of Safeguards at\n"
            "   once, no later than 24 hours after it is found (Publication 1075).\n\n"
            f"Matters:\n{matters}\n"
        )


def expiry(released_on: dt.date, days: int = USE_DAYS) -> dt.date:
    """The last day on which a release may be opened."""
    return released_on + dt.timedelta(days=days)
