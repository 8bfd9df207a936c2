"""The law room's benchmark: one pack over a batch, beside the scan of the same columns and beside other engines.

Rows are made near the pack's first example, each fault with the frequency of a poor batch. Other engines get the same
conditions over rows without nulls, and must give the same answers.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Measure, measure, table

if TYPE_CHECKING:
    from gatehouse.law.pack import Pack

AS_OF = dt.date(2025, 8, 7)
COMPARED = 20_000


def bench_law(
    requests: int,
    folder: Path,
    say: Callable[[str], None] = lambda _: None,
    *,
    pack: Path = Path("packs/us-irs-6103-i-2"),
    python: Path | None = None,
) -> str:
    """Measure scanning, deciding, impact and writing for so many requests, and other engines on fewer.

    `python` is an interpreter that has cedarpy, common-expression-language and regopy; those it lacks are left out.
    Returns three tables in Markdown.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    measured: dict[str, Measure] = {}
    steps = (
        ("rows", make), ("scan", scan), ("decide", decide), ("write", write), ("impact", impact),
        ("statute scan", statute_scan), ("statute", statute_decide),
    )  # fmt: skip
    for name, step in steps:
        say(f"{name} …")
        measured[name] = measure(step, folder, pack, requests)
    names = {
        "scan": "floor: scan of the same columns",
        "decide": "decide: masks and their meanings",
        "write": "decide, and write every list to Parquet",
        "impact": "impact of two packs",
        "statute scan": "floor: scan of the statutes' columns",
        "statute": f"decide by the {len(_statutes(pack).rules)} rules of statutes alone",
    }
    once = measured["decide"].result[1]
    cells = []
    for step_name, words in names.items():
        wall, cpu = measured[step_name].result
        floor = measured["statute scan" if step_name.startswith("statute") else "scan"].result[1]
        ratios = f"{cpu / floor:.1f}", f"{cpu / once:.1f}"
        cells.append((words, f"{wall:.2f}", f"{cpu:.2f}", *ratios, measured[step_name].peak_mib))
    first = table(("step", "seconds", "processor seconds", "× scan", "× decide", "peak MiB"), cells)
    first += "\nRatios are of processor seconds, which other work on the machine disturbs less.\n"
    say("one at a time …")
    alone = measure(one_at_a_time, folder, pack, requests).result
    second = table(("one at a time", "processor ms, median", "the slowest"), alone)
    say("other engines …")
    return f"{first}\n{second}\n{_engines(folder, pack, python, requests / measured['decide'].result[0])}"


def make(folder: Path, pack: Path, requests: int) -> None:
    """Write facts.parquet: the first example, with each fact of the row wrong now and then."""
    from gatehouse.intake.workspace import open_workspace
    from gatehouse.law.columns import literal, text_list
    from gatehouse.law.reading import load

    law = load(pack)
    base = law.examples[0].facts
    columns = []
    for number, (name, declared) in enumerate(law.fields.items()):
        usual = base.get(name)
        shown = "NULL" if usual is None else text_list(usual) if isinstance(usual, list) else literal(usual)  # type: ignore[arg-type]
        kind = {"text": "VARCHAR", "int": "INTEGER", "bool": "BOOLEAN", "date": "DATE", "text[]": "VARCHAR[]"}[
            declared.kind
        ]
        value = f"{shown}::{kind}"
        if not declared.repeats and declared.values:
            others = text_list(list(declared.values))
            pick = f"1 + (hash(i, {number}, 1) % {len(declared.values)})::INTEGER"
            value = f"CASE WHEN hash(i, {number}) % 20 = 0 THEN {others}[{pick}] ELSE {value} END"
        elif not declared.repeats and declared.kind != "text[]":
            value = f"CASE WHEN hash(i, {number}) % 20 = 0 THEN NULL ELSE {value} END"
        columns.append(f'{value} AS "{name}"')
    path = folder / "facts.parquet"
    open_workspace().execute(f"COPY (SELECT i AS seq, {', '.join(columns)} FROM range({requests}) t(i)) TO '{path}'")


def _opened(folder: Path) -> Any:  # noqa: ANN401 - a DuckDB connection
    from gatehouse.intake.workspace import open_workspace

    connection = open_workspace("400MB", temporary=folder / "spill")
    connection.execute(f"CREATE VIEW facts AS SELECT * FROM read_parquet('{folder / 'facts.parquet'}')")
    return connection


def _best(step: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """The least wall seconds and the least processor seconds of several runs."""
    walls, processors = [], []
    for _ in range(times):
        wall, processor = time.perf_counter(), time.process_time()
        step()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return min(walls), min(processors)


def _statutes(pack: Path) -> Pack:
    """The pack with the rules of its statutes only: about thirty."""
    from gatehouse.law.reading import load

    law = load(pack)
    return dataclasses.replace(law, rules=tuple(rule for rule in law.rules if rule.instrument.kind == "statute"))


def statute_scan(folder: Path, pack: Path, _requests: int) -> tuple[float, float]:
    """Seconds to read every value of the columns that the statutes' rules read."""
    return _scan(folder, _statutes(pack))


def statute_decide(folder: Path, pack: Path, _requests: int) -> tuple[float, float]:
    """Seconds to decide by the statutes' rules alone."""
    from gatehouse.law.evaluate import evaluate

    law, connection = _statutes(pack), _opened(folder)
    return _best(lambda: evaluate(connection, law, "facts", "decided", AS_OF))


def scan(folder: Path, pack: Path, _requests: int) -> tuple[float, float]:
    """Seconds to read every value of the columns that the rules read (their maxima)."""
    from gatehouse.law.reading import load

    return _scan(folder, load(pack))


def _scan(folder: Path, law: Pack) -> tuple[float, float]:
    from gatehouse.law.language import field_names

    connection = _opened(folder)
    names = set().union(*(field_names(rule.when) for rule in law.in_force(AS_OF))) & set(law.fields)
    columns = ", ".join(f'max("{name}")' for name in [*sorted(names), "items_requested", "items_agreed"])
    return _best(lambda: connection.execute(f"SELECT {columns} FROM facts").fetchall())


def decide(folder: Path, pack: Path, _requests: int) -> tuple[float, float]:
    """Seconds to decide: masks, and the meaning of each distinct one."""
    from gatehouse.law.evaluate import evaluate
    from gatehouse.law.reading import load

    law, connection = load(pack), _opened(folder)
    return _best(lambda: evaluate(connection, law, "facts", "decided", AS_OF))


def write(folder: Path, pack: Path, _requests: int) -> tuple[float, float]:
    """Seconds to decide and write outcome and lists of every request."""
    from gatehouse.law.evaluate import evaluate
    from gatehouse.law.reading import load

    law, connection = load(pack), _opened(folder)
    connection.execute("SET preserve_insertion_order = false")

    def both() -> None:
        evaluate(connection, law, "facts", "decided", AS_OF)
        connection.execute(f"COPY (SELECT * FROM decided) TO '{folder / 'decided.parquet'}'")

    return _best(both)


def impact(folder: Path, pack: Path, _requests: int) -> tuple[float, float]:
    """Seconds to decide under two packs and cross their outcomes (the same pack twice costs the same)."""
    from gatehouse.law.impact import impact as compare
    from gatehouse.law.reading import load

    law, connection = load(pack), _opened(folder)
    return _best(lambda: compare(connection, law, law, [folder / "facts.parquet"], AS_OF), times=2)


def one_at_a_time(_folder: Path, pack: Path, _requests: int) -> list[tuple[str, str, str]]:
    """Milliseconds for one decision in plain Python and on DuckDB, for one proof, and for the whole check."""
    from gatehouse.intake.workspace import open_enclosed
    from gatehouse.law.check import check
    from gatehouse.law.evaluate import decide as on_duckdb
    from gatehouse.law.prove import prove
    from gatehouse.law.reading import load
    from gatehouse.law.single import decide_one

    law, connection = load(pack), open_enclosed()
    several = law.examples[:20]
    steps: list[tuple[str, list[Callable[[], object]]]] = [
        ("a decision in plain Python", [partial(decide_one, law, each.facts, each.as_of) for each in law.examples]),
        ("a decision on DuckDB", [partial(on_duckdb, law, each.facts, each.as_of, connection) for each in several]),
        ("a property", [partial(prove, law, each) for each in law.properties]),
        ("the whole check", [partial(check, law)]),
    ]
    rows = [(what, [_once(step) for step in each]) for what, each in steps]
    return [(what, f"{statistics.median(each):,.1f}", f"{max(each):,.1f}") for what, each in rows]


def _once(step: Callable[[], object]) -> float:
    """Processor milliseconds of one run, which other work on the machine disturbs less than a clock."""
    started = time.process_time()
    step()
    return 1000 * (time.process_time() - started)


def _engines(folder: Path, pack: Path, python: Path | None, whole: float) -> str:
    """The same conditions over the same rows without nulls, in every engine at hand; answers must be equal."""
    from benchmarks import engines

    job = _job(folder, pack)
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    ours = measure(_by_duckdb, folder, pack, COMPARED)
    seconds, answers = ours.result
    command = [str(python or sys.executable), engines.__file__, str(path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - own script
    rows = [
        ("Gatehouse, the whole batch, all rules and lists' meanings", "as above", "", f"{whole:,.0f}", ""),
        ("Gatehouse, these rows", COMPARED, f"{seconds:.3f}", f"{COMPARED / seconds:,.0f}", ""),
    ]
    for name, each in found.items():
        if "failed" in each:
            rows.append((name, 0, "", "", each["failed"]))
            continue
        same = each["digest"] == engines.digest(answers[: each["rows"]])
        rate = f"{each['rows'] / each['seconds']:,.0f}"
        rows.append((name, each["rows"], f"{each['seconds']:.3f}", rate, "same" if same else "DIFFERENT"))
    title = f"The {len(job['rules'])} conditions in force on {AS_OF}, over rows without nulls:\n\n"
    return title + table(("engine", "rows", "seconds", "rows a second", "answers"), rows)


_NO_NULL = {"text": "''", "int": "0", "bool": "FALSE", "date": "DATE '1900-01-01'"}


def _rules(pack: Path) -> list[Any]:
    from gatehouse.law.language import field_names
    from gatehouse.law.reading import load

    return [rule for rule in load(pack).in_force(AS_OF) if "items_permitted" not in field_names(rule.when)]


def _full(pack: Path) -> str:
    """The facts without nulls, and as_of."""
    from gatehouse.law.reading import load

    fields = [(name, str(each.kind)) for name, each in load(pack).fields.items() if each.kind != "text[]"]
    columns = ", ".join(f'coalesce("{name}", {_NO_NULL[kind]}) AS "{name}"' for name, kind in fields)
    return f"SELECT seq, DATE '{AS_OF}' AS as_of, {columns} FROM facts ORDER BY seq LIMIT {COMPARED}"


def _job(folder: Path, pack: Path) -> dict[str, Any]:
    from benchmarks.dialects import CEDAR, CEL, PYTHON, rego

    rules = _rules(pack)
    cursor = _opened(folder).execute(_full(pack))
    names = [column[0] for column in cursor.description]
    rows = [
        {n: v.toordinal() if isinstance(v, dt.date) else v for n, v in zip(names, row, strict=True)}
        for row in cursor.fetchall()
    ]
    texts = {
        key: [dialect.text(rule.when) for rule in rules]
        for key, dialect in (("python", PYTHON), ("cel", CEL), ("cedar", CEDAR))
    }
    module = rego([(rule.id, rule.when) for rule in rules])
    return {"rules": [rule.id for rule in rules], "rows": rows, "rego": module, **texts}


def _by_duckdb(folder: Path, pack: Path, _rows: int) -> tuple[float, list[list[bool]]]:
    from gatehouse.law.columns import sql

    connection = _opened(folder)
    connection.execute(f"CREATE TEMP TABLE complete AS {_full(pack)}")
    terms = [
        f"(CASE WHEN {sql(rule.when)} THEN {1 << bit} ELSE 0 END)::HUGEINT" for bit, rule in enumerate(_rules(pack))
    ]
    query = f"SELECT {' + '.join(terms)} FROM complete ORDER BY seq"
    seconds, _ = _best(lambda: connection.execute(query).fetchall())
    masks = [row[0] for row in connection.execute(query).fetchall()]
    return seconds, [[bool(mask >> bit & 1) for bit in range(len(terms))] for mask in masks]
