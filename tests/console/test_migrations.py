"""An upgrade only adds to the database, so that older processes read on until they are restarted."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import doors  # noqa: F401 - readies Django, which the migrations of accounts ask
from django.db import migrations

import gatehouse.console.migrations
import gatehouse.store.migrations

ADDITIONS = (
    migrations.CreateModel, migrations.AddField, migrations.AddIndex, migrations.AddConstraint, migrations.RunPython,
)  # fmt: skip
"""What an older process does not notice. Removing or renaming waits for a release in which nobody reads it any more."""

WORDS_ONLY = {("0003_sign_in", "role"), ("0010_withdrawn", "state")}
"""Columns whose list of choices was changed and nothing that the database knows."""


def _all(package: ModuleType) -> Iterator[migrations.Migration]:
    for found in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        yield module.Migration(found.name, "store")


def test_every_migration_only_adds() -> None:
    found = [*_all(gatehouse.store.migrations), *_all(gatehouse.console.migrations)]
    assert len(found) >= 4
    for migration in found:
        made = {each.name.lower() for each in migration.operations if isinstance(each, migrations.CreateModel)}
        for operation in migration.operations:
            if isinstance(operation, migrations.AlterField):
                assert (migration.name, operation.name) in WORDS_ONLY, (migration.name, operation)
                continue
            assert isinstance(operation, ADDITIONS), (migration.name, operation)
            if isinstance(operation, migrations.AddField) and operation.model_name.lower() not in made:
                field = operation.field
                assert field.null or field.blank or field.has_default(), (
                    migration.name,
                    operation,
                )  # old rows are filled
