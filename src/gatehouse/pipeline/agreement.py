"""Whether a site's ledger, its dockets and its database tell one story, and where they do not.

Asked after a restore, and whenever somebody doubts. The ledger is believed before the database: what it commits to
happened. Nothing is mended here; each difference says what mends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gatehouse.determine.docket import Docket
from gatehouse.kernel import digests
from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger import policy, tiles
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.ledger.docket_proof import verify_docket
from gatehouse.ledger.opening import Opening
from gatehouse.ledger.shard import is_link
from gatehouse.ledger.verify import verify_log
from gatehouse.pipeline import record
from gatehouse.pipeline.site import Site
from gatehouse.store.casebook import Casebook
from gatehouse.store.shelf import Shelf

_AGAIN = "Run the submission again: gatehouse run finishes what was begun"
_LOST = "Restore it from a later backup, or record by hand what happened; the ledger says when, not what"


@dataclass(frozen=True)
class Difference:
    """One place where the stories differ, and what to do about it."""

    where: str
    what: str
    remedy: str


@dataclass(frozen=True)
class Story:
    """What was compared: entries of the ledger, dockets, events with their openings, and what differs."""

    size: int
    dockets: int
    events: int
    differences: tuple[Difference, ...]


def compare(connection: duckdb.DuckDBPyConnection, site: Site) -> Story:
    """Compare ledger, dockets and database of a site.

    Entries that no checkpoint covers yet count too. Raises AnswerIsNo when the ledger itself does not verify,
    MachineFailed while another process writes to it.
    """
    head = verify_log(site.ledger, policy.read(site.policy)).checkpoint
    with record.open_log(site) as log:
        size = log.size
    openings = _openings(site)
    known, differences = _dockets(connection, site, head)
    entries = tiles.TileReader(site.ledger, size).span(0, size)
    if size and is_link(tiles.TileReader(site.ledger, size).entry(0)):
        known.add(0)  # to the ledger of the year before
    found = _find(entries, openings, known)
    differences += [
        Difference(str(path.relative_to(site.root)), "this event is not in the ledger", _AGAIN)
        for path in openings
        if path not in found
    ]
    differences += _strangers(size, known | set(found.values()))
    differences += _database(site, {path.relative_to(site.root).as_posix(): at for path, at in found.items()})
    return Story(size, len(list(_folders(site))), len(openings), tuple(differences))


def _folders(site: Site) -> Iterator[Docket]:
    for path in sorted(site.dockets.glob("*/summary.json")):
        yield Docket(path.parent)


def _openings(site: Site) -> Mapping[Path, Opening]:
    paths = [*site.events.glob("*.json"), *site.dockets.glob("*/events/*.json")]
    return {path: Opening.parse(path.read_bytes(), where=path.name) for path in sorted(paths)}


def _dockets(connection: duckdb.DuckDBPyConnection, site: Site, head: Checkpoint) -> tuple[set[int], list[Difference]]:
    """The indexes that determinations take in the ledger, and the dockets that the ledger does not bear out."""
    known: set[int] = set()
    differences = []
    for docket in _folders(site):
        if docket.is_destroyed:
            known.update(_was(docket))
            continue
        try:
            accounted = verify_docket(connection, docket.root, site.ledger, head)
        except GatehouseError as wrong:
            differences.append(Difference(f"dockets/{docket.id}", wrong.what, _AGAIN))
            continue
        known.update(range(accounted.first, accounted.first + accounted.requests))
    return known, differences


def _was(docket: Docket) -> range:
    """Where the determinations of a destroyed docket stand, by the event of its destruction."""
    path = docket.root / "events" / "destroyed.json"
    fields = Opening.parse(path.read_bytes(), where=path.name).fields()
    return range(fields["first"], fields["first"] + fields["requests"])


def _find(entries: Iterator[bytes], openings: Mapping[Path, Opening], known: set[int]) -> dict[Path, int]:
    """Where each opening's entry stands in the ledger; those that are in it."""
    wanted = {opening.entry: path for path, opening in openings.items()}
    return {wanted[entry]: index for index, entry in enumerate(entries) if index not in known and entry in wanted}


def _strangers(size: int, known: set[int]) -> Iterator[Difference]:
    """Runs of entries of which the site holds nothing: something happened that it has forgotten."""
    first = None
    for index in range(size + 1):
        strange = index < size and index not in known
        if strange and first is None:
            first = index
        elif not strange and first is not None:
            yield Difference(f"ledger, entries {first} to {index - 1}", "the site holds nothing that opens them", _LOST)
            first = None


def _database(site: Site, found: Mapping[str, int]) -> Iterator[Difference]:
    casebook = Casebook()
    folders = {docket.id: docket for docket in _folders(site)}
    for name in casebook.known():
        docket = folders.pop(name, None)
        if docket is None:
            yield Difference(f"dockets/{name}", "the database knows this docket, and its folder is missing", _LOST)
            continue
        yield from _decisions(casebook, name, found)
        if docket.is_destroyed:
            continue
        if casebook.file(name).determinations != digests.of_file(docket.table("determinations")):
            yield Difference(f"dockets/{name}", "its determinations are not those that people decided on", _LOST)
        yield from _releases(docket, found)
    for name in folders:
        yield Difference(f"dockets/{name}", "the database does not know this docket", _AGAIN)


def _decisions(casebook: Casebook, docket: str, found: Mapping[str, int]) -> Iterator[Difference]:
    prefix = f"dockets/{docket}/events/decision-"
    told = {int(path.removeprefix(prefix).removesuffix(".json")) for path in found if path.startswith(prefix)}
    kept = {decision.number: decision for decision in casebook.decisions(docket)}
    for number in sorted(told - kept.keys()):
        yield Difference(f"{prefix}{number}.json", "the ledger has this decision, the database does not", _LOST)
    for number, decision in sorted(kept.items()):
        where, index = f"database, decision {number} of {docket}", found.get(f"{prefix}{number}.json")
        if decision.ledger_index is None:
            yield Difference(where, "it waits for the ledger", _AGAIN)
        elif index != decision.ledger_index:
            yield Difference(where, "it is not in the ledger where the database says", _LOST)


def _releases(docket: Docket, found: Mapping[str, int]) -> Iterator[Difference]:
    kept = {release.id: release for release in Shelf().releases(docket.id)}
    for name, release in sorted(kept.items()):
        path = docket.releases / f"{name}.age"
        where = f"dockets/{docket.id}/releases/{name}.age"
        if release.published_at is None:
            yield Difference(where, "it is sealed and not published", "Run: gatehouse release")
        elif release.recalled_at is None and not path.is_file():
            yield Difference(where, "the package is missing", _LOST)
        elif path.is_file() and digests.of_file(path) != release.digest:
            yield Difference(where, "the package is not the one that was sealed", _LOST)
        if f"dockets/{docket.id}/events/release-{name}.json" not in found:
            yield Difference(where, "the ledger does not have this release", "Run: gatehouse release")
    for path in sorted(docket.releases.glob("*.age")):
        if path.stem not in kept:
            where = f"dockets/{docket.id}/releases/{path.name}"
            yield Difference(where, "the database does not know this package", _LOST)
