"""An upgrade adds to the tables while older processes read on, and no reader is turned away."""

from __future__ import annotations

import threading

from django.apps.registry import Apps
from django.db import connection, connections, models

from gatehouse.store import models_of


def _later() -> type[models.Model]:
    """A table that a later release brings."""
    meta = type("Meta", (), {"app_label": "store", "apps": Apps()})
    return type(
        "Later", (models.Model,), {"__module__": __name__, "Meta": meta, "name": models.CharField(max_length=8)}
    )


def test_reading_goes_on_while_the_tables_change(database: str) -> None:
    """A column, an index and a table are added under a reader that knows only what was there before."""
    ended, failures, reads = threading.Event(), [], []

    def read() -> None:
        try:
            while not ended.is_set():
                reads.append(list(models_of().Release.objects.values_list("identifier", "digest")))
        except Exception as failure:  # noqa: BLE001 - any failure at all is what this test looks for
            failures.append(failure)
        finally:
            connections["default"].close()

    release, later = models_of().Release, _later()
    column = models.CharField(max_length=8, default="", db_default="")
    column.set_attributes_from_name("later")
    column.model = release
    index = models.Index(fields=["digest"], name="later_index")
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        while len(reads) < 10 and not failures:
            ended.wait(0.01)
        for change, what in (
            ("add_field", (release, column)),
            ("add_index", (release, index)),
            ("create_model", (later,)),
        ):
            with connection.schema_editor() as editor:
                getattr(editor, change)(*what)
            seen = len(reads)
            while len(reads) < seen + 10 and not failures:
                ended.wait(0.01)
    finally:
        ended.set()
        for reader in readers:
            reader.join()
        with connection.schema_editor() as editor:
            editor.delete_model(later)
            editor.remove_index(release, index)
            editor.remove_field(release, column)
    assert not failures
