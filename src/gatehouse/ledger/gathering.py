"""Gathering cosignatures: who is asked, what a refusal is, and how the lines that came are joined to a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, runtime_checkable

from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.note import Note, SignatureLine

Prove = Callable[[int], list[bytes]]
"""From an older size, the consistency proof to the checkpoint that is asked for."""


class Declined(Exception):  # noqa: N818 - an answer, which others may make up for
    """A cosigner gave no cosignature; the text names it and says why."""


class Cosigner(Protocol):
    """Somebody outside who is asked to cosign a checkpoint: a witness behind HTTP, or a folder carried by hand."""

    def cosign(self, checkpoint: Checkpoint, prove: Prove) -> list[str]:
        """Cosignature lines for the checkpoint. Raises Declined when the witness cannot be reached or declines."""


@runtime_checkable
class Carrier(Protocol):
    """A cosigner whose answers come back later, when the ledger may have grown."""

    def returned(self, checkpoint: Checkpoint) -> list[str]:
        """The lines that came back for a checkpoint that was asked for before."""


def gather(cosigners: Sequence[Cosigner], wanted: Checkpoint, prove: Prove) -> tuple[list[str], list[str]]:
    """Ask all at once; gives the cosignature lines, and what those said who declined."""

    def ask(cosigner: Cosigner) -> tuple[list[str], str]:
        try:
            return cosigner.cosign(wanted, prove), ""
        except Declined as no:
            return [], str(no)

    if not cosigners:
        return [], []
    with ThreadPoolExecutor(max_workers=len(cosigners), thread_name_prefix="cosigner") as pool:
        answers = list(pool.map(ask, cosigners))
    return [line for lines, _ in answers for line in lines], [said for _, said in answers if said]


def returned(cosigners: Sequence[Cosigner], offered: Checkpoint) -> list[str]:
    """The lines that were carried back for an earlier checkpoint."""
    return [line for one in cosigners if isinstance(one, Carrier) for line in one.returned(offered)]


def joined(signed: Note, lines: Iterable[str]) -> Note:
    """A note with more signature lines, of each key the newest alone."""
    added = {(line.name, line.key_hash): line for line in map(SignatureLine.parse, lines)}
    kept = tuple(line for line in signed.lines if (line.name, line.key_hash) not in added)
    return Note(signed.text, kept + tuple(added.values()))
