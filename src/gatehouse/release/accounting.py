"""The record of a disclosure, made at the time of disclosure: one a sealed package, beside its certificate.

It holds what an accounting of a disclosure of many must say (26 USC 6103(p)(3)(A); the fields are modelled on the
IRS's Form 5466-B as the Internal Revenue Manual 11.3.37 describes it) and nothing about any person. It is made of the
certificate alone, whose digest is in the ledger, so whoever has the certificate can make it again and compare.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gatehouse.kernel import canonical, digests
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.release import stated

FORM = "gatehouse-disclosure-record/1"  # other fields are another format; this one is made for as long as it is checked
FOLDER = "disclosures"
METHOD = "electronic package sealed with age to one officer's key"


def record(certificate: bytes, package: str, *, where: str = "certificate.json") -> dict[str, Any]:
    """The record of the disclosure that a certificate permitted; `package` is the sealed package's SHA-256.

    Raises WrongInput when this is not a certificate. It is read, not checked: `binding.verify` does that.
    """
    said = stated.read(certificate, where=where)
    release, under = said.release, said.checkpoint
    return {
        "format": FORM,
        "release": release.release,
        "disclosed_at": release.released_at,
        "custodian": under.origin,
        "agency": release.agency,
        "purpose": said.basis,
        "agreement": said.agreement,
        "docket": release.docket,
        "officer": release.officer,
        "method": METHOD,
        "items": release.items,
        "requests": len(said.records),
        "approved_by": sorted({str(body["officer"]) for body in said.decisions if body["action"] == "approve"}),
        "pack_digest": said.received.pack,
        "as_of": said.received.as_of,
        "expires_on": release.expires_on,
        "package": package,
        "certificate": digests.of_bytes(certificate),
        "checkpoint": {"size": under.size, "root": under.root.hex()},
    }


def encode(made: dict[str, Any]) -> bytes:
    """The record's file: canonical JSON and a newline."""
    return canonical.encode(made) + b"\n"


def check(path: Path, made: dict[str, Any]) -> bool:
    """Whether the record that was made at the time is there. Raises AnswerIsNo when it says anything else."""
    if not path.is_file():
        return False
    if path.read_bytes() != encode(made):
        raise AnswerIsNo("the record made at the time of disclosure does not match its certificate", where=path.name)
    return True
