"""Webhooks: an agency's own address is told that something of its submissions moved, signed, and nothing of any case.

What there is to tell is found from what stands, so it does not matter who did it or where; each thing is told once, and
again until the address takes it. A call is a hint: whoever misses one learns the same by asking the API. The decider
finds and has signed what there is to tell, for it has no network; the web posts it, for it has no key.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from gatehouse.console import desk
from gatehouse.console.models import Arrival, Call
from gatehouse.determine.docket import Docket
from gatehouse.kernel import canonical, clock
from gatehouse.ledger import asking, note
from gatehouse.ledger.signers import Signer
from gatehouse.pipeline import keys
from gatehouse.pipeline.parts.messages import CALL_FORM as FORM
from gatehouse.pipeline.site import Site
from gatehouse.site.webhooks import Webhook
from gatehouse.store.models import Release

KINDS = ("submission.checked", "submission.refused", "submission.received", "answers.told", "release.ready",
         "release.recalled")  # fmt: skip
_BEGUN = "webhook.begun"
MOST_TRIES = 20
_SECONDS, _MOST_ANSWER, _LONGEST = 10.0, 1 << 16, dt.timedelta(hours=6)
_log = logging.getLogger("gatehouse.hooks")


@dataclass(frozen=True)
class Happened:
    """One thing that happened to an agency's submission; `subject` is the id of what it happened to."""

    kind: str
    subject: str
    submission: str


def compose(now: dt.datetime) -> int:
    """Find what there is to tell, and sign it; gives how much is new. Done by whoever has the custodian's ear."""
    site, made = desk.site(), 0
    for hook in site.configuration.webhooks:
        made += _note(hook, site, now)
    return made


def post(now: dt.datetime) -> int:
    """Tell what is due; gives how much was taken. Done by whoever has a network."""
    wanted = {(hook.address, hook.agency) for hook in desk.site().configuration.webhooks}
    if not wanted:
        return 0
    due = Call.objects.filter(done_at=None, tries__lt=MOST_TRIES, next_at__lte=now).order_by("id")[:100]
    return sum(_tell(call) for call in due if (call.address, call.agency) in wanted and _claim(call, now))


def _note(hook: Webhook, site: Site, now: dt.datetime) -> int:
    """Keep what is new to a webhook, signed; of what was there before the webhook it is told nothing."""
    mine = Call.objects.filter(address=hook.address, agency=hook.agency)
    known = set(mine.values_list("kind", "subject"))
    fresh = [one for one in happened(hook.agency) if (one.kind, one.subject) not in known]
    if not known:
        fresh.append(Happened(_BEGUN, hook.agency, ""))
    signer = keys.custodian(site) if fresh and known else None
    Call.objects.bulk_create(
        [
            Call(address=hook.address, agency=hook.agency, kind=one.kind, subject=one.subject,
                 submission=one.submission, next_at=now, at=now, done_at=None if known else now,
                 body=body(hook, one, site, signer, now) if signer else "")
            for one in fresh
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    return len(fresh) if known else 0


def happened(agency: str) -> Iterator[Happened]:
    """Everything that an agency could be told of by now."""
    states = {Arrival.State.CHECKED: "submission.checked", Arrival.State.REFUSED: "submission.refused"}
    for arrival in Arrival.objects.filter(agency=agency, state__in=list(states)).order_by("id"):
        yield Happened(states[Arrival.State(arrival.state)], arrival.identifier, arrival.submission)
    ids = {name: identifier for identifier, name in desk.own_ids(agency).items()}
    for name, identifier in ids.items():
        yield Happened("submission.received", identifier, identifier)
        if (Docket(desk.site().dockets / name).events / "answered.json").is_file():
            yield Happened("answers.told", identifier, identifier)
    for one in Release.objects.filter(file__agency=agency, published_at__isnull=False).select_related("file"):
        submission = ids.get(one.file.docket, "")
        yield Happened("release.ready", one.identifier, submission)
        if one.recalled_at is not None:
            yield Happened("release.recalled", one.identifier, submission)


def _claim(call: Call, now: dt.datetime) -> bool:
    """Take a call for this process; the next try waits twice as long as the one before."""
    wait = min(dt.timedelta(minutes=2**call.tries), _LONGEST)
    mine = Call.objects.filter(pk=call.pk, tries=call.tries, done_at=None)
    return bool(mine.update(tries=call.tries + 1, next_at=now + wait))


def body(hook: Webhook, happened: Happened, site: Site, signer: Signer, now: dt.datetime) -> str:
    """What is posted: a signed note (C2SP) whose text is one line of canonical JSON."""
    said = {
        "format": FORM, "site": site.name, "agency": hook.agency, "event": happened.kind,
        "subject": happened.subject, "submission": happened.submission, "at": clock.stamp(now),
    }  # fmt: skip
    return note.sign(canonical.encode(said).decode() + "\n", signer).encoded.decode()


def _tell(call: Call) -> bool:
    try:
        status, _ = asking.post(
            call.address, call.body.encode(), seconds=_SECONDS, most=_MOST_ANSWER,
            content_type="text/plain; charset=utf-8",
        )  # fmt: skip
    except OSError:
        status = 0
    if 200 <= status < 300:
        Call.objects.filter(pk=call.pk).update(done_at=clock.now())
        return True
    _log.warning("a webhook did not take a call: status %s, try %s", status, call.tries + 1)
    return False
