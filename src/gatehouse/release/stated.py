"""What a certificate says, for the custodian's own accounts and reports: read, not checked.

Whoever reads one here has compared its digest with the ledger's; `binding.verify` is for everybody else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import checkpoint as checkpoints
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.entries import Received, Released
from gatehouse.release import certificate


@dataclass(frozen=True)
class Given:
    """One case of a release: its row, its determination's place in the ledger, and the items given."""

    seq: int
    index: int
    items: tuple[str, ...]


@dataclass(frozen=True)
class Stated:
    """What a certificate says of its release."""

    release: Released
    received: Received
    basis: str
    agreement: str
    checkpoint: Checkpoint
    decisions: tuple[Mapping[str, Any], ...]
    """The bodies of the signed decisions."""
    records: tuple[Given, ...]


def read(data: bytes, *, where: str = "certificate.json") -> Stated:
    """Read a certificate. Raises WrongInput when it is none, AnswerIsNo when an entry of it says something else."""
    given = certificate.parse(data, where=where)
    received = Received.of(given.received.opening.fields(), where=where)
    try:
        manifest = json.loads(given.manifest)
        basis, agreement = str(manifest["basis"]), str(manifest["agreement"])
    except (ValueError, KeyError, TypeError):
        raise WrongInput("the manifest of the certificate cannot be read", where=where) from None
    return Stated(
        Released.of(given.release.opening.fields(), where=where),
        received,
        basis,
        agreement,
        checkpoints.parse(given.checkpoint, where=where),
        tuple(taken.statement.body for taken in given.decisions),
        tuple(Given(one.seq, received.first + one.seq, one.items) for one in given.records),
    )
