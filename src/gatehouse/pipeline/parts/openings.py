"""The decider's own account of every record that it showed to somebody, and the bound on them.

One line an opening, in a file a day that no other part can write: who asked, of which case. Whoever takes over the web
reaches so many records a day and no more, and each is written down here first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from gatehouse.kernel import canonical, clock, files
from gatehouse.kernel.errors import AnswerIsNo

OF_ONE, OF_ALL = 300, 2000
"""Openings a day: for one officer, and at the whole site."""


@dataclass(frozen=True)
class Openings:
    """The account, in a folder of its own."""

    root: Path
    of_one: int = OF_ONE
    of_all: int = OF_ALL

    def note(self, officer: str, about: str) -> None:
        """Write one opening down, before anything is shown. Raises AnswerIsNo where it would be one too many."""
        now = clock.now()
        path = self.root / f"{now.date()}.jsonl"
        with files.alone(self.root / "lock"):
            known = [json.loads(line)["officer"] for line in path.read_bytes().splitlines()] if path.exists() else []
            if len(known) >= self.of_all or known.count(officer) >= self.of_one:
                raise AnswerIsNo(
                    "today's limit of opened records is reached",
                    where=officer,
                    remedy="Continue tomorrow, or ask the administrator about the limit",
                )
            line = canonical.encode({"at": clock.stamp(now), "officer": officer, "about": about})
            with path.open("ab") as stream:
                stream.write(line + b"\n")
                stream.flush()

    def noted(self) -> list[dict[str, str]]:
        """Every opening, oldest first."""
        return [
            json.loads(line) for path in sorted(self.root.glob("*.jsonl")) for line in path.read_bytes().splitlines()
        ]
