"""Administrative changes go on record in the site's ledger before they are made."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from gatehouse.console import desk
from gatehouse.kernel import clock, ids
from gatehouse.kernel.errors import MachineFailed
from gatehouse.pipeline import record


def enter(event: str, fields: Mapping[str, Any]) -> int | None:
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
