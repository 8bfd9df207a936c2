"""The same pack on Polars: an independent second engine that must give the same decisions before it may be trusted.

Only tests, cross-checks and benchmarks import this; Polars is no part of the plain install.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import polars as pl

from gatehouse.law.evaluate import AGREED, AT_MOST, REQUESTED
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
    renamed,
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
    """`seq`, `outcome`, `fired`, `unknown`, `items` for each row of facts, as `law.evaluate` makes them on DuckDB."""
    rules = pack.in_force(as_of)
    absent = [name for name in pack.fields if name not in facts.columns]
    typed = [pl.lit(None, dtype=TYPES[pack.fields[name].kind]).alias(name) for name in absent]
    frame = facts.with_columns(pl.lit(as_of).alias("as_of"), *typed)
    frame = frame.with_columns(*(_has(list_name, item) for list_name in (REQUESTED, AGREED) for item in pack.items))
    answers = {rule.id: column(rule.when) for rule in rules if rule.effect in (Effect.GRANT, Effect.LIMIT)}
    frame = frame.with_columns(*(answer.alias(f"answer {rule}") for rule, answer in answers.items()))
    frame = frame.with_columns(*(_permits(rules, item).alias(f"permits {item}") for item in pack.items))
    frame = frame.with_columns(
        _count(f"permits {item}" for item in pack.items).alias(DERIVED),
        pl.sum_horizontal([_may_permit(rules, item).cast(pl.Int64) for item in pack.items]).alias(AT_MOST),
    )
    stops = {rule.id: _stops(rule, pack) for rule in rules if rule.effect is not Effect.GRANT}
    granted = [pl.col(f"answer {rule.id}") for rule in rules if rule.effect is Effect.GRANT]
    stops[NO_GRANT] = _nothing_granted(granted)
    outcomes = {rule.id: rule.outcome for rule in rules} | {NO_GRANT: "refused"}
    severity = pl.max_horizontal(
        [pl.when(stop.fires).then(SEVERITY[outcomes[rule]]).otherwise(0) for rule, stop in stops.items()]
    )
    words = sorted(SEVERITY, key=SEVERITY.__getitem__)
    return frame.select(
        "seq",
        severity.replace_strict(dict(enumerate(words)), return_dtype=pl.String).alias("outcome"),
        _names({rule: stop.fires for rule, stop in stops.items()}).alias("fired"),
        _names({rule: stop.fires & ~stop.certain for rule, stop in stops.items()}).alias("unknown"),
        _names({item: pl.col(f"permits {item}") for item in pack.items}).alias("items"),
    )


@dataclass(frozen=True)
class _Stop:
    """When a rule fires, and when it would whatever the missing facts are."""

    fires: pl.Expr
    certain: pl.Expr


def _names(chosen: Mapping[str, pl.Expr]) -> pl.Expr:
    return pl.concat_list([pl.when(chosen[name]).then(pl.lit(name)) for name in sorted(chosen)]).list.drop_nulls()


def _count(columns: Iterable[str]) -> pl.Expr:
    return pl.sum_horizontal([pl.col(name).cast(pl.Int64) for name in columns])


def _nothing_granted(answers: Sequence[pl.Expr]) -> _Stop:
    never = pl.lit(value=True)
    fires = pl.all_horizontal([~answer.fill_null(value=False) for answer in answers] or [never])
    return _Stop(fires, pl.all_horizontal([~answer.fill_null(value=True) for answer in answers] or [never]))


def _has(list_name: str, item: str) -> pl.Expr:
    return pl.col(list_name).list.contains(item).fill_null(value=False).alias(f"{list_name} {item}")


def _permits(rules: tuple[Rule, ...], item: str) -> pl.Expr:
    grants = [_yes(rule) for rule in rules if rule.effect is Effect.GRANT and item in rule.items]
    whole = pl.col(f"{REQUESTED} {item}") & pl.col(f"{AGREED} {item}")
    whole = whole & (pl.any_horizontal(grants) if grants else pl.lit(value=False))
    for rule in rules:
        if rule.effect is Effect.LIMIT and item not in rule.items:
            whole = whole & ~_maybe(rule)
    return whole


def _may_permit(rules: tuple[Rule, ...], item: str) -> pl.Expr:
    """Whether the item would be permitted if every missing fact turned out in favor of the request."""
    grants = [_maybe(rule) for rule in rules if rule.effect is Effect.GRANT and item in rule.items]
    whole = pl.any_horizontal(grants) if grants else pl.lit(value=False)
    for name in (REQUESTED, AGREED):
        whole = whole & (pl.col(f"{name} {item}") | pl.col(name).is_null())
    for rule in rules:
        if rule.effect is Effect.LIMIT and item not in rule.items:
            whole = whole & ~_yes(rule)
    return whole


def _yes(rule: Rule) -> pl.Expr:
    return pl.col(f"answer {rule.id}").fill_null(value=False)


def _maybe(rule: Rule) -> pl.Expr:
    return pl.col(f"answer {rule.id}").fill_null(value=True)


def _stops(rule: Rule, pack: Pack) -> _Stop:
    if rule.effect is Effect.LIMIT:
        asked = [f"{REQUESTED} {item}" for item in pack.items]
        unknown = (pl.col(REQUESTED).list.len() > _count(asked)).fill_null(value=False)
        beyond = [pl.col(f"{REQUESTED} {item}") for item in pack.items if item not in rule.items]
        cuts = pl.any_horizontal([unknown, *beyond])
        return _Stop(_maybe(rule) & cuts, _yes(rule) & cuts)
    now, at_most = column(rule.when), column(renamed(rule.when, DERIVED, AT_MOST))
    if rule.effect is Effect.REQUIRE:
        return _Stop(~now.fill_null(value=False), ~at_most.fill_null(value=True))
    return _Stop(now.fill_null(value=True), at_most.fill_null(value=False))
