"""Who a session or a password belongs to, asked again at every request."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from gatehouse.console.entrance import entrance
from gatehouse.console.models import Account


class Local(BaseBackend):
    """Accounts with a password of this site; none, and no session of one, while passwords are off."""

    def authenticate(self, request: HttpRequest | None, **given: Any) -> Account | None:  # noqa: ANN401 - as Django has it
        """The open account of a `username` and `password`, or nobody; both take the same time."""
        username, password = given.get("username"), given.get("password")
        if username is None or password is None or not entrance().passwords:
            return None
        account = Account.objects.filter(username=username).first()
        if account is None:
            Account().set_password(password)
            return None
        return account if account.check_password(password) and account.is_active and account.local else None

    def get_user(self, user_id: int) -> Account | None:
        """The account behind a session."""
        account = Account.objects.filter(pk=user_id).first()
        return (
            account
            if account is not None and account.is_active and account.local and entrance().admits(account)
            else None
        )
