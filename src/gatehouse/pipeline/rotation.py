"""Rotating the ledger's key: announced under the old one, so that witnesses and verifiers can learn the new one first.

The old and the new key stand in the ledger together before the new one signs anything. Each step may be done again, and
goes on from where it stands. The old private key is gone only when a checkpoint under the new one was published; its
public line stays in the policy, for what it signed. `trust/`, which agencies fetch, follows.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from gatehouse.kernel import files
from gatehouse.kernel.errors import MachineFailed, WrongInput
from gatehouse.ledger import checkpoint
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.signers import Signer, read_signer, write_key
from gatehouse.pipeline import approve, record, release
from gatehouse.pipeline.hold import Hold
from gatehouse.pipeline.site import Site


def next_key(site: Site) -> Path:
    """Where the key that is to follow lies: a key file, or the address of one in a hardware module."""
    return site.keys / "log.key.next"


def announce(site: Site, now: dt.datetime) -> str:
    """Make the next key, unless it was laid there, and put both keys on record; gives the new public line.

    Hand it to every witness and verifier before `rotate`. Done again, the same key is announced again: no third one is
    made while a rotation is under way. Raises WrongInput when the next key has another name.
    """
    path = next_key(site)
    if not path.exists():
        _refuse_unpublished(site)
        write_key(path, read_signer(site.log_key).name)
    with record.open_log(site) as log:
        _enter(site, log)
        record.publish(site, log, now)
    _believe(site, read_signer(path))
    return read_signer(path).key_text


def rotate(site: Site, now: dt.datetime) -> Checkpoint:
    """Let the announced key sign from now on; gives the first checkpoint under it.

    Raises WrongInput when none was announced, MachineFailed while the witnesses do not know the new key yet: then the
    rotation is under way, nothing is published until they do, and doing it again goes on from there.
    """
    path = next_key(site)
    if path.exists():
        new = read_signer(path)
        with record.open_log(site) as log:
            _enter(site, log)
            record.publish(site, log, now)
        _believe(site, new)
        files.write(site.root / "log.vkey", f"{new.key_text}\n".encode())
        path.replace(site.log_key)
        files.sync_folder(site.keys)
    elif _signed_by_present(site):
        raise WrongInput(
            "no key has been announced", where=str(path), remedy="Run `gatehouse key next --site SITE` first"
        )
    try:
        with record.open_log(site) as log:  # which enters that policy and key changed, so there is something to sign
            shown = record.publish(site, log, now)
    except MachineFailed as failed:
        raise MachineFailed(
            f"the rotation is in progress, and nothing is published until it is complete: {failed.what}",
            remedy="Give every witness the key in log.vkey, then run `gatehouse key rotate` again. Do not make "
        "a third key",
        ) from failed  # fmt: skip
    release.write_trust(approve.office(site))
    return shown


def _believe(site: Site, new: Signer) -> None:
    """Write the new key into the site's own policy and into what agencies fetch, beside the old one."""
    policy = site.policy.read_text(encoding="utf-8")
    if new.key_text not in policy:
        files.write(site.policy, f"log {new.key_text}\n{policy}".encode())
    if (site.root / "trust").is_dir():
        release.write_trust(approve.office(site))


def _signed_by_present(site: Site) -> bool:
    """Whether the newest published checkpoint carries the signature of the key that signs now."""
    path = site.ledger / "checkpoint"
    present = read_signer(site.log_key).verifier
    return path.is_file() and any(line.is_by(present) for line in checkpoint.parse(path.read_bytes()).note.lines)


def _refuse_unpublished(site: Site) -> None:
    if not _signed_by_present(site):
        raise WrongInput(
            "a rotation is in progress: the current key has not signed anything published yet", where=str(site.log_key),
            remedy="Give every witness the key in log.vkey, then run `gatehouse key rotate` to complete it",
        )  # fmt: skip


def _enter(site: Site, log: Hold) -> None:
    old, new = read_signer(site.log_key), read_signer(next_key(site))
    if new.name != old.name:
        raise WrongInput("the next key's name differs from the ledger's", where=new.name, remedy=f"Name it {old.name}")
    fields = {"event": "key change", "old": old.key_text, "new": new.key_text}
    record.event(log, site.events, f"site/rotation-{new.verifier.key_hash.hex()}", fields)
