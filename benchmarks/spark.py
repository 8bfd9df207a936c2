"""`gatehouse bench spark`: one batch decided by DuckDB and by Spark in one run, which must give the same rows.

Without a master, a standalone one with two workers of one core each is started on loopback. Processor seconds and
memory are those of this process and all below it, so that the Java and Python of both workers count.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import journey as steps
from benchmarks.measure import table
from gatehouse.determine.docket import TABLES, Docket
from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.law import shipped
from gatehouse.site.settings import Choice

STAGES = ("index", "match", "law")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Watched:
    """What this process and all below it have used: processor seconds of each, and the most memory of all at once."""

    seconds: dict[int, float] = field(default_factory=dict)
    peak: int = 0

    def look(self) -> None:
        """Read the system's table of processes once."""
        parents, used = {}, {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):  # it ended meanwhile
                    told = (entry / "stat").read_text().rpartition(")")[2].split()
                    parents[int(entry.name)] = int(told[1])
                    used[int(entry.name)] = ((int(told[11]) + int(told[12])) / _TICKS, int(told[21]) * _PAGE)
        ours = {os.getpid()}
        while more := {child for child, parent in parents.items() if parent in ours} - ours:
            ours |= more
        self.seconds |= {process: used[process][0] for process in ours if process in used}
        self.peak = max(self.peak, sum(used[process][1] for process in ours if process in used))


@contextmanager
def watching() -> Iterator[Watched]:
    """Look four times a second until the block ends."""
    watched, done = Watched(), threading.Event()
    watched.look()
    before = sum(watched.seconds.values())

    def watch() -> None:
        while not done.wait(0.25):
            watched.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield watched
    finally:
        done.set()
        thread.join()
        watched.look()
        watched.seconds[0] = -before


def bench_spark(stages: steps.Stages, master: str | None, say: Callable[[str], None], *, memory: str = "1GB") -> str:
    """Decide one submission by each engine, and compare; gives the tables.

    Raises AnswerIsNo when a row of any table of the two dockets differs.
    """
    from gatehouse.intake.cluster.standalone import open_standalone

    for name, function in stages.missing():
        if function in (steps.make_register, steps.make_submission):
            say(f"{name} …")
            function(stages)
    working = stages.root / "spark"
    shutil.rmtree(working, ignore_errors=True)
    rows = []
    with watching() as own:
        say("DuckDB …")
        started = time.perf_counter()
        seconds = _decide(stages, Choice(), working / "duckdb", "3GB")
        rows.append(_row("DuckDB, this process", seconds, time.perf_counter() - started))
    with watching() as all_of_it:
        say("Spark …")
        started = time.perf_counter()
        with contextlib.ExitStack() as stack:
            found = master or stack.enter_context(open_standalone(working / "cluster", memory="1g"))
            seconds = _decide(stages, Choice("spark", found), working / "spark", memory)
            rows.append(_row("Spark" if master else "Spark, two workers", seconds, time.perf_counter() - started))
    counts = compare(Docket(working / "duckdb"), Docket(working / "spark"))
    for row, watched in zip(rows, (own, all_of_it), strict=True):
        row += [f"{sum(watched.seconds.values()):.1f}", f"{watched.peak / 2**30:.2f}"]
    header = ("engine", *(f"{stage}, s" for stage in STAGES), "whole, s", "processor s", "peak GiB")
    same = ", ".join(f"{count:,} of {name}" for name, count in counts.items())
    shutil.rmtree(working, ignore_errors=True)
    return f"{table(header, rows)}\nThe same rows from both engines: {same}.\n"


def _row(name: str, seconds: dict[str, float], whole: float) -> list[str]:
    return [name, *(f"{seconds[stage]:.1f}" for stage in STAGES), f"{whole:.1f}"]


def _decide(stages: steps.Stages, engine: Choice, out: Path, memory: str) -> dict[str, float]:
    """A docket of the submission, from a new index; gives the seconds of each stage."""
    from gatehouse.intake.parties import parse
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.law.reading import load
    from gatehouse.ledger.signers import new_key
    from gatehouse.pipeline import determine as pipeline
    from gatehouse.synthetic.parties import invent

    out.parent.mkdir(parents=True, exist_ok=True)
    pack = shipped.pack("us-irs-6103-i-2")
    _, public = new_key("us.dhs.ice")
    with open_workspace("2GB", temporary=out.with_name("spill")) as connection:
        _, seconds = pipeline.determine(
            connection,
            stages.agency,
            out,
            law=pipeline.Law(load(pack), pack, steps.NOW.date()),
            records=pipeline.Records(str(stages.register), out.with_name("index"), memory, engine),
            standing=pipeline.Standing(parse(invent(public, stages.requests).encode()), unsigned=True),
            now=steps.NOW,
        )
    return seconds


def compare(one: Docket, other: Docket) -> dict[str, int]:
    """The rows of each table of two dockets, counted. Raises AnswerIsNo naming the first that differs."""
    from gatehouse.intake.workspace import open_workspace, quoted

    counts = {}
    with open_workspace() as connection:
        for name in TABLES:
            here, there = (f"FROM read_parquet({quoted(docket.table(name))})" for docket in (one, other))
            row = connection.execute(
                f"SELECT (SELECT count(*) {here}), (SELECT count(*) FROM ((({here}) EXCEPT ALL ({there})) UNION ALL "
                f"(({there}) EXCEPT ALL ({here}))))"
            ).fetchone()
            assert row is not None  # noqa: S101 - one row of two counts
            if row[1]:
                raise AnswerIsNo(f"{row[1]} rows differ between DuckDB and Spark", where=name)
            counts[name] = row[0]
    return counts
