"""The store as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class Store(AppConfig):
    """Named `store` in the database; its tables are casework, durable steps and releases."""

    name = "gatehouse.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"
