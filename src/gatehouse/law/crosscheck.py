"""Three readings of one pack on the same rows: DuckDB, Polars and the solver's formula must agree on every rule.

DuckDB and Polars are compared by outcome, by the rules that fired, by those that fired only for want of a fact, and by
items; the solver's formula, which knows no outcome but `cleared`, by that and the same lists. Which rows is for `edges`
to say; what lets another engine decide is `admission`.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from gatehouse.intake.workspace import open_workspace
from gatehouse.law import polars_engine
from gatehouse.law.evaluate import AGREED, REQUESTED, evaluate
from gatehouse.law.formula import Formula
from gatehouse.law.language import Kind
from gatehouse.law.pack import NO_GRANT, Effect, Pack
from gatehouse.law.polars_engine import TYPES
from gatehouse.law.prove import solver_module


def frame_of(pack: Pack, facts: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as a typed table."""
    schema = {"seq": pl.Int64(), **{name: TYPES[declared.kind] for name, declared in pack.fields.items()}}
    return pl.DataFrame(facts, schema=schema)


@dataclass(frozen=True)
class Disagreement:
    """One row on which two readings differ, and what each says."""

    seq: int
    readings: str
    first: object
    second: object


def crosscheck(pack: Pack, facts: Sequence[Mapping[str, Any]], as_of: dt.date) -> list[Disagreement]:
    """Read rows three ways on one date; every row on which DuckDB, Polars and the solver's formula differ."""
    frame = frame_of(pack, facts)
    with tempfile.TemporaryDirectory() as folder:
        by_duckdb = _by_duckdb(pack, frame, Path(folder), as_of)
        by_solver = _by_solver(pack, frame, Path(folder), as_of)
    by_polars = polars_engine.evaluate(pack, frame, as_of).sort("seq").rows()
    cleared = [(seq, outcome == "cleared", *lists) for seq, outcome, *lists in by_duckdb]
    return [
        *_differences("DuckDB and Polars", by_duckdb, by_polars),
        *_differences("DuckDB and the solver", cleared, by_solver),
    ]


def _by_duckdb(pack: Pack, frame: pl.DataFrame, folder: Path, as_of: dt.date) -> list[Any]:
    frame.write_parquet(folder / "facts.parquet")
    connection = open_workspace(threads=2)
    connection.execute(f"CREATE TEMP VIEW facts AS SELECT * FROM '{folder / 'facts.parquet'}'")
    evaluate(connection, pack, "facts", "decided", as_of)
    return list(connection.execute("SELECT seq, outcome, fired, unknown, items FROM decided ORDER BY seq").fetchall())


def _differences(readings: str, first: Sequence[Any], second: Sequence[Any]) -> list[Disagreement]:
    pairs = zip(first, second, strict=True)
    return [Disagreement(one[0], readings, one, two) for one, two in pairs if tuple(one) != tuple(two)]


def _by_solver(pack: Pack, frame: pl.DataFrame, folder: Path, as_of: dt.date) -> list[Any]:
    """The solver's own formula, node by node, over columns of its symbols: two-valued logic and whole numbers only."""
    formula = Formula(solver_module(), [pack])
    outcome = formula.outcome(pack)
    _symbols(formula, frame, as_of).write_parquet(folder / "symbols.parquet")
    grants = {rule.id for rule in pack.rules if rule.effect is Effect.GRANT}
    fires = {rule: term for rule, term in sorted(outcome.fires.items()) if rule not in grants}
    fires[NO_GRANT] = formula.solver.Not(outcome.granted)
    stops = formula.certain(pack)
    certain = [stops[rule] for rule in fires]
    permits = dict(sorted(outcome.permits.items()))
    columns = ", ".join(_sql(term) for term in [outcome.cleared, *fires.values(), *certain, *permits.values()])
    query = f"SELECT seq, {columns} FROM '{folder / 'symbols.parquet'}' ORDER BY seq"
    found = open_workspace(threads=2).execute(query).fetchall()
    rows = []
    for seq, cleared, *bits in found:
        fired = sorted(name for name, bit in zip(fires, bits, strict=False) if bit)
        sure = {name for name, bit in zip(fires, bits[len(fires) :], strict=False) if bit}
        items = [name for name, bit in zip(permits, bits[2 * len(fires) :], strict=True) if bit]
        rows.append((seq, cleared, fired, [name for name in fired if name not in sure], items))
    return rows


def _symbols(formula: Formula, frame: pl.DataFrame, as_of: dt.date) -> pl.DataFrame:
    """The value of every symbol of the formula for each row."""
    columns = [pl.col("seq"), pl.lit(as_of.toordinal()).alias("as_of")]
    for name in formula.symbols:
        kind = formula.fields[name].kind
        column = pl.col(name)
        if kind is Kind.DATE:
            column = (column - dt.date(1, 1, 1)).dt.total_days() + 1
        elif kind is Kind.TEXT:
            texts = frame[name].drop_nulls().unique().to_list()
            column = column.replace_strict({text: _class(formula, name, text) for text in texts} or {"": 0})
        missing = False if kind is Kind.BOOL else 0
        columns += [column.fill_null(missing).alias(name), pl.col(name).is_null().alias(f"{name} is null")]
    asked, agreed = pl.col(REQUESTED), pl.col(AGREED)
    columns += [pl.col(name).is_null().alias(f"{name} is null") for name in (REQUESTED, AGREED)]
    known = pl.lit(0)
    for item in formula.items:
        has = asked.list.contains(item).fill_null(value=False)
        known = known + has.cast(pl.Int64)
        columns += [
            has.alias(f"asks {item}"),
            agreed.list.contains(item).fill_null(value=False).alias(f"agreed {item}"),
        ]
    columns.append((asked.list.len() > known).fill_null(value=False).alias("asks something else"))
    return frame.select(columns)


def _class(formula: Formula, name: str, text: str) -> int:
    """The class whose witness gives the same answers: the text itself, else the longest prefix, else the last."""
    known = formula.texts.get(name, (text,))
    if text in known:
        return known.index(text)
    starts = [n for n, each in enumerate(known) if each.endswith("…") and text.startswith(each.rstrip("…"))]
    return max(starts, key=lambda n: len(known[n]), default=len(known) - 1)


_INFIX = {
    "and": "AND",
    "or": "OR",
    "=": "=",
    "distinct": "<>",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "+": "+",
    "-": "-",
    "*": "*",
}


def _sql(term: Any) -> str:  # noqa: ANN401 - a solver's term
    """A solver's term, written out for the columns of its symbols."""
    operator, parts = term.decl().name(), [_sql(each) for each in term.children()]
    if not parts:
        return f'"{operator}"' if operator not in ("true", "false", "Int") else str(term)
    if operator == "not":
        return f"(NOT {parts[0]})"
    if operator == "if":
        return f"(CASE WHEN {parts[0]} THEN {parts[1]} ELSE {parts[2]} END)"
    return f"({f' {_INFIX[operator]} '.join(parts)})"
