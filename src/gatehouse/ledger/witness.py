"""A witness: it remembers the newest checkpoint it has seen of a log, and cosigns only what continues it.

Whoever runs one needs to believe nobody: a log that shows two people two histories, or takes an entry back, finds that
the witness has signed the other one (c2sp.org/tlog-witness). What it remembers is on disk before its answer leaves.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gatehouse.kernel import files
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.ledger import checkpoint, cosignature, signers, tree
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.note import Note
from gatehouse.ledger.signers import Algorithm, Signer, Verifier, decode_base64

MAX_REQUEST = 1 << 17
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)
_MAX_PROOF = 63
_PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """What goes back over HTTP: status, content type and body."""

    status: int
    body: bytes
    content_type: str = _PLAIN


@dataclass(frozen=True)
class _Request:
    old: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint


class Witness:
    """One witness: its key, the logs it watches, and its memory in a folder that no other process may use."""

    def __init__(self, state: Path, signer: Signer, logs: Sequence[Verifier], now: Callable[[], datetime]) -> None:
        self._state = state
        self._signer = signer
        self._logs = logs
        self._now = now
        self._turn = threading.Lock()
        state.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise MachineFailed("another process already runs this witness", where=state.name) from None

    def close(self) -> None:
        """Let another process be this witness."""
        os.close(self._handle)

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer an add-checkpoint request: 200 with a cosignature, or 400, 403, 404, 409, 422 as the standard says.

        409 with a number tells the size that was cosigned last; without one, that another root of this size was.
        """
        try:
            request = _parse(body)
        except WrongInput as wrong:
            return Answer(400, f"{wrong.what}\n".encode())
        logs = [log for log in self._logs if log.name == request.checkpoint.origin]
        if not logs:
            return Answer(404, b"this log is not known here\n")
        try:
            signed = request.checkpoint.note.signed_by(logs)
        except AnswerIsNo:
            signed = {}
        if not signed:
            return Answer(403, b"no known key of this log signed the checkpoint\n")
        if request.old > request.checkpoint.size:
            return Answer(400, b"the old size is beyond the checkpoint\n")
        with self._turn:
            return self._consider(request, [line.text for line in signed.values()])

    def answer_again(self, origin: str) -> tuple[int, bytes] | None:
        """The size last cosigned of a log and the line that was answered then; None when there was none."""
        kept = self.latest(hashlib.sha256(origin.encode()).hexdigest())
        if kept is None:
            return None
        shown = checkpoint.parse(kept)
        lines = [line.text for line in shown.note.lines if line.is_by(self._signer.verifier)]
        return shown.size, "".join(f"{line}\n" for line in lines).encode()

    def latest(self, origin_hash: str) -> bytes | None:
        """The newest checkpoint cosigned for the log whose origin has this SHA-256, or None."""
        path = self._state / f"{origin_hash}.checkpoint"
        known = re.fullmatch(r"[0-9a-f]{64}", origin_hash, re.ASCII) is not None
        return path.read_bytes() if known and path.exists() else None

    def _consider(self, request: _Request, signatures: list[str]) -> Answer:
        offered = request.checkpoint
        name = hashlib.sha256(offered.origin.encode()).hexdigest()
        kept = self.latest(name)
        seen = None if kept is None else checkpoint.parse(kept)
        size, root = (0, tree.EMPTY_ROOT) if seen is None else (seen.size, seen.root)
        if request.old != size:
            return Answer(409, f"{size}\n".encode(), "text/x.tlog.size")
        if offered.size == size and offered.root != root and not request.proof:
            return Answer(409, b"FORK: another root of this size was cosigned\n")
        if not tree.verify_consistency(size, offered.size, root, offered.root, request.proof):
            return Answer(422, b"FORK or wrong proof: the checkpoint does not continue what was cosigned\n")
        line = cosignature.cosign(self._signer, offered.note.text, int(self._now().timestamp()))
        remembered = Note(offered.note.text, ()).plus([*signatures, line])
        files.write(self._state / f"{name}.checkpoint", remembered.encoded)
        return Answer(200, f"{line}\n".encode())


def open_key(state: Path, name: str | None, algorithm: Algorithm = Algorithm.ED25519_COSIGNATURE) -> Signer:
    """The witness's key in its folder, made on first use; its public half is written to `witness.vkey`."""
    path = state / "witness.key"
    if not path.exists():
        signers.write_key(path, name or f"witness/{secrets.token_hex(4)}", algorithm)
    signer = signers.read_signer(path)
    if name is not None and signer.name != name:
        raise WrongInput("this folder belongs to a witness with a different name", where=state.name)
    files.write(state / "witness.vkey", f"{signer.key_text}\n".encode())
    return signer


def _parse(body: bytes) -> _Request:
    wrong = WrongInput("the request is not an add-checkpoint request")
    head, gap, note = body.partition(b"\n\n") if len(body) <= MAX_REQUEST else (b"", b"", b"")
    try:
        first, *rest = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise wrong from None
    old = _OLD.fullmatch(first)
    proof = [decode_base64(line) for line in rest]
    if not gap or old is None or len(proof) > _MAX_PROOF:
        raise wrong
    hashes = tuple(step for step in proof if step is not None and len(step) == tree.HASH)
    if len(hashes) != len(proof):
        raise wrong
    return _Request(int(old[1]), hashes, checkpoint.parse(note))
