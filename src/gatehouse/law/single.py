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

    `rules` are those in force; `truth` is asked for each with the number of items permitted.
    """
    asked = set(requested or ())
    grants = [rule for rule in rules if rule.effect is Effect.GRANT and truth(rule, 0) is True]
    permitted = asked & set(agreed or ()) & set(known) & {item for rule in grants for item in rule.items}
    fired = [] if grants else [NO_GRANT]
    severity = 0 if grants else SEVERITY["refused"]
    for rule in rules:
        if rule.effect is Effect.LIMIT and truth(rule, 0) is not False:
            permitted &= set(rule.items)
            fired += [rule.id] if asked - set(rule.items) else []
    for rule in rules:
        if rule.effect not in (Effect.REQUIRE, Effect.BAR):
            continue
        passes = rule.effect is Effect.REQUIRE
        if truth(rule, len(permitted)) is not passes:
            fired.append(rule.id)
            severity = max(severity, SEVERITY[rule.outcome])
    codes = {rule.id: str(rule.code) for rule in rules} | {NO_GRANT: str(Code.AUTHORITY)}
    outcome = next(name for name, rank in SEVERITY.items() if rank == severity)
    return Decision(
        outcome, tuple(sorted(fired)), tuple(sorted({codes[name] for name in fired})), tuple(sorted(permitted))
    )


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
