"""Decisions on their way to a signature: each is kept from the choice until it is signed, at an address of its own.

Back, refresh and signing in again all come back to the same page, and an error loses nothing that was typed. Only the
account that began a step sees it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from gatehouse.casework.selection import Selection
from gatehouse.console.models import Account, Mark, Opening, Step
from gatehouse.kernel import clock, ids
from gatehouse.kernel.errors import WrongInput

KEPT = dt.timedelta(days=7)
"""How long a step that nobody finished is kept."""
FRESH = dt.timedelta(minutes=5)
"""How long the text to sign stays the same; its time must be near when it is signed."""


def begin(account: Account, kind: Step.Kind, docket: str, told: dict[str, str], selection: Selection) -> Step:
    """Keep a new step, and let go of those that were left."""
    Step.objects.filter(account=account, at__lt=clock.now() - KEPT).delete()
    return Step.objects.create(
        identifier=ids.fresh("step"), account=account, kind=kind, docket=docket, told=told, selection=selection.text()
    )


def find(account: Account, kind: Step.Kind, docket: str, identifier: str) -> Step | None:
    """A step of this account, of this kind and about this docket."""
    return Step.objects.filter(account=account, kind=kind, docket=docket, identifier=identifier).first()


def of_sample(account: Account, sample: str) -> Step | None:
    """The step that a sample was drawn for."""
    return Step.objects.filter(account=account, sample=sample).first()


def tell(step: Step, **told: str) -> None:
    """Keep what was typed; the text to sign is then made anew."""
    step.told = {**step.told, **told}
    step.exact = ""
    step.save()


def exact(step: Step, make: Callable[[], str]) -> str:
    """The text to sign: the same on every visit for some minutes, so that a signature made elsewhere still fits."""
    now = clock.now()
    if not step.exact or step.exact_at is None or not now - FRESH <= step.exact_at <= now:
        step.exact, step.exact_at = make(), now
        step.save()
    return str(step.exact)


def look_again(step: Step) -> None:
    """Make the text to sign anew on the next visit, because what it was about may have changed."""
    step.exact = ""
    step.save()


def finish(step: Step) -> None:
    """The step is signed and stands; its page says so from now on."""
    step.done_at = clock.now()
    step.save()


def selection(step: Step) -> Selection:
    """The cases that the step is about."""
    return Selection.of_text(step.selection)


def mark(account: Account, sample: str, docket: str, seq: int, *, wrong: bool, since: dt.datetime) -> None:
    """Say of one case of a sample whether it is decided rightly. Raises WrongInput unless the case was opened first."""
    if not Opening.objects.filter(account=account, docket=docket, seq=seq, at__gte=since).exists():
        raise WrongInput(
            "this case of the sample has not been opened yet", remedy="Open it, look at it, and then mark it"
        )
    Mark.objects.update_or_create(sample=sample, seq=seq, defaults={"wrong": wrong, "at": clock.now()})


def marks(sample: str) -> dict[int, bool]:
    """The cases of a sample that were looked at, and whether each was wrong."""
    return dict(Mark.objects.filter(sample=sample).values_list("seq", "wrong"))
