"""Who was let in to do what, and who looked at which records: the administrative record for auditors and inspectors.

The acts are read from the openings of the ledger's own entries; looking at a record is kept in the database. Nothing
here names a person of a request.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.db.models import Count, Max

from gatehouse.console import desk
from gatehouse.console.models import Account, Opening
from gatehouse.kernel import clock
from gatehouse.kernel.errors import GatehouseError
from gatehouse.ledger.opening import Opening as Kept
from gatehouse.pipeline import events

_ACTS = (
    "account_proposed", "account_refused", "account_made", "account_close", "account_open", "account_reset",
    "role_changed", "second_factor_enrolled", "second_factor_reset", "sessions_ended", "key_made", "key_ended",
    "work_set_going", "letter_made", "configuration", "key",
)  # fmt: skip
"""Kinds of event that are administrative acts."""
_TOLD = {"event", "at", "account", "by", "statement"}


@dataclass(frozen=True)
class Act:
    """One administrative act as the ledger commits to it."""

    at: str
    what: str
    account: str
    by: str
    more: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Looker:
    """How often one account opened cases with a person's record in them, and when last."""

    account: Account
    cases: int
    openings: int
    last: dt.datetime


def acts(most: int = 500) -> list[Act]:
    """The newest administrative acts, newest first."""
    paths = [path for kind in _ACTS for path in desk.site().events.glob(f"{kind}-*.json")]
    found = [act for path in paths if (act := _act(str(path))) is not None]
    return sorted(found, key=lambda act: act.at, reverse=True)[:most]


@lru_cache(maxsize=4096)
def _act(path: str) -> Act | None:
    """One act; None for an opening that cannot be read, which verification of the log reports."""
    try:
        opening = Kept.parse(Path(path).read_bytes(), where=path)
    except (OSError, GatehouseError):
        return None
    fields = {name: _text(value) for name, value in opening.fields().items()}
    more = tuple((name, value) for name, value in fields.items() if name not in _TOLD and value)
    written = dt.datetime.fromtimestamp(Path(path).stat().st_mtime, dt.UTC)  # where the entry itself names no instant
    return Act(
        fields.get("at") or clock.stamp(written),
        events.WORDS[events.kind(Path(path).stem)],
        fields.get("account", ""),
        fields.get("by", ""),
        more,
    )


def _text(value: object) -> str:
    """A field as text; files with their digests, shortened to what tells them apart."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {str(digest)[:12]}" for name, digest in sorted(value.items()) if digest)
    return str(value)


def lookers() -> list[Looker]:
    """Accounts by how many openings of records they made, most first."""
    counted = (
        Opening.objects.values("account")
        .annotate(openings=Count("pk"), last=Max("at"))
        .order_by("-openings", "account")
    )
    cases: Counter[int] = Counter()  # a row number is a case within its docket only
    for row in Opening.objects.values("account", "docket").annotate(cases=Count("seq", distinct=True)):
        cases[row["account"]] += row["cases"]
    people = {account.pk: account for account in Account.objects.all()}
    return [Looker(people[row["account"]], cases[row["account"]], row["openings"], row["last"]) for row in counted]
