"""Submissions handed in over the web: kept whole on disk, checked for form, then carried on by a worker thread.

The form check searches no record: it reads the signature, the tables and the addresses, and says what a person would
see on the paper. Only sending makes a docket. Work that a restart interrupts is taken up again when the server starts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from django.db import close_old_connections

from gatehouse.console import desk
from gatehouse.console.models import Account, Arrival
from gatehouse.intake import manifest as manifests
from gatehouse.intake import parcel, parties
from gatehouse.intake.submission import receive
from gatehouse.intake.workspace import open_workspace
from gatehouse.kernel import clock, digests, files, ids
from gatehouse.kernel.errors import GatehouseError, WrongInput
from gatehouse.store.models import Release


class Upload(Protocol):
    """A file as it arrives."""

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, a piece at a time."""


Work = Callable[[Arrival], None]

_ONE_AT_A_TIME = threading.Lock()
"""Determining is heavy: one submission at a time in this process, the others wait their turn."""

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
    """Keep an uploaded file under a name of our own, in constant memory, and note who handed it in."""
    identifier = ids.fresh("in")
    path = _path(identifier)
    with files.replacing(path) as temporary, temporary.open("wb") as stream:
        for chunk in upload.chunks():
            stream.write(chunk)
    return Arrival.objects.create(
        identifier=identifier, account=account, agency=account.agency, digest=digests.of_file(path)
    )


def check(arrival: Arrival) -> None:
    """Start the form check in the background."""
    _start(_check, arrival)


def send(arrival: Arrival) -> None:
    """Start deciding a checked submission in the background; sent already, nothing happens twice."""
    moved = Arrival.objects.filter(pk=arrival.pk, state=Arrival.State.CHECKED).update(state=Arrival.State.DECIDING)
    if moved:
        arrival.refresh_from_db()
        _start(_decide, arrival)


def resume() -> None:
    """Take up what a restart interrupted."""
    for arrival in Arrival.objects.filter(state__in=[Arrival.State.CHECKING, Arrival.State.DECIDING]):
        _start(_check if arrival.state == Arrival.State.CHECKING else _decide, arrival)


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


def _path(identifier: str) -> Path:
    return desk.site().root / "inbox" / f"{identifier}.zip"


def _start(work: Work, arrival: Arrival) -> None:
    threading.Thread(target=_guarded, args=(work, arrival.pk), name=f"arrival-{arrival.pk}", daemon=True).start()


def _guarded(work: Work, key: int) -> None:
    close_old_connections()
    try:
        with _ONE_AT_A_TIME:
            arrival = Arrival.objects.get(pk=key)
            try:
                work(arrival)
            except WrongInput as wrong:
                _end(arrival, Arrival.State.REFUSED, f"{wrong}.")
            except GatehouseError as failed:
                _end(arrival, Arrival.State.FAILED, f"{failed}.")
            except Exception as failed:  # noqa: BLE001 - a thread's last line of defence: say so, without personal data
                _end(arrival, Arrival.State.FAILED, f"The machine failed ({type(failed).__name__}).")
    finally:
        close_old_connections()


def _end(arrival: Arrival, state: Arrival.State, message: str = "") -> None:
    arrival.state, arrival.message = state, message
    arrival.save()


def _check(arrival: Arrival) -> None:
    path = _path(arrival.identifier)
    _own(arrival, path)
    known = parties.read(desk.site().parties) if desk.site().parties.is_file() else None
    with open_workspace(memory="2GB", threads=2) as connection:
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
    arrival.submission, arrival.requests, arrival.form = received.manifest.id, received.requests, form
    _end(arrival, Arrival.State.CHECKED)


def _own(arrival: Arrival, path: Path) -> None:
    """Nobody hands in for another agency, whoever signed: raises WrongInput."""
    with parcel.opened(path) as folder:
        manifest = manifests.parse(parcel.member(folder, manifests.NAME).read_bytes())
    if manifest.agency != arrival.agency:
        raise WrongInput(
            "the submission is another agency's", where=manifests.NAME, remedy="Hand in only what your own agency asks"
        )


def _decide(arrival: Arrival) -> None:
    from gatehouse.pipeline import journey

    def tell(stage: str, done: int, total: int) -> None:
        if stage != arrival.stage:
            arrival.stage = stage[:64]
            arrival.save(update_fields=["stage"])

    path = _path(arrival.identifier)
    _own(arrival, path)
    docket = journey.run(
        desk.site(), path, now=clock.now(), receiver=arrival.account.username, mapping=None, progress=tell
    )
    arrival.submission = docket.id
    _end(arrival, Arrival.State.DONE)
