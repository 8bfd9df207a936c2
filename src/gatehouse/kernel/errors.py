"""One family of errors; each carries the exit status that the command line answers with.

A message says what happened, where (file, row, column) and what to do; it never carries a name, a TIN, an
address or a key.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

_ABSOLUTE = re.compile(r"(?<![\w.~:/-])/(?:[^\s/:,;()'\"]+/)*([^\s/:,;()'\"]+)")


class GatehouseError(Exception):
    """What went wrong, in one line that a person can act on.

    `status` is the exit status of design §6: 1 the answer is no, 2 wrong input, 3 the machine failed.
    """

    status = 3

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        return self._line(self.where)

    @property
    def outside(self) -> str:
        """The same line for a page or a program elsewhere: of every path on this machine only the name of its file."""
        where = self.where if "://" in self.where else self.where.rpartition("/")[2]
        return _ABSOLUTE.sub(r"\1", self._line(where))

    def _line(self, where: str) -> str:
        line = f"{where}: {self.what}" if where else self.what
        return f"{line}. {self.remedy}" if self.remedy else line


class AnswerIsNo(GatehouseError):  # noqa: N818 - a verification that fails is an answer, not an accident
    """A verification failed or a property is broken: the honest answer is no."""

    status = 1


class WrongInput(GatehouseError):  # noqa: N818 - the input is wrong; the program is not
    """What was handed in breaks its contract; nothing was decided and nothing half-written."""

    status = 2


class CustodianFault(WrongInput):
    """Wrong input of the custodian's own; its text is not for anybody outside.

    It may name persons' ids, paths and addresses of databases, which whoever runs the site needs to mend it.
    """


@contextlib.contextmanager
def own() -> Iterator[None]:
    """What is read in here is the custodian's own: what is wrong with it leaves as CustodianFault, in the same words.

    For a block or, as `@own()`, for a function. A reader that both sides use cannot know whose file it reads.
    """
    try:
        yield
    except CustodianFault:
        raise
    except WrongInput as wrong:
        raise CustodianFault(wrong.what, where=wrong.where, remedy=wrong.remedy) from wrong


class MachineFailed(GatehouseError):  # noqa: N818 - names the cause, as the exit status does
    """Disk, memory, network or a missing program failed; trying again is safe."""

    status = 3


class BeingFinished(MachineFailed):
    """What was signed stands and counts; what follows from it is done by itself as soon as it can be."""


@contextlib.contextmanager
def following(what: str, *, where: str = "") -> Iterator[None]:
    """What is done in here follows from something that stands: the machine's failure leaves as BeingFinished."""
    try:
        yield
    except BeingFinished:
        raise
    except (MachineFailed, OSError) as failed:
        why = failed.what if isinstance(failed, MachineFailed) else failed.strerror
        raise BeingFinished(
            f"{what}: {why}", where=where,
            remedy="It is finished by itself within minutes, while `gatehouse serve` or `gatehouse work` runs",
        ) from failed  # fmt: skip


def place(file: object, row: int | None = None, column: str | None = None) -> str:
    """Name a place in a file the way every message does: `requests.csv, row 7, column tin`.

    Rows count from 1 for the first request, headers not counted.
    """
    parts = [str(file)]
    if row is not None:
        parts.append(f"row {row}")
    if column is not None:
        parts.append(f"column {column}")
    return ", ".join(parts)
