"""A site in four processes, so that a break-in into one is not a break-in into all.

`web` shows pages and has no key and no register. `decider` reads register and inbox and writes dockets; it has no key
and no network. `writer` has the log's key. `sealer` has the custodian's key, and reads from the register what is
released and nothing else. They speak over Unix sockets in messages of `messages`; docs/architecture.md has the map.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

SOCKETS, OWN = "GATEHOUSE_PARTS", "GATEHOUSE_PART"
"""Names in the environment: the folder of the sockets where the site names none, and which part we are."""


class Part(StrEnum):
    """The parts, and `operator`: whoever the machine belongs to."""

    WEB = "web"
    DECIDER = "decider"
    WRITER = "writer"
    SEALER = "sealer"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Parts:
    """Where the parts of a site are called, and which of them this process is."""

    sockets: Path
    own: Part
    users: bool = False
    """Whether each part has a user of its own, so that what another reads must be readable to it."""

    def of(self, part: Part) -> Path | None:
        """The socket of a part; None where this process is that part. A child is started when it is first asked for."""
        if part is self.own:
            return None
        if _starting is not None:
            _starting(part)
        return self.at(part)

    def at(self, part: Part) -> Path:
        """Where a part is called: in a folder that is its own, so that no other part can take its place."""
        return self.sockets / str(part) / "socket"


def stated(sockets: str | None) -> Parts | None:
    """The parts of a site whose configuration names this folder of sockets, or as its parent process says."""
    own = Part(os.environ.get(OWN) or Part.OPERATOR)
    if sockets:
        return Parts(Path(sockets), own, users=True)
    given = os.environ.get(SOCKETS)
    return Parts(Path(given), own) if given else None


_starting: Callable[[Part], None] | None = None


def start_with(starting: Callable[[Part], None] | None) -> None:
    """Have parts started by this when they are first asked for (`running.Children`)."""
    global _starting  # noqa: PLW0603 - one process has one set of children
    _starting = starting
