"""Make and close accounts, and say whether a name may try to sign in."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from gatehouse.console.models import Account, FailedSignIn, Key
from gatehouse.console.permissions import Role
from gatehouse.kernel import ids
from gatehouse.kernel.errors import WrongInput

MOST_NAME = 64
ATTEMPTS = 8
WINDOW = dt.timedelta(minutes=15)
KEY_LIFE = dt.timedelta(days=90)


def create(
    username: str,
    *,
    name: str,
    role: Role | str,
    password: str | None = None,
    agency: str = "",
    officer: str = "",
) -> tuple[Account, str]:
    """Create an account and return it with its password, made at random when none is given.

    `agency` is required for a requester and refused for everyone else; `officer` is the person's id in the roster of
    who may decide. Running it again for the same name, role and agency sets the password anew. Raises WrongInput.
    """
    role = Role(role)
    check(username, role, agency)
    before = Account.objects.filter(username=username).first()
    if before is not None and (before.role, before.agency) != (role.value, agency):
        raise WrongInput("the user name is taken by another role or agency", remedy="Choose another name")
    account = before or Account(username=username, role=role.value, agency=agency)
    account.name, account.officer, account.is_active = name, officer, True
    chosen = password or secrets.token_urlsafe(12)
    _set(account, chosen)
    return account, chosen


def check(username: str, role: Role, agency: str) -> None:
    """Raise WrongInput for a user name of other signs, a requester without an agency, or another role with one."""
    if not ids.is_name(username) or len(username) > MOST_NAME:
        raise WrongInput("a user name takes letters, digits, dot, dash and underscore", remedy="Choose another name")
    if (role is Role.REQUESTER) != bool(agency):
        raise WrongInput("a requester has an agency, and nobody else has one", remedy="Name the agency of requesters")


def change(account: Account, old: str, new: str) -> None:
    """Change the password of an account that knows its old one. Raises WrongInput, counting a wrong old one."""
    if not may_try(account.username) or not account.check_password(old):
        failed(account.username)
        raise WrongInput("the old password is not right", remedy="Try again")
    account.must_change_password = False
    _set(account, new)


def reset(account: Account) -> str:
    """Give an account a new random password, to be changed at the next sign-in, and return it."""
    chosen = secrets.token_urlsafe(12)
    account.must_change_password = True
    _set(account, chosen)
    return chosen


def _set(account: Account, chosen: str) -> None:
    try:
        validate_password(chosen, account)
    except ValidationError as weak:
        raise WrongInput(" ".join(weak.messages).removesuffix("."), remedy="Choose another password") from None
    account.set_password(chosen)
    account.save()


def none_yet() -> bool:
    """Whether nobody can sign in yet."""
    return not Account.objects.exists()


def may_try(username: str) -> bool:
    """Whether another sign-in may be tried for a name: fewer than 8 failures in the last 15 minutes."""
    since = timezone.now() - WINDOW
    return FailedSignIn.objects.filter(username=_key(username), at__gte=since).count() < ATTEMPTS


def failed(username: str) -> None:
    """Remember a failed sign-in, and forget those that no longer count."""
    FailedSignIn.objects.filter(at__lt=timezone.now() - WINDOW).delete()
    FailedSignIn.objects.create(username=_key(username))


def succeeded(username: str) -> None:
    """Forget the failures of a name that has signed in."""
    FailedSignIn.objects.filter(username=_key(username)).delete()


def issue_key(account: Account) -> str:
    """A new key for the account's programs, valid for 90 days; shown once, only its digest is kept."""
    key = f"gk_{secrets.token_urlsafe(32)}"
    Key.objects.create(account=account, digest=_digest(key), expires_at=timezone.now() + KEY_LIFE)
    return key


def account_of_key(key: str) -> Account | None:
    """The account that a key belongs to; None when there is none, or it has expired or is closed."""
    found = Key.objects.select_related("account").filter(digest=_digest(key), expires_at__gt=timezone.now()).first()
    return found.account if found is not None and found.account.is_active else None


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _key(username: str) -> str:
    return username.strip().lower()[:64]
