"""Conditions as formulas for a solver: the same expression that runs over columns, over every request and every date.

A condition becomes two formulas, when it is true and when it is false; null is neither. Dates are day numbers, the
law's date is one of them, and lists of items are one bit each. Text is asked only finitely many questions (equal to
a constant, begins with a constant), so each text field is a number naming the class of answers it gives: the encoding
is exact, and every class has a witness text that can be replayed.

`solver` is the module `z3`, or `cvc5.pythonic`, which speaks the same dialect.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatchmethod
from types import MappingProxyType, ModuleType
from typing import Any

from gatehouse.law.evaluate import AGREED, REQUESTED
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
    walk,
)
from gatehouse.law.pack import NO_GRANT, SEVERITY, Effect, Pack, Rule
from gatehouse.law.reading import DERIVED

Term = Any  # a solver's expression: z3 and cvc5 give no common type

LARGEST = 2**31 - 1
FIRST_DAY, LAST_DAY = dt.date(1900, 1, 1).toordinal(), dt.date(2199, 12, 31).toordinal()
OTHER_TEXT = "(some other text)"


@dataclass(frozen=True)
class Truth:
    """When a condition is true, and when it is false."""

    yes: Term
    no: Term


@dataclass(frozen=True)
class Number:
    """A whole number, a day or the class of a text, and when it is null."""

    value: Term
    null: Term


@dataclass(frozen=True)
class Outcome:
    """What one pack makes of the symbolic request: when it clears, what it permits, and what fires."""

    cleared: Term
    at_least: Mapping[str, Term]
    granted: Term
    fires: Mapping[str, Term]
    permits: Mapping[str, Term]


def witnesses(
    expressions: Iterable[Expression], spellings: Mapping[str, Iterable[str]] = MappingProxyType({})
) -> dict[str, tuple[str, ...]]:
    """For each text field, one text per class of answers that the conditions can tell apart.

    The classes: each constant; for each prefix, texts of which it is the longest that matches; everything else.
    `spellings` adds familiar texts as classes of their own, so that counter-examples read well.
    """
    constants: dict[str, set[str]] = {name: set(known) for name, known in spellings.items()}
    prefixes: dict[str, set[str]] = {}
    for node in (inner for expression in expressions for inner in walk(expression)):
        if isinstance(node, Comparison) and isinstance(node.left, Field) and isinstance(node.right, Constant):
            if node.left.kind is Kind.TEXT:
                constants.setdefault(node.left.name, set()).add(str(node.right.value))
        elif isinstance(node, Membership) and isinstance(node.part, Field) and node.part.kind is Kind.TEXT:
            constants.setdefault(node.part.name, set()).update(map(str, node.values))
        elif isinstance(node, Beginning) and isinstance(node.part, Field):
            prefixes.setdefault(node.part.name, set()).add(node.prefix)
    found: dict[str, tuple[str, ...]] = {}
    for name in constants.keys() | prefixes.keys():
        known, starts = constants.get(name, set()), prefixes.get(name, set())
        beyond = [_fresh(start, known | starts) for start in starts]
        found[name] = tuple(dict.fromkeys([*sorted(known), *sorted(beyond), _fresh(OTHER_TEXT, known | starts)]))
    return found


def _fresh(start: str, taken: set[str]) -> str:
    """A text beginning with `start` that is no constant and begins with no longer prefix."""
    text = start if start == OTHER_TEXT and start not in taken else start + "…"
    while text in taken or any(len(other) > len(start) and text.startswith(other) for other in taken):
        text += "…"
    return text


def _spellings(packs: Sequence[Pack]) -> dict[str, set[str]]:
    """The declared spellings of each text fact, and those of the packs' first examples."""
    found: dict[str, set[str]] = {}
    for pack in packs:
        for name, declared in pack.fields.items():
            if declared.kind is Kind.TEXT:
                given = pack.examples[0].facts.get(name) if pack.examples else None
                found.setdefault(name, set()).update(declared.values, [str(given)] if given is not None else [])
    return found


class Formula:
    """The symbols of one request and one date, shared by all packs and properties of a question."""

    def __init__(self, solver: ModuleType, packs: Sequence[Pack], further: Sequence[Expression] = ()) -> None:
        self.solver = solver
        self.packs = packs
        self.fields = {name: declared for pack in reversed(packs) for name, declared in pack.fields.items()}
        conditions = [rule.when for pack in packs for rule in pack.rules]
        assumed = [holds for pack in packs for _, holds in pack.assumptions]
        self.texts = witnesses([*conditions, *assumed, *further], _spellings(packs))
        self.true, self.false = solver.BoolVal(True), solver.BoolVal(False)  # noqa: FBT003 - the solvers' own names
        self.as_of = solver.Int("as_of")
        self.items = tuple(dict.fromkeys(item for pack in packs for item in pack.items))
        self.asked = {item: solver.Bool(f"asks {item}") for item in self.items}
        self.agreed = {item: solver.Bool(f"agreed {item}") for item in self.items}
        self.asks_unknown = solver.Bool("asks something else")
        self.unlisted = {name: solver.Bool(f"{name} is null") for name in (REQUESTED, AGREED)}
        self.numbers: dict[str, Number] = {}
        self.truths: dict[str, Truth] = {}
        self.symbols: dict[str, tuple[Term, Term]] = {}
        self.axioms: list[Term] = [self.as_of >= FIRST_DAY, self.as_of <= LAST_DAY]
        for name, declared in self.fields.items():
            if declared.kind is not Kind.ITEMS:
                self._declare(name, declared.kind, declared.least)
        self.permits_now: Mapping[str, Term] = {}
        self.axioms += [solver.Not(self.truth(holds).no) for holds in assumed]

    def _declare(self, name: str, kind: Kind, least: int | None) -> None:
        null = self.solver.Bool(f"{name} is null")
        if kind is Kind.BOOL:
            value = self.solver.Bool(name)
            self.truths[name] = Truth(self._and(self._not(null), value), self._and(self._not(null), self._not(value)))
        else:
            value = self.solver.Int(name)
            low, high = {
                Kind.INT: (-LARGEST if least is None else least, LARGEST),
                Kind.DATE: (FIRST_DAY, LAST_DAY),
                Kind.TEXT: (0, len(self.texts.get(name, (OTHER_TEXT,))) - 1),
            }[kind]
            self.axioms += [value >= low, value <= high]
            self.numbers[name] = Number(value, null)
        self.symbols[name] = (value, null)

    def _and(self, *parts: Term) -> Term:
        return self.solver.And(*parts) if len(parts) > 1 else parts[0] if parts else self.true

    def _or(self, *parts: Term) -> Term:
        return self.solver.Or(*parts) if len(parts) > 1 else parts[0] if parts else self.false

    def _not(self, part: Term) -> Term:
        return self.solver.Not(part)

    # conditions

    @singledispatchmethod
    def truth(self, node: Expression) -> Truth:
        """When a condition is true and when it is false."""
        raise TypeError(type(node))

    @truth.register
    def _(self, node: Field) -> Truth:
        if node.name in self.truths:
            return self.truths[node.name]
        return self._given(node.name)

    def _given(self, name: str) -> Truth:
        """`gives_x`, `asks_x`, `agreed_x`: an item, in properties."""
        verb, _, item = name.partition("_")
        term = {"gives": self.permits_now, "asks": self.asked, "agreed": self.agreed}[verb][item]
        return Truth(term, self._not(term))

    @truth.register
    def _(self, node: Constant) -> Truth:
        return Truth(self.true, self.false) if node.value else Truth(self.false, self.true)

    @truth.register
    def _(self, node: Both) -> Truth:
        parts = [self.truth(part) for part in node.parts]
        return Truth(self._and(*(part.yes for part in parts)), self._or(*(part.no for part in parts)))

    @truth.register
    def _(self, node: Either) -> Truth:
        parts = [self.truth(part) for part in node.parts]
        return Truth(self._or(*(part.yes for part in parts)), self._and(*(part.no for part in parts)))

    @truth.register
    def _(self, node: Negation) -> Truth:
        part = self.truth(node.part)
        return Truth(part.no, part.yes)

    @truth.register
    def _(self, node: Test) -> Truth:
        if node.value is None and node.part.kind is not Kind.BOOL:
            null = self.number(node.part).null
            return Truth(null, self._not(null))
        part = self.truth(node.part)
        holds = {None: self._not(self._or(part.yes, part.no)), True: part.yes, False: part.no}[node.value]
        return Truth(holds, self._not(holds))

    @truth.register
    def _(self, node: Comparison) -> Truth:
        if node.left.kind is Kind.BOOL:
            left, right = self.truth(node.left), self.truth(node.right)
            same = self._or(self._and(left.yes, right.yes), self._and(left.no, right.no))
            other = self._or(self._and(left.yes, right.no), self._and(left.no, right.yes))
            return Truth(same, other) if node.operator == "=" else Truth(other, same)
        if isinstance(node.left, Field) and node.left.kind is Kind.TEXT and isinstance(node.right, Constant):
            wanted = node.right.value
            answer = self._asked(node.left.name, [text == wanted for text in self.texts[node.left.name]])
            return answer if node.operator == "=" else Truth(answer.no, answer.yes)
        first, second = self.number(node.left), self.number(node.right)
        known = self._not(self._or(first.null, second.null))
        holds = _COMPARE[node.operator](first.value, second.value)
        return Truth(self._and(known, holds), self._and(known, self._not(holds)))

    @truth.register
    def _(self, node: Membership) -> Truth:
        assert isinstance(node.part, Field)  # noqa: S101 - the language allows nothing else
        if node.part.kind is Kind.TEXT:
            return self._asked(node.part.name, [text in node.values for text in self.texts[node.part.name]])
        part = self.number(node.part)
        holds = self._or(*(part.value == value for value in node.values))
        return Truth(self._and(self._not(part.null), holds), self._and(self._not(part.null), self._not(holds)))

    @truth.register
    def _(self, node: Beginning) -> Truth:
        assert isinstance(node.part, Field)  # noqa: S101 - the language allows nothing else
        name = node.part.name
        return self._asked(name, [text.startswith(node.prefix) for text in self.texts[name]])

    def _asked(self, name: str, answers: Sequence[bool]) -> Truth:
        """A question to a text field, from the answer that each class of texts gives."""
        part = self.numbers[name]
        holds = self._or(*(part.value == number for number, answer in enumerate(answers) if answer))
        return Truth(self._and(self._not(part.null), holds), self._and(self._not(part.null), self._not(holds)))

    def number(self, node: Expression) -> Number:
        """A whole number or a day."""
        if isinstance(node, Constant):
            value = node.value.toordinal() if isinstance(node.value, dt.date) else int(node.value)
            return Number(self.solver.IntVal(value), self.false)
        if isinstance(node, Sum):
            left, right = self.number(node.left), self.number(node.right)
            return Number(left.value + node.sign * right.value, self._or(left.null, right.null))
        assert isinstance(node, Field)  # noqa: S101 - numbers and dates are fields, constants and sums
        if node.name == AS_OF.name:
            return Number(self.as_of, self.false)
        if node.name == DERIVED:
            one, none = self.solver.IntVal(1), self.solver.IntVal(0)
            return Number(
                sum((self.solver.If(each, one, none) for each in self.permits_now.values()), none), self.false
            )
        return self.numbers[node.name]

    # rules

    def active(self, rule: Rule) -> Term:
        """When the symbolic date lies within the rule's dates."""
        began = self.as_of >= rule.begins.toordinal()
        return began if rule.until is None else self._and(began, self.as_of < rule.until.toordinal())

    def outcome(self, pack: Pack, rules: Sequence[Rule] | None = None, *, assume_grant: bool = False) -> Outcome:
        """What a pack, or only some of its rules, makes of the request.

        With `assume_grant` every item is granted, so that rules without a grant can be asked what they let pass.
        """
        chosen = pack.rules if rules is None else rules
        grants = [rule for rule in chosen if rule.effect is Effect.GRANT]
        gives = {rule.id: self._and(self.active(rule), self.truth(rule.when).yes) for rule in grants}
        limits = {
            rule.id: self._and(self.active(rule), self._not(self.truth(rule.when).no))
            for rule in chosen
            if rule.effect is Effect.LIMIT
        }
        always = [self.true] if assume_grant else []
        permits = {}
        for item in pack.items:
            granted = self._or(*(gives[rule.id] for rule in grants if item in rule.items), *always)
            kept = [self._not(limits[r.id]) for r in chosen if r.id in limits and item not in r.items]
            permits[item] = self._and(self.asked[item], self.agreed[item], granted, *kept)
        self.permits_now = permits
        fires = {rule.id: self._fires(rule) for rule in chosen if rule.effect in (Effect.REQUIRE, Effect.BAR)}
        granted = self._or(*gives.values(), *always)
        at_least = {"refused": self._not(granted)}
        for outcome in ("refused", "incomplete", "held"):
            stops = [fires[r.id] for r in chosen if r.id in fires and SEVERITY[r.outcome] >= SEVERITY[outcome]]
            at_least[outcome] = self._or(self._not(granted), *stops)
        cut = {rule.id: self._and(limits[rule.id], self._cuts(pack, rule)) for rule in chosen if rule.id in limits}
        return Outcome(
            cleared=self._not(at_least["held"]),
            at_least=at_least,
            granted=granted,
            fires=gives | fires | cut,
            permits=permits,
        )

    def certain(self, pack: Pack) -> dict[str, Term]:
        """When each rule, or the lack of a grant, stops the request for a fact, whatever the missing facts may be."""
        maybe, cut = {}, {}
        for rule in pack.rules:
            if rule.effect is Effect.GRANT:
                maybe[rule.id] = self._and(self.active(rule), self._not(self.truth(rule.when).no))
            elif rule.effect is Effect.LIMIT:
                cut[rule.id] = self._and(self.active(rule), self.truth(rule.when).yes)
        at_most = {}
        for item in pack.items:
            listed = [self._or(self.asked[item], self.unlisted[REQUESTED])]
            listed += [self._or(self.agreed[item], self.unlisted[AGREED])]
            granted = self._or(*(maybe[rule.id] for rule in pack.rules if rule.id in maybe and item in rule.items))
            kept = [self._not(cut[rule.id]) for rule in pack.rules if rule.id in cut and item not in rule.items]
            at_most[item] = self._and(*listed, granted, *kept)
        self.permits_now, before = at_most, self.permits_now
        found = {NO_GRANT: self._not(self._or(*maybe.values()))}
        for rule in pack.rules:
            if rule.effect is Effect.LIMIT:
                found[rule.id] = self._and(cut[rule.id], self._cuts(pack, rule))
            elif rule.effect is not Effect.GRANT:
                truth = self.truth(rule.when)
                found[rule.id] = self._and(self.active(rule), truth.no if rule.effect is Effect.REQUIRE else truth.yes)
        self.permits_now = before
        return found

    def _fires(self, rule: Rule) -> Term:
        truth = self.truth(rule.when)
        passes = truth.yes if rule.effect is Effect.REQUIRE else truth.no
        return self._and(self.active(rule), self._not(passes))

    def _cuts(self, pack: Pack, rule: Rule) -> Term:
        return self._or(self.asks_unknown, *(self.asked[item] for item in pack.items if item not in rule.items))


_COMPARE = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
