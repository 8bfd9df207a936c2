"""Taking turns: whoever writes to a ledger waits in line for those before it, for a stated time and no longer."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path

from gatehouse.kernel.errors import MachineFailed

PATIENCE = 30.0
"""Seconds that a writer waits in line."""
_LOOK_AGAIN = 0.02  # seconds

_mine: dict[Path, int] = {}  # by lock, the thread of this process that has its turn


class Turn:
    """One's turn at what a lock file stands for, made for it and empty, or at a folder, which is its own lock."""

    def __init__(self, path: Path) -> None:
        """Wait in line and take the turn. Raises MachineFailed after PATIENCE, or at once where this very thread has
        it already and would wait for itself.
        """
        self._path = path.absolute()
        self._handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self.take()
        except MachineFailed:
            os.close(self._handle)
            raise

    def take(self) -> None:
        """Wait in line again, after `leave`."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() < until and _mine.get(self._path) != threading.get_ident():
                    time.sleep(_LOOK_AGAIN)
                    continue
                waited = f"another process is writing to the ledger, and did for all of {PATIENCE:g} seconds"
                raise MachineFailed(waited, remedy="Try again when it has ended. Nothing was lost") from None
            _mine[self._path] = threading.get_ident()
            return

    def leave(self) -> None:
        """Let others have their turn; `take` goes on."""
        if _mine.get(self._path) == threading.get_ident():
            del _mine[self._path]
        fcntl.flock(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let others have their turn, for good."""
        if _mine.get(self._path) == threading.get_ident():
            del _mine[self._path]
        os.close(self._handle)
