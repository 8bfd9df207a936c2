"""Every message that crosses between the parts of a site, and who may send it. Nothing else crosses.

Bytes that follow a message are said beside it. An answer that has nothing to say is `Done`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CALL_FORM = "gatehouse-call/1"
"""What a webhook is told: a form of its own, so that the sealer can sign it."""
MOST_ENTRIES = 1 << 28
"""Bytes of determinations behind a receipt: five million."""


@dataclass(frozen=True)
class Done:
    """It is done."""


# --- to the log writer, by whoever enters something; a connection is one hold on the ledger


@dataclass(frozen=True)
class Take:
    """Take the turn at the ledger; it ends when the caller hangs up. Answer: `Taken`."""


@dataclass(frozen=True)
class Taken:
    """The turn is taken."""

    size: int


@dataclass(frozen=True)
class Find:
    """Where a named batch stands. Answer: `Found`."""

    name: str


@dataclass(frozen=True)
class Found:
    """The place of a batch; `count` is 0 where it never went in. `size` is how many entries there are in all."""

    first: int
    count: int
    size: int


@dataclass(frozen=True)
class Enter:
    """Enter one event; its opening is kept by the writer. Answer: `Entered`."""

    name: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Receive:
    """Enter a receipt; the determinations that it names follow as bytes, 53 each. Answer: `Entered`."""

    name: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Entered:
    """The index of what was entered."""

    index: int


@dataclass(frozen=True)
class Publish:
    """Sign the tree as it stands and have it witnessed. Answer: `Done`, with the checkpoint as bytes."""


TO_WRITER = (Take, Find, Enter, Receive, Publish)
FROM_WRITER = (Taken, Found, Entered, Done)


# --- to the sealer, by the decider; a connection is one release


@dataclass(frozen=True)
class Look:
    """Which of these cases may leave today, by law and register. Answer: `Looked`. Nothing of a record comes back."""

    docket: str
    cases: str


@dataclass(frozen=True)
class Looked:
    """The cases, why others stay (by how many), and the officers who would receive something."""

    cases: str
    left: Mapping[str, int]
    officers: tuple[str, ...]


@dataclass(frozen=True)
class Prepare:
    """Fix what each package of a plan will hold. Answer: `Prepared`, with the shares as JSON; no item is in them."""

    docket: str
    plan: Mapping[str, Any]


@dataclass(frozen=True)
class Prepared:
    """How many shares follow."""

    shares: int


@dataclass(frozen=True)
class Seal:
    """Seal one package of the plan that was prepared; its certificate follows. Answer: `SealedOnce`."""

    release: str


@dataclass(frozen=True)
class SealedOnce:
    """What was sealed, now or the first time it was asked for: the certificate's bytes follow, then the package's."""

    digest: str
    certificate: str
    certificate_bytes: int


@dataclass(frozen=True)
class Sign:
    """Sign a receipt, answers, a notice, a report or a list of the trust folder, which follows. Answer: `Signature`."""


@dataclass(frozen=True)
class Signature:
    """A raw signature, in hexadecimal digits."""

    hex: str


MOST_CERTIFICATE, MOST_PACKAGE = 1 << 30, 1 << 31
TO_SEALER = (Look, Prepare, Seal, Sign)
FROM_SEALER = (Looked, Prepared, SealedOnce, Signature)


# --- to the decider, by the web


@dataclass(frozen=True)
class OpenCase:
    """What the register says of one candidate of one case, for an officer who is signed in. Answer: `OnFile`."""

    officer: str
    docket: str
    seq: int
    candidate: int
    """From 1, in the order of the evidence."""


@dataclass(frozen=True)
class OnFile:
    """The record by field, and the addresses, newest first; nothing where there is no such candidate."""

    fields: Mapping[str, str]
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class AskAbout:
    """What a decision about these cases is about (`casework.about`). Answer: `SaidAbout`."""

    docket: str
    cases: str


@dataclass(frozen=True)
class SaidAbout:
    """The same as the statement holds it."""

    fields: Mapping[str, Any]


@dataclass(frozen=True)
class ReleaseDocket:
    """Release what two officers approved of a docket. Answer: `ReleasedDocket`."""

    docket: str


@dataclass(frozen=True)
class ReleasedDocket:
    """How many cases left in how many packages, and why others stayed, by how many."""

    cases: int
    packages: int
    left: Mapping[str, int]


@dataclass(frozen=True)
class RecallCases:
    """Carry out a recall that an officer signed. Answer: `RecalledCases`."""

    statement: Mapping[str, Any]
    cases: str
    cause: Mapping[str, str]


@dataclass(frozen=True)
class RecalledCases:
    """How many cases and packages were recalled, and by when the incident must be reported."""

    cases: int
    packages: int
    report_by: str


@dataclass(frozen=True)
class TellAnswers:
    """Tell a docket's answers, if their day has come. Answer: `Done`."""

    docket: str


@dataclass(frozen=True)
class AnswerPerson:
    """One page of the answer about a person who has a letter. Answer: `Done`, with the answer's file as bytes."""

    person: int
    page: int


@dataclass(frozen=True)
class AskRegister:
    """Whether the register is there. Answer: `Done`, or a refusal."""


TO_DECIDER = (AskRegister, OpenCase, AskAbout, ReleaseDocket, RecallCases, TellAnswers, AnswerPerson)
FROM_DECIDER = (OnFile, SaidAbout, ReleasedDocket, RecalledCases, Done)
MOST_ANSWER = 1 << 20
