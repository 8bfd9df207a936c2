"""What happened to a ledger since an inspector wrote its size and root down, whoever has kept it meanwhile."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import checkpoint, tiles, tree, witnessed
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.policy import Policy

_NOTED = re.compile(r"(0|[1-9][0-9]{0,18})[ :]+([0-9a-f]{64})", re.ASCII)
_MAX_CHECKPOINT = 1 << 20


@dataclass(frozen=True)
class Noted:
    """A size and a root as somebody outside has them."""

    size: int
    root: bytes


@dataclass(frozen=True)
class Step:
    """One checkpoint that was published since, and when its witnesses had seen it (UTC); None without witnesses."""

    size: int
    seen_at: dt.datetime | None


@dataclass(frozen=True)
class Since:
    """How many entries came since, and under which checkpoints."""

    noted: Noted
    entries: int
    steps: tuple[Step, ...]


def read_noted(text: str) -> Noted:
    """Read `SIZE ROOT` (the root in 64 hexadecimal digits) or the path of a checkpoint that was kept.

    A checkpoint's signatures are not asked: whoever kept it has seen them. Raises WrongInput for anything else.
    """
    written = _NOTED.fullmatch(text.strip())
    if written is not None:
        return Noted(int(written[1]), bytes.fromhex(written[2]))
    try:
        with Path(text).open("rb") as stream:
            kept = checkpoint.parse(stream.read(_MAX_CHECKPOINT), where=text)
    except OSError:
        raise WrongInput(
            "this is not a note of a ledger",
            where="--since",
            remedy="Write SIZE ROOT as you noted them, or name a checkpoint file",
        ) from None
    return Noted(kept.size, kept.root)


def compare(root: Path, newest: Checkpoint, noted: Noted, policy: Policy) -> Since:
    """Compare a ledger that was verified in full under `newest` with what was noted.

    Raises AnswerIsNo where the ledger is shorter than the note, or its beginning is not the one that was noted: then
    the custodian has rewritten history, and the note is the proof.
    """
    if noted.size > newest.size:
        raise AnswerIsNo(
            f"the ledger has {newest.size} entries, but you noted {noted.size}",
            where=root.name,
            remedy="Ask for the complete ledger. Entries that were seen must still be there",
        )
    found = tree.range_hash(0, noted.size, tiles.TileReader(root, newest.size).node)
    if found != noted.root:
        raise AnswerIsNo(
            f"the first {noted.size} entries differ from those that you noted: history was rewritten",
            where=root.name,
            remedy="Keep your note and this copy. Together they are the proof",
        )
    sizes = sorted(int(path.name) for path in (root / "checkpoints").iterdir() if path.name.isdecimal())
    steps = tuple(_step(root, size, policy) for size in sizes if size > noted.size)
    return Since(noted, newest.size - noted.size, steps)


def _step(root: Path, size: int, policy: Policy) -> Step:
    shown = checkpoint.parse((root / "checkpoints" / str(size)).read_bytes(), where=f"checkpoints/{size}")
    try:
        return Step(size, witnessed.cosigned_at(shown, policy))
    except AnswerIsNo:  # witnesses of earlier years, whom this policy no longer names
        return Step(size, None)
