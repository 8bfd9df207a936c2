"""Time-stamps at a site: every published checkpoint is stamped, and releases stop when stamps stay away.

`[timestamps]` of gatehouse.toml names the authorities, asked one after another, the certificates under which their word
counts, and after how many hours without it nothing leaves any more. A site without the section has no time-stamps.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel import clock
from gatehouse.kernel.errors import AnswerIsNo, MachineFailed, WrongInput
from gatehouse.ledger import timestamps
from gatehouse.ledger.log import Log
from gatehouse.ledger.timestamps import HttpAuthority
from gatehouse.pipeline.site import Site

_MOST_HOURS = 24 * 31


@dataclass(frozen=True)
class Stamping:
    """Who is asked, under which certificates their word counts, and how long their silence is borne."""

    authorities: tuple[HttpAuthority, ...]
    roots: Path
    stop_after: dt.timedelta


def read(site: Site) -> Stamping | None:
    """The site's section; None where there is none. Raises WrongInput when it is not whole."""
    section = tomllib.loads(site.configuration.read_text(encoding="utf-8")).get("timestamps")
    if section is None:
        return None
    known = section if isinstance(section, dict) else {}
    urls, roots, hours = known.get("authorities"), known.get("roots"), known.get("stop_after_hours")
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) for url in urls):
        urls = None
    if urls is None or not isinstance(roots, str) or type(hours) is not int or not 0 < hours <= _MOST_HOURS:
        raise WrongInput(
            "[timestamps] must name authorities, roots and stop_after_hours (1 to 744)", where=str(site.configuration),
            remedy="See docs/ledger.md, Time-stamps",
        )  # fmt: skip
    return Stamping(tuple(map(HttpAuthority, urls)), site.root / roots, dt.timedelta(hours=hours))


def stamp(site: Site, log: Log) -> bool:
    """Have the newest checkpoint stamped, where the site asks for it; False when no authority answered as it should.

    A missing stamp is no reason not to publish: `refuse` stops releases when stamps stay away for too long.
    """
    asked = read(site)
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
    asked = read(site)
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
