"""The one door to a docket that was laid down: every file in it is compared with its entry before any of it is read.

The entry `docket` of the ledger holds the SHA-256 of every file as it was committed. Whoever opens a docket here knows
that nothing in it was exchanged since; that the entry stands in the ledger, `pipeline.dockets` looks up.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatehouse.determine.docket import Docket
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.ledger import docket_files
from gatehouse.ledger.entries import Docketed, Received
from gatehouse.ledger.opening import Opening

RECEIVED, DOCKET = "received", "docket"
"""The names of the two events that lay a docket down."""


@dataclass(frozen=True)
class OpenDocket(Docket):
    """A docket of which every file is the one that was committed, as far as its own entry says."""

    received: Received
    docketed: Docketed
    opening: Opening
    """Of its entry `docket`."""


def check(docket: Docket) -> OpenDocket:
    """Open a docket. Raises WrongInput when it was never laid down, AnswerIsNo naming the first file that differs."""
    opening = _opening(docket, DOCKET)
    docketed = Docketed.of(opening.fields(), where=f"{docket.id}, events/{DOCKET}.json")
    received = Received.of(_opening(docket, RECEIVED).fields(), where=f"{docket.id}, events/{RECEIVED}.json")
    if (docketed.docket, docketed.received) != (received.docket, received.first - 1):
        raise AnswerIsNo("the docket's two entries are about different dockets", where=docket.id)
    docket_files.compare(docket.root, docketed.files)
    return OpenDocket(docket.root, received, docketed, opening)


def is_laid_down(docket: Docket) -> bool:
    """Whether any entry speaks of a docket; a back-test has none."""
    return any((docket.events / f"{name}.json").exists() for name in (RECEIVED, DOCKET))


def _opening(docket: Docket, name: str) -> Opening:
    path = docket.events / f"{name}.json"
    if not path.is_file():
        raise WrongInput("the docket is not in the ledger yet", where=docket.id, remedy="Run `gatehouse run` again")
    return Opening.parse(path.read_bytes(), where=f"{docket.id}, events/{name}.json")
