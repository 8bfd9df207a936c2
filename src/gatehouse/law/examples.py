"""Run a pack's examples, measure which rules they exercise, and see whether they would notice a broken rule.

Examples are decided by the engine that decides batches; mutants by `law.single`, the same law in plain Python.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gatehouse.intake.workspace import open_enclosed
from gatehouse.kernel.progress import Progress, silent
from gatehouse.law.evaluate import AGREED, REQUESTED, Decision, evaluate, read_decisions, table_of_facts
from gatehouse.law.language import AS_OF
from gatehouse.law.pack import Effect, Example, Pack, Rule
from gatehouse.law.prove import Status, prove
from gatehouse.law.reading import DERIVED
from gatehouse.law.single import Truth, combine, value


@dataclass(frozen=True)
class Failure:
    """An example that does not decide as counsel wrote."""

    example: Example
    decision: Decision
    says: str


def run(pack: Pack) -> tuple[list[Decision], list[Failure]]:
    """Decide every example; the decisions in their order, and those that differ from what was expected."""
    connection = open_enclosed(threads=1)
    decided: dict[int, Decision] = {}
    for as_of in sorted({example.as_of for example in pack.examples}):
        chosen = [n for n, example in enumerate(pack.examples) if example.as_of == as_of]
        table_of_facts(connection, pack, "examples", [pack.examples[n].facts for n in chosen])
        evaluate(connection, pack, "examples", "decided", as_of)
        decided |= zip(chosen, read_decisions(connection, "decided"), strict=True)
    ordered = [decided[number] for number in range(len(pack.examples))]
    pairs = zip(pack.examples, ordered, strict=True)
    return ordered, [Failure(e, d, says) for e, d in pairs if (says := disagreement(e, d))]


def disagreement(example: Example, decision: Decision) -> str:
    """How a decision differs from what the example expects; empty where it agrees."""
    if decision.outcome != example.outcome:
        return (
            f"expected {example.outcome}, decided {decision.outcome} ({', '.join(decision.fired) or 'nothing fired'})"
        )
    if example.fired is not None and decision.fired != tuple(sorted(example.fired)):
        missing = sorted(set(example.fired) - set(decision.fired))
        extra = sorted(set(decision.fired) - set(example.fired))
        parts = [f"{', '.join(missing)} should fire and does not"] if missing else []
        return "; ".join([*parts, *([f"{', '.join(extra)} fires and is not expected"] if extra else [])])
    if example.items is not None and decision.items != tuple(sorted(example.items)):
        return f"expected items {list(example.items)}, permitted {list(decision.items)}"
    return ""


def truths(pack: Pack, decisions: Sequence[Decision]) -> list[dict[str, Truth]]:
    """For each example, whether each rule's condition is true, false or null (items_permitted as decided)."""
    found = []
    for example, decision in zip(pack.examples, decisions, strict=True):
        facts = {**example.facts, AS_OF.name: example.as_of, DERIVED: len(decision.items)}
        found.append({rule.id: value(rule.when, facts) for rule in pack.rules})
    return found


@dataclass(frozen=True)
class Survivor:
    """A mutation that neither an example nor a property noticed."""

    rule: Rule
    mutation: str


def uncovered(
    pack: Pack, decisions: Sequence[Decision], found: Sequence[Mapping[str, Truth]]
) -> list[tuple[Rule, str]]:
    """Rules that no example makes fire, or that every example in which they are in force makes fire."""
    missing = []
    for rule in pack.rules:
        live = [n for n, example in enumerate(pack.examples) if rule.in_force(example.as_of)]
        if rule.effect is Effect.GRANT:
            fires = {found[n][rule.id] is True for n in live}
        else:
            fires = {rule.id in decisions[n].fired for n in live}
        if True not in fires:
            missing.append((rule, "no example makes it fire"))
        if False not in fires:
            missing.append((rule, "no example shows it not firing while in force"))
    return missing


def mutate(pack: Pack, found: Sequence[Mapping[str, Truth]], progress: Progress = silent) -> list[Survivor]:
    """Drop and negate each rule in turn; what no example and no property notices survives."""
    survivors = []
    for number, rule in enumerate(pack.rules):
        progress("mutation", number, len(pack.rules))
        rest = [other for other in pack.rules if other is not rule]
        if not _noticed(pack, rest, found) and not _broken(pack, rest):
            survivors.append(Survivor(rule, "dropped"))
        negated = [{**truth, rule.id: None if truth[rule.id] is None else not truth[rule.id]} for truth in found]
        if not _noticed(pack, pack.rules, negated):
            survivors.append(Survivor(rule, "negated"))
    progress("mutation", len(pack.rules), len(pack.rules))
    return survivors


def _noticed(pack: Pack, rules: Sequence[Rule], found: Sequence[Mapping[str, Truth]]) -> bool:
    return any(
        disagreement(example, _combined(pack, rules, truth, example))
        for example, truth in zip(pack.examples, found, strict=True)
    )


def _combined(pack: Pack, rules: Sequence[Rule], truth: Mapping[str, Truth], example: Example) -> Decision:
    live = [rule for rule in rules if rule.in_force(example.as_of)]
    facts: Mapping[str, Any] = example.facts
    return combine(live, lambda rule, _: truth[rule.id], facts.get(REQUESTED), facts.get(AGREED), pack.items)


def _broken(pack: Pack, rules: Sequence[Rule]) -> bool:
    return any(prove(pack, wanted, rules=rules).status is not Status.PROVED for wanted in pack.properties)


def as_toml(title: str, as_of: dt.date, facts: Mapping[str, object], outcome: str, fired: Sequence[str]) -> str:
    """A request as an example file, to be kept so that the same mistake is noticed for ever."""
    lines = ["[[example]]", f"title = {_value(title)}", f"as_of = {as_of}", f"outcome = {_value(outcome)}"]
    lines.append(f"fired = {_value(list(fired))}")
    absent = [name for name, value in facts.items() if value is None]
    if absent:
        lines.append(f"absent = {_value(absent)}")
    lines.append("[example.with]")
    lines += [f"{name} = {_value(value)}" for name, value in facts.items() if value is not None]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return str(value)
