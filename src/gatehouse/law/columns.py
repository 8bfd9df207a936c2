"""Conditions as DuckDB columns: the text that runs over a batch.

Identifiers come from the pack's checked vocabulary and constants are quoted here, so no data reaches the text.
"""

from __future__ import annotations

import datetime as dt
from functools import singledispatch

from gatehouse.law.language import (
    Beginning,
    Both,
    Comparison,
    Constant,
    Either,
    Expression,
    Field,
    Membership,
    Negation,
    Sum,
    Test,
    Value,
)


def literal(value: Value) -> str:
    """A constant as SQL text."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dt.date):
        return f"DATE '{value.isoformat()}'"
    return "'" + value.replace("'", "''") + "'"


def text_list(values: tuple[str, ...] | list[str]) -> str:
    """A constant list of texts as SQL text."""
    return f"([{', '.join(literal(value) for value in values)}]::VARCHAR[])"


def sql(expression: Expression) -> str:
    """The expression as DuckDB SQL; `as_of` must be a column or be replaced beforehand."""
    return _sql(expression)


@singledispatch
def _sql(expression: Expression) -> str:
    raise TypeError(type(expression))


@_sql.register
def _(node: Field) -> str:
    return f'"{node.name}"'


@_sql.register
def _(node: Constant) -> str:
    return literal(node.value)


@_sql.register
def _(node: Both) -> str:
    return "(" + " AND ".join(_sql(part) for part in node.parts) + ")"


@_sql.register
def _(node: Either) -> str:
    return "(" + " OR ".join(_sql(part) for part in node.parts) + ")"


@_sql.register
def _(node: Negation) -> str:
    return f"(NOT {_sql(node.part)})"


@_sql.register
def _(node: Comparison) -> str:
    return f"({_sql(node.left)} {node.operator} {_sql(node.right)})"


@_sql.register
def _(node: Membership) -> str:
    # not IN: DuckDB compares a row with every constant of an IN, and with those of an OR only until one is equal
    part = _sql(node.part)
    return "(" + " OR ".join(f"{part} = {literal(value)}" for value in node.values) + ")"


@_sql.register
def _(node: Beginning) -> str:
    return f"starts_with({_sql(node.part)}, {literal(node.prefix)})"


@_sql.register
def _(node: Test) -> str:
    asked = "NULL" if node.value is None else literal(node.value)
    return f"({_sql(node.part)} IS {asked})"


@_sql.register
def _(node: Sum) -> str:
    # days are INTEGER where a date is moved, BIGINT elsewhere, so that no sum of facts can overflow
    if node.kind == "date":
        return f"({_sql(node.left)} {'+' if node.sign > 0 else '-'} ({_sql(node.right)})::INTEGER)"
    if node.left.kind == "date":
        return f"date_diff('day', {_sql(node.right)}, {_sql(node.left)})"
    return f"({_sql(node.left)}::BIGINT {'+' if node.sign > 0 else '-'} {_sql(node.right)}::BIGINT)"
