"""`[timestamps]`: who stamps every published checkpoint, and after how many hours without a stamp releases stop."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel.documents import Table
from gatehouse.kernel.errors import WrongInput
from gatehouse.ledger.timestamps import HttpAuthority

_MOST_HOURS = 24 * 31


@dataclass(frozen=True)
class Stamping:
    """Who is asked, under which certificates their word counts, and how long their silence is borne."""

    authorities: tuple[HttpAuthority, ...]
    roots: Path
    stop_after: dt.timedelta


def parse(table: Table, root: Path) -> Stamping:
    """Read the section of the site in the folder `root`. Raises WrongInput when it is not whole."""
    table.spelled("authorities", "roots", "stop_after_hours")
    urls, roots, hours = (table.data.get(key) for key in ("authorities", "roots", "stop_after_hours"))
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) for url in urls):
        raise _incomplete(table, "authorities")
    if not isinstance(roots, str):
        raise _incomplete(table, "roots")
    if type(hours) is not int or not 0 < hours <= _MOST_HOURS:
        raise _incomplete(table, "stop_after_hours")
    return Stamping(tuple(map(HttpAuthority, urls)), root / roots, dt.timedelta(hours=hours))


def _incomplete(table: Table, key: str) -> WrongInput:
    what = "[timestamps] must name authorities, roots and stop_after_hours (1 to 744)"
    return table.wrong(key, f"{what}; {key} is missing or wrong", "See docs/ledger.md, Time-stamps")
