"""Decide one request in plain Python, in a millisecond: the law read a third way, without a database.

Batches are decided by `law.evaluate`; this is for one case on a screen, for mutation, and for checking the columns.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import singledispatch
from typing import Any

from gatehouse.law.evaluate import AGREED, REQUESTED, Decision
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
from gatehouse.law.pack import NO_GRANT, SEVERITY, Code, Effect, Pack, Rule
from gatehouse.law.reading import DERIVED

Truth = bool | None
Facts = Mapping[str, Any]


def decide_one(pack: Pack, facts: Facts, as_of: dt.date) -> Decision:
    """Decide one request from its facts by name; those not given are null. The same answer as `evaluate.decide`."""
    known: dict[str, Any] = {**facts, AS_OF.name: as_of}

    def truth(rule: Rule, permitted: int) -> Truth:
        known[DERIVED] = permitted
        return value(rule.when, known)  # type: ignore[no-any-return]

    return combine(pack.in_force(as_of), truth, facts.get(REQUESTED), facts.get(AGREED), pack.items)


def combine(
    rules: Sequence[Rule],
    truth: Callable[[Rule, int], Truth],
    requested: Iterable[str] | None,
    agreed: Iterable[str] | None,
    known: Collection[str],
) -> Decision:
    """Decide from the truth of each condition alone: the combination of docs/law.md.

    `rules` are those in force; `truth` is asked for each with a number of items: those permitted, and those that would
    be if every missing fact turned out in favor of the request, since a rule may count items that nobody can know yet.
    """
    asked = set(requested or ())
    grants = [(rule, truth(rule, 0)) for rule in rules if rule.effect is Effect.GRANT]
    answers = {answer for _, answer in grants}
    fired = {} if True in answers else {NO_GRANT: None in answers}  # rule → whether only for want of a fact
    severity = SEVERITY["refused"] if fired else 0
    permitted = asked & set(agreed or ()) & set(known) & _items(rule for rule, answer in grants if answer is True)
    at_most = set(known) & _items(rule for rule, answer in grants if answer is not False)
    at_most &= (set(known) if requested is None else asked) & set(known if agreed is None else agreed)
    for rule in rules:
        if rule.effect is not Effect.LIMIT:
            continue
        answer = truth(rule, 0)
        if answer is not False:
            permitted &= set(rule.items)
            fired |= {rule.id: answer is None} if asked - set(rule.items) else {}
        if answer is True:
            at_most &= set(rule.items)
    for rule in rules:
        if rule.effect not in (Effect.REQUIRE, Effect.BAR):
            continue
        passes = rule.effect is Effect.REQUIRE
        if truth(rule, len(permitted)) is not passes:
            fired[rule.id] = truth(rule, len(at_most)) is not (not passes)
            severity = max(severity, SEVERITY[rule.outcome])
    codes = {rule.id: str(rule.code) for rule in rules} | {NO_GRANT: str(Code.AUTHORITY)}
    return Decision(
        outcome=next(name for name, rank in SEVERITY.items() if rank == severity),
        fired=tuple(sorted(fired)),
        codes=tuple(sorted({codes[name] for name in fired})),
        items=tuple(sorted(permitted)),
        unknown=tuple(sorted(rule for rule, lacking in fired.items() if lacking)),
    )


def _items(rules: Iterable[Rule]) -> set[str]:
    return {item for rule in rules for item in rule.items}


@singledispatch
def value(node: Expression, facts: Facts) -> Any:  # noqa: ANN401 - a truth, a number, a text or a day
    """The value of an expression for one request, None where it is null (SQL's three-valued logic)."""
    raise TypeError(type(node))


@value.register
def _(node: Field, facts: Facts) -> Any:  # noqa: ANN401
    return facts.get(node.name)


@value.register
def _(node: Constant, facts: Facts) -> Any:  # noqa: ANN401
    return node.value


@value.register
def _(node: Both, facts: Facts) -> Truth:
    parts = [value(part, facts) for part in node.parts]
    return False if False in parts else None if None in parts else True


@value.register
def _(node: Either, facts: Facts) -> Truth:
    parts = [value(part, facts) for part in node.parts]
    return True if True in parts else None if None in parts else False


@value.register
def _(node: Negation, facts: Facts) -> Truth:
    part = value(node.part, facts)
    return None if part is None else not part


@value.register
def _(node: Comparison, facts: Facts) -> Truth:
    left, right = value(node.left, facts), value(node.right, facts)
    if left is None or right is None:
        return None
    match node.operator:
        case "=":
            answer = left == right
        case "<>":
            answer = left != right
        case "<":
            answer = left < right
        case "<=":
            answer = left <= right
        case ">":
            answer = left > right
        case _:
            answer = left >= right
    return bool(answer)


@value.register
def _(node: Membership, facts: Facts) -> Truth:
    part = value(node.part, facts)
    return None if part is None else part in node.values


@value.register
def _(node: Beginning, facts: Facts) -> Truth:
    part = value(node.part, facts)
    return None if part is None else bool(part.startswith(node.prefix))


@value.register
def _(node: Test, facts: Facts) -> Truth:
    return value(node.part, facts) is node.value


@value.register
def _(node: Sum, facts: Facts) -> Any:  # noqa: ANN401
    left, right = value(node.left, facts), value(node.right, facts)
    if left is None or right is None:
        return None
    if node.left.kind is Kind.DATE and node.right.kind is Kind.DATE:
        return (left - right).days
    if node.kind is Kind.DATE:
        return left + dt.timedelta(days=node.sign * right)
    return left + node.sign * right
