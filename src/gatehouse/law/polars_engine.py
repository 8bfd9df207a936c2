"""The same pack on Polars: an independent second engine that must give the same decisions before it may be trusted.

Only tests, cross-checks and benchmarks import this; Polars is no part of the plain install.
"""

from __future__ import annotations

import datetime as dt
from functools import singledispatch
from typing import Any

import polars as pl

from gatehouse.law.evaluate import AGREED, REQUESTED
from gatehouse.law.language import (
    Beginning,
    Both,
    Comparison,
    Constant,
    Either,
    Expression,
    Field,
    Kind,
    Membership,
    Negation,
    Sum,
    Test,
)
from gatehouse.law.pack import NO_GRANT, SEVERITY, Effect, Pack, Rule
from gatehouse.law.reading import DERIVED

TYPES: dict[Kind, Any] = {
    Kind.BOOL: pl.Boolean(),
    Kind.INT: pl.Int64(),
    Kind.TEXT: pl.String(),
    Kind.DATE: pl.Date(),
    Kind.ITEMS: pl.List(pl.String()),
}


@singledispatch
def column(node: Expression) -> pl.Expr:
    """A condition as a Polars expression with SQL's three-valued logic."""
    raise TypeError(type(node))


@column.register
def _(node: Field) -> pl.Expr:
    return pl.col(node.name)


@column.register
def _(node: Constant) -> pl.Expr:
    return pl.lit(node.value)


@column.register
def _(node: Both) -> pl.Expr:
    whole = column(node.parts[0])
    for part in node.parts[1:]:
        whole = whole & column(part)
    return whole


@column.register
def _(node: Either) -> pl.Expr:
    whole = column(node.parts[0])
    for part in node.parts[1:]:
        whole = whole | column(part)
    return whole


@column.register
def _(node: Negation) -> pl.Expr:
    return ~column(node.part)


@column.register
def _(node: Comparison) -> pl.Expr:
    left, right = column(node.left), column(node.right)
    match node.operator:
        case "=":
            return left == right
        case "<>":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


@column.register
def _(node: Membership) -> pl.Expr:
    part = column(node.part)
    return pl.when(part.is_not_null()).then(part.is_in(list(node.values)))


@column.register
def _(node: Beginning) -> pl.Expr:
    return column(node.part).str.starts_with(node.prefix)


@column.register
def _(node: Test) -> pl.Expr:
    part = column(node.part)
    if node.value is None:
        return part.is_null()
    return part.fill_null(not node.value) if node.value else ~part.fill_null(value=True)


@column.register
def _(node: Sum) -> pl.Expr:
    left, right = column(node.left), column(node.right)
    if node.left.kind is Kind.DATE and node.right.kind is Kind.DATE:
        return (left - right).dt.total_days()
    if node.kind is Kind.DATE:
        days = pl.duration(days=right)
        return left + days if node.sign > 0 else left - days
    return left + right if node.sign > 0 else left - right


def evaluate(pack: Pack, facts: pl.DataFrame, as_of: dt.date) -> pl.DataFrame:
    """`seq`, `outcome`, `fired`, `items` for each row of facts, as `law.evaluate` makes them on DuckDB."""
    rules = pack.in_force(as_of)
    absent = [name for name in pack.fields if name not in facts.columns]
    typed = [pl.lit(None, dtype=TYPES[pack.fields[name].kind]).alias(name) for name in absent]
    frame = facts.with_columns(pl.lit(as_of).alias("as_of"), *typed).with_columns(
        *(
            _has(column_name, item).alias(f"{column_name} {item}")
            for column_name in (REQUESTED, AGREED)
            for item in pack.items
        )
    )
    gives = {rule.id: column(rule.when).fill_null(value=False) for rule in rules if rule.effect is Effect.GRANT}
    applies = {rule.id: column(rule.when).fill_null(value=True) for rule in rules if rule.effect is Effect.LIMIT}
    frame = frame.with_columns(
        *(expression.alias(f"gives {rule}") for rule, expression in gives.items()),
        *(expression.alias(f"limits {rule}") for rule, expression in applies.items()),
    )
    frame = frame.with_columns(*(_permits(rules, item).alias(f"permits {item}") for item in pack.items))
    count = pl.sum_horizontal([pl.col(f"permits {item}").cast(pl.Int64) for item in pack.items])
    frame = frame.with_columns(count.alias(DERIVED))
    fires = {rule.id: _fires(rule, pack) for rule in rules if rule.effect is not Effect.GRANT}
    granted = pl.any_horizontal([pl.col(f"gives {rule}") for rule in gives] or [pl.lit(value=False)])
    fires[NO_GRANT] = ~granted
    outcomes = {rule.id: rule.outcome for rule in rules} | {NO_GRANT: "refused"}
    severity = pl.max_horizontal([pl.when(f).then(SEVERITY[outcomes[i]]).otherwise(0) for i, f in fires.items()])
    named = [pl.when(fires[rule]).then(pl.lit(rule)) for rule in sorted(fires)]
    kept = [pl.when(pl.col(f"permits {item}")).then(pl.lit(item)) for item in sorted(pack.items)]
    words = sorted(SEVERITY, key=SEVERITY.__getitem__)
    return frame.select(
        "seq",
        severity.replace_strict(dict(enumerate(words)), return_dtype=pl.String).alias("outcome"),
        pl.concat_list(named).list.drop_nulls().alias("fired"),
        pl.concat_list(kept).list.drop_nulls().alias("items"),
    )


def _has(column_name: str, item: str) -> pl.Expr:
    return pl.col(column_name).list.contains(item).fill_null(value=False)


def _permits(rules: tuple[Rule, ...], item: str) -> pl.Expr:
    grants = [pl.col(f"gives {rule.id}") for rule in rules if rule.effect is Effect.GRANT and item in rule.items]
    whole = pl.col(f"{REQUESTED} {item}") & pl.col(f"{AGREED} {item}")
    whole = whole & (pl.any_horizontal(grants) if grants else pl.lit(value=False))
    for rule in rules:
        if rule.effect is Effect.LIMIT and item not in rule.items:
            whole = whole & ~pl.col(f"limits {rule.id}")
    return whole


def _fires(rule: Rule, pack: Pack) -> pl.Expr:
    if rule.effect is Effect.REQUIRE:
        return ~column(rule.when).fill_null(value=False)
    if rule.effect is Effect.BAR:
        return column(rule.when).fill_null(value=True)
    known = pl.sum_horizontal([pl.col(f"{REQUESTED} {item}").cast(pl.Int64) for item in pack.items])
    unknown = (pl.col(REQUESTED).list.len() > known).fill_null(value=False)
    beyond = [pl.col(f"{REQUESTED} {item}") for item in pack.items if item not in rule.items]
    return pl.col(f"limits {rule.id}") & pl.any_horizontal([unknown, *beyond])
