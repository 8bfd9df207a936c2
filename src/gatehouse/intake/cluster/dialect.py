"""One SQL text, two dialects: statements written for DuckDB, as Spark says them.

sqlglot translates the grammar; what stands here is what it cannot know: which of our functions may be answered by
another of the same promise (any hash, any distinct number), and where the two engines' types differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import sqlglot
from sqlglot import exp


def parse(statement: str, parameters: Sequence[object] = ()) -> exp.Expression:
    """A DuckDB statement as a tree that Spark understands; `?` are replaced by the parameters, typed literals."""
    tree = sqlglot.parse_one(statement, read="duckdb")
    for mark, value in zip(list(tree.find_all(exp.Placeholder, bfs=False)), parameters, strict=True):
        mark.replace(_literal(value))
    for node in reversed(list(tree.walk(bfs=False))):
        if change := _CHANGES.get(type(node)):
            node.replace(change(node))
    return tree


def text(tree: exp.Expression) -> str:
    """A tree of `parse` as Spark SQL."""
    return str(tree.sql(dialect="spark"))


def columns_of(query: str) -> set[str]:
    """The names of all columns that a DuckDB query mentions."""
    return {column.name for column in sqlglot.parse_one(query, read="duckdb").find_all(exp.Column)}


def row_of(relation: str) -> exp.Expression:
    """A whole row of a relation as one column of its name."""
    row = exp.Anonymous(this="struct", expressions=[exp.Column(this=exp.Star(), table=exp.to_identifier(relation))])
    return exp.alias_(row, relation)


def _literal(value: object) -> exp.Expression:
    if value is None or isinstance(value, bool | int | str | dt.date):
        return exp.convert(value)
    raise TypeError(type(value))


def _function(node: exp.Expression) -> exp.Expression:
    """A hash only brings rows together, and only those of one engine; which one it is matters to nobody."""
    if node.name.lower() != "hash":
        return node
    return exp.Anonymous(this="xxhash64", expressions=node.expressions)


def _type(node: exp.Expression) -> exp.Expression:
    """Spark has no unsigned numbers."""
    return exp.DataType.build("bigint") if node.is_type("uint", "usmallint", "utinyint") else node


def _cast(node: exp.Expression) -> exp.Expression:
    """A number of `_window` must not be narrowed, nor one made of it: it would no longer be distinct."""
    return node.this if any(each.name == _ANY_NUMBER for each in node.find_all(exp.Anonymous)) else node


def _window(node: exp.Expression) -> exp.Expression:
    """A row number over everything would pass all rows through one task; any distinct numbers do. Others are wide."""
    if not isinstance(node.this, exp.RowNumber):
        return node
    if not node.args.get("partition_by") and not node.args.get("order"):
        return exp.Anonymous(this=_ANY_NUMBER)
    return exp.cast(node.copy(), "bigint")


_ANY_NUMBER = "monotonically_increasing_id"


def _read(node: exp.Expression) -> exp.Expression:
    """A worker has another working directory, so paths are whole."""
    path = node.expressions[0]
    path.replace(exp.Literal.string(str(Path(path.name).absolute())))
    return node


_CHANGES: dict[type[exp.Expression], Callable[[exp.Expression], exp.Expression]] = {
    exp.Anonymous: _function,
    exp.Cast: _cast,
    exp.DataType: _type,
    exp.ReadParquet: _read,
    exp.Window: _window,
    # The greatest is one of any, it is never null beside others, and it is the same one in every run.
    exp.AnyValue: lambda node: exp.Max(this=node.this),
    exp.IgnoreNulls: lambda node: node.this,
}
