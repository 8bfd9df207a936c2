"""The log explained to overseers: which batch an entry belongs to, and what it commits to where the opening is kept.

The log itself says nothing of kinds or outcomes. The custodian keeps the openings; an entry shown here is made again
from its opening, so what is shown is what was committed, or it says that it is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gatehouse.console import desk, log
from gatehouse.determine.opened import RECEIVED
from gatehouse.kernel import ids
from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger.log import batches as places
from gatehouse.ledger.opening import Opening
from gatehouse.pipeline import events

_SITE = "site"


@dataclass(frozen=True)
class Batch:
    """Entries that went in together."""

    name: str
    first: int
    last: int
    docket: str
    """Empty for the site's own events."""

    @property
    def count(self) -> int:
        """How many entries."""
        return self.last - self.first + 1

    @property
    def event(self) -> str:
        """Its own part of the name: `received`, `decision-3`, `pack-…`."""
        return self.name.rpartition("/")[2]

    @property
    def words(self) -> str:
        """What happened, in words; a name from elsewhere is its own."""
        return events.WORDS.get(events.kind(self.name), self.event)


@dataclass(frozen=True)
class Entry:
    """One entry, and what it commits to where that is known here."""

    index: int
    data: str
    batch: Batch | None
    fields: tuple[tuple[str, object], ...]
    agrees: bool | None
    """Whether the opening makes exactly these bytes; None where no opening is kept."""
    request: str
    """The request whose determination it is, if it is one."""


def batches() -> list[Batch]:
    """Every batch in the log, newest first."""
    return [_batch(name, span) for name, span in reversed(places(desk.site().ledger_state).items())]


def _batch(name: str, span: range) -> Batch:
    scope = name.rpartition("/")[0]
    return Batch(name, span.start, span.stop - 1, "" if scope == _SITE else scope)


def entry(index: int) -> Entry | None:
    """One published entry; None beyond the newest checkpoint."""
    site = desk.site()
    head = log.head(site.ledger)
    data = log.entry(site.ledger, head.size, index) if head is not None else None
    if data is None:
        return None
    batch = next((one for one in batches() if one.first <= index <= one.last), None)
    opening = _opening(batch) if batch is not None and index == batch.first else None
    agrees = None if opening is None else opening.entry == data
    fields = tuple(opening.fields().items()) if opening is not None and agrees else ()
    return Entry(index, data.hex(), batch, fields, agrees, _request(batch, index))


def _opening(batch: Batch) -> Opening | None:
    if not ids.is_name(batch.event) or (batch.docket and not ids.is_docket(batch.docket)):
        return None
    site = desk.site()
    folder = site.dockets / batch.docket / "events" if batch.docket else site.events
    path: Path = folder / f"{batch.event}.json"
    try:
        return Opening.parse(path.read_bytes(), where=path.name)
    except (OSError, GatehouseError):
        return None


def _request(batch: Batch | None, index: int) -> str:
    if batch is None or batch.event != RECEIVED or index == batch.first:
        return ""
    reader = desk.dockets().reader(batch.docket)
    found = reader.lines([index - batch.first - 1]) if reader is not None else ()
    return str(found[0]["request_id"]) if found else ""
