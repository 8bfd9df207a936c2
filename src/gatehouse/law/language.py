"""Conditions: a small, typed subset of SQL boolean expressions, parsed against a whitelist.

The text that counsel reads, the text that decides and the formula that is proved are one `Expression`. Whatever is
not on the whitelist, an unknown name or a mix of types does not load: the error says where, and names the nearest
valid word. Null follows SQL's three-valued logic; which way it falls is the rule's affair, not the condition's.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

import sqlglot
from sqlglot import exp

from gatehouse.kernel import clock
from gatehouse.kernel.errors import WrongInput

LONGEST_CONDITION = 2_000
DEEPEST_CONDITION = 24
LARGEST_CONDITION = 3_000
LARGEST_NUMBER = 2_000_000_000


class Kind(StrEnum):
    """The type of a value: what a field may be declared as, and what an expression yields."""

    BOOL = "bool"
    INT = "int"
    TEXT = "text"
    DATE = "date"
    ITEMS = "text[]"


Value = bool | int | str | dt.date


@dataclass(frozen=True)
class Field:
    """A fact, by its declared name."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Constant:
    """A value written in the pack."""

    value: Value
    kind: Kind


@dataclass(frozen=True)
class Both:
    """AND of two or more conditions."""

    parts: tuple[Expression, ...]
    kind: Kind = Kind.BOOL


@dataclass(frozen=True)
class Either:
    """OR of two or more conditions."""

    parts: tuple[Expression, ...]
    kind: Kind = Kind.BOOL


@dataclass(frozen=True)
class Negation:
    """NOT; null stays null."""

    part: Expression
    kind: Kind = Kind.BOOL


@dataclass(frozen=True)
class Comparison:
    """`=`, `<>`, `<`, `<=`, `>`, `>=` between two values of one kind; text knows only `=` and `<>`."""

    operator: str
    left: Expression
    right: Expression
    kind: Kind = Kind.BOOL


@dataclass(frozen=True)
class Membership:
    """A text or number among constants: `x IN ('a', 'b')`, or `x IN name_of_a_list`."""

    part: Expression
    values: tuple[Value, ...]
    named: str = ""
    kind: Kind = Kind.BOOL


@dataclass(frozen=True)
class Beginning:
    """`starts_with(x, 'prefix')`: whether a text begins with a constant, byte for byte."""

    part: Expression
    prefix: str
    kind: Kind = Kind.BOOL


@dataclass(frozen=True)
class Test:
    """`x IS NULL` (value None), `x IS TRUE`, `x IS FALSE`; never null itself."""

    part: Expression
    value: bool | None
    kind: Kind = Kind.BOOL


@dataclass(frozen=True)
class Sum:
    """Whole numbers and dates: date - date is days; date ± days is a date; number ± number is a number."""

    left: Expression
    right: Expression
    sign: int
    kind: Kind


Expression = Field | Constant | Both | Either | Negation | Comparison | Membership | Beginning | Test | Sum

AS_OF = Field("as_of", Kind.DATE)


@dataclass(frozen=True)
class Vocabulary:
    """The words a condition may use: declared fields, defined terms, and lists of constants.

    `values` gives the spellings an enumerated text field may be compared with.
    """

    kinds: Mapping[str, Kind]
    values: Mapping[str, tuple[str, ...]]
    terms: Mapping[str, Expression]
    lists: Mapping[str, tuple[str, ...]]

    def nearest(self, word: str) -> str:
        """A remedy that names the closest known word."""
        known = [*self.kinds, *self.terms, *self.lists, "as_of"]
        return _suggest(word, known)


def _suggest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]}?" if close else "Declare it in pack.toml, or use a declared name"


def children(expression: Expression) -> Iterator[Expression]:
    """The expressions directly inside one."""
    for field in fields(expression):
        inner = getattr(expression, field.name)
        if isinstance(inner, Expression):
            yield inner
        elif field.name == "parts":
            yield from inner


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and everything inside it, outermost first."""
    yield expression
    for inner in children(expression):
        yield from walk(inner)


def field_names(expression: Expression) -> set[str]:
    """The facts a condition reads, `as_of` included where it is used."""
    return {node.name for node in walk(expression) if isinstance(node, Field)}


def renamed(expression: Expression, old: str, new: str) -> Expression:
    """The same condition, reading one fact under another name."""
    if isinstance(expression, Field):
        return replace(expression, name=new) if expression.name == old else expression
    changed: dict[str, Any] = {}
    for field in fields(expression):
        inner = getattr(expression, field.name)
        if isinstance(inner, Expression):
            changed[field.name] = renamed(inner, old, new)
        elif field.name == "parts":
            changed[field.name] = tuple(renamed(part, old, new) for part in inner)
    return replace(expression, **changed)


def parse(text: str, vocabulary: Vocabulary, where: str) -> Expression:
    """Parse one condition or defined term.

    `where` is the place for messages (file and line). Raises WrongInput for anything outside the language.
    """
    if len(text) > LONGEST_CONDITION or _depth(text) > DEEPEST_CONDITION:
        raise WrongInput(
            f"a condition may have {LONGEST_CONDITION} characters and {DEEPEST_CONDITION} levels of parentheses "
            f"at most",
            where=where,
            remedy="Split it into defined terms in [facts] or into several rules",
        )
    if "--" in text or "/*" in text:
        raise WrongInput(
            "a condition must not contain comments", where=where, remedy="Write it in the rule's note or in the file"
        )
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except (sqlglot.errors.SqlglotError, RecursionError) as unreadable:
        raise WrongInput(
            "this is not a condition in the rule language", where=where, remedy="See docs/law.md, Conditions"
        ) from unreadable
    expression = _Reader(vocabulary, where).read(tree, 0)
    if _size(expression, {}) > LARGEST_CONDITION:
        raise WrongInput(
            f"with its defined terms expanded, the condition has more than {LARGEST_CONDITION:,} parts",
            where=where,
            remedy="Define terms from facts rather than from other terms",
        )
    return expression


def _size(expression: Expression, known: dict[int, int]) -> int:
    """How many parts an expression has when every term in it is written out; each shared part is visited once."""
    if id(expression) not in known:
        values = len(expression.values) if isinstance(expression, Membership) else 0
        known[id(expression)] = 1 + values + sum(_size(each, known) for each in children(expression))
    return known[id(expression)]


def parse_condition(text: str, vocabulary: Vocabulary, where: str) -> Expression:
    """Parse a condition, which must be true, false or null. Raises WrongInput otherwise."""
    expression = parse(text, vocabulary, where)
    if expression.kind is not Kind.BOOL:
        raise WrongInput(
            f"a condition must be true or false; this one is {expression.kind}",
            where=where,
            remedy="Compare it with a value",
        )
    return expression


def _depth(text: str) -> int:
    deepest = level = 0
    for character in text:
        level += (character == "(") - (character == ")")
        deepest = max(deepest, level)
    return deepest


_OPERATORS: dict[type[exp.Expression], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}


class _Reader:
    """Turns the parser's tree into an `Expression`, refusing every node that is not listed here."""

    def __init__(self, vocabulary: Vocabulary, where: str) -> None:
        self.vocabulary = vocabulary
        self.where = where
        self.readers: dict[type[exp.Expression], Callable[[Any, int], Expression]] = {
            exp.Paren: lambda node, depth: self.read(node.this, depth),
            exp.Column: self.column,
            exp.Literal: self.literal,
            exp.Boolean: lambda node, _: Constant(bool(node.this), Kind.BOOL),
            exp.Neg: self.negative,
            exp.Cast: self.date,
            exp.And: self.both,
            exp.Or: self.either,
            exp.Not: lambda node, depth: Negation(self.condition(node.this, depth)),
            exp.In: self.membership,
            exp.Between: self.between,
            exp.Is: self.test,
            exp.Add: lambda node, depth: self.sum(node, 1, depth),
            exp.Sub: lambda node, depth: self.sum(node, -1, depth),
            exp.StartsWith: self.beginning,
        }
        for operator in _OPERATORS:
            self.readers[operator] = self.comparison

    def wrong(self, what: str, remedy: str) -> WrongInput:
        return WrongInput(what, where=self.where, remedy=remedy)

    def read(self, node: exp.Expression, depth: int) -> Expression:
        reader = self.readers.get(type(node))
        if reader is None:
            raise self.wrong(
                f"{node.key.upper()} is not part of the rule language",
                "Use AND OR NOT = <> < <= > >= IN BETWEEN IS + - starts_with()",
            )
        if depth > 4 * DEEPEST_CONDITION:
            raise self.wrong("the condition is nested too deeply", "Split it into defined terms")
        return reader(node, depth + 1)

    def condition(self, node: exp.Expression, depth: int) -> Expression:
        inner = self.read(node, depth)
        if inner.kind is not Kind.BOOL:
            raise self.wrong(f"AND, OR and NOT join conditions, not {inner.kind}", "Compare it with a value")
        return inner

    def column(self, node: exp.Column, _: int) -> Expression:
        name = node.name
        if node.table:
            raise self.wrong("a name has no dots", "Use the field's name alone")
        if name == AS_OF.name:
            return AS_OF
        if name in self.vocabulary.terms:
            return self.vocabulary.terms[name]
        kind = self.vocabulary.kinds.get(name)
        if kind is None:
            raise self.wrong(f"unknown name {name!r}", self.vocabulary.nearest(name))
        if kind is Kind.ITEMS:
            raise self.wrong(f"{name} is a list of items", "Use items_permitted, or a limit with items")
        return Field(name, kind)

    def literal(self, node: exp.Literal, _: int) -> Expression:
        if node.is_string:
            return Constant(str(node.this), Kind.TEXT)
        if not str(node.this).isascii() or not str(node.this).isdigit() or int(node.this) > LARGEST_NUMBER:
            raise self.wrong("numbers are whole and below two thousand million", "Write the number in digits")
        return Constant(int(node.this), Kind.INT)

    def negative(self, node: exp.Neg, depth: int) -> Expression:
        inner = self.read(node.this, depth)
        if not isinstance(inner, Constant) or inner.kind is not Kind.INT:
            raise self.wrong("minus stands before a number", "Write the subtraction in full")
        return Constant(-int(inner.value), Kind.INT)  # type: ignore[arg-type]

    def date(self, node: exp.Cast, _: int) -> Expression:
        literal = node.this
        if node.to.this is not exp.DataType.Type.DATE or not isinstance(literal, exp.Literal):
            raise self.wrong("CAST is not part of the rule language", "Write dates as DATE '2025-04-07'")
        day = clock.read_date(str(literal.this))
        if day is None:
            raise self.wrong("this is not a calendar date", "Write dates as DATE '2025-04-07'")
        return Constant(day, Kind.DATE)

    def both(self, node: exp.And, depth: int) -> Expression:
        return Both(tuple(self.condition(part, depth) for part in node.flatten()))

    def either(self, node: exp.Or, depth: int) -> Expression:
        return Either(tuple(self.condition(part, depth) for part in node.flatten()))

    def comparison(self, node: exp.Binary, depth: int) -> Expression:
        operator = _OPERATORS[type(node)]
        left, right = self.read(node.this, depth), self.read(node.expression, depth)
        if left.kind is not right.kind:
            raise self.wrong(f"{left.kind} is compared with {right.kind}", "Compare values of one kind")
        if left.kind is Kind.TEXT:
            self.spelling(left, right)
            if operator not in ("=", "<>") or not (isinstance(left, Field) and isinstance(right, Constant)):
                raise self.wrong(
                    "a text field is only compared (= <>) with a constant", "Let the matcher compare texts"
                )
        if left.kind is Kind.BOOL and operator not in ("=", "<>"):
            raise self.wrong("true and false have no order", "Use = or <>")
        return Comparison(operator, left, right)

    def spelling(self, field: Expression, *constants: Expression) -> None:
        if not isinstance(field, Field):
            return
        known = self.vocabulary.values.get(field.name, ())
        for constant in constants:
            if known and isinstance(constant, Constant) and constant.value not in known:
                raise self.wrong(f"{field.name} is never {constant.value!r}", _suggest(str(constant.value), known))

    def membership(self, node: exp.In, depth: int) -> Expression:
        part = self.read(node.this, depth)
        if not isinstance(part, Field) or part.kind not in (Kind.TEXT, Kind.INT):
            raise self.wrong("IN asks about a text or number field", "Name the field before IN")
        listed = node.args.get("field")
        if listed is not None:
            name = listed.name
            if name not in self.vocabulary.lists or part.kind is not Kind.TEXT:
                raise self.wrong(f"unknown list {name!r}", _suggest(name, list(self.vocabulary.lists)))
            return Membership(part, self.vocabulary.lists[name], name)
        constants = [self.read(each, depth) for each in node.expressions]
        if not constants or not all(isinstance(c, Constant) and c.kind is part.kind for c in constants):
            raise self.wrong("IN lists constants of the field's kind", "Write IN ('a', 'b') or IN name_of_a_list")
        self.spelling(part, *constants)
        return Membership(part, tuple(c.value for c in constants if isinstance(c, Constant)))

    def between(self, node: exp.Between, depth: int) -> Expression:
        part, low, high = (self.read(each, depth) for each in (node.this, node.args["low"], node.args["high"]))
        if not part.kind is low.kind is high.kind or part.kind not in (Kind.INT, Kind.DATE):
            raise self.wrong("BETWEEN is for numbers and dates", "Compare values of one kind")
        return Both((Comparison(">=", part, low), Comparison("<=", part, high)))

    def test(self, node: exp.Is, depth: int) -> Expression:
        part, asked = self.read(node.this, depth), node.expression
        if isinstance(asked, exp.Null):
            return Test(part, None)
        if isinstance(asked, exp.Boolean) and part.kind is Kind.BOOL:
            return Test(part, bool(asked.this))
        raise self.wrong("IS asks for NULL, or for TRUE or FALSE of a condition", "Use = for other values")

    def beginning(self, node: exp.StartsWith, depth: int) -> Expression:
        part, prefix = self.read(node.this, depth), self.read(node.expression, depth)
        if not isinstance(part, Field) or part.kind is not Kind.TEXT or not isinstance(prefix, Constant):
            raise self.wrong("starts_with asks whether a text field begins with a constant", "Name the field first")
        return Beginning(part, str(prefix.value))

    def sum(self, node: exp.Binary, sign: int, depth: int) -> Expression:
        left, right = self.read(node.this, depth), self.read(node.expression, depth)
        kinds = (left.kind, right.kind)
        if kinds == (Kind.INT, Kind.INT) or (kinds == (Kind.DATE, Kind.DATE) and sign < 0):
            return Sum(left, right, sign, Kind.INT)
        if kinds == (Kind.DATE, Kind.INT):
            return Sum(left, right, sign, Kind.DATE)
        raise self.wrong(f"{kinds[0]} and {kinds[1]} are not added or subtracted", "Use numbers, or dates and days")
