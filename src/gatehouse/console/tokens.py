"""Keys for agencies' programs: made by the administrator for one account, with some of its permissions, until a day.

A key can never do more than its account can at that moment. Only its SHA-256 is kept; 256 bits of chance need no more.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from gatehouse.console.entrance import entrance
from gatehouse.console.models import Account, Key
from gatehouse.console.permissions import GRANTS, Permission
from gatehouse.kernel import clock
from gatehouse.kernel.errors import WrongInput
from gatehouse.site.roles import Role

LONGEST = 90
"""Days that a key may last."""
MOST_NAME = 64


@dataclass(frozen=True)
class Bearer:
    """Who calls: an account, and what its key may do of what the account may do."""

    account: Account
    scopes: frozenset[str]

    def may(self, permission: Permission) -> bool:
        """Whether both the key and its account hold a permission."""
        return permission in self.scopes and self.account.may(permission)


def possible(account: Account) -> list[Permission]:
    """The permissions that a key of an account can have."""
    return sorted(GRANTS[Role(account.role)]) if account.role else []


def check(account: Account, name: str, scopes: Iterable[str], days: int) -> None:
    """Raise WrongInput for a key without a name, with a scope the account lacks, or with too long a term."""
    if not name or len(name) > MOST_NAME or not name.isprintable():
        raise WrongInput(
            f"a key needs a name of at most {MOST_NAME} characters", remedy="Name the program that will use it"
        )
    wanted = set(scopes)
    if not wanted or not wanted <= set(possible(account)):
        raise WrongInput(
            "a key needs at least one permission, and only permissions that its account has",
            remedy="Choose permissions from the list",
        )
    if not 1 <= days <= LONGEST:
        raise WrongInput(
            f"a key must be valid for 1 to {LONGEST} days",
            remedy="Choose a number in that range, and make a new key before this one expires",
        )


def make(account: Account, name: str, scopes: Iterable[str], days: int, by: Account | str) -> str:
    """A new key, shown once, made by an account or by somebody at the machine. Raises WrongInput as `check` does."""
    wanted = sorted(set(scopes))
    check(account, name, wanted, days)
    key = f"gk_{secrets.token_urlsafe(32)}"
    Key.objects.create(
        account=account,
        name=name,
        scopes=wanted,
        made_by=by if isinstance(by, str) else by.username,
        digest=_digest(key),
        expires_at=clock.machine() + dt.timedelta(days=days),
    )
    return key


def bearer(key: str) -> Bearer | None:
    """Whose key it is and what it may do; None when there is none, it has ended, or its account could not come in."""
    found = Key.objects.select_related("account").filter(digest=_digest(key), expires_at__gt=clock.machine()).first()
    if found is None or not found.account.is_active or not entrance().admits(found.account):
        return None
    return Bearer(found.account, frozenset(found.scopes))


def end_all(account: Account) -> None:
    """End every key of an account."""
    Key.objects.filter(account=account).delete()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
