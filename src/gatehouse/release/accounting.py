"""The record of a disclosure, made at the time of disclosure: one a sealed package, beside its certificate.

It holds what an accounting of a disclosure of many must say (26 USC 6103(p)(3)(A); the fields are modelled on the
IRS's Form 5466-B as the Internal Revenue Manual 11.3.37 describes it) and nothing about any person. It is made of the
certificate alone, whose digest is in the ledger, so whoever has the certificate can make it again and compare.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gatehouse.kernel import canonical, digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import checkpoint

FORM = "gatehouse-disclosure-record/1"  # other fields are another format; this one is made for as long as it is checked
FOLDER = "disclosures"
METHOD = "electronic package sealed with age to one officer's key"


def record(certificate: bytes, package: str, *, where: str = "certificate.json") -> dict[str, Any]:
    """The record of the disclosure that a certificate permitted; `package` is the sealed package's SHA-256.

    Raises WrongInput when this is no certificate. It is read, not checked: `certificate.verify` does that.
    """
    try:
        stated = json.loads(certificate)
        under = checkpoint.parse(str(stated["checkpoint"]).encode(), where=where)
        bodies = [carried["statement"]["body"] for carried in stated["decisions"]]
        return {
            "format": FORM,
            "release": stated["release"],
            "disclosed_at": stated["released_at"],
            "custodian": under.origin,
            "agency": stated["agency"],
            "purpose": stated["basis"],
            "agreement": stated["agreement"],
            "docket": stated["docket"],
            "officer": stated["officer"],
            "method": METHOD,
            "items": sorted({item for row in stated["records"] for item in row["items"]}),
            "requests": len(stated["records"]),
            "approved_by": sorted({str(body["officer"]) for body in bodies if body["action"] == "approve"}),
            "pack_digest": stated["pack_digest"],
            "as_of": stated["as_of"],
            "expires_on": stated["expires_on"],
            "package": package,
            "certificate": digests.of_bytes(certificate),
            "checkpoint": {"size": under.size, "root": under.root.hex()},
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WrongInput("this is no certificate", where=where, remedy="Ask for a new copy") from None


def encode(made: dict[str, Any]) -> bytes:
    """The record's file: canonical JSON and a newline."""
    return canonical.encode(made) + b"\n"


def check(path: Path, made: dict[str, Any]) -> bool:
    """Whether the record that was made at the time is there. Raises AnswerIsNo when it says anything else."""
    if not path.is_file():
        return False
    if path.read_bytes() != encode(made):
        raise AnswerIsNo("the record made at the time of disclosure is not what its certificate says", where=path.name)
    return True
