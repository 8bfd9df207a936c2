"""One's hold on a site's ledger: by this process's own hand, or through the log writer, which alone has its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from gatehouse.kernel.line import Call
from gatehouse.ledger import checkpoint
from gatehouse.ledger.checkpoint import Checkpoint
from gatehouse.pipeline.parts import messages

_MOST_CHECKPOINT = 1 << 20


class Hold(Protocol):
    """What the stages ask of the ledger while they hold it; `record` enters and publishes."""

    @property
    def size(self) -> int:
        """How many entries are in, published or not."""

    def batch(self, name: str) -> range | None:
        """The indexes at which a named batch stands, or None when it never went in."""

    def close(self) -> None:
        """Let the ledger go."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Lent:
    """A hold that the log writer keeps for us, until we hang up."""

    def __init__(self, socket: Path) -> None:
        self._call = Call(socket, messages.FROM_WRITER, most=_MOST_CHECKPOINT)
        try:
            self._call.ask(messages.Take())
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the next in line has its turn."""
        self._call.close()

    @property
    def size(self) -> int:
        """How many entries are in, published or not."""
        return self._find("").size

    def batch(self, name: str) -> range | None:
        """The indexes at which a named batch stands, or None when it never went in."""
        found = self._find(name)
        return range(found.first, found.first + found.count) if found.count else None

    def _find(self, name: str) -> messages.Found:
        found, _ = self._call.ask(messages.Find(name))
        assert isinstance(found, messages.Found)  # noqa: S101 - the writer's answer to this question
        return found

    def enter(self, name: str, fields: Mapping[str, Any]) -> int:
        """Have one event entered."""
        return self._entered(messages.Enter(name, dict(fields)), b"")

    def receive(self, name: str, fields: Mapping[str, Any], entries: Sequence[bytes]) -> int:
        """Have a receipt entered, and behind it the determinations that it names."""
        return self._entered(messages.Receive(name, dict(fields)), b"".join(entries))

    def _entered(self, message: object, data: bytes) -> int:
        said, _ = self._call.ask(message, data)
        assert isinstance(said, messages.Entered)  # noqa: S101 - the writer's answer to either
        return said.index

    def publish(self) -> Checkpoint:
        """Have the tree as it stands signed, witnessed and published."""
        return checkpoint.parse(self._call.ask(messages.Publish())[1])
