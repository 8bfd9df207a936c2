"""The receipt: what arrived, when, and under which digest, signed by the custodian; also when it was refused whole.

A refusal is on record like everything else. The receipt repeats nothing from the requests.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatehouse.intake.manifest import Manifest
from gatehouse.kernel import canonical, clock, files
from gatehouse.ledger.note import sign_detached
from gatehouse.ledger.signers import Signer

FORMAT = "gatehouse-receipt/1"
NAME = "receipt.json"
SIGNATURE = "receipt.json.sig"


@dataclass(frozen=True)
class Receipt:
    """The content of receipt.json.

    `submission` is the submission's id where it could be read; `digest` is SHA-256 of submission.json, which binds the
    tables, or of all files where there was none to read. `refusal` is the one line that says why nothing was decided.
    """

    submission: str | None
    digest: str
    requests: int
    received_at: dt.datetime
    signed_by: str | None
    refusal: str | None = None
    received_by: str | None = None
    """Who handed it in at the custodian; that person may not approve it."""

    @property
    def encoded(self) -> bytes:
        """Canonical JSON with a newline: the exact bytes that are signed."""
        content = {
            "format": FORMAT,
            "submission": self.submission,
            "digest": self.digest,
            "requests": self.requests,
            "received_at": clock.stamp(self.received_at),
            "signed_by": self.signed_by,
            "refusal": self.refusal,
            "received_by": self.received_by,
        }
        return canonical.encode(content) + b"\n"


def write(receipt: Receipt, folder: Path, signer: Signer | None) -> None:
    """Write receipt.json and, where there is a signer, receipt.json.sig into a folder, each all or nothing."""
    data = receipt.encoded
    if signer is not None:
        files.write(folder / SIGNATURE, sign_detached(data, signer).encode())
    files.write(folder / NAME, data)


def submitters(manifest: Manifest, receipt: Mapping[str, Any]) -> frozenset[str]:
    """Everyone who signed, is to receive, or took in a submission, by id and by name; none of them may decide it."""
    people = {manifest.signatory.name, *(officer.id for officer in manifest.officers)}
    people |= {officer.name for officer in manifest.officers}
    receiver = receipt.get("received_by")
    return frozenset(people | ({receiver} if isinstance(receiver, str) and receiver else set()))
