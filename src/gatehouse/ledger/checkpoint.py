"""Checkpoints: the signed statement of a ledger's size and root (c2sp.org/tlog-checkpoint@v1.0.0).

Three lines, origin, size and root, then optional extension lines, in a signed note. The origin is the name of the
log's key.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger.note import Note
from gatehouse.ledger.signers import decode_base64

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """A ledger's size and root as its log states them; proven only by the signatures of `note`."""

    origin: str
    size: int
    root: bytes
    note: Note

    @property
    def encoded(self) -> bytes:
        """The note's bytes, as published."""
        return self.note.encoded


def body(origin: str, size: int, root: bytes) -> str:
    """The text of a checkpoint, with its final newline."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def parse(data: bytes, *, where: str = "checkpoint") -> Checkpoint:
    """Read a checkpoint's form; raises WrongInput when it is none. Proves nothing about the signatures."""
    return of_note(Note.parse(data, where=where), where=where)


def of_note(note: Note, *, where: str = "checkpoint") -> Checkpoint:
    """A note's text as a checkpoint; raises WrongInput when it is none."""
    lines = note.text.split("\n")
    root = decode_base64(lines[2]) if len(lines) >= 4 else None
    well_formed = root is not None and len(root) == 32 and lines[0] and _SIZE.fullmatch(lines[1])
    if root is None or not well_formed or any(not line for line in lines[3:-1]):
        raise WrongInput("a checkpoint must have an origin, a size and a root, each on its own line", where=where)
    return Checkpoint(lines[0], int(lines[1]), root, note)
