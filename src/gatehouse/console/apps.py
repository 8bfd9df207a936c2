"""The console as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class Console(AppConfig):
    """Named `console` in the database; its only tables are accounts and what accounts did."""

    name = "gatehouse.console"
    label = "console"
    default_auto_field = "django.db.models.BigAutoField"
