"""Idempotency keys: the same request sent again gets the same answer and does nothing twice."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from ninja.errors import HttpError

from gatehouse.console.models import Account, Repeat
from gatehouse.kernel import clock

MOST_KEY = 128
KEPT = dt.timedelta(days=7)
DIED = dt.timedelta(minutes=15)


def once(account: Account, key: str, fingerprint: str, act: Callable[[], tuple[int, str]]) -> HttpResponse:
    """Do `act` once for this account and key and keep its answer (status, JSON text).

    Raises HttpError 409 while the first one is still at it, and when the key was used for another request. When `act`
    fails the key is free again, because nothing was done; so it is a while after its process died over it. Keys are
    forgotten after a week.
    """
    now = clock.machine()
    Repeat.objects.filter(at__lt=now - KEPT).delete()
    Repeat.objects.filter(account=account, key=key, status=None, at__lt=now - DIED).delete()
    digest = hashlib.sha256(fingerprint.encode()).hexdigest()
    try:
        with transaction.atomic():
            kept = Repeat.objects.create(account=account, key=key, fingerprint=digest)
    except IntegrityError:
        return _again(account, key, digest)
    try:
        kept.status, kept.body = act()
    except BaseException:
        kept.delete()
        raise
    kept.save()
    return HttpResponse(kept.body, status=kept.status, content_type="application/json")


def _again(account: Account, key: str, digest: str) -> HttpResponse:
    kept = Repeat.objects.get(account=account, key=key)
    if kept.fingerprint != digest:
        raise HttpError(409, "This Idempotency-Key was used for a different request. Choose a new one.")
    if kept.status is None:
        raise HttpError(409, "The first request with this Idempotency-Key is still in progress. Try again shortly.")
    return HttpResponse(kept.body, status=kept.status, content_type="application/json")
