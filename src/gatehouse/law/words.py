"""Conditions and facts in English, for readers who do not read SQL: the facts by what they say, the logic as lists.

The condition itself always stands beside these words; it decides, and they only explain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gatehouse.law.language import (
    AS_OF,
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
from gatehouse.law.pack import Declared
from gatehouse.law.reading import DERIVED

_DATE_OF_LAW = "the date of the law"


@dataclass(frozen=True)
class Words:
    """One sentence, or a heading (`all of these:`, `one of these:`) over parts."""

    text: str
    parts: tuple[Words, ...] = ()


def in_words(node: Expression, fields: Mapping[str, Declared]) -> Words:
    """A condition in English."""
    match node:
        case Both():
            return Words("all of these", tuple(in_words(part, fields) for part in node.parts))
        case Either():
            return Words("at least one of these", tuple(in_words(part, fields) for part in node.parts))
        case Negation(part=Both() | Either() as inner):
            words = in_words(inner, fields)
            return Words(f"not so: {words.text}", words.parts)
        case _:
            return Words(_sentence(node, fields))


def of_facts(facts: Mapping[str, Any], fields: Mapping[str, Declared]) -> Iterator[tuple[str, str, str]]:
    """Of each fact its name, what it says, and its value: `agreement_in_force`, the agreement is in force, no."""
    for name, value in facts.items():
        yield name, fields[name].says if name in fields else _DATE_OF_LAW, _said(value)


def _said(value: object) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "(empty)"


def _sentence(node: Expression, fields: Mapping[str, Declared]) -> str:  # noqa: C901, PLR0911 - a case for each kind
    match node:
        case Field():
            return f"{_name(node, fields)}: yes"
        case Constant():
            return "in every case" if node.value else "in no case"
        case Negation(part=Field() as inner):
            return f"{_name(inner, fields)}: no"
        case Negation(part=Test(value=None) as inner):
            return f"{_value(inner.part, fields)} is known"
        case Negation(part=Membership() as inner):
            return _membership(inner, fields, "is none of")
        case Negation():
            return f"it is not so that {_sentence(node.part, fields)}"
        case Membership():
            return _membership(node, fields, "is one of")
        case Beginning():
            return f"{_value(node.part, fields)} begins with “{node.prefix}”"
        case Test():
            asked = {None: "is not known", True: "is yes", False: "is no"}[node.value]
            return f"{_value(node.part, fields)} {asked}"
        case Comparison():
            return f"{_value(node.left, fields)} {_compared(node)} {_value(node.right, fields)}"
        case _:
            words = in_words(node, fields)
            return f"{words.text}: {'; '.join(part.text for part in words.parts)}"


_NUMBERS = {
    "=": "is", "<>": "is not", "<": "is less than", "<=": "is at most", ">": "is more than", ">=": "is at least",
}  # fmt: skip
_DATES = _NUMBERS | {"<": "is before", "<=": "is not after", ">": "is after", ">=": "is not before"}


def _compared(node: Comparison) -> str:
    return (_DATES if node.left.kind is Kind.DATE else _NUMBERS)[node.operator]


def _membership(node: Membership, fields: Mapping[str, Declared], verb: str) -> str:
    if node.named:
        among = "is in" if verb == "is one of" else "is not in"
        return f"{_value(node.part, fields)} {among} the list {node.named}"
    return f"{_value(node.part, fields)} {verb} {', '.join(f'“{value}”' for value in node.values)}"


def _name(node: Field, fields: Mapping[str, Declared]) -> str:
    if node.name == AS_OF.name:
        return _DATE_OF_LAW
    if node.name == DERIVED:
        return "the number of items that may be given"
    if node.name in fields:
        return fields[node.name].says
    verb, _, item = node.name.partition("_")
    said = {"gives": "is given", "asks": "is asked for", "agreed": "is agreed"}[verb]
    return f"the item {item} {said}"


def _value(node: Expression, fields: Mapping[str, Declared]) -> str:  # noqa: PLR0911 - a case for each kind
    match node:
        case Field():
            return _name(node, fields)
        case Constant(value=str() as text):
            return f"“{text}”"
        case Constant(value=bool() as truth):
            return "yes" if truth else "no"
        case Constant():
            return str(node.value)
        case Sum(kind=Kind.INT) if node.left.kind is Kind.DATE:
            return f"the number of days from [{_value(node.right, fields)}] to [{_value(node.left, fields)}]"
        case Sum():
            sign = "plus" if node.sign > 0 else "less"
            days = " days" if node.kind is Kind.DATE else ""
            return f"{_value(node.left, fields)} {sign} {_value(node.right, fields)}{days}"
        case _:
            return f"whether {_sentence(node, fields)}"
