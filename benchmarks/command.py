"""`gatehouse bench`: seconds and peak memory of each step, as ratios to a floor measured in the same run.

The floors are what the machine must spend on any honest answer: scanning and joining the same columns, and hashing the
same bytes. Every step runs in a process of its own. `--write` keeps the table in docs/benchmarks.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmarks import journey as steps
from benchmarks.febrl import bench_febrl
from benchmarks.match import bench_match
from benchmarks.measure import Measure, keep, machine, measure, table
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"


@click.group()
def bench() -> None:
    """Benchmarks; each prints its ratio to the floor measured in the same run.

    Example: gatehouse bench journey --persons 1000000 --requests 128000 --dir bench
    """


bench.add_command(bench_match)
bench.add_command(bench_febrl)


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
    """Generate, index, intake to determinations, ledger, verify, replay and reports, each beside its floor.

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
    built = step("index", steps.index, stages)
    step("index after 1 % changed", steps.index_again, stages)
    decided = step("intake to determinations", steps.determine, stages)
    met = step("address check + match", steps.check_and_match, stages)
    measured["address check + match"] = replace(met, seconds=met.result)
    floor = step("floor: scan and join", steps.join_floor, stages)
    step("ledger", steps.ledger, stages)
    hashing = step("floor: SHA-256", steps.hash_floor, requests)
    step("verify", steps.verify, stages)
    step("replay", steps.replay, stages)
    step("reports", steps.reports, stages)
    floors = {
        "index after 1 % changed": built.seconds,
        "address check + match": floor.seconds,
        "intake to determinations": floor.seconds,
        "ledger": hashing.seconds,
        "verify": hashing.seconds,
        "replay": decided.seconds,
        "reports": hashing.seconds,
    }
    if as_json:
        click.echo(
            json.dumps({name: [one.seconds, one.peak_mib, one.result, one.processor] for name, one in measured.items()})
        )
        return
    _finish(
        f"journey-{persons}",
        f"The journey: {requests:,} requests against {persons:,} persons",
        _journey_table(measured, floors) + _stages_table(decided, floor.seconds),
        write=write,
    )


@bench.command()
@click.option(
    "--persons",
    "sizes",
    multiple=True,
    type=int,
    default=(1_000_000, 3_000_000, 10_000_000, 30_000_000),
    show_default=True,
)
@click.option("--requests", type=int, default=640_000, show_default=True)
@click.option("--dir", "folder", required=True, type=click.Path(path_type=Path), help="Kept, and used again next time.")
@click.option("--write", is_flag=True, help="Keep the table in docs/benchmarks.md.")
def growth(sizes: tuple[int, ...], requests: int, folder: Path, write: bool) -> None:
    """How time and memory grow with the register while the batch stays the same.

    Thirty million persons take 5 GB of disk and, with the default memory, stream from it.

    Example: gatehouse bench growth --dir bench --write
    """
    rows = []
    for persons in sizes:
        stages = steps.Stages(folder.absolute(), persons, requests)
        for name, function in stages.missing():
            click.echo(f"{persons:,}: {name} …", err=True)
            measure(function, stages)
        click.echo(f"{persons:,}: index, intake to determinations …", err=True)
        built, again = measure(steps.index, stages), measure(steps.index_again, stages)
        decided, met = measure(steps.determine, stages), measure(steps.check_and_match, stages)
        cells = [
            one
            for step in (built, again, decided)
            for one in (f"{step.seconds:.1f}", f"{step.processor:.1f}", f"{step.peak_mib / 1024:.2f}")
        ]
        each = (f"{seconds / requests * 1e6:.0f}" for seconds in (decided.seconds, met.result))
        rows.append((f"{persons:,}", *cells, *each))
    measures = [f"{step}, {unit}" for step in ("index", "1 % changed", "decide") for unit in ("s", "processor", "GiB")]
    header = ("persons", *measures, "decide, µs a request", "check + match, µs a request")
    _finish("growth", f"Growth with the register: {requests:,} requests", table(header, rows), write=write)


@bench.command()
@click.option("--rows", type=int, default=1_000_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--write", is_flag=True, help="Keep the table in docs/benchmarks.md.")
def address(rows: int, seed: int, write: bool) -> None:
    """Judging and standardising addresses, beside a scan of the same columns.

    Example: gatehouse bench address --rows 1280000 --write
    """
    from benchmarks.address import bench_address

    measured = measure(bench_address, rows, seed).result
    lines = [
        (
            step,
            *(f"{measured[step][figure]:,}" for figure in ("seconds", "cpu_seconds", "per_second", "ratio_to_floor")),
        )
        for step in ("judge", "standardise")
    ]
    floor = ("floor: scan of the same columns", measured["floor_seconds"], "", "", 1)
    body = table(("step", "seconds", "processor seconds", "addresses a second", "× floor"), [floor, *lines])
    _finish("address", f"Addresses: {rows:,} judged", body, write=write)


@bench.command()
@click.option("--rows", type=int, default=1_280_000, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--write", is_flag=True, help="Keep the table in docs/benchmarks.md.")
def reasons(rows: int, seed: int, write: bool) -> None:
    """Judging reasons and counting near-identical ones, beside the key of equal letters that it replaced.

    Example: gatehouse bench reasons --rows 1280000 --write
    """
    from benchmarks.reasons import bench_reasons

    measured = measure(bench_reasons, rows, seed).result
    lines = [
        [
            name,
            f"{one['seconds']:.1f}",
            f"{one['processor']:.1f}",
            f"{one['processor'] / measured['floor']['processor']:.2f}",
        ]
        for name, one in measured.items()
    ]
    body = table(("step", "seconds", "processor seconds", "× floor"), lines)
    body += "\nRatios are of processor seconds, which other work on the machine disturbs less.\n"
    _finish("reasons", f"Reasons: {rows:,} judged", body, write=write)


@bench.command()
@click.option("--requests", type=int, default=1_280_000, show_default=True)
@click.option("--dir", "folder", required=True, type=click.Path(path_type=Path), help="Where to work.")
@click.option(
    "--python",
    type=click.Path(exists=True, path_type=Path),
    help="One that has cedarpy, common-expression-language, regopy.",
)
@click.option("--write", is_flag=True, help="Keep the table in docs/benchmarks.md.")
def law(requests: int, folder: Path, python: Path | None, write: bool) -> None:
    """Evaluating the law over a batch, beside a scan of the same columns and, where installed, other engines.

    Example: gatehouse bench law --dir bench --write
    """
    from benchmarks.law import bench_law
    from gatehouse.law import shipped

    pack = shipped.pack("us-irs-6103-i-2")
    body = bench_law(requests, folder, lambda line: click.echo(line, err=True), pack=pack, python=python)
    _finish("law", f"The law: {requests:,} requests", body, write=write)


@bench.command()
@click.option("--persons", type=int, default=1_000_000, show_default=True)
@click.option("--requests", type=int, default=200_000, show_default=True)
@click.option("--dir", "folder", required=True, type=click.Path(path_type=Path), help="Kept, and used again next time.")
@click.option("--master", help="A running master; without it one with two workers is started on loopback.")
@click.option("--memory", default="1GB", show_default=True, help="The heap of each Spark executor.")
@click.option("--write", is_flag=True, help="Keep the table in docs/benchmarks.md.")
def spark(persons: int, requests: int, folder: Path, master: str | None, memory: str, write: bool) -> None:
    """Decide one batch by DuckDB and by Spark, which must give the same rows; exit status 1 if one differs.

    Example: gatehouse bench spark --persons 1000000 --dir bench --write
    """
    from benchmarks.spark import bench_spark

    stages = steps.Stages(folder.absolute(), persons, requests)
    body = bench_spark(stages, master, lambda line: click.echo(line, err=True), memory=memory)
    _finish(f"spark-{persons}", f"Spark: {requests:,} requests against {persons:,} persons", body, write=write)


@bench.command()
@click.option("--requests", type=int, default=1_280_000, show_default=True)
@click.option("--dir", "folder", required=True, type=click.Path(path_type=Path), help="Where to work; emptied first.")
@click.option(
    "--peers", metavar="PYTHON", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A Python with pymerkle, to ask it too.",
)  # fmt: skip
@click.option("--write", is_flag=True, help="Keep the table in docs/benchmarks.md.")
def ledger(requests: int, folder: Path, peers: Path | None, write: bool) -> None:
    """Committing, appending, publishing and verifying, beside as many SHA-256 hashes and, where installed, pymerkle.

    Example: gatehouse bench ledger --dir bench/ledger --peers peers/bin/python --write
    """
    from benchmarks.ledger import bench_ledger

    body = bench_ledger(requests, folder, lambda line: click.echo(line, err=True), peers=peers)
    _finish("ledger", f"The ledger: {requests:,} determinations", body, write=write)


@bench.command()
@click.option("--persons", type=int, default=10_000_000, show_default=True)
@click.option("--dir", "folder", required=True, type=click.Path(path_type=Path), help="Where to work; emptied first.")
@click.option("--write", is_flag=True, help="Keep the table in docs/benchmarks.md.")
def answers(persons: int, folder: Path, write: bool) -> None:
    """Building the maps of answers about one person, giving an answer, and verifying it.

    Example: gatehouse bench answers --dir bench/answers --write
    """
    from benchmarks.answers import bench_answers

    body = bench_answers(persons, folder, lambda line: click.echo(line, err=True))
    _finish("answers", f"Answers about one person: {persons:,} persons", body, write=write)


@bench.command()
@click.option("--persons", type=int, default=10_000_000, show_default=True)
@click.option("--requests", type=int, default=1_280_000, show_default=True)
@click.option("--dir", "folder", required=True, type=click.Path(path_type=Path), help="Kept, and used again next time.")
@click.option(
    "--database", default="sqlite:///gatehouse.sqlite3", show_default=True,
    help="People's work is kept there: postgresql://… measures PostgreSQL.",
)  # fmt: skip
@click.option("--samples", type=int, default=30, show_default=True, help="How often each page is asked for.")
@click.option("--users", type=int, default=50, show_default=True, help="How many read at once afterwards.")
@click.option("--seconds", type=float, default=300, show_default=True, help="For how long; 0 leaves this out.")
@click.option("--pause", type=float, default=2.0, show_default=True, help="Seconds a user reads a page, on average.")
@click.option("--write", is_flag=True, help="Keep the table in docs/benchmarks.md.")
def console(
    persons: int, requests: int, folder: Path, database: str, samples: int, users: int, seconds: float, pause: float,
    write: bool,
) -> None:  # fmt: skip
    """Every page of the console over HTTP with a docket of that size in it, then many users at once.

    \b
    Examples:
      gatehouse bench console --dir bench --write
      gatehouse bench console --dir bench --database postgresql://gatehouse@127.0.0.1/gatehouse --write
    """
    from benchmarks import console as pages

    stages = steps.Stages(folder.absolute(), persons, requests)
    for name, function in stages.missing():
        if not name.startswith("generate"):
            continue  # what only other benches read
        click.echo(f"{name} …", err=True)
        measure(function, stages)
    click.echo("the docket …", err=True)
    root = measure(pages.make_site, stages, database).result
    cookies, docket = pages.sessions(root), pages.look(root)
    with pages.served(root) as place:
        click.echo("every page …", err=True)
        timed = pages.one_by_one(place, cookies, docket, samples)
        crowd = pages.Crowd()
        if seconds:
            click.echo(f"{users} users for {seconds:.0f} s …", err=True)
            crowd = pages.at_once(place, cookies, docket, users, seconds, pause)
    kind = "PostgreSQL" if database.startswith("postgres") else "SQLite"
    load = os.getloadavg()[0]
    rows = [(one.page.title, *one.cells(), one.errors) for one in timed]
    slow = [one.page.title for one in timed if pages.percentile(sorted(one.others)) > pages.TARGET_MS]
    body = (
        f"{docket.requests:,} requests, of which {docket.waiting:,} wait for people; {kind}; load average {load:.1f} "
        f"at the end. Milliseconds, {samples} requests each at random places, one after the other; *first* opens files "
        f"and counts.\n\n{table(('page', 'median', '95th percentile', 'slowest', 'first', 'errors'), rows)}\n"
        f"Above {pages.TARGET_MS} ms at the 95th percentile: {', '.join(slow) or 'none'}.\n"
    )
    if seconds:
        ordered = sorted(crowd.times) or [0.0]
        body += (
            f"\n{users} users at once for {seconds:.0f} s, each reading {pause:.1f} s a page: "
            f"{len(crowd.times):,} pages, {len(crowd.errors)} errors, median {ordered[len(ordered) // 2]:.0f} ms, "
            f"95th percentile {pages.percentile(ordered):.0f} ms.\n"
        )
    _finish(f"console-{kind.lower()}", f"The console on {kind}: {docket.requests:,} requests", body, write=write)
    if crowd.errors or any(one.errors for one in timed):
        raise AnswerIsNo(f"{len(crowd.errors)} errors: {', '.join(sorted(set(crowd.errors))[:5])}")


@bench.command()
@click.option("--requests", type=int, default=1_280_000, show_default=True)
@click.option("--held", type=int, default=40_000, show_default=True)
@click.option("--cleared", type=int, default=47_000, show_default=True)
@click.option("--officers", type=int, default=20, show_default=True)
@click.option("--database", default="sqlite:///gatehouse.sqlite3", show_default=True, help="Or postgresql://…, empty.")
@click.option("--dir", "folder", required=True, type=click.Path(path_type=Path), help="Where to work; emptied first.")
@click.option("--write", is_flag=True, help="Keep the table in docs/benchmarks.md.")
def casework(
    requests: int, held: int, cleared: int, officers: int, database: str, folder: Path, write: bool
) -> None:  # fmt: skip
    """Queue pages, decisions, sealing, and the list and notices of a recall, as the rooms answer them.

    Example: gatehouse bench casework --dir bench/casework --write
    """
    from benchmarks.casework import Size, bench_casework

    if min(held, cleared, officers) < 1 or held + cleared > requests:
        raise WrongInput("held and cleared are some of the requests", remedy="Make --requests larger")
    kind = database.partition(":")[0]
    size = Size(folder.absolute(), requests, held, cleared, officers, database)
    body = bench_casework(size, lambda line: click.echo(line, err=True))
    title = f"People's work: {requests:,} requests, {held:,} held, {cleared:,} released to {officers}, {kind}"
    _finish(f"casework-{kind}", title, body, write=write)


def _journey_table(measured: dict[str, Measure], floors: dict[str, float]) -> str:
    rows = [
        (
            name,
            f"{one.seconds:.1f}",
            f"{one.processor:.1f}",
            f"{one.peak_mib / 1024:.2f}",
            f"{one.seconds / floors[name]:.2f}" if name in floors else "",
        )
        for name, one in measured.items()
    ]
    note = (
        "The floor of *intake to determinations* and of *address check + match* is a DuckDB scan of the same request "
        "and register columns with a hash join on house number and ZIP; of *ledger*, *verify* and *reports* as many "
        "SHA-256 hashes as the tree and its commitments need; of *index after 1 % changed*, the whole index; of "
        "*replay*, determining. *reports* verifies first and writes four of them. *Processor* is processor seconds, "
        "which other work on the machine disturbs less.\n\n"
    )
    return table(("step", "seconds", "processor", "peak GiB", "× floor"), rows) + "\n" + note


def _stages_table(decided: Measure, floor: float) -> str:
    seconds: dict[str, float] = decided.result
    rows = [(name, f"{spent:.1f}", f"{spent / floor:.2f}") for name, spent in seconds.items()]
    return "Within *intake to determinations*:\n\n" + table(("stage", "seconds", "× floor"), rows)
