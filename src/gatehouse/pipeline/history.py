"""What happened at a site, read from its ledger: every event, opened, in the order in which it was entered.

What stops, allows or dates anything follows from here. An entry that no opening explains, or an opening that its entry
does not bear out, is a fault with its place, and `whole` lets no work go on over one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gatehouse.kernel.errors import AnswerIsNo, GatehouseError
from gatehouse.ledger import naming, policy, shard, tiles, tree
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.log import batches
from gatehouse.ledger.opening import BATCH_BYTES, Opening
from gatehouse.ledger.tiles import TileReader
from gatehouse.pipeline import events, losses
from gatehouse.pipeline.event import SITE, Event
from gatehouse.pipeline.site import Site

_RECEIVED = "received"
"""The kind whose batch holds a submission's determinations."""
_FORGOTTEN = "restored"
"""Kind of the batch that a restore leaves in the place of what it does not know."""


@dataclass(frozen=True)
class Fault:
    """One place where ledger and site differ, and the entries it is about."""

    where: str
    what: str
    entries: range


@dataclass(frozen=True)
class History:
    """All events of a site that its ledger bears out, by index, and where ledger and site differ."""

    size: int
    """Entries in the ledger, published or not."""
    events: tuple[Event, ...]
    faults: tuple[Fault, ...]
    lost: tuple[Fault, ...] = ()
    """Faults whose entries two officers have acknowledged as lost, on record: work goes on, and reports say so."""

    def of(self, *kinds: str, scope: str | None = None) -> Iterator[Event]:
        """The events of some kinds, of one scope or of all, in the order of the ledger."""
        return (one for one in self.events if one.kind in kinds and scope in {None, one.scope})

    def unsealed(self, docket: str) -> set[str]:
        """The releases of a docket that were planned and withdrawn; what was sealed cannot be withdrawn."""
        said, sealed = ({one.text("release") for one in self.of(kind, scope=docket)} for kind in ("unsealed", "sealed"))
        return said - sealed


def read(site: Site, kinds: Collection[str] | None = None) -> History:
    """Read the events of a site, of all kinds or of these alone, each compared with its entry.

    An entry under the newest checkpoint is compared with that one's root. Reading needs no lock: what a writer adds
    meanwhile is read the next time. Raises AnswerIsNo where the policy does not accept the newest checkpoint.
    """
    placed = batches(site.ledger_state)
    size = max((span.stop for span in placed.values()), default=0)
    reading = _Reading(site, size)
    for name, span in placed.items():
        if kinds is None or events.kind(name) in kinds:
            reading.take(name, span)
    if kinds is None:
        reading.gaps(placed.values())
    found = tuple(sorted(reading.events, key=lambda one: one.index))
    if not reading.faults:
        return History(size, found, ())
    known = found if kinds is None else _read_trusted(site, placed)
    ranges = losses.acknowledged(known, site=site.name)
    lost = [fault for fault in reading.faults if any(_within(fault.entries, one) for one in ranges)]
    return History(size, found, tuple(one for one in reading.faults if one not in lost), tuple(lost))


def _read_trusted(site: Site, placed: Mapping[str, range]) -> tuple[Event, ...]:
    """The events that say which losses were acknowledged, and by whom."""
    reading = _Reading(site, max((span.stop for span in placed.values()), default=0))
    for name, span in placed.items():
        if events.kind(name) in {"roster", "loss"}:
            reading.take(name, span)
    return tuple(sorted(reading.events, key=lambda one: one.index))


def _within(entries: range, other: range) -> bool:
    return other.start <= entries.start and entries.stop <= other.stop


def whole(site: Site, kinds: Collection[str] | None = None) -> History:
    """A history without a fault, for work that nothing unknown may precede. Raises AnswerIsNo with the first fault."""
    found = read(site, kinds)
    if found.faults:
        first, more = found.faults[0], len(found.faults) - 1
        others = f" (and {more} more)" if more else ""
        raise AnswerIsNo(
            f"{first.what}{others}", where=first.where, remedy="Work stops until `gatehouse check` finds nothing"
        )
    return found


def opening_of(site: Site, scope: str, name: str) -> Path:
    """Where the opening of an event is kept."""
    folder = site.events if scope == SITE else site.dockets / scope / "events"
    return folder / f"{name}.json"


class _Reading:
    """One pass over the batches of a ledger."""

    def __init__(self, site: Site, size: int) -> None:
        self._site = site
        self._size = size
        self._reader = TileReader(site.ledger, size)
        self._bundles: dict[int, list[bytes]] = {}
        self._proven: dict[int, bool] = {}
        self._shown = _shown(site)
        self._proofs = TileReader(site.ledger, self._shown.size) if self._shown else None
        self.events: list[Event] = []
        self.faults: list[Fault] = []

    def take(self, name: str, span: range) -> None:
        """Read the event that begins a batch, or see what else explains it."""
        scope, _, stem = name.rpartition("/")
        kind = events.kind(name)
        if name == shard.BATCH or (kind == _FORGOTTEN and not scope):
            if kind == _FORGOTTEN:
                self._fault(span, "these entries are from before a restore, and their loss has not been acknowledged")
            elif not shard.is_link(self._entry(span.start)):
                self._fault(span, "this entry is not the link to the earlier ledger")
            return
        path = opening_of(self._site, scope, stem)
        try:
            opening = Opening.parse(path.read_bytes(), where=path.name)
            fields = opening.fields()
        except OSError:
            self._fault(span, f"the opening of the event {name} is missing", path)
            return
        except GatehouseError as wrong:
            self._fault(span, wrong.what, path)
            return
        self._compare(opening, Event(span.start, scope, stem, fields), span, path)

    def _compare(self, opening: Opening, event: Event, span: range, path: Path) -> None:
        entry = self._entry(span.start)
        if opening.entry != entry:
            self._fault(span, f"the opening of the event {event.name} differs from the one in the ledger", path)
        elif not naming.is_about(event.name, None if event.scope == SITE else event.scope, event.fields):
            self._fault(span, f"the event {event.name} says that it is something else", path)
        elif not self._is_in_tree(span.start):
            self._fault(span, f"the entry of the event {event.name} is not under the published checkpoint")
        elif len(span) != 1 and not self._is_batch(event, span):
            self._fault(span, f"the entries behind the event {event.name} differ from those that it names")
        else:
            self.events.append(event)

    def _entry(self, index: int) -> bytes:
        """One entry, from its bundle, which is read once."""
        number, at = divmod(index, tiles.WIDTH)
        if number not in self._bundles:
            width = min(tiles.WIDTH, self._size - number * tiles.WIDTH)
            self._bundles[number] = self._reader.entries(number, width)
        return self._bundles[number][at]

    def _is_in_tree(self, index: int) -> bool:
        """Whether an entry stands where the witnesses' checkpoint says; what came after it cannot be asked yet.

        Asked once for a bundle: its entries make its tile, and the tile's first hash leads to the checkpoint's root
        by way of all others.
        """
        if self._shown is None or self._proofs is None or index >= self._shown.size:
            return True
        number = index // tiles.WIDTH
        if number not in self._proven:
            first, size = number * tiles.WIDTH, self._shown.size
            entries = [self._entry(at) for at in range(first, min(first + tiles.WIDTH, size))]
            hashes = tree.leaf_hashes(entries)
            own = b"".join(self._proofs.node(0, first + at) for at in range(len(entries)))
            proof = tree.inclusion_proof(first, size, self._proofs.node)
            leads = tree.verify_inclusion(hashes[: tree.HASH], first, size, proof, self._shown.root)
            self._proven[number] = own == hashes and leads
        return self._proven[number]

    def _is_batch(self, event: Event, span: range) -> bool:
        """Whether a receipt names exactly the entries behind it, the first and last of them being of its batch."""
        if event.kind != _RECEIVED or event.fields.get("requests") != len(span) - 1:
            return False
        return all(
            self._entry(index)[1 : 1 + BATCH_BYTES].hex() == event.fields.get("batch")
            for index in (span.start + 1, span.stop - 1)
        )

    def gaps(self, spans: Iterable[range]) -> None:
        """See that the batches cover the ledger, up to the published checkpoint at least."""
        reached = 0
        for span in sorted(spans, key=lambda one: one.start):
            if span.start != reached:
                self._fault(
                    range(min(reached, span.start), max(reached, span.start)), "no event explains these entries"
                )
            reached = span.stop
        if self._shown is not None and reached < self._shown.size:
            self._fault(range(reached, self._shown.size), "no event explains these entries")

    def _fault(self, span: range, what: str, path: Path | None = None) -> None:
        if path is not None:
            where = path.relative_to(self._site.root).as_posix()
        else:
            last = span.stop - 1
            where = f"ledger, entry {span.start}" if len(span) < 2 else f"ledger, entries {span.start} to {last}"
        self.faults.append(Fault(where, what, span))


def _shown(site: Site) -> Checkpoint | None:
    """The newest published checkpoint, by the log's own signature: a quorum is asked where something leaves."""
    path = site.ledger / "checkpoint"
    if not path.is_file():
        return None
    return replace(policy.read(site.policy), quorum="none").accept(path.read_bytes(), where=path.name)
