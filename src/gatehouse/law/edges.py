"""The pinned table of edge cases, and random rows beside it: what every reading of a pack must agree on.

Rows mix edge cases of text (white space of many kinds, look-alikes, other digits), dates around leap days and the
day the law turns, nulls, and the constants that the pack's own conditions mention.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from typing import Any

from gatehouse.law.formula import witnesses
from gatehouse.law.language import Constant, Kind, walk
from gatehouse.law.pack import Pack

EDGE_TEXTS = (
    "",
    " ",
    "\u00a0",
    "given\n",
    " given",
    "GIVEN",
    "gıven",
    "8 USC 1253(a)(1)\n",
    "8 USC 1253(a)(1)\u00a0",
    "８ USC 1253(a)(1)",
    "8 USC 1253(a)(1",
    "8 USC 1253(a)(10)",
    "8 USC 1227(a)",
    "8 USC 1227(a",
    "8 USC 1227(A)(1)",
    "٣",
    "e\u0301",
    "é",
    "null",
    "\x00",
)
EDGE_DATES = (
    dt.date(1900, 2, 28),
    dt.date(1900, 3, 1),
    dt.date(2000, 2, 29),
    dt.date(2024, 2, 29),
    dt.date(2024, 3, 1),
    dt.date(2023, 12, 31),
    dt.date(2199, 12, 31),
)
EDGE_NUMBERS = (0, 1, 2, 49, 50, 51, 499, 500, 501, 2**31 - 1)


def constants(pack: Pack) -> dict[Kind, list[Any]]:
    """The constants that the pack's conditions mention, with their neighbours."""
    found: dict[Kind, set[Any]] = {Kind.TEXT: set(), Kind.INT: set(EDGE_NUMBERS), Kind.DATE: set(EDGE_DATES)}
    for rule in pack.rules:
        found[Kind.DATE].update((rule.begins, rule.begins - dt.timedelta(days=1)))
        for node in walk(rule.when):
            if isinstance(node, Constant) and node.kind is Kind.INT and isinstance(node.value, int):
                found[Kind.INT].update((node.value - 1, node.value, node.value + 1))
    return {kind: sorted(values) for kind, values in found.items()}


def rows(pack: Pack, count: int, as_of: dt.date, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Random requests, most of them near the pack's examples so that many rules are in play."""
    chance = random.Random(seed)  # noqa: S311 - tests need rows that can be made again
    known = constants(pack)
    texts = witnesses(rule.when for rule in pack.rules)
    near = [as_of - dt.timedelta(days=days) for days in (-1, 0, 1, 89, 90, 91, 365, 3659, 3660, 3661)]
    bases = [example.facts for example in pack.examples] or [{}]

    def value(name: str) -> Any:  # noqa: ANN401 - a fact of any type
        kind = pack.fields[name].kind
        if chance.random() < 0.25:
            return None
        if kind is Kind.BOOL:
            return chance.random() < 0.5
        if kind is Kind.TEXT:
            return chance.choice([*texts.get(name, ()), chance.choice(EDGE_TEXTS)])
        if kind is Kind.DATE:
            return chance.choice([*near, chance.choice(known[Kind.DATE])])
        if kind is Kind.INT:
            return max(chance.choice(known[Kind.INT]), pack.fields[name].least or 0)
        return sorted(chance.sample([*pack.items, "something_else"], chance.randint(0, len(pack.items))))

    for seq in range(count):
        facts = dict(chance.choice(bases))
        for name in chance.sample(list(pack.fields), chance.choice((0, 1, 2, 4, len(pack.fields)))):
            facts[name] = value(name)
        yield {"seq": seq, **{name: facts.get(name) for name in pack.fields}}


def edge_rows(pack: Pack) -> list[dict[str, Any]]:
    """The pinned table of edge cases: the first example with one fact at a time null, or at each edge of its type.

    Beside it every example with each of its texts near itself: a condition that no edge of the first example reaches
    (it wants other facts too) is read where it decides.
    """
    base = {name: pack.examples[0].facts.get(name) for name in pack.fields}
    known = constants(pack)
    texts = witnesses(rule.when for rule in pack.rules)
    found = [base]
    for name, declared in pack.fields.items():
        edges: Sequence[Any] = {
            Kind.BOOL: (True, False),
            Kind.INT: known[Kind.INT],
            Kind.DATE: known[Kind.DATE],
            Kind.TEXT: (*EDGE_TEXTS, *texts.get(name, ())),
            Kind.ITEMS: ([], ["something_else"], sorted(pack.items), [next(iter(pack.items)), "\u00a0"]),
        }[declared.kind]
        found += [{**base, name: edge} for edge in (None, *edges)]
    for example in pack.examples:
        own = {name: example.facts.get(name) for name in pack.fields}
        found += [{**own, name: near} for name, text in own.items() if isinstance(text, str) for near in _near(text)]
    return [{"seq": seq, **row} for seq, row in enumerate(found)]


def _near(text: str) -> tuple[str, ...]:
    """Texts that a reading which trims, folds or overlooks line ends takes for this one."""
    return (f"{text}\n", f"{text} ", f" {text}", f"{text}\u00a0", text.swapcase())
