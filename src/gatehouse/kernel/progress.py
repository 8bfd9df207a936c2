"""How a long stage says that it is at work, without knowing who watches; only doors draw it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, how much is done, and of how much (0 when unknown)."""


def silent(stage: str, done: int, total: int) -> None:
    """Nobody watches."""
