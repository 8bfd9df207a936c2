"""Run a pack's examples, measure which rules they exercise, and see whether they would notice a broken rule.

Examples are decided by the engine that decides batches. For mutation, the truth of every condition is taken from one
query and the combination is redone here in plain Python: the same law written a second time, in another way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from gatehouse.law.columns import sql
from gatehouse.law.evaluate import Decision, evaluate, table_of_facts
from gatehouse.law.pack import NO_GRANT, SEVERITY, Effect, Example, Pack, Rule
from gatehouse.law.prove import Status, prove

Truth = bool | None
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Failure:
    """An example that does not decide as counsel wrote."""

    example: Example
    decision: Decision
    says: str


def run(pack: Pack) -> tuple[list[Decision], list[Failure]]:
    """Decide every example; the decisions in their order, and those that differ from what was expected."""
    connection = duckdb.connect()
    decisions: dict[int, Decision] = {}
    for as_of in sorted({example.as_of for example in pack.examples}):
        chosen = [n for n, example in enumerate(pack.examples) if example.as_of == as_of]
        table_of_facts(connection, pack, "examples", [pack.examples[n].facts for n in chosen])
        evaluate(connection, pack, "examples", "decided", as_of)
        rows = connection.execute("SELECT outcome, fired, codes, items FROM decided ORDER BY seq").fetchall()
        for number, (outcome, fired, codes, items) in zip(chosen, rows, strict=True):
            decisions[number] = Decision(outcome, tuple(fired), tuple(codes), tuple(items))
    ordered = [decisions[number] for number in range(len(pack.examples))]
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
        return f"expected but not fired: {missing or 'none'}; fired but not expected: {extra or 'none'}"
    if example.items is not None and decision.items != tuple(sorted(example.items)):
        return f"expected items {list(example.items)}, permitted {list(decision.items)}"
    return ""


def truths(pack: Pack) -> list[dict[str, Truth]]:
    """For each example, whether each rule's condition is true, false or null (items_permitted as decided)."""
    connection = duckdb.connect()
    table_of_facts(connection, pack, "examples", [example.facts for example in pack.examples])
    connection.execute("CREATE TEMP TABLE dated (seq BIGINT, as_of DATE, items_permitted BIGINT)")
    decisions, _ = run(pack)
    rows = [[n, e.as_of, len(decisions[n].items)] for n, e in enumerate(pack.examples)]
    if not rows:
        return []
    connection.executemany("INSERT INTO dated VALUES (?, ?, ?)", rows)
    columns = ", ".join(f'{sql(rule.when)} AS "{rule.id}"' for rule in pack.rules)
    found = connection.execute(f"SELECT {columns} FROM examples JOIN dated USING (seq) ORDER BY seq").fetchall()
    return [dict(zip([rule.id for rule in pack.rules], row, strict=True)) for row in found]


def combine(rules: Sequence[Rule], truth: Mapping[str, Truth], example: Example, known: Sequence[str]) -> Decision:
    """Decide from the truth of each condition alone: the combination of docs/law.md in plain Python."""
    asked = set(_names(example, "items_requested"))
    live = [rule for rule in rules if rule.in_force(example.as_of)]
    grants = [rule for rule in live if rule.effect is Effect.GRANT and truth[rule.id] is True]
    permitted = asked & set(_names(example, "items_agreed")) & set(known)
    permitted &= {item for rule in grants for item in rule.items}
    fired = [] if grants else [NO_GRANT]
    severity = 0 if grants else SEVERITY["refused"]
    codes = {rule.id: rule.code for rule in live}
    for rule in live:
        if rule.effect is Effect.LIMIT and truth[rule.id] is not False:
            permitted &= set(rule.items)
            fired += [rule.id] if asked - set(rule.items) else []
    for rule in live:
        value = truth[rule.id]
        stopped = {Effect.REQUIRE: value is not True, Effect.BAR: value is not False}.get(rule.effect, False)
        if stopped:
            fired.append(rule.id)
            severity = max(severity, SEVERITY[rule.outcome])
    outcome = next(name for name, rank in SEVERITY.items() if rank == severity)
    told = {str(codes.get(name, "AUTHORITY")) for name in fired}
    return Decision(outcome, tuple(sorted(fired)), tuple(sorted(told)), tuple(sorted(permitted)))


def _names(example: Example, column: str) -> list[str]:
    value = example.facts.get(column)
    return [str(each) for each in value] if isinstance(value, list) else []


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


def mutate(pack: Pack, found: Sequence[Mapping[str, Truth]], progress: Progress = lambda *_: None) -> list[Survivor]:
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
    known = list(pack.items)
    return any(
        disagreement(example, combine(rules, truth, example, known))
        for example, truth in zip(pack.examples, found, strict=True)
    )


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
