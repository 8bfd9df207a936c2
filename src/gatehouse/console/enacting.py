"""Law put in force: a pack that two offices signed, and an order that an officer enters with a signature of their own.

What a page does and what a program does over the API is the same: a step keeps what is to be signed, the texts are
signed wherever the key is, and what comes back is verified here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from gatehouse.casework import reasons
from gatehouse.casework.selection import Selection
from gatehouse.console import deciding, desk, drafting, steps, tasks
from gatehouse.console.drafting import Draft
from gatehouse.console.models import Account, Step, Task
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock
from gatehouse.kernel.errors import WrongInput
from gatehouse.kernel.progress import Progress
from gatehouse.law.pack import Pack
from gatehouse.pipeline import entry, orders
from gatehouse.pipeline import packs as gate

MOST_ADDED = 500
"""Characters an officer may add to an order's title in each decision."""
MOST_TEXTS = 400
"""Texts that entering one order takes: the entry, and two for each docket."""


def adopt(draft: Draft) -> Pack:
    """Put a pack that both offices signed in force. Raises as `law adopt` does; then nothing has changed."""
    _refuse_apart()
    [folder] = draft.packs
    return gate.adopt(desk.site(), folder, clock.now())


def begin(person: Account, draft: Draft, reason: str) -> Step:
    """Begin to enter an order: keep what the officer adds to its title."""
    told = {"draft": draft.id, "reason": reasons.tidy(reason)[:MOST_ADDED]}
    return steps.begin(person, Step.Kind.ORDER, "", told, Selection.of([]))


def exact(step: Step, draft: Draft) -> list[str]:
    """The texts that enter an order: the entry, and each decision that it brings. Raises as `entry.to_sign`."""

    def make() -> str:
        parcel, reason = orders.read(draft.folder / drafting.PARCEL), step.told["reason"]
        with open_workspace(memory="1GB", threads=2) as connection:
            bodies = entry.to_sign(
                connection, desk.office(), parcel, step.account.officer, reason=reason, now=clock.now()
            )
        return json.dumps([deciding.exact(body) for body in bodies])

    texts: list[str] = json.loads(steps.exact(step, make))
    return texts


def enter(step: Step, draft: Draft, texts: Sequence[str], lines: Sequence[str], back: str) -> Task:
    """Enter an order whose texts the officer's key signed; in the background, for each docket is looked at.

    Raises WrongInput where nothing was signed or law comes into force by command here, and as `entry.by` does; then
    nothing has changed, and the texts are made anew.
    """
    try:
        _refuse_apart()
        if not lines:
            raise WrongInput("nothing was signed", remedy="Choose your key file, or upload signatures made elsewhere")
        parcel = orders.read(draft.folder / drafting.PARCEL)
        by = entry.by(desk.office(), parcel, step.account.officer, texts=texts, lines=lines, now=clock.now())
    except Exception:
        steps.look_again(step)
        raise

    def work(_: Progress) -> str:
        with open_workspace(memory="2GB", threads=2) as connection:
            done = orders.enter(connection, desk.office(), draft.folder / drafting.PARCEL, by, clock.now())
        return f"{done.order} is in force. {' '.join(_told(done))}".strip()

    steps.finish(step)
    return tasks.start(step.account, "An order is entered", back, work)


def _refuse_apart() -> None:
    """Raise WrongInput where this process may not write law: at a site whose parts have users of their own."""
    parts = desk.site().parts
    if parts is not None and parts.users:
        raise WrongInput(
            "at this site, an operator puts law in force at the command line",
            remedy="Ask the operator to run `gatehouse law adopt` or `gatehouse order enter`",
        )


def _told(done: orders.Entered) -> Iterator[str]:
    for docket in sorted({*done.held, *done.recalled, *done.opened}):
        recalled, opened = len(done.recalled.get(docket, ())), len(done.opened.get(docket, ()))
        yield f"{docket}: {done.held.get(docket, 0):,} cases held, {recalled:,} packages recalled."
        if opened:
            yield f"{opened:,} packages had been opened before; a person decides about those."
