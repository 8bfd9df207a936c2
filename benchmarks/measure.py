"""Measuring for `gatehouse bench`: one step, one fresh process, its seconds and its peak memory.

A figure means little without the machine and without a floor: whatever is quoted as a ratio was measured beside its
floor in the same run. Tables are kept in docs/benchmarks.md, one section a bench, replaced whole when run again.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import re
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatehouse.intake import reader
from gatehouse.kernel import clock, files
from gatehouse.kernel.errors import MachineFailed


@dataclass(frozen=True)
class Measure:
    """What one step took: wall seconds, peak resident memory in MiB, what it returned, and seconds of processors.

    Processor time includes that of the readers of untrusted bytes, which are processes of their own; memory does not.
    """

    seconds: float
    peak_mib: int
    result: Any = None
    processor: float = 0.0


def _child(pipe: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:  # noqa: ANN401
    started = time.perf_counter()
    result = function(*arguments)
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    processor = used.ru_utime + used.ru_stime + reader.processor()
    pipe.send(Measure(seconds, used.ru_maxrss // 1024, result, processor))


def measure(function: Callable[..., Any], *arguments: Any) -> Measure:  # noqa: ANN401 - passes through
    """Run `function(*arguments)` in a fresh process and measure it there.

    Function, arguments and result must be picklable. Raises MachineFailed when the process dies.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(there, function, arguments))
    process.start()
    there.close()
    try:
        answer = here.recv()
    except EOFError:
        process.join()
        raise MachineFailed(f"the measured step {function.__name__} ended with status {process.exitcode}") from None
    process.join()
    assert isinstance(answer, Measure)  # noqa: S101 - what _child sends
    return answer


def machine() -> str:
    """One line on the machine a table was made on: processor, cores, memory, Python and date."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text())):
        model = found.group(1).strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, {clock.today()}"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; every cell is written with str()."""
    lines = [" | ".join(header), " | ".join("---" for _ in header)]
    lines += [" | ".join(str(cell) for cell in row) for row in rows]
    return "".join(f"| {line} |\n" for line in lines)


def keep(document: Path, section: str, body: str) -> None:
    """Replace the section between `<!-- bench:NAME -->` marks of a document, or append it."""
    start, end = f"<!-- bench:{section} -->\n", f"<!-- /bench:{section} -->\n"
    text = document.read_text() if document.exists() else "# Benchmarks\n"
    block = f"{start}{body}{end}"
    if start in text and end in text:
        before, rest = text.split(start, 1)
        text = before + block + rest.split(end, 1)[1]
    else:
        text = f"{text}\n{block}"
    files.write(document, text.encode())
