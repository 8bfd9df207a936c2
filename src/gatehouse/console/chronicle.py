"""Administrative changes go on record in the ledger before they are made; changed configuration when it is met."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from gatehouse.casework import roster
from gatehouse.console import desk
from gatehouse.kernel import clock, digests, ids
from gatehouse.kernel.errors import GatehouseError, MachineFailed
from gatehouse.ledger.opening import Opening
from gatehouse.pipeline import record

CONFIGURATION = "configuration"


def enter(event: str, fields: Mapping[str, str]) -> int | None:
    """Commit one administrative event; gives its index, or None on a site whose ledger is not begun.

    Where the witnesses are out of reach the entry stands and the next checkpoint shows it. Raises MachineFailed when
    the ledger is in use by another process; then nothing may be changed.
    """
    site = desk.site()
    if not (site.ledger / "checkpoint").is_file():
        return None
    now = clock.now()
    with record.open_log(site) as log:
        name = f"site/{ids.fresh(event)}"
        index = record.event(log, site.events, name, {"event": event, "at": clock.stamp(now), **fields})
        with contextlib.suppress(MachineFailed):
            record.publish(site, log, now)
    return index


def enter_configuration() -> None:
    """Enter the site's configuration and its officers' keys as they stand, unless that is what was entered last.

    People edit these files outside the console; the ledger shows that, when and to what they were changed. Raises as
    `enter` does.
    """
    stands = _configuration()
    if stands != _entered():
        enter(CONFIGURATION, stands)


def _configuration() -> dict[str, str]:
    """What is in force, as digests and the names of public keys: nothing secret."""
    site = desk.site()
    try:
        people = roster.read(site.configuration).officers.values()
        officers = " ".join(sorted(f"{person.id}={digests.of_bytes(person.key.text.encode())}" for person in people))
    except GatehouseError:
        officers = "unreadable"
    return {"settings": _digest(site.configuration), "parties": _digest(site.parties), "officers": officers}


def _digest(path: Path) -> str:
    return digests.of_file(path) if path.is_file() else "absent"


def _entered() -> dict[str, str]:
    """What was entered last; nothing where nothing was."""
    openings = [
        (dict(Opening.parse(path.read_bytes(), where=path.name).fields()), path.stat().st_mtime_ns)
        for path in desk.site().events.glob(f"{CONFIGURATION}-*.json")
    ]
    last, _ = max(openings, key=lambda found: (str(found[0]["at"]), found[1]), default=({}, 0))
    return {name: str(value) for name, value in last.items() if name not in {"event", "at"}}
