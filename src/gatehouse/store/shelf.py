"""Releases and what comes back about them, in the database (fulfils `release.returns.Shelf`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from gatehouse.casework import statement as statements
from gatehouse.casework.selection import Selection
from gatehouse.kernel.errors import MachineFailed
from gatehouse.release.returns import Kind, ReleaseRecord, Returned
from gatehouse.store.casebook import row_of
from gatehouse.store.deferred import Deferred

if TYPE_CHECKING:
    from gatehouse.store import models
else:
    models = Deferred("gatehouse.store.models")


class Shelf:
    """The custodian's releases."""

    def release(self, identifier: str) -> ReleaseRecord | None:
        """One release."""
        row = models.Release.objects.select_related("file").filter(identifier=identifier).first()
        return _record(row) if row else None

    def releases(self, docket: str | None = None, agency: str | None = None) -> Sequence[ReleaseRecord]:
        """All releases, or those of a docket or an agency, in the order they were sealed."""
        rows = models.Release.objects.select_related("file").order_by("id")
        if docket is not None:
            rows = rows.filter(file__docket=docket)
        if agency is not None:
            rows = rows.filter(file__agency=agency)
        return tuple(_record(row) for row in rows)

    def sealed(self, batch: str) -> Sequence[ReleaseRecord]:
        """The releases of one batch that were sealed so far."""
        rows = models.Release.objects.select_related("file").filter(batch=batch).order_by("id")
        return tuple(_record(row) for row in rows)

    def add(self, batch: str, record: ReleaseRecord) -> None:
        """Record a sealed package, before it is published. Raises MachineFailed when the officer has one already."""
        try:
            with transaction.atomic():
                models.Release.objects.create(
                    identifier=record.id,
                    file=row_of(record.docket),
                    batch=batch,
                    officer=record.officer,
                    cases=record.cases.pack(),
                    digest=record.digest,
                    certificate=record.certificate,
                    receipt_key=record.receipt_key,
                    matters=list(record.matters),
                    pack_digest=record.pack_digest,
                    sealed_at=record.sealed_at,
                    expires_on=record.expires_on,
                )
        except IntegrityError as twice:
            raise MachineFailed("the release is already sealed; nothing was changed") from twice

    def forget(self, batch: str) -> None:
        """Forget sealed packages that were never published."""
        models.Release.objects.filter(batch=batch, published_at=None).delete()

    def published(self, batch: str, at: dt.datetime) -> None:
        """Record that the packages of a batch lie where officers fetch them."""
        models.Release.objects.filter(batch=batch, published_at=None, recalled_at=None).update(published_at=at)

    def recalled(self, identifiers: Sequence[str], at: dt.datetime) -> None:
        """Record that releases were recalled; the first recall's time stays."""
        models.Release.objects.filter(identifier__in=identifiers, recalled_at=None).update(recalled_at=at)

    def take(self, release: str, returned: Returned, now: dt.datetime) -> bool:
        """Keep what came back; False when it was kept before."""
        _, new = models.Return.objects.get_or_create(
            digest=returned.statement.digest,
            defaults={
                "release": models.Release.objects.get(identifier=release),
                "kind": str(returned.kind),
                "statement": returned.statement.document(),
                "stated_at": returned.stated_at,
                "taken_at": now,
            },
        )
        return new

    def returned(self, release: str) -> Sequence[Returned]:
        """Everything that came back about a release, as it was signed, in the order it was taken."""
        return tuple(_returned(row) for row in models.Return.objects.filter(release__identifier=release).order_by("id"))

    def returned_by_release(self, docket: str) -> dict[str, list[Returned]]:
        """Everything that came back about the releases of a docket, in one reading."""
        found: dict[str, list[Returned]] = {}
        rows = models.Return.objects.filter(release__file__docket=docket).select_related("release").order_by("id")
        for row in rows:
            found.setdefault(row.release.identifier, []).append(_returned(row))
        return found


def _returned(row: models.Return) -> Returned:
    return Returned(Kind(row.kind), statements.of_document(row.statement), row.stated_at)


def _record(row: models.Release) -> ReleaseRecord:
    return ReleaseRecord(
        row.identifier,
        row.file.docket,
        row.file.agency,
        row.officer,
        row.digest,
        row.certificate,
        row.receipt_key,
        Selection.unpack(bytes(row.cases)),
        tuple(row.matters),
        row.pack_digest,
        row.sealed_at,
        row.expires_on,
        row.published_at,
        row.recalled_at,
    )
