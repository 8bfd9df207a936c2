"""The log writer: the one process that has the log's key, and that writes the ledger and the openings of its events.

It signs checkpoints and nothing else. What it enters is an event of a known kind, from a part that may enter that kind,
in the form that its kind must have; or a receipt with exactly the determinations that it names behind it. Nothing that
is in can be taken out or changed by anything that can be said to it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gatehouse.kernel import clock, ids, line
from gatehouse.kernel.errors import AnswerIsNo, WrongInput
from gatehouse.kernel.line import Answer, Line
from gatehouse.ledger import behind, naming
from gatehouse.ledger.entries import Adopted, Decided, Docketed, Received, Released
from gatehouse.ledger.log import Log
from gatehouse.pipeline import events, history, record
from gatehouse.pipeline.event import SITE
from gatehouse.pipeline.parts import Part, messages
from gatehouse.pipeline.site import Site, current

PATIENCE = 300.0
"""Seconds for which a caller may hold the ledger in silence."""
RECEIVED = "received"

_OF_PEOPLE = frozenset(
    {
        "decision", "receipt", "report", "disposal", "halt", "resume", "account_made", "account_close", "account_open",
        "account_proposed", "account_refused",
        "account_reset", "role_changed", "second_factor_enrolled", "second_factor_reset", "sessions_ended", "key_made",
        "key_ended", "work_set_going", "letter_made", "withdrawal",
    }
)  # fmt: skip
_OF_DOCKETS = frozenset(
    {
        RECEIVED, "docket", "decision", "release", "unsealed", "sealed", "answered", "receipt", "report", "disposal",
        "reconciliation", "recall", "destroyed", "pack", "order", "review", "halt", "resume", "answers_begun",
        "answers", "withdrawal",
    }
)  # fmt: skip
MAY_ENTER: Mapping[Part, frozenset[str]] = {
    Part.WEB: _OF_PEOPLE, Part.DECIDER: _OF_DOCKETS, Part.SEALER: frozenset(), Part.OPERATOR: frozenset(events.WORDS),
}  # fmt: skip
"""The kinds of event that each part may have entered."""

_FORMS: Mapping[str, Callable[..., Any]] = {
    RECEIVED: Received.of, "docket": Docketed.of, "decision": Decided.of, "release": Released.of, "pack": Adopted.of,
}  # fmt: skip


class Turn:
    """What one caller does while the ledger is theirs."""

    def __init__(self, site: Site, caller: Part) -> None:
        self._site = replace(site, parts=None)  # by our own hand
        self._caller = caller
        self._log: Log | None = None

    def close(self) -> None:
        """The caller has hung up."""
        if self._log is not None:
            self._log.close()

    def handle(self, message: object, data: bytes) -> Answer:
        """Do what one message asks, under the configuration as it stands now."""
        self._site = current(self._site)
        if isinstance(message, messages.Take):
            if self._log is None:
                self._log = record.own_log(self._site)
            return messages.Taken(self._log.size), b""
        if self._log is None:
            raise WrongInput("the caller must take its turn at the ledger first")
        if isinstance(message, messages.Find):
            place = self._log.batch(message.name) or range(0)
            return messages.Found(place.start, len(place), self._log.size), b""
        if isinstance(message, messages.Enter) and not data:
            return messages.Entered(self._enter(self._log, message)), b""
        if isinstance(message, messages.Receive):
            return messages.Entered(self._receive(self._log, message, data)), b""
        shown = record.publish(self._site, self._log, clock.now())
        return messages.Done(), shown.encoded

    def _enter(self, log: Log, message: messages.Enter) -> int:
        if events.kind(message.name) == RECEIVED:
            raise AnswerIsNo("a receipt must be committed with its determinations", where=message.name)
        folder = self._checked(message.name, message.fields)
        return record.event(log, folder, message.name, message.fields)

    def _receive(self, log: Log, message: messages.Receive, data: bytes) -> int:
        folder = self._checked(message.name, message.fields)
        said = Received.of(message.fields, where=message.name)
        standing = log.batch(message.name)
        behind.check(said, standing.start if standing else log.size, data)
        return record.receive(log, folder, message.name, message.fields, behind.split(data))

    def _checked(self, name: str, fields: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a folder
        """Where the opening of an event belongs. Raises AnswerIsNo where the caller may not enter it so."""
        scope, _, stem = name.partition("/")
        kind = events.kind(name)
        if kind not in MAY_ENTER.get(self._caller, frozenset()):
            raise AnswerIsNo(f"the {self._caller} may not record this kind of event", where=kind)
        if not (ids.is_docket(scope) and ids.is_name(stem)) or not isinstance(fields.get("event"), str):
            raise AnswerIsNo("this is not an event, or not the name of one", where=kind)
        form = _FORMS.get(kind)
        if form is not None:
            form(fields, where=name)
        docket = None if scope == SITE else scope
        if not naming.is_about(name, docket, fields) or (docket and not (self._site.dockets / docket).is_dir()):
            raise AnswerIsNo(
                "an event must be about what its name says, and must not be about another docket", where=name
            )
        return history.opening_of(self._site, scope, stem).parent


def converse(site: Site, connection: socket.socket, caller: Part) -> None:
    """Serve one caller, who holds the ledger from the first message until hanging up."""
    turn = Turn(site, caller)
    try:
        line.answer(Line(connection, messages.TO_WRITER, most=messages.MOST_ENTRIES), turn.handle)
    finally:
        turn.close()
