"""The log's writer: batches go in exactly once, checkpoints come out, and no size is ever signed with two roots.

The public folder holds only what outsiders need. What the writer must remember (which batches went in, which roots
were signed, the batch that was being written when the machine died) lies in a private folder beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gatehouse.kernel import files
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.ledger import checkpoint, cosignature, gathering, growth, note, tiles, timestamps, tree
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.gathering import Cosigner
from gatehouse.ledger.opening import ENTRY_BYTES, PACKED_BYTES
from gatehouse.ledger.policy import Policy
from gatehouse.ledger.signers import Algorithm, Signer
from gatehouse.ledger.timestamps import Authority
from gatehouse.ledger.turn import Turn

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
  name TEXT PRIMARY KEY, first INTEGER NOT NULL, count INTEGER NOT NULL, digest BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS signed (size INTEGER PRIMARY KEY, root BLOB NOT NULL) STRICT;
"""
_MAX_BATCH_NAME = 200


class Log:
    """One writer's hold on a ledger; others wait in line for it, at most `turn.PATIENCE`, until it is closed.

    `publish` and `stamp` let others write while they wait for somebody outside.
    """

    covering: int | None
    """How many entries the next `publish` must cover; None for all there are. Appending raises it."""

    def __init__(self, root: Path, signer: Signer, state: Path) -> None:
        self.root = root
        self._signer = signer
        self._state = state
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.mkdir(parents=True, exist_ok=True)
        self.covering = None
        self._turn = Turn(state / "lock")
        try:
            self._database = sqlite3.connect(state / "ledger.sqlite3", isolation_level=None)
            self._database.executescript(f"PRAGMA synchronous=FULL; {_SCHEMA}")
            self._recover()
            self._check_memory()
            self._keep_shown()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, root: Path, signer: Signer, *, state: Path) -> Log:
        """Begin a new ledger; raises WrongInput when one is there already.

        `state` is the private folder, on the same file system as the public one and never published.
        """
        if root.exists() and any(root.iterdir()):
            raise WrongInput("there is already a ledger here", where=root.name)
        if signer.verifier.algorithm is not Algorithm.ED25519:
            raise WrongInput("a ledger's first signature must be plain Ed25519", where=root.name)
        return cls(root, signer, state)

    @classmethod
    def open(cls, root: Path, signer: Signer, *, state: Path) -> Log:
        """Take up a ledger, finishing what a crash interrupted.

        Raises WrongInput when there is none, MachineFailed when others held it for all of `turn.PATIENCE`, or when the
        private folder does not remember what the public one shows: signing from it could fork the ledger.
        """
        if not (state / "ledger.sqlite3").exists():
            raise WrongInput("there is no ledger here", where=root.name, remedy="Make one with `gatehouse init`")
        return cls(root, signer, state)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the ledger go, for another writer."""
        with contextlib.suppress(AttributeError):
            self._database.close()
        self._turn.close()

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
            raise WrongInput("a batch needs a name of at most 200 characters and at least one entry")
        if {*map(len, entries)} != {ENTRY_BYTES}:
            raise WrongInput(f"every entry must be a commitment of {ENTRY_BYTES} bytes")
        self._recover()  # a batch that a full disk interrupted comes first: its files are there already
        packed = tiles.encode_bundle(entries)
        digest = hashlib.sha256(packed).digest()
        known = self._batch(batch)
        if known is not None:
            if known[1] != digest:
                raise WrongInput("this batch is already in the ledger with different entries", where=batch)
            first = known[0]
        else:
            head = {"batch": batch, "first": self.size, "digest": digest.hex()}
            files.write(self._pending, json.dumps(head).encode() + b"\n" + packed, mode=0o600)
            first = self._apply(batch, self.size, packed, digest)
        self.covering = max(self.covering or 0, first + len(entries))
        return first

    def publish(
        self,
        now: datetime,
        *,
        policy: Policy | None = None,
        witnesses: Iterable[Cosigner] = (),
        second: Signer | None = None,
    ) -> Checkpoint:
        """Sign the tree as it stands, gather cosignatures, and publish the checkpoint; the same size again is free.

        With a policy, nothing is published until its quorum is met: MachineFailed says who declined and why, and
        trying again is safe. Where answers for an earlier state came back meanwhile, that state is published; it is
        the result if it covers all that was appended here. `second` is the log's own ML-DSA-44 key. `now` dates only
        that second signature. One publishes at a time; meanwhile others may append.
        """
        with self._apart():
            turn = Turn(self._state)
        try:
            return self._publish(now, policy, tuple(witnesses), second)
        finally:
            turn.close()

    def _publish(
        self, now: datetime, policy: Policy | None, witnesses: Sequence[Cosigner], second: Signer | None
    ) -> Checkpoint:
        size, root = self.size, self.reader().root()
        self._remember(size, root)
        published = self._published(size, root)
        if published is not None:
            self._install("checkpoint", published.encoded)
            return published
        signed, reader = self._signed(size, root, now, second), self.reader()
        with self._apart():
            lines, refusals = gathering.gather(
                witnesses, checkpoint.of_note(signed), lambda old: tree.consistency_proof(old, size, reader.node)
            )
        try:
            return self._settle(gathering.joined(signed, lines), policy)
        except AnswerIsNo as no:
            done = self._overtaken(policy, witnesses)
            if done is not None and done.size >= (self.covering or size):
                return done
            said = "; ".join([no.what, *refusals])
            remedy = "Reach more witnesses and try again"
            raise MachineFailed(f"the checkpoint is not published: {said}", remedy=remedy) from None

    def stamp(self, authorities: Sequence[Authority], roots: Sequence[Certificate] = ()) -> None:
        """Have the newest published checkpoint time-stamped, once; raises MachineFailed when no authority answers.

        With `roots`, an answer counts only under one of these certificates.
        """
        shown = self._shown()
        if shown is None:
            raise WrongInput("no checkpoint has been published yet", where=self.root.name)
        name = f"checkpoints/{shown.size}"
        if (self.root / f"{name}.tsr").exists():
            return
        with self._apart():
            token = timestamps.stamp((self.root / name).read_bytes(), authorities, roots)
        if not (self.root / f"{name}.tsr").exists():  # another may have had it stamped meanwhile
            self._install(f"{name}.tsr", token)

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
            raise MachineFailed("the unfinished batch is damaged", where=self._pending.name)
        self._apply(head["batch"], head["first"], packed, digest)

    def _check_memory(self) -> None:
        newest = self._database.execute("SELECT size, root FROM signed ORDER BY size DESC LIMIT 1").fetchone()
        shown = self._shown()
        if shown is not None and shown.origin != self._signer.name:
            raise WrongInput("the key's name differs from the ledger's", where=self._signer.name)
        if shown is not None and (newest is None or newest[0] < shown.size):
            raise MachineFailed(
                "the private folder is older than the published checkpoint",
                where=self._state.name,
                remedy="Restore the newest copy. Signing from this one could fork the ledger",
            )
        if newest is not None and (newest[0] > self.size or self._root_at(newest[0]) != bytes(newest[1])):
            raise MachineFailed("the tiles differ from those that were signed", where=self.root.name)

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

    def _signed(self, size: int, root: bytes, now: datetime, second: Signer | None) -> note.Note:
        """The log's own signature, and the cosignatures that earlier attempts at this size gathered."""
        signed = note.sign(checkpoint.body(self._signer.name, size, root), self._signer)
        kept = self._waiting(size)
        lines = [line.text for line in kept.lines if line.name != self._signer.name] if kept is not None else []
        if second is not None:
            lines.append(cosignature.cosign(second, signed.text, int(now.timestamp())))
        return gathering.joined(signed, lines)

    def _waiting(self, size: int) -> note.Note | None:
        path = self._state / "waiting" / str(size)
        return note.Note.parse(path.read_bytes(), where=path.name) if path.is_file() else None

    def _settle(self, signed: note.Note, policy: Policy | None) -> Checkpoint:
        """Publish a signed checkpoint that the policy accepts; else keep it for the answers still to come."""
        done, folder = checkpoint.of_note(signed), self._state / "waiting"
        if policy is not None:
            try:
                policy.accept(signed.encoded)
            except AnswerIsNo:
                files.write(folder / str(done.size), signed.encoded, mode=0o600)
                raise
        self._install("checkpoint", done.encoded)  # first: no kept checkpoint is ever newer than this one
        self._install(f"checkpoints/{done.size}", done.encoded)
        for path in folder.glob("*"):
            if not path.name.isdecimal() or int(path.name) <= done.size:
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # most often there is none
            folder.rmdir()
        return done

    def _overtaken(self, policy: Policy | None, witnesses: Sequence[Cosigner]) -> Checkpoint | None:
        """The newest published checkpoint, after publishing an earlier state whose missing answers came back."""
        shown = self._shown()
        sizes = [int(path.name) for path in (self._state / "waiting").glob("*") if path.name.isdecimal()]
        for size in sorted(sizes, reverse=True):
            kept = self._waiting(size)
            if kept is None or size <= (shown.size if shown is not None else -1):
                continue
            lines = gathering.returned(witnesses, checkpoint.of_note(kept))
            with contextlib.suppress(AnswerIsNo):
                return self._settle(gathering.joined(kept, lines), policy)
        return shown

    def _keep_shown(self) -> None:
        """Finish what a crash interrupted between the two places where a checkpoint is published."""
        shown = self._shown()
        if shown is not None and not (self.root / "checkpoints" / str(shown.size)).exists():
            self._install(f"checkpoints/{shown.size}", shown.encoded)

    @contextlib.contextmanager
    def _apart(self) -> Iterator[None]:
        """Let others write while somebody outside is waited for; afterwards wait in line again."""
        self._turn.leave()
        try:
            yield
        finally:
            self._turn.take()

    def _remember(self, size: int, root: bytes) -> None:
        # before any key signs: whatever happens afterwards, no other root of this size is ever signed
        self._database.execute("INSERT OR IGNORE INTO signed VALUES (?, ?)", [size, root])
        kept = bytes(self._database.execute("SELECT root FROM signed WHERE size = ?", [size]).fetchone()[0])
        if kept != root:
            raise MachineFailed("a different root was already signed for this size", where=self.root.name)

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
    """Where every named batch stands, in order, read beside a writer and without its lock; for those who explain.

    Raises MachineFailed where a killed writer left its last step half-written and this process may not undo it.
    """
    rows = _look_up(state, "SELECT name, first, count FROM batches ORDER BY first")
    return {str(name): range(first, first + count) for name, first, count in rows}


def place(state: Path, name: str) -> range | None:
    """Where one named batch stands, read as `batches` does; None when it never went in."""
    rows = _look_up(state, "SELECT name, first, count FROM batches WHERE name = ?", name)
    return next((range(first, first + count) for _, first, count in rows), None)


def _look_up(state: Path, query: str, *values: str) -> list[tuple[str, int, int]]:
    path = state / "ledger.sqlite3"
    if not path.is_file():
        return []
    try:
        try:
            return _rows(path, "ro", query, values)
        except sqlite3.OperationalError as failed:
            if failed.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
                raise
        # A writer was killed within a step. SQLite undoes such a step for whoever may write, and only where no writer
        # holds the file.
        return _rows(path, "rw", query, values)
    except sqlite3.OperationalError as failed:
        if failed.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise
        raise MachineFailed(
            "the ledger's last step was cut off, and this process may not undo it", where=str(path),
            remedy="Start the process that writes the ledger. It undoes the step when it starts",
        ) from None  # fmt: skip


def _rows(path: Path, mode: str, query: str, values: Sequence[str]) -> list[tuple[str, int, int]]:
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)) as database:
        found: list[tuple[str, int, int]] = database.execute(query, values).fetchall()
    return found


def take_over(state: Path, newest: Checkpoint) -> None:
    """After a restore, let an older private folder remember a newer public ledger, so that writing can go on from it.

    The caller has verified that ledger under its witnesses' quorum, and that it continues what the folder remembers.
    What lay between is one batch without a name of its own. Raises AnswerIsNo when the folder remembers more.
    """
    with contextlib.closing(sqlite3.connect(state / "ledger.sqlite3", isolation_level=None)) as database:
        known = int(database.execute("SELECT coalesce(max(first + count), 0) FROM batches").fetchone()[0])
        if known > newest.size:
            raise AnswerIsNo("the private folder has a newer state than that ledger", where=state.name)
        database.execute("PRAGMA synchronous=FULL")
        if known < newest.size:
            name = f"restored-{known}-{newest.size}"
            database.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", [name, known, newest.size - known, b""])
        database.execute("INSERT OR IGNORE INTO signed VALUES (?, ?)", [newest.size, newest.root])
