"""The log's writer: batches go in exactly once, checkpoints come out, and no size is ever signed with two roots.

The public folder holds only what outsiders need. What the writer must remember (which batches went in, which roots
were signed, the batch that was being written when the machine died) lies in a private folder beside it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gatehouse.kernel import files
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.ledger import checkpoint, cosignature, growth, note, tiles, timestamps, tree
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.opening import ENTRY_BYTES, PACKED_BYTES
from gatehouse.ledger.policy import Policy
from gatehouse.ledger.signers import Algorithm, Signer
from gatehouse.ledger.timestamps import Authority

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
  name TEXT PRIMARY KEY, first INTEGER NOT NULL, count INTEGER NOT NULL, digest BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS signed (size INTEGER PRIMARY KEY, root BLOB NOT NULL) STRICT;
"""
_MAX_BATCH_NAME = 200

Prove = Callable[[int], list[bytes]]
"""From an older size, the consistency proof to the present one."""


class Cosigner(Protocol):
    """Somebody outside who is asked to cosign a checkpoint: a witness behind HTTP, or a folder carried by hand."""

    def cosign(self, checkpoint: Checkpoint, prove: Prove) -> list[str]:
        """Cosignature lines for the checkpoint; empty when the witness cannot be reached or declines."""


class Log:
    """One writer's hold on a ledger; others get MachineFailed until it is closed."""

    def __init__(self, root: Path, signer: Signer, state: Path) -> None:
        self.root = root
        self._signer = signer
        self._state = state
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(state / "lock")
        try:
            self._database = sqlite3.connect(state / "ledger.sqlite3", isolation_level=None)
            self._database.executescript(f"PRAGMA synchronous=FULL; {_SCHEMA}")
            self._recover()
            self._check_memory()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, root: Path, signer: Signer, *, state: Path) -> Log:
        """Begin a new ledger; raises WrongInput when one is there already.

        `state` is the private folder, on the same file system as the public one and never published.
        """
        if root.exists() and any(root.iterdir()):
            raise WrongInput("a ledger is there already", where=root.name)
        if signer.verifier.algorithm is not Algorithm.ED25519:
            raise WrongInput("a ledger's first signature is plain Ed25519", where=root.name)
        return cls(root, signer, state)

    @classmethod
    def open(cls, root: Path, signer: Signer, *, state: Path) -> Log:
        """Take up a ledger, finishing what a crash interrupted.

        Raises WrongInput when there is none, MachineFailed when another process holds it, or when the private folder
        does not remember what the public one shows: signing from a forgetful state could fork the ledger.
        """
        if not (state / "ledger.sqlite3").exists():
            raise WrongInput("there is no ledger here", where=root.name, remedy="`gatehouse init` makes one")
        return cls(root, signer, state)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the ledger go, for another writer."""
        with contextlib.suppress(AttributeError):
            self._database.close()
        os.close(self._lock)

    @property
    def size(self) -> int:
        """How many entries are in, published or not."""
        return int(self._database.execute("SELECT coalesce(max(first + count), 0) FROM batches").fetchone()[0])

    def reader(self) -> tiles.TileReader:
        """Nodes and entries of the tree as it stands."""
        return tiles.TileReader(self.root, self.size)

    def append(self, batch: str, entries: Sequence[bytes]) -> int:
        """Add a batch of commitments and return the index of its first, durably.

        A batch goes in once: the same name with the same entries again, also after a crash, returns the same index.
        Raises WrongInput for the same name with other entries, for an empty batch, and for entries that are not
        commitments (53 bytes each).
        """
        if not 0 < len(batch) <= _MAX_BATCH_NAME or not entries:
            raise WrongInput("a batch has a name of at most 200 characters and at least one entry")
        if {*map(len, entries)} != {ENTRY_BYTES}:
            raise WrongInput(f"every entry is a commitment of {ENTRY_BYTES} bytes")
        self._recover()  # a batch that a full disk interrupted comes first: its files are there already
        packed = tiles.encode_bundle(entries)
        digest = hashlib.sha256(packed).digest()
        known = self._batch(batch)
        if known is not None:
            if known[1] != digest:
                raise WrongInput("this batch went in with other entries", where=batch)
            return known[0]
        head = {"batch": batch, "first": self.size, "digest": digest.hex()}
        files.write(self._pending, json.dumps(head).encode() + b"\n" + packed, mode=0o600)
        return self._apply(batch, self.size, packed, digest)

    def publish(
        self,
        now: datetime,
        *,
        policy: Policy | None = None,
        witnesses: Iterable[Cosigner] = (),
        second: Signer | None = None,
    ) -> Checkpoint:
        """Sign the tree as it stands, gather cosignatures, and publish the checkpoint; the same size again is free.

        With a policy, nothing is published until its quorum is met: MachineFailed says so, and trying again is safe.
        `second` is the log's own ML-DSA-44 key. `now` dates only that second signature.
        """
        size, root = self.size, self.reader().root()
        self._remember(size, root)
        published = self._published(size, root)
        if published is not None:
            self._install("checkpoint", published.encoded)
            return published
        signed = note.sign(checkpoint.body(self._signer.name, size, root), self._signer)
        if second is not None:
            signed = signed.plus([cosignature.cosign(second, signed.text, int(now.timestamp()))])
        wanted = checkpoint.of_note(signed)
        for witness in witnesses:
            signed = signed.plus(witness.cosign(wanted, self._prove))
        done = _accepted(signed, policy)
        self._install(f"checkpoints/{size}", done.encoded)
        self._install("checkpoint", done.encoded)
        return done

    def stamp(self, authorities: Sequence[Authority], roots: Sequence[Certificate] = ()) -> None:
        """Have the newest published checkpoint time-stamped, once; raises MachineFailed when no authority answers.

        With `roots`, an answer counts only under one of these certificates.
        """
        shown = self._shown()
        if shown is None:
            raise WrongInput("nothing is published yet", where=self.root.name)
        name = f"checkpoints/{shown.size}"
        if not (self.root / f"{name}.tsr").exists():
            self._install(f"{name}.tsr", timestamps.stamp((self.root / name).read_bytes(), authorities, roots))

    def batch(self, name: str) -> range | None:
        """The indexes at which a named batch stands, or None when it never went in."""
        known = self._batch(name)
        return None if known is None else range(known[0], known[0] + known[2])

    @property
    def _pending(self) -> Path:
        return self._state / "pending"

    def _batch(self, name: str) -> tuple[int, bytes, int] | None:
        row = self._database.execute("SELECT first, digest, count FROM batches WHERE name = ?", [name]).fetchone()
        return None if row is None else (int(row[0]), bytes(row[1]), int(row[2]))

    def _apply(self, batch: str, first: int, packed: bytes, digest: bytes) -> int:
        growth.make_durable(growth.extend(self.root, first, packed))
        count = len(packed) // PACKED_BYTES
        self._database.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", [batch, first, count, digest])
        self._pending.unlink()
        return first

    def _recover(self) -> None:
        for left in [*self._state.glob(".*.tmp"), *self._state.glob("new-*")]:
            left.unlink()
        if not self._pending.exists():
            return
        head_line, _, packed = self._pending.read_bytes().partition(b"\n")
        head = json.loads(head_line)
        if self._batch(head["batch"]) is not None:
            self._pending.unlink()
            return
        digest = hashlib.sha256(packed).digest()
        if digest.hex() != head["digest"] or head["first"] != self.size:
            raise MachineFailed("the batch that was being written is damaged", where=self._pending.name)
        self._apply(head["batch"], head["first"], packed, digest)

    def _check_memory(self) -> None:
        newest = self._database.execute("SELECT size, root FROM signed ORDER BY size DESC LIMIT 1").fetchone()
        shown = self._shown()
        if shown is not None and shown.origin != self._signer.name:
            raise WrongInput("the key has another name than the ledger", where=self._signer.name)
        if shown is not None and (newest is None or newest[0] < shown.size):
            raise MachineFailed(
                "the private folder is older than the published checkpoint",
                where=self._state.name,
                remedy="Restore the newest copy: signing from this one could fork the ledger",
            )
        if newest is not None and (newest[0] > self.size or self._root_at(newest[0]) != bytes(newest[1])):
            raise MachineFailed("the tiles are not those that were signed", where=self.root.name)

    def _root_at(self, size: int) -> bytes:
        try:
            return tree.range_hash(0, size, self.reader().node)
        except AnswerIsNo:
            return b""

    def _shown(self) -> Checkpoint | None:
        path = self.root / "checkpoint"
        return checkpoint.parse(path.read_bytes()) if path.exists() else None

    def _published(self, size: int, root: bytes) -> Checkpoint | None:
        path = self.root / "checkpoints" / str(size)
        found = checkpoint.parse(path.read_bytes(), where=f"checkpoints/{size}") if path.exists() else None
        return found if found is not None and found.root == root else None

    def _remember(self, size: int, root: bytes) -> None:
        # before any key signs: whatever happens afterwards, no other root of this size is ever signed
        self._database.execute("INSERT OR IGNORE INTO signed VALUES (?, ?)", [size, root])
        kept = bytes(self._database.execute("SELECT root FROM signed WHERE size = ?", [size]).fetchone()[0])
        if kept != root:
            raise MachineFailed("another root was signed for this size", where=self.root.name)

    def _prove(self, old: int) -> list[bytes]:
        return tree.consistency_proof(old, self.size, self.reader().node)

    def _install(self, name: str, data: bytes) -> None:
        # made in the private folder, so that nothing unfinished ever lies in the public one
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        made = self._state / f"new-{target.name}"
        files.write(made, data)
        made.replace(target)
        files.sync_folder(target.parent)
        files.sync_folder(self.root)


def batches(state: Path) -> dict[str, range]:
    """Where every named batch stands, in order, read beside a writer and without its lock; for those who explain."""
    path = state / "ledger.sqlite3"
    if not path.is_file():
        return {}
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT name, first, count FROM batches ORDER BY first").fetchall()
    return {str(name): range(first, first + count) for name, first, count in rows}


def take_over(state: Path, newest: Checkpoint) -> None:
    """After a restore, let an older private folder remember a newer public ledger, so that writing can go on from it.

    The caller has verified that ledger under its witnesses' quorum, and that it continues what the folder remembers.
    What lay between is one batch without a name of its own. Raises AnswerIsNo when the folder remembers more.
    """
    with contextlib.closing(sqlite3.connect(state / "ledger.sqlite3", isolation_level=None)) as database:
        known = int(database.execute("SELECT coalesce(max(first + count), 0) FROM batches").fetchone()[0])
        if known > newest.size:
            raise AnswerIsNo("the private folder remembers more than that ledger holds", where=state.name)
        database.execute("PRAGMA synchronous=FULL")
        if known < newest.size:
            name = f"restored-{known}-{newest.size}"
            database.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", [name, known, newest.size - known, b""])
        database.execute("INSERT OR IGNORE INTO signed VALUES (?, ?)", [newest.size, newest.root])


def _accepted(signed: note.Note, policy: Policy | None) -> Checkpoint:
    if policy is None:
        return checkpoint.of_note(signed)
    try:
        return policy.accept(signed.encoded)
    except AnswerIsNo as no:
        raise MachineFailed(
            f"the checkpoint is not published: {no.what}", remedy="Reach more witnesses and try again"
        ) from None


def _lock(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise MachineFailed("another process is writing to the ledger", remedy="Wait for it to end") from None
    return handle
