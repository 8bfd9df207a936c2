"""Longer work that somebody began on a page: carried on by a thread, watched on a page of its own.

What it does is safe to begin again (releases and recalls are durable steps), so a task whose process died is only said
to be interrupted; whoever began it presses the button once more.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable

from django.db import close_old_connections

from gatehouse.console.models import Account, Task
from gatehouse.kernel import ids
from gatehouse.kernel.errors import BeingFinished, GatehouseError
from gatehouse.kernel.progress import Progress

Work = Callable[[Progress], str]
"""Does the work, telling its progress, and gives the sentence that says what was done."""

BEING_FINISHED = "being finished"
"""The stage of a task that is done as far as it was signed, while what follows from it is still done by itself."""


def start(account: Account, title: str, back: str, work: Work) -> Task:
    """Begin work in the background; `back` is the address to go on to."""
    holder = f"{socket.gethostname()}:{os.getpid()}"
    task = Task.objects.create(identifier=ids.fresh("task"), account=account, title=title, back=back, holder=holder)
    threading.Thread(target=_guarded, args=(task.pk, work), name=task.identifier, daemon=True).start()
    return task


def find(account: Account, identifier: str) -> Task | None:
    """A task of this account; one whose process is gone is marked as interrupted."""
    task = Task.objects.filter(account=account, identifier=identifier).first()
    if task is not None and task.running and _gone(task.holder):
        _end(task.pk, Task.State.FAILED, "The server was restarted. Nothing is half-done; begin it again.")
        task.refresh_from_db()
    return task


def _gone(holder: str) -> bool:
    host, _, process = holder.rpartition(":")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _guarded(key: int, work: Work) -> None:
    close_old_connections()
    told = ""

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal told
        if stage != told:
            told = stage
            Task.objects.filter(pk=key).update(stage=stage[:64])

    try:
        _end(key, Task.State.DONE, work(progress))
    except BeingFinished as stands:
        Task.objects.filter(pk=key).update(stage=BEING_FINISHED)
        _end(key, Task.State.DONE, f"{stands.what}. {stands.remedy}.")
    except GatehouseError as error:
        _end(key, Task.State.FAILED, f"{error.outside}.")
    except Exception as error:  # noqa: BLE001 - a thread's last line of defence: say so, without personal data
        _end(key, Task.State.FAILED, f"The machine failed ({type(error).__name__}). Trying again is safe.")
    finally:
        close_old_connections()


def _end(key: int, state: Task.State, message: str) -> None:
    Task.objects.filter(pk=key).update(state=state, message=message)
