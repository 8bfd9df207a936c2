"""The site's ledger as the stages use it: open it, record an event exactly once, publish a witnessed checkpoint.

An event's opening (the only copy of its salts) is on disk before its commitment is in the ledger, so a crash between
the two is finished by recording the same event again. Whoever opens the ledger enters first what changed at the site
since it was last open: configuration, parties, policies, public keys, and the overseers' halts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatehouse.kernel import digests, files
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger import checkpoint, policy, shard
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.commitments import commit_event
from gatehouse.ledger.log import Log
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.policy import Witness
from gatehouse.ledger.signers import read_signer
from gatehouse.ledger.witness_client import CarriedWitness, HttpWitness
from gatehouse.pipeline import events, stamping
from gatehouse.pipeline.site import Site, open_site

WATCHED = {
    "configuration": ("gatehouse.toml", "parties.toml", "witnesses.policy", "oversight.policy"),
    "key": ("log.vkey", "custodian.vkey"),
}
"""Files of a site whose every change is an entry, by the kind of event."""
_MOST = 1 << 17  # bytes of a halt that are committed


def open_log(site: Site) -> Log:
    """Take hold of the site's ledger for writing, and enter what changed; close it soon, others wait."""
    log = Log.open(site.ledger, read_signer(site.log_key), state=site.ledger_state)
    try:
        notice(site, log)
    except BaseException:
        log.close()
        raise
    return log


def notice(site: Site, log: Log) -> None:
    """Enter every change of the files watched since it was last noticed, and every halt that was laid in.

    A change is committed as the SHA-256 of each file, null for one that is not there.
    """
    for kind, names in WATCHED.items():
        kept = sorted(site.events.glob(f"{kind}-*.json"), key=lambda path: int(path.stem.rpartition("-")[2]))
        now = {name: digests.of_file(site.root / name) if (site.root / name).is_file() else None for name in names}
        fields = {"event": f"{kind} change", "files": now}
        last = dict(Opening.parse(kept[-1].read_bytes(), where=str(kept[-1])).fields()) if kept else None
        if last is not None:
            event(log, site.events, f"site/{kept[-1].stem}", last)  # again: a crash may have come between
        if last != fields:
            event(log, site.events, f"site/{kind}-{len(kept)}", fields)
    for path in sorted(site.halts.iterdir()) if site.halts.is_dir() else []:
        with path.open("rb") as stream:
            data = stream.read(_MOST)
        digest = digests.of_bytes(data)
        fields = {"event": "halt", "statement": digest, "text": data.decode(errors="replace")}
        event(log, site.events, f"site/halt-{digest[:32]}", fields)


def begin(site: Site, now: dt.datetime, *, after: Path | None = None) -> Checkpoint:
    """Begin the ledger of a new site; its first entry commits to the site's name and configuration.

    Where it comes `after` the site of another year, the entry before that is the link to that one's newest checkpoint,
    whose keys the new site's policy names too.
    """
    with Log.create(site.ledger, read_signer(site.log_key), state=site.ledger_state) as log:
        if after is not None:
            earlier = open_site(after)
            shard.begin(log, final(earlier))
            known = policy.read(earlier.policy).logs
            lines = "".join(f"log {key.text}\n" for key in known)
            files.write(site.policy, (site.policy.read_text(encoding="utf-8") + lines).encode())
        configuration = site.configuration.read_text(encoding="utf-8")
        fields = {"event": "founded", "site": site.name, "configuration": configuration}
        event(log, site.events, "site/founded", fields)
        return publish(site, log, now)


def final(site: Site) -> Checkpoint:
    """A site's newest checkpoint, accepted under its own policy. Raises as the policy does, or where there is none."""
    path = site.ledger / "checkpoint"
    if not path.is_file():
        raise WrongInput("there is no ledger to continue", where=str(site.root))
    return policy.read(site.policy).accept(path.read_bytes(), where=str(path))


def event(log: Log, folder: Path, name: str, fields: Mapping[str, Any]) -> int:
    """Commit one event and return its index in the ledger; the same again changes nothing.

    The name `<scope>/<event>` is the batch's, unique in the ledger; the opening is kept as `<folder>/<event>.json`.
    Raises WrongInput when the name was used for other fields, and ValueError for a kind that `events` has no words for.
    """
    if events.kind(name) not in events.WORDS:
        raise ValueError(f"{name}: this kind of event has no words. Add them to gatehouse.pipeline.events")
    kept = folder / f"{name.rpartition('/')[2]}.json"
    if kept.exists():
        opening = Opening.parse(kept.read_bytes(), where=str(kept))
        if opening.fields() != dict(fields):
            raise WrongInput("an event of this name was recorded with other content", where=str(kept))
    else:
        files.sweep(folder, kept.name)  # whoever holds the log alone writes events
        _, opening = commit_event(fields)
        files.write(kept, opening.encode(), mode=0o600)
    return log.append(name, [opening.entry])


def publish(site: Site, log: Log, now: dt.datetime) -> Checkpoint:
    """Sign the tree as it stands, have it cosigned to the policy's quorum, and time-stamped where the site asks."""
    trusted = policy.read(site.policy)
    witnesses = [HttpWitness(each) if each.url else _carried(site, each) for each in trusted.witnesses]
    published = log.publish(now, policy=trusted, witnesses=witnesses)
    stamping.stamp(site, log)
    return published


def _carried(site: Site, witness: Witness) -> CarriedWitness:
    """A witness without an address: requests for it are laid into a folder of its own, and answers looked for there.

    What it last cosigned is the newest answer in the folder, or the newest published checkpoint that it signed.
    """
    folder, history = site.carried / witness.name, site.ledger / "checkpoints"
    seen = max((int(path.stem) for path in folder.glob("*.cosignature") if path.stem.isdecimal()), default=0)
    for size in sorted((int(path.name) for path in history.glob("*") if path.name.isdecimal()), reverse=True):
        if size <= seen:
            break
        shown = checkpoint.parse((history / str(size)).read_bytes())
        if any(line.is_by(witness.verifier) for line in shown.note.lines):
            seen = size
    return CarriedWitness(witness, folder, seen)
