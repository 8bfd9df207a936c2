"""The sealer as whoever releases asks it, when it is a process of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from gatehouse.casework.selection import Selection
from gatehouse.kernel.line import Call
from gatehouse.pipeline.dockets import Placed
from gatehouse.pipeline.parts import messages
from gatehouse.pipeline.planning import Share
from gatehouse.pipeline.sealing import Done, Looked


class Sealer:
    """One conversation with the sealer: one release."""

    def __init__(self, socket: Path) -> None:
        most = messages.MOST_CERTIFICATE + messages.MOST_PACKAGE
        self._call = Call(socket, messages.FROM_SEALER, most=most)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._call.close()

    def look(self, docket: Placed, cases: Selection) -> Looked:
        """Which of these cases may leave today."""
        said, _ = self._call.ask(messages.Look(docket.id, cases.text()))
        return Looked(Selection.of_text(said.cases), said.left, said.officers)

    def prepare(self, docket: Placed, plan: Mapping[str, Any]) -> tuple[Share, ...]:
        """Fix what each package of a plan holds. Raises Blocked when its cases may not all leave any more."""
        _, data = self._call.ask(messages.Prepare(docket.id, dict(plan)))
        return tuple(Share.of(each) for each in json.loads(data))

    def seal(self, release: str, certificate: bytes) -> Done:
        """Have one package sealed; one that was sealed before comes back as it was then."""
        said, data = self._call.ask(messages.Seal(release), certificate)
        return Done(data[: said.certificate_bytes], data[said.certificate_bytes :])
