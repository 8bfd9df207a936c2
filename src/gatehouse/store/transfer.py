"""Carry the records of dockets and releases from one database to another, whatever each of them is.

For drills on a copy: decisions, releases and what came back, as they stand. Jobs, samples and refused attempts stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import transaction

from gatehouse.store.settings import models_of

_CARRIED = ("CaseFile", "Members", "Decision", "Release", "Return")


def dump(path: Path) -> int:
    """Write the records of the database now in use to a file of JSON lines; gives how many there are."""
    from django.core import serializers

    count = 0
    with path.open("w", encoding="utf-8") as stream:
        for row in _rows():
            serializers.serialize("jsonl", [row], stream=stream)
            count += 1
    return count


def load(path: Path) -> int:
    """Read such a file into the database now in use, which holds none of them yet; gives how many there were."""
    from django.core import serializers

    count = 0
    with path.open(encoding="utf-8") as stream, transaction.atomic():
        for record in serializers.deserialize("jsonl", stream):
            record.save(force_insert=True)
            count += 1
        _count_on()
    return count


def _count_on() -> None:
    """Let new rows be numbered after those carried: PostgreSQL counts apart from what is inserted."""
    from django.core.management.color import no_style
    from django.db import connection

    carried = [getattr(models_of(), name) for name in _CARRIED]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), carried):
            cursor.execute(statement)


def _rows() -> Iterator[Any]:
    for name in _CARRIED:
        yield from getattr(models_of(), name).objects.order_by("pk").iterator(chunk_size=500)
