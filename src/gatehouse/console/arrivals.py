"""Submissions handed in over the web: kept whole on disk, checked for form, then carried on by a worker.

The form check searches no record: it reads the signature, the tables and the addresses, and says what a person would
see on the paper. Only sending makes a docket. Each piece of work is a durable job: any worker of any process takes it,
one at a time, and what a crash interrupts the next one takes up.
"""

from __future__ import annotations

import csv
import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db import close_old_connections, connections, transaction

from gatehouse.console import chronicle, desk, limits
from gatehouse.console.models import Account, Arrival, Repeat
from gatehouse.determine.docket import Docket
from gatehouse.intake import form as shape
from gatehouse.intake import manifest as manifests
from gatehouse.intake import parties, reader
from gatehouse.intake.submission import receive
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock, digests, files, ids
from gatehouse.kernel.errors import CustodianFault, MachineFailed, WrongInput
from gatehouse.pipeline import dockets, inbox, withdrawal
from gatehouse.store import jobs
from gatehouse.store.models import Release


class Upload(Protocol):
    """A file as it arrives."""

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, a piece at a time."""


CHECK, DECIDE = "check-arrival", "decide-arrival"
_ENDED = (Arrival.State.REFUSED, Arrival.State.WITHDRAWN)
UNSENT = dt.timedelta(days=30)
"""How long a submission that was checked waits to be sent."""
STRAY = dt.timedelta(days=1)
"""How old a file without an arrival must be: a younger one may be on its way in."""
WITHDRAWN = "Your agency withdrew it before anything was decided. No record was searched, and nothing of it was kept."
NOT_READY = (
    "Something at the custodian's is not ready. Nothing is wrong with your submission: it waits, and is taken up again."
)
"""All that an agency is told of what fails here: the fault's own text may name a person on file, a path or a server."""

_log = logging.getLogger("gatehouse.arrivals")

_waking = threading.Lock()
_worker: threading.Thread | None = None
"""Determining is heavy: one worker in this process, one submission at a time; the others wait their turn."""

FORM_STATES = {
    "address_verdict": "Address",
    "name_state": "Name",
    "tin_state": "Taxpayer number",
    "birth_state": "Date of birth",
    "period_state": "Tax period",
    "authority_state": "Law cited",
    "reason_state": "Reason",
    "matter_opened_state": "Day the matter was opened",
    "final_order_state": "Date of the final order",
}


def keep(upload: Upload, account: Account) -> Arrival:
    """Keep an uploaded file under a name of our own, in constant memory, and note who handed it in.

    Raises limits.TooMany where the account hands in too many.
    """
    limits.uploading(account)  # before it takes room on the disk
    identifier = ids.fresh("in")
    path, parts = inbox.waiting(desk.site(), identifier), desk.site().parts
    with files.replacing(path) as temporary, temporary.open("wb") as stream:
        temporary.chmod(0o640 if parts is not None and parts.users else 0o600)  # its group is the decider's
        for chunk in upload.chunks():
            stream.write(chunk)
    digest = digests.of_file(path)
    try:
        with transaction.atomic():
            limits.uploading(account)  # again, in one step with the note: others were being kept meanwhile
            return Arrival.objects.create(identifier=identifier, account=account, agency=account.agency, digest=digest)
    except limits.TooMany:
        path.unlink()
        raise


def check(arrival: Arrival) -> None:
    """Have the form checked in the background."""
    jobs.begin(CHECK, arrival.identifier, 1, {})
    wake()


def send(arrival: Arrival) -> None:
    """Have a checked submission decided in the background; sent already, nothing happens twice."""
    with transaction.atomic():
        moved = Arrival.objects.filter(pk=arrival.pk, state=Arrival.State.CHECKED).update(state=Arrival.State.DECIDING)
        if moved:
            jobs.begin(DECIDE, arrival.identifier, 1, {})
    if moved:
        arrival.refresh_from_db()
        wake()


def withdraw(arrival: Arrival, by: str) -> int | None:
    """Take back what was handed in, whatever is being done with it; gives the entry of the ledger, where there is one.

    What was not sent is removed with its bytes, and a check of its form that is under way comes to nothing. What was
    sent is withdrawn as `withdraw_docket` does it; what nobody has begun to decide by then is not decided at all.
    """
    with transaction.atomic():
        found = Arrival.objects.select_for_update().filter(pk=arrival.pk).first()
        if found is None or found.state == Arrival.State.WITHDRAWN:
            return None
        if found.state == Arrival.State.REFUSED or not jobs.count(DECIDE, found.identifier):
            _forget(found)
            return None
        withdrawal.keep(found.agency, found.submission, by)
    return withdraw_docket(found.agency, found.submission, by)


def withdraw_docket(agency: str, identifier: str, by: str) -> int | None:
    """Withdraw a submission that was sent; gives the entry of the ledger, or None while it waits.

    It is kept at once and nothing is released from then on; it goes on record as soon as the docket stands and the
    ledger can be written.
    """
    withdrawal.keep(agency, identifier, by)
    try:
        return withdrawal.enter(desk.site(), agency, identifier, clock.now())
    except MachineFailed:
        return None


def _forget(arrival: Arrival) -> None:
    """Remove what was handed in and not sent, its bytes with it; nothing of it was decided or committed."""
    identifier = arrival.identifier
    Repeat.objects.filter(account__agency=arrival.agency, body__contains=f'"{identifier}"').delete()
    arrival.delete()
    transaction.on_commit(lambda: inbox.discard(desk.site(), identifier))


def wake() -> None:
    """See that a worker of this process is at it, unless this process leaves the work to others."""
    global _worker  # noqa: PLW0603 - one worker a process
    if not getattr(settings, "GATEHOUSE_WORKS", True):
        return
    with _waking:
        if _worker is None or not _worker.is_alive():
            _worker = threading.Thread(target=_work_until_done, name="worker", daemon=True)
            _worker.start()


def work() -> int:
    """Do all that waits and nobody else is doing; returns how many pieces were done."""
    done = 0
    tidy(clock.now())
    for kind, task in ((CHECK, _check), (DECIDE, _decide)):
        for identifier in jobs.unfinished(kind):
            try:
                done += jobs.run(kind, identifier, _guarded(task, identifier))
            except MachineFailed:
                continue  # the arrival says what failed; it is tried again when the lease has run out
    return done


def set_going(job: jobs.Failing, by: str) -> None:
    """Let work that was begun too often be tried again; on record first.

    Raises MachineFailed when the ledger is in use by another process; then nothing was changed.
    """
    fields = {"work": job.kind, "of": job.subject, "tries": str(job.attempts), "by": by}
    chronicle.enter("work_set_going", fields)
    jobs.retry(job.kind, job.subject)
    wake()


def waiting(agency: str) -> Iterable[Arrival]:
    """What an agency handed in that is not a docket yet, newest first."""
    return Arrival.objects.filter(agency=agency).exclude(state=Arrival.State.DONE).order_by("-at")[:50]


def package(docket: Path, name: str, release: str) -> Path | None:
    """The file of one published release that is not recalled; None where there is none."""
    known = Release.objects.filter(
        identifier=release, file__docket=name, published_at__isnull=False, recalled_at__isnull=True
    ).exists()
    if not known or not ids.is_name(release):
        return None
    found = [path for path in (docket / "releases").iterdir() if path.is_file() and path.stem == release]
    return found[0] if len(found) == 1 else None


def faults(arrival: Arrival) -> Path:
    """Every fault of form that the check found, by row and column, as CSV; not there where none was made."""
    return inbox.faults(desk.site(), arrival.identifier)


def first_faults(arrival: Arrival, most: int) -> tuple[list[dict[str, str]], int]:
    """The first faults of form, and how many there are in all."""
    return faults_after(arrival, 0, most)


def faults_after(arrival: Arrival, passed: int, most: int) -> tuple[list[dict[str, str]], int]:
    """Some faults of form after so many others, and how many there are in all."""
    path = faults(arrival)
    if not path.is_file():
        return [], 0
    with path.open(encoding="utf-8", newline="") as stream:
        lines = csv.DictReader(stream)
        before = sum(1 for _ in islice(lines, passed))
        shown = list(islice(lines, most))
        return shown, before + len(shown) + sum(1 for _ in lines)


def _work_until_done() -> None:
    close_old_connections()
    try:
        while work():
            pass
    finally:
        connections["default"].close()


def _guarded(task: Callable[[Arrival], jobs.Effects], identifier: str) -> jobs.Work:
    """One task as a job's only step. What is wrong with the submission ends it, and is told to the agency in full.

    What is wrong here, with the custodian's own files or the machine, is tried again; the log says only its kind and
    the name of the file at fault, and the job keeps all of it for whoever looks after the site.
    """

    def step(_number: int, _plan: Mapping[str, Any]) -> jobs.Effects:
        arrival = Arrival.objects.filter(identifier=identifier).first()
        if arrival is None:  # its agency took it back
            return lambda: None
        try:
            return task(arrival)
        except Exception as failed:
            if isinstance(failed, WrongInput) and not isinstance(failed, CustodianFault):
                says = f"{failed}."
                return lambda: _refuse(arrival, says)
            _log.error("an arrival was not carried on", exc_info=failed)  # the formatter leaves its text out
            _end(arrival, Arrival.State.FAILED, NOT_READY)
            raise MachineFailed("an arrival was not carried on") from failed

    return step


def _end(arrival: Arrival, state: Arrival.State, message: str = "") -> None:
    arrival.state, arrival.message = state, message
    found = {"submission": arrival.submission, "requests": arrival.requests, "form": arrival.form}
    if not Arrival.objects.filter(pk=arrival.pk).update(state=state, message=message, **found):
        transaction.on_commit(lambda: inbox.discard(desk.site(), arrival.identifier))  # taken back meanwhile


def _refuse(arrival: Arrival, says: str, state: Arrival.State = Arrival.State.REFUSED) -> None:
    """End an arrival that comes to nothing; once that is kept, its file goes."""
    _end(arrival, state, says)
    withdrawal.drop(arrival.agency, arrival.submission)
    transaction.on_commit(lambda: inbox.discard(desk.site(), arrival.identifier))


def tidy(now: dt.datetime) -> None:
    """Remove what was handed in and came to nothing: what nobody sent in time, and files that no arrival waits for."""
    for arrival in Arrival.objects.filter(state=Arrival.State.CHECKED, at__lt=now - UNSENT):
        with transaction.atomic():
            _refuse(arrival, f"It was not sent within {UNSENT.days} days and was removed. Hand it in again.")
    settled = Arrival.objects.filter(state=Arrival.State.DONE, identifier__in=inbox.names(desk.site()))
    for arrival in settled.exclude(submission=""):
        docket = Docket(dockets.place(desk.site().dockets, arrival.agency, arrival.submission))
        inbox.settle(desk.site(), arrival.identifier, docket)
    live = Arrival.objects.exclude(state__in=_ENDED).values_list("identifier", flat=True)
    for stray in inbox.strays(desk.site(), live, (now - STRAY).timestamp()):
        stray.unlink(missing_ok=True)


def _check(arrival: Arrival) -> jobs.Effects:
    path = inbox.find(desk.site(), arrival.identifier)
    _own(arrival, path)
    known = parties.read(desk.site().parties) if desk.site().parties.is_file() else None
    with open_workspace(memory="2GB", threads=2, temporary=desk.site().spill) as connection:
        received = receive(connection, path, known)
        form = {
            label: {
                str(state): int(count)
                for state, count in connection.execute(
                    f"SELECT {column}, count(*) FROM requests GROUP BY ALL ORDER BY count(*) DESC, 1"
                ).fetchall()
            }
            for column, label in FORM_STATES.items()
        }
        law = desk.pack(received.manifest.basis)
        asked = shape.Asked(law.wording.form, law.wording.proceedings) if law is not None else shape.NOTHING
        shape.write(shape.find(connection, "requests", received.manifest, asked), faults(arrival))
    arrival.submission, arrival.requests, arrival.form = received.manifest.id, received.requests, form
    return lambda: _end(arrival, Arrival.State.CHECKED)


def _own(arrival: Arrival, path: Path) -> None:
    """Nobody hands in for another agency, whoever signed: raises WrongInput."""
    if reader.describe(path, place=desk.site().spill).manifest.agency != arrival.agency:
        raise WrongInput(
            "the submission is another agency's", where=manifests.NAME, remedy="Hand in only what your own agency asks"
        )


def _decide(arrival: Arrival) -> jobs.Effects:
    from gatehouse.pipeline import journey

    def tell(stage: str, done: int, total: int) -> None:
        if stage != arrival.stage:
            arrival.stage = stage[:64]
            arrival.save(update_fields=["stage"])

    stands = arrival.submission in dockets.own(desk.site().dockets, arrival.agency)
    if not stands and withdrawal.waits(arrival.agency, arrival.submission):
        return lambda: _refuse(arrival, WITHDRAWN, Arrival.State.WITHDRAWN)
    path = inbox.find(desk.site(), arrival.identifier)
    _own(arrival, path)
    docket = journey.run(
        desk.site(), path, now=clock.now(), receiver=arrival.account.username, mapping=None, progress=tell
    )
    inbox.settle(desk.site(), arrival.identifier, docket)
    return lambda: _end(arrival, Arrival.State.DONE)
