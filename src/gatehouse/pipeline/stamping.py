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
            "[timestamps] names authorities, roots and stop_after_hours (1 to 744)", where=str(site.configuration),
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
    except MachineFailed:
        return False
    return True


def refuse(site: Site, now: dt.datetime) -> None:
    """Raise AnswerIsNo when the newest checkpoint is not stamped and the last stamp is older than the site bears."""
    asked = read(site)
    if asked is None:
        return
    newest, at = timestamps.last(site.ledger, timestamps.roots(asked.roots))
    if newest or (at is not None and now - at <= asked.stop_after):
        return
    since = "no checkpoint was ever time-stamped" if at is None else f"no time-stamp since {clock.stamp(at)}"
    raise AnswerIsNo(
        f"releases are stopped: {since}", where=site.name, remedy="Reach a time-stamping authority and try again"
    )
