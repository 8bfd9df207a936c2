"""Progress on a terminal, silence in a pipe: the one way every long command shows that it is at work."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from gatehouse.kernel.progress import Progress, silent


@contextlib.contextmanager
def shown() -> Iterator[Progress]:
    """Draw stages as bars on standard error while it is a terminal; else show nothing."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<32}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Bars(*columns, TimeElapsedColumn(), console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or None)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield show
