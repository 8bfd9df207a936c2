"""Make, change and close local accounts. Every change that takes rights away ends the account's sessions and keys."""

from __future__ import annotations

import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from gatehouse.console import limits, sessions, tokens
from gatehouse.console.models import Account
from gatehouse.console.permissions import Role
from gatehouse.kernel import ids
from gatehouse.kernel.errors import WrongInput

MOST_NAME = 64
_PASSWORD = ("password", "must_change_password")


def create(
    username: str,
    *,
    name: str,
    role: Role | str,
    password: str | None = None,
    agency: str = "",
    officer: str = "",
    provisional: bool = False,
) -> tuple[Account, str]:
    """Create an account and return it with its password, made at random when none is given.

    `agency` is required for a requester and refused for everyone else; `officer` is the person's id in the roster of
    who may decide. A `provisional` password must be changed first. Running it again for the same name, role and agency
    sets the password anew. Raises WrongInput.
    """
    role = Role(role)
    check(username, role, agency)
    before = Account.objects.filter(username=username).first()
    if before is not None and (before.role, before.agency) != (role.value, agency):
        raise WrongInput("the user name is taken by another role or agency", remedy="Choose another name")
    account = before or Account(username=username, role=role.value, agency=agency)
    account.name, account.officer, account.is_active = name, officer, True
    account.must_change_password = provisional
    chosen = password or secrets.token_urlsafe(12)
    _set(account, chosen, fields=(*_PASSWORD, "name", "officer", "is_active"))
    return account, chosen


def check(username: str, role: Role, agency: str) -> None:
    """Raise WrongInput for a user name of other signs, a requester without an agency, or another role with one."""
    if not ids.is_name(username) or len(username) > MOST_NAME or username.startswith("sso-"):
        raise WrongInput(
            "a user name takes letters, digits, dot, dash and underscore, and begins otherwise than sso-",
            remedy="Choose another name",
        )
    if (role is Role.REQUESTER) != bool(agency):
        raise WrongInput("a requester has an agency, and nobody else has one", remedy="Name the agency of requesters")


def confirms(account: Account, password: str, address: str = "") -> bool:
    """Whether a signed-in person gave the right password once more; a wrong one counts as at the sign-in."""
    attempt = limits.trying(account.username, address, known=True)
    if attempt is None or not account.check_password(password):
        return False
    attempt.forgive()
    return True


def change(account: Account, old: str, new: str) -> None:
    """Change the password of an account that knows its old one. Raises WrongInput, counting a wrong old one."""
    if not confirms(account, old):
        raise WrongInput("the old password is not right", remedy="Try again")
    account.must_change_password = False
    _set(account, new)


def reset(account: Account) -> str:
    """Give a local account a new random password, to be changed at the next sign-in, and return it.

    Raises WrongInput for an account of an identity provider.
    """
    if not account.local:
        raise WrongInput("this account has no password here", remedy="Its identity provider gives a new one")
    chosen = secrets.token_urlsafe(12)
    account.must_change_password = True
    _set(account, chosen)
    return chosen


def change_role(account: Account, role: Role, agency: str, officer: str) -> None:
    """Give an account another part; its sessions and keys end, so that none goes on with the old one.

    Raises WrongInput.
    """
    check(account.username, role, agency)
    account.role, account.agency, account.officer = role.value, agency, officer
    with transaction.atomic():
        account.save(update_fields=["role", "agency", "officer"])
        sessions.end_everywhere(account)
        tokens.end_all(account)


def close(account: Account) -> None:
    """Close an account and end all its sessions and keys."""
    account.is_active = False
    with transaction.atomic():
        account.save(update_fields=["is_active"])
        sessions.end_everywhere(account)
        tokens.end_all(account)


def reopen(account: Account) -> None:
    """Open a closed account again; it must sign in anew, and its programs need new keys."""
    account.is_active = True
    account.save(update_fields=["is_active"])


def _set(account: Account, chosen: str, *, fields: tuple[str, ...] = _PASSWORD) -> None:
    """Set a password and save these fields alone: hashing is slow, and what another did meanwhile must stay done."""
    try:
        validate_password(chosen, account)
    except ValidationError as weak:
        raise WrongInput(" ".join(weak.messages).removesuffix("."), remedy="Choose another password") from None
    account.set_password(chosen)
    account.save(update_fields=fields if account.pk else None)


def none_yet() -> bool:
    """Whether nobody can sign in yet."""
    return not Account.objects.exists()
