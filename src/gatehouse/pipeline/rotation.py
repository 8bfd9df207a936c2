"""Rotating the ledger's key: announced under the old one, so that witnesses and verifiers can learn the new one first.

The old and the new key stand in the ledger together before the new one signs anything. Each step may be done again
after a crash. The old private key is gone afterwards; its public line stays in the policy, for what it signed.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from gatehouse.kernel import files
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.log import Log
from gatehouse.ledger.signers import read_signer, write_key
from gatehouse.pipeline import record
from gatehouse.pipeline.site import Site


def next_key(site: Site) -> Path:
    """Where the key that is to follow lies: a key file, or the address of one in a hardware module."""
    return site.keys / "log.key.next"


def announce(site: Site, now: dt.datetime) -> str:
    """Make the next key, unless it was laid there, and put both keys on record; gives the new public line.

    Hand it to every witness and verifier before `rotate`. Raises WrongInput when the next key has another name.
    """
    path = next_key(site)
    if not path.exists():
        write_key(path, read_signer(site.log_key).name)
    with record.open_log(site) as log:
        _enter(site, log)
        record.publish(site, log, now)
    return read_signer(path).key_text


def rotate(site: Site, now: dt.datetime) -> Checkpoint:
    """Let the announced key sign from now on; gives the first checkpoint under it.

    Raises WrongInput when none was announced, MachineFailed while the witnesses do not know the new key yet: then
    nothing is published until they do, and the next command that publishes ends the rotation.
    """
    path = next_key(site)
    if not path.exists():
        raise WrongInput("no key was announced", where=str(path), remedy="`gatehouse key next --site SITE` comes first")
    new = read_signer(path)
    with record.open_log(site) as log:
        _enter(site, log)
        record.publish(site, log, now)
    policy = site.policy.read_text(encoding="utf-8")
    if new.key_text not in policy:
        files.write(site.policy, f"log {new.key_text}\n{policy}".encode())
    files.write(site.root / "log.vkey", f"{new.key_text}\n".encode())
    path.replace(site.log_key)
    files.sync_folder(site.keys)
    with record.open_log(site) as log:  # which enters that policy and key changed, so there is something to sign
        return record.publish(site, log, now)


def _enter(site: Site, log: Log) -> None:
    old, new = read_signer(site.log_key), read_signer(next_key(site))
    if new.name != old.name:
        raise WrongInput("the next key has another name than the ledger", where=new.name, remedy=f"Name it {old.name}")
    fields = {"event": "key change", "old": old.key_text, "new": new.key_text}
    record.event(log, site.events, f"site/rotation-{new.verifier.key_hash.hex()}", fields)
