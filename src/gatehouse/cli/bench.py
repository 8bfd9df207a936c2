"""`gatehouse bench`: seconds and peak memory of each step, as ratios to a floor measured in the same run.

The floors are what the machine must spend on any honest answer: scanning and joining the same columns, and hashing the
same bytes. Every step runs in a process of its own. `--write` keeps the table in docs/benchmarks.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gatehouse.cli import bench_journey as steps
from gatehouse.cli.measure import Measure, keep, machine, measure, table

DOCUMENT = Path(__file__).parents[3] / "docs" / "benchmarks.md"


@click.group()
def bench() -> None:
    """Benchmarks; each prints its ratio to the floor measured in the same run.

    Example: gatehouse bench journey --persons 1000000 --requests 128000 --dir bench
    """


def _finish(section: str, title: str, body: str, *, write: bool) -> None:
    text = f"## {title}\n\n{machine()}.\n\n{body}"
    click.echo(text)
    if write:
        keep(DOCUMENT, section, f"{text}\n")
        click.echo(f"kept in {DOCUMENT}", err=True)


@bench.command()
@click.option("--persons", type=int, default=1_000_000, show_default=True)
@click.option("--requests", type=int, default=128_000, show_default=True)
@click.option("--dir", "folder", required=True, type=click.Path(path_type=Path), help="Kept, and used again next time.")
@click.option("--write", is_flag=True, help="Keep the table in docs/benchmarks.md.")
@click.option("--json", "as_json", is_flag=True, help="Print the measures as JSON.")
def journey(persons: int, requests: int, folder: Path, write: bool, as_json: bool) -> None:
    """Generate, index, intake to determinations, ledger, verify and replay, each beside its floor.

    Example: gatehouse bench journey --persons 10000000 --requests 1280000 --dir bench --write
    """
    stages = steps.Stages(folder.absolute(), persons, requests)
    measured: dict[str, Measure] = {}

    def step(name: str, function: Callable[..., Any], *arguments: Any) -> Measure:  # noqa: ANN401 - passes through
        click.echo(f"{name} …", err=True)
        measured[name] = measure(function, *arguments)
        return measured[name]

    for name, function in stages.missing():
        step(name, function, stages)
    step("index", steps.index, stages)
    decided = step("intake to determinations", steps.determine, stages)
    floor = step("floor: scan and join", steps.join_floor, stages)
    step("ledger", steps.ledger, stages)
    hashing = step("floor: SHA-256", steps.hash_floor, requests)
    step("verify", steps.verify, stages)
    step("replay", steps.replay, stages)
    floors = {
        "intake to determinations": floor.seconds,
        "ledger": hashing.seconds,
        "verify": hashing.seconds,
        "replay": decided.seconds,
    }
    if as_json:
        click.echo(json.dumps({name: [one.seconds, one.peak_mib, one.result] for name, one in measured.items()}))
        return
    _finish(
        f"journey-{persons}",
        f"The journey: {requests:,} requests against {persons:,} persons",
        _journey_table(measured, floors) + _stages_table(decided, floor.seconds),
        write=write,
    )


def _journey_table(measured: dict[str, Measure], floors: dict[str, float]) -> str:
    rows = [
        (
            name,
            f"{one.seconds:.1f}",
            f"{one.peak_mib / 1024:.2f}",
            f"{one.seconds / floors[name]:.1f}" if name in floors else "",
        )
        for name, one in measured.items()
    ]
    note = (
        "The floor of *intake to determinations* is a DuckDB scan of the same request and register columns with a hash "
        "join on house number and ZIP; of *ledger* and *verify* as many SHA-256 hashes as the tree and its commitments "
        "need; of *replay*, determining.\n\n"
    )
    return table(("step", "seconds", "peak GiB", "× floor"), rows) + "\n" + note


def _stages_table(decided: Measure, floor: float) -> str:
    seconds: dict[str, float] = decided.result
    rows = [(name, f"{spent:.1f}", f"{spent / floor:.1f}") for name, spent in seconds.items()]
    return "Within *intake to determinations*:\n\n" + table(("stage", "seconds", "× floor"), rows)
