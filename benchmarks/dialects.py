"""A pack's conditions written for other engines, so that a benchmark gives all of them the same work.

Only for measuring: rows without nulls, dates as day numbers, and one answer per rule. What these dialects cannot say
(three-valued logic, dates) is why the pack is not written in them.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Dialect:
    """How one language spells what conditions are made of."""

    field: str
    conjunction: str
    disjunction: str
    negation: str
    member: str
    beginning: str
    equal: str = "=="
    true: str = "true"
    false: str = "false"

    def text(self, node: Expression) -> str:
        """The condition in this language."""
        match node:
            case Both():
                return "(" + self.conjunction.join(map(self.text, node.parts)) + ")"
            case Either():
                return "(" + self.disjunction.join(map(self.text, node.parts)) + ")"
            case Negation():
                return f"({self.negation}{self.text(node.part)})"
            case Field():
                return self.field.format(node.name)
            case Constant():
                return self.constant(node.value)
            case _:
                return self.question(node)

    def question(self, node: Comparison | Membership | Beginning | Sum | Test) -> str:
        """A comparison, a question to a text, or a sum."""
        match node:
            case Comparison():
                operator = {"=": self.equal, "<>": "!="}.get(node.operator, node.operator)
                return f"({self.text(node.left)} {operator} {self.text(node.right)})"
            case Membership():
                return self.member.format(self.text(node.part), ", ".join(map(self.constant, node.values)))
            case Beginning():
                return self.beginning.format(self.text(node.part), self.constant(node.prefix), node.prefix)
            case Sum():
                return f"({self.text(node.left)} {'+' if node.sign > 0 else '-'} {self.text(node.right)})"
            case _:
                return self.test(node)

    def test(self, node: Test) -> str:
        """Rows have no nulls here: IS NULL is false, IS TRUE the condition itself."""
        if node.value is None:
            return self.false
        return self.text(node.part) if node.value else f"({self.negation}{self.text(node.part)})"

    def constant(self, value: Value) -> str:
        """A constant; dates are day numbers."""
        if isinstance(value, bool):
            return self.true if value else self.false
        if isinstance(value, dt.date):
            return str(value.toordinal())
        return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)


PYTHON = Dialect(
    "r['{}']", " and ", " or ", "not ", "({0} in ({1},))", "{0}.startswith({1})", true="True", false="False"
)
CEL = Dialect("{}", " && ", " || ", "!", "({0} in [{1}])", "{0}.startsWith({1})")
CEDAR = Dialect("context.{}", " && ", " || ", "!", "([{1}].contains({0}))", '({0} like "{2}*")')


class Rego:
    """Rego has no OR inside a rule: each AND, OR and NOT becomes a rule of its own."""

    leaf = Dialect("input.{}", "", "", "", "{0} in {{{1}}}", "startswith({0}, {1})")

    def __init__(self) -> None:
        self.lines: list[str] = []

    def name(self, node: Expression) -> str:
        """A call that is true where the node is, defined by the lines written so far."""
        match node:
            case Both():
                bodies = ["; ".join(map(self.name, node.parts))]
            case Either():
                bodies = [self.name(part) for part in node.parts]
            case Negation():
                bodies = [f"not {self.name(node.part)}"]
            case Test(value=False):
                bodies = [f"not {self.name(node.part)}"]
            case Test(value=True):
                bodies = [self.name(node.part)]
            case Field():
                return f"input.{node.name} == true"
            case _:
                return self.leaf.text(node)
        rule = f"n{len(self.lines)}"
        self.lines += [f"{rule} if {{ {body} }}" for body in bodies]
        return rule


def rego(rules: Sequence[tuple[str, Expression]]) -> str:
    """A Rego module whose set `holds` has the ids of the rules whose condition is true."""
    writer = Rego()
    heads = [f"holds contains {json.dumps(rule)} if {{ {writer.name(when)} }}" for rule, when in rules]
    return "\n".join(["package law", "import rego.v1", *writer.lines, *heads]) + "\n"
