"""The site's ledger as the stages use it: open it, record an event exactly once, publish a witnessed checkpoint.

An event's opening (the only copy of its salts) is on disk before its commitment is in the ledger, so a crash between
the two is finished by recording the same event again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import policy
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.commitments import commit_event
from gatehouse.ledger.log import Log
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.signers import read_signer
from gatehouse.ledger.witness_client import HttpWitness
from gatehouse.pipeline.site import Site


def open_log(site: Site) -> Log:
    """Take hold of the site's ledger for writing; close it soon, others wait."""
    return Log.open(site.ledger, read_signer(site.log_key), state=site.ledger_state)


def begin(site: Site, now: dt.datetime) -> Checkpoint:
    """Begin the ledger of a new site; its first entry commits to the site's name and configuration."""
    with Log.create(site.ledger, read_signer(site.log_key), state=site.ledger_state) as log:
        configuration = site.configuration.read_text(encoding="utf-8")
        fields = {"event": "founded", "site": site.name, "configuration": configuration}
        event(log, site.events, "site/founded", fields)
        return publish(site, log, now)


def event(log: Log, folder: Path, name: str, fields: Mapping[str, Any]) -> int:
    """Commit one event and return its index in the ledger; the same again changes nothing.

    The name `<scope>/<event>` is the batch's, unique in the ledger; the opening is kept as `<folder>/<event>.json`.
    Raises WrongInput when the name was used for other fields.
    """
    kept = folder / f"{name.rpartition('/')[2]}.json"
    if kept.exists():
        opening = Opening.parse(kept.read_bytes(), where=str(kept))
        if opening.fields() != dict(fields):
            raise WrongInput("an event of this name was recorded with other content", where=str(kept))
    else:
        _, opening = commit_event(fields)
        files.write(kept, opening.encode(), mode=0o600)
    return log.append(name, [opening.entry])


def publish(site: Site, log: Log, now: dt.datetime) -> Checkpoint:
    """Sign the tree as it stands and have it cosigned to the quorum of the site's policy."""
    trusted = policy.read(site.policy)
    return log.publish(now, policy=trusted, witnesses=[HttpWitness(each) for each in trusted.witnesses if each.url])
