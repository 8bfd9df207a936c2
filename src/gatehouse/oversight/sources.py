"""What a report may count: dockets and events that were verified against the ledger before anything is counted.

The ledger is verified in full, each docket's receipt, manifest, determinations and pack against it, each event and
certificate by its digest. Whatever does not hold stops the report with its name. Entries of the ledger that nothing
given explains are counted; where everything was given there may be none, so nothing can be left out unseen.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from gatehouse.casework.statement import Statement
from gatehouse.determine.docket import Docket
from gatehouse.intake import manifest as manifests
from gatehouse.intake.manifest import Manifest
from gatehouse.kernel import digests
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.kernel.progress import Progress, silent
from gatehouse.law.pack import Pack
from gatehouse.law.reading import load
from gatehouse.ledger import checkpoint as checkpoints
from gatehouse.ledger import since, tiles
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.docket_proof import batch_of, verify_docket
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.policy import Policy
from gatehouse.ledger.shard import is_link
from gatehouse.ledger.verify import verify_log

RETURNED = ("receipt", "use report", "disposal")
"""Events by which what a recipient sent back is entered."""


@dataclass(frozen=True)
class Period:
    """The days that a report is about, both included, in UTC; an open end has no bound."""

    first: dt.date | None = None
    last: dt.date | None = None

    @classmethod
    def of_year(cls, year: int) -> Period:
        """A calendar year."""
        return cls(dt.date(year, 1, 1), dt.date(year, 12, 31))

    def document(self) -> dict[str, str | None]:
        """The period as JSON."""
        return {name: day.isoformat() if day else None for name, day in (("from", self.first), ("to", self.last))}

    def holds(self, column: str) -> str:
        """SQL for whether an instant lies in the period."""
        parts = [f"{column}::DATE {sign} DATE '{day}'" for sign, day in ((">=", self.first), ("<=", self.last)) if day]
        return " AND ".join(parts) or "true"


@dataclass(frozen=True)
class Sources:
    """The folders that a report is made from, and what whoever makes it believes (a policy of their own)."""

    dockets: tuple[Docket, ...]
    ledger: Path
    policy: Policy
    events: Path | None = None
    """Openings of the site's own events; without them they are among what is not explained."""
    refused: tuple[Path, ...] = ()
    """Folders of submissions that were refused whole: a signed receipt each."""
    returned: tuple[Statement, ...] = ()
    """Receipts, use reports and disposal certificates that recipients sent back."""
    whole: bool = False
    """Everything there is was given, so an entry that nothing explains stops the report."""


def of_site(root: Path, policy: Policy, only: Sequence[str] = (), returned: tuple[Statement, ...] = ()) -> Sources:
    """The sources in a site's folder (design §5.6): all of its dockets, or only some."""
    found = [*(root / "dockets").glob("*/determinations.parquet"), *(root / "dockets").glob("*/events/destroyed.json")]
    folders = sorted({root / "dockets" / path.relative_to(root / "dockets").parts[0] for path in found})
    missing = set(only) - {path.name for path in folders}
    if missing:
        raise WrongInput(f"there is no docket {min(missing)}", where=str(root / "dockets"))
    return Sources(
        tuple(Docket(path) for path in folders if not only or path.name in only),
        root / "ledger",
        policy,
        root / "events",
        tuple(sorted(path for path in (root / "dockets").glob("*.refused") if path not in folders)) if not only else (),
        returned,
        whole=not only,
    )


@dataclass(frozen=True)
class Verified:
    """A docket that agrees with the ledger, and what its receipt, manifest and pack say."""

    docket: Docket
    manifest: Manifest
    received_at: dt.datetime
    pack: Pack
    as_of: dt.date
    requests: int
    first: int
    """The ledger index of its first determination."""


@dataclass(frozen=True)
class Destroyed:
    """A docket whose keys and tables were destroyed on record: what its receipt and its entries still say."""

    docket: Docket
    manifest: Manifest
    received_at: dt.datetime
    requests: int
    at: str
    reason: str
    entry: int
    """Where the ledger says so."""


@dataclass(frozen=True)
class Event:
    """An event whose opening makes an entry of the ledger."""

    index: int
    folder: Path
    """Where its opening lies: a docket's `events/` or the site's."""
    fields: dict[str, Any]

    @property
    def kind(self) -> str:
        """What happened."""
        return str(self.fields.get("event", ""))


@dataclass(frozen=True)
class Record:
    """Everything that was verified, and under which checkpoint; what every report says of itself."""

    checkpoint: Checkpoint
    dockets: tuple[Verified, ...]
    events: tuple[Event, ...]
    unexplained: int
    period: Period
    refused: tuple[dict[str, Any], ...] = ()
    returned: tuple[Statement, ...] = ()
    destroyed: tuple[Destroyed, ...] = ()

    def document(self) -> dict[str, Any]:
        """The provenance as JSON: checkpoint, period, packs, dockets, and what nothing explains."""
        packs = {(one.pack.id, one.pack.version, one.pack.digest) for one in self.dockets}
        return {
            "ledger": self.checkpoint.origin,
            "checkpoint": {"size": self.checkpoint.size, "root": self.checkpoint.root.hex()},
            "unexplained_entries": self.unexplained,
            "period": self.period.document(),
            "packs": [{"id": name, "version": version, "digest": digest} for name, version, digest in sorted(packs)],
            "dockets": [
                {"docket": one.docket.id, "requests": one.requests, "first_entry": one.first,
                 "as_of": one.as_of.isoformat(), "pack_digest": one.pack.digest}
                for one in self.dockets
            ],
            "destroyed_dockets": [
                {"docket": one.docket.id, "requests": one.requests, "destroyed_at": one.at} for one in self.destroyed
            ],
            "refused_receipts": sorted(str(one["receipt"]) for one in self.refused),
        }  # fmt: skip

    def within(self, period: Period) -> Record:
        """The same for another period."""
        return replace(self, period=period)

    def only(self, refused: Collection[str]) -> Record:
        """The same without receipts of refusals that came after a report was made; named by their digests."""
        return replace(self, refused=tuple(one for one in self.refused if one["receipt"] in refused))


def verify(
    connection: duckdb.DuckDBPyConnection,
    sources: Sources,
    *,
    period: Period | None = None,
    size: int | None = None,
    progress: Progress = silent,
) -> Record:
    """Verify everything that is to be counted, as it stood under the checkpoint of `size` (the newest, if not given).

    The checkpoints in the dockets' certificates must be the ledger's own, so that it was not cut back. Raises
    AnswerIsNo with the docket or file that does not hold, WrongInput when a folder is not what it should be.
    """
    newest = verify_log(sources.ledger, sources.policy, progress=progress).checkpoint
    asof = newest if size is None or size == newest.size else _published(sources.ledger, size, newest)
    events = {event.entry: (folder, event) for folder, event in _openings(sources)}
    reader = tiles.TileReader(sources.ledger, newest.size)
    held: Counter[bytes] = Counter()
    found: list[Event] = []
    ended: list[Event] = []
    links = 0
    for index, entry in enumerate(reader.span(0, newest.size)):
        links += index == 0 and is_link(entry)  # to the ledger of the year before
        held[batch_of(entry)] += 1
        if entry in events:
            folder, opening = events.pop(entry)
            event = Event(index, folder, opening.fields())
            if index < asof.size:
                found.append(event)
            if event.kind == "destruction":
                ended.append(event)
    dockets = []
    standing = [docket for docket in sources.dockets if not docket.is_destroyed]
    for number, docket in enumerate(standing):
        progress("dockets", number, len(standing))
        for path in sorted(docket.certificates.glob("*.json")):
            shown = since.held(path.read_bytes(), where=path.name)
            since.compare(sources.ledger, newest, shown, sources.policy, where=f"{docket.id}, {path.name}")
        dockets.append(_docket(connection, docket, sources.ledger, newest, held))
    progress("dockets", len(dockets), len(dockets))
    counted = tuple(one for one in dockets if one.first + one.requests <= asof.size)
    for one in counted:
        _on_record(one.docket, found)
    destroyed = tuple(_destroyed(one, found, ended) for one in sources.dockets if one.is_destroyed)
    determined = sum(one.requests for one in counted) + sum(one.requests for one in destroyed)
    unexplained = asof.size - len(found) - determined - links
    if unexplained and sources.whole:
        raise AnswerIsNo(
            f"{unexplained} entries of the ledger belong to no docket and no event in this site",
            where=str(sources.ledger),
            remedy="Restore the missing dockets from a backup, or name the dockets that the report covers",
        )
    refused = tuple(_refusal(path) for path in sources.refused)
    releases = {event.fields.get("release") for event in found if event.kind == "release"}
    entered = {event.fields.get("statement") for event in found if event.kind in RETURNED}
    returned = tuple(one for one in sources.returned if one.body.get("release") in releases and one.digest in entered)
    return Record(asof, counted, tuple(found), unexplained, period or Period(), refused, returned, destroyed)


def _published(ledger: Path, size: int, newest: Checkpoint) -> Checkpoint:
    """An earlier checkpoint; `verify_log` has compared its root with the tree."""
    path = ledger / "checkpoints" / str(size)
    if size > newest.size or not path.is_file():
        raise WrongInput(f"the log has no published checkpoint of size {size}", where=str(ledger))
    return checkpoints.parse(path.read_bytes(), where=path.name)


def _openings(sources: Sources) -> Iterator[tuple[Path, Opening]]:
    folders = [one.root / "events" for one in sources.dockets]
    for folder in [*folders, *([sources.events] if sources.events else [])]:
        for path in sorted(folder.glob("*.json")):
            yield folder, Opening.parse(path.read_bytes(), where=f"{folder.parent.name}/events/{path.name}")


def _docket(
    connection: duckdb.DuckDBPyConnection,
    docket: Docket,
    ledger: Path,
    newest: Checkpoint,
    held: Counter[bytes],
) -> Verified:
    try:
        accounted = verify_docket(connection, docket.root, ledger, newest, held=held)
        [(as_of, last, lowest, highest)] = connection.execute(
            "SELECT min(as_of), max(as_of), min(pack_digest), max(pack_digest) FROM docket_determinations"
        ).fetchall()
    except duckdb.Error:
        raise AnswerIsNo("the docket's tables cannot be read", where=docket.id) from None
    except (AnswerIsNo, WrongInput) as failed:
        where = failed.where if docket.id in failed.where else f"{docket.id}, {failed.where}"
        remedy = (
            failed.remedy
            or "Restore it from a backup. If the docket is not in the ledger yet, run `gatehouse run` again"
        )
        raise AnswerIsNo(f"the docket does not verify: {failed.what}", where=where, remedy=remedy) from failed
    pack = load(docket.pack)
    if (as_of, lowest) != (last, highest) or pack.digest != lowest:
        raise AnswerIsNo("the docket's pack differs from the one that its determinations name", where=docket.id)
    return Verified(docket, _manifest(docket), docket.received_at, pack, as_of, accounted.requests, accounted.first)


def _on_record(docket: Docket, events: Sequence[Event]) -> None:
    """The receipt, which dates a docket and names its manifest, must be the one in the ledger."""
    stated = {str(event.fields.get("receipt")) for event in events
              if event.kind == "received" and event.fields.get("docket") == docket.id}  # fmt: skip
    if stated and digests.of_file(docket.receipt) not in stated:
        raise AnswerIsNo("the receipt differs from the one in the ledger", where=docket.id)
    if not stated:
        raise AnswerIsNo("the receipt's entry in the ledger cannot be opened", where=docket.id)


def _destroyed(docket: Docket, events: Sequence[Event], ended: Sequence[Event]) -> Destroyed:
    """A destroyed docket, whenever it was destroyed: that it was must be on record, as its receipt must."""
    own = [event for event in ended if event.fields.get("docket") == docket.id]
    if not own:
        raise AnswerIsNo("the docket is marked as destroyed, but the ledger has no record of it", where=docket.id)
    _on_record(docket, events)
    manifest = _manifest(docket)
    requests = int(json.loads(docket.receipt.read_bytes())["requests"])
    [first, *_], stated = own, own[0].fields
    kept = docket.root / "disclosures.parquet"
    if (digests.of_file(kept) if kept.is_file() else None) != stated.get("disclosures"):
        raise AnswerIsNo("the list of disclosures that was kept is not the one in the ledger", where=docket.id)
    at, reason = str(stated["at"]), str(stated["reason"])
    return Destroyed(docket, manifest, docket.received_at, requests, at, reason, first.index)


def _manifest(docket: Docket) -> Manifest:
    """The manifest that the receipt names."""
    if json.loads(docket.receipt.read_bytes())["digest"] != digests.of_file(docket.manifest):
        raise AnswerIsNo("the manifest differs from the one that the receipt names", where=docket.id)
    return manifests.parse(docket.manifest.read_bytes())


def _refusal(folder: Path) -> dict[str, Any]:
    path = folder / "receipt.json"
    try:
        data = path.read_bytes()
        kept = json.loads(data)
        stated = {name: kept[name] for name in ("submission", "received_at", "digest", "refusal")}
    except (OSError, ValueError, KeyError, TypeError):
        raise AnswerIsNo("the receipt of a refused submission cannot be read", where=folder.name) from None
    return {**stated, "receipt": digests.of_bytes(data)}
