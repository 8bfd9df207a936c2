"""Time-stamps at a site: every published checkpoint is stamped, and releases stop when stamps stay away.

`[timestamps]` of gatehouse.toml names the authorities, asked one after another, the certificates under which their word
counts, and after how many hours without it nothing leaves any more. A site without the section has no time-stamps.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed
from gatehouse.ledger import timestamps
from gatehouse.ledger.log import Log
from gatehouse.pipeline.site import Site


def stamp(site: Site, log: Log) -> bool:
    """Have the newest checkpoint stamped, where the site asks for it; False when no authority answered as it should.

    A missing stamp is no reason not to publish: `refuse` stops releases when stamps stay away for too long.
    """
    asked = site.configuration.timestamps
    if asked is None:
        return True
    try:
        log.stamp(list(asked.authorities), timestamps.roots(asked.roots))
    except MachineFailed as failed:
        _why[site.root] = f"{failed.what}. {failed.remedy}"
        return False
    _why.pop(site.root, None)
    return True


_why: dict[Path, str] = {}
"""What the last attempt of this process came to, by site: `refuse` is most often asked right after it."""


def refuse(site: Site, now: dt.datetime) -> None:
    """Raise AnswerIsNo when the newest checkpoint is not stamped and the last stamp is older than the site bears."""
    asked = site.configuration.timestamps
    if asked is None:
        return
    found = timestamps.last(site.ledger, timestamps.roots(asked.roots))
    if found.newest or (found.at is not None and now - found.at <= asked.stop_after):
        return
    since = f"no time-stamp since {clock.stamp(found.at)}" if found.at else "no checkpoint has been time-stamped"
    remedy = _why.get(site.root, "Reach a time-stamping authority and try again")
    if found.doubted:
        since += f" that {asked.roots.name} vouches for, and {found.doubted} that it does not vouch for"
        remedy = "Compare the authority's root with [timestamps] roots"
    raise AnswerIsNo(f"releases are stopped: {since}", where=site.name, remedy=remedy)
