"""What happened to a ledger since somebody outside saw it: by a note, or by anything that carries a checkpoint.

A ledger that is cut back to an older checkpoint agrees with itself. Whoever holds a later state notices: an inspector
by a note, an agency by the certificate of a package, an officer by the memory of a key, a person by an answer, a
witness by what it cosigned last.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import answer, checkpoint, proof, tiles, tree, witnessed
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.policy import Policy

_NOTED = re.compile(r"(0|[1-9][0-9]{0,18})[ :]+([0-9a-f]{64})", re.ASCII)
_MAX_HELD = 1 << 30
_CBOR_MAP = 5


@dataclass(frozen=True)
class Noted:
    """A size and a root as somebody outside has them."""

    size: int
    root: bytes
    kept: Checkpoint | None = None
    """The checkpoint itself, where that was kept and not only written down."""


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


def read_noted(text: str) -> tuple[Noted, ...]:
    """Read `SIZE ROOT` (the root in 64 hexadecimal digits), or the path of a file that carries checkpoints.

    Such files are a checkpoint, a proof, the certificate of a release, an answer about a person, and the file in which
    an officer's key remembers custodians. Raises WrongInput for anything else.
    """
    written = _NOTED.fullmatch(text.strip())
    if written is not None:
        return (Noted(int(written[1]), bytes.fromhex(written[2])),)
    try:
        with Path(text).open("rb") as stream:
            data = stream.read(_MAX_HELD)
    except OSError:
        raise WrongInput(
            "this is not a note of a ledger",
            where="--since",
            remedy="Write SIZE ROOT as you noted them, or name a file that carries a checkpoint",
        ) from None
    return held(data, where=text)


def held(data: bytes, *, where: str) -> tuple[Noted, ...]:
    """The checkpoints that a file carries. Raises WrongInput where it carries none."""
    if data[:1] == b"{":
        found = tuple(checkpoint.parse(one.encode(), where=where) for one in _texts(data, where))
    elif data[:1] and data[0] >> 5 == _CBOR_MAP:
        said = answer.Answer.parse(data, where=where)
        found = tuple(checkpoint.parse(one.encode(), where=where) for one in (said.earlier, said.checkpoint))
    elif data.startswith(b"c2sp.org/tlog-proof"):
        found = (proof.Proof.parse(data, where=where).checkpoint,)
    else:
        found = (checkpoint.parse(data, where=where),)
    return tuple(Noted(one.size, one.root, one) for one in found)


def _texts(data: bytes, where: str) -> tuple[str, ...]:
    """The notes in a certificate, or in the file in which a key remembers custodians."""
    try:
        found = tuple(_notes(json.loads(data)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        found = ()
    if not found or not all(isinstance(one, str) for one in found):
        raise WrongInput("this file carries no checkpoint of a ledger", where=where)
    return found


def _notes(said: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON of a stranger
    if "custodians" in said:
        for one in said["custodians"].values():
            yield from (seen["note"] for seen in one.get("checkpoints", {}).values())
    else:
        yield from (one["checkpoint"] for one in said.get("earlier", ()))
        yield said["checkpoint"]


def compare(root: Path, newest: Checkpoint, noted: Sequence[Noted], policy: Policy, *, where: str = "--since") -> Since:
    """Compare a ledger that was verified in full under `newest` with what was noted; says what came since the largest.

    Checkpoints that were kept must be signed by a log of the policy, so that nobody is accused by a made-up file; of
    several ledgers only this one's count. Raises AnswerIsNo where the ledger is shorter than a note, or its beginning
    is not the one that was noted: then the custodian has rewritten history, and the note is the proof.
    """
    mine = [one for one in noted if one.kept is None or one.kept.origin == newest.origin]
    if not mine:
        raise WrongInput(
            "this is about a different ledger", where=where, remedy=f"Name one that {newest.origin} signed"
        )
    for one in mine:
        _continues(root, newest, one, policy, where)
    largest = max(mine, key=lambda one: one.size)
    sizes = sorted(int(path.name) for path in (root / "checkpoints").iterdir() if path.name.isdecimal())
    steps = tuple(_step(root, size, policy) for size in sizes if size > largest.size)
    return Since(largest, newest.size - largest.size, steps)


def _continues(root: Path, newest: Checkpoint, noted: Noted, policy: Policy, where: str) -> None:
    if noted.kept is not None:
        replace(policy, quorum="none").accept(noted.kept.encoded, where=where)
    if noted.size > newest.size:
        raise AnswerIsNo(
            f"the ledger has {newest.size} entries, but {noted.size} were seen: it was cut back",
            where=where,
            remedy="Ask for the complete ledger. Entries that were seen must still be there",
        )
    found = tree.range_hash(0, noted.size, tiles.TileReader(root, newest.size).node)
    if found != noted.root:
        raise AnswerIsNo(
            f"the first {noted.size} entries differ from those that were seen: history was rewritten",
            where=where,
            remedy="Keep what you hold and this copy. Together they are the proof",
        )


def _step(root: Path, size: int, policy: Policy) -> Step:
    shown = checkpoint.parse((root / "checkpoints" / str(size)).read_bytes(), where=f"checkpoints/{size}")
    try:
        return Step(size, witnessed.cosigned_at(shown, policy))
    except AnswerIsNo:  # witnesses of earlier years, whom this policy no longer names
        return Step(size, None)
