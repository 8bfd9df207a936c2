"""Faults a pack can have although it loads: rules that do nothing, contradict, leak, or loosen when a fact is missing.

Each question is settled by the solver over every request and date. An `error` keeps a pack from being signed; a
`warning` is for counsel to weigh.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gatehouse.kernel.progress import Progress, silent
from gatehouse.law import supply, texts
from gatehouse.law.explain import placeholders
from gatehouse.law.formula import Formula, Outcome
from gatehouse.law.language import field_names
from gatehouse.law.pack import SEVERITY, Code, Effect, Pack, Rule
from gatehouse.law.prove import MILLISECONDS, Question, solver_module


@dataclass(frozen=True)
class Finding:
    """One fault: how grave, of what kind, where, and what to do."""

    severity: str
    kind: str
    where: str
    says: str
    remedy: str


def lint(pack: Pack, progress: Progress = silent) -> list[Finding]:
    """Every fault found in a loaded pack."""
    formula = Formula(solver_module(), [pack])
    outcome = formula.outcome(pack)
    question = Question(formula)
    findings = [
        *_texts(pack), *quotes(pack), *_leaks(pack), *_dates(pack), *_unused(pack), *unsupplied(pack),
    ]  # fmt: skip
    for number, rule in enumerate(pack.rules):
        progress("lint", number, len(pack.rules))
        findings += _idle(rule, pack, formula, outcome, question)
    findings += _contradictory(pack, formula, question)
    findings += _null_unsafe(pack, formula, outcome, question)
    findings += _loosening(pack, formula, question)
    progress("lint", len(pack.rules), len(pack.rules))
    return findings


def _at(rule: Rule) -> str:
    return f"{rule.file}, line {rule.line}, rule {rule.id}"


def _unsettled(where: str, what: str) -> Finding:
    """A question that the solver did not settle in its time counts as a fault, and is called what it is."""
    says = f"the solver did not settle within {MILLISECONDS // 1000} seconds {what}"
    return Finding("error", "unsettled", where, says, "Simplify the conditions that it concerns")


def _texts(pack: Pack) -> Iterator[Finding]:
    for rule in pack.rules:
        if placeholders(rule.say):
            remedy = "Put values into note, which only the custodian sees"
            yield Finding("error", "leak", _at(rule), "the requester's text contains a fact", remedy)
        for name in placeholders(rule.note):
            if name not in pack.fields:
                yield Finding("error", "text", _at(rule), f"the note names {name!r}, no declared fact", "Declare it")


def quotes(pack: Pack) -> Iterator[Finding]:
    """Quotes that do not stand, word for word, in a provision the rule names; provisions that are not there."""
    for rule in pack.rules:
        yield from _quote(pack, rule)
    for listed in pack.lists.values():
        for entry, proof in listed.proofs.items():
            where = f"{listed.file}, {entry}"
            words = pack.provision(proof.provision)
            if not words:
                yield _no_provision(where, proof.provision)
            elif not texts.stands(proof.quote, texts.joined(words)):
                says = f"the words that prove {entry} do not stand in {proof.provision}"
                yield Finding("error", "quote", where, says, "Quote the penalty as the official text has it")
            cited = texts.identifier_of(entry)
            if cited is not None and not pack.provision(cited):
                yield _no_provision(where, cited)


def _quote(pack: Pack, rule: Rule) -> Iterator[Finding]:
    if rule.exact and not rule.provisions:
        remedy = 'Add provision = "/us/usc/t26/s6103/i/2/A", or paraphrase'
        yield Finding("error", "quote", _at(rule), "the quote names no provision in which it stands", remedy)
    words = {name: pack.provision(name) for name in rule.provisions}
    missing = [name for name, segments in words.items() if not segments]
    for name in missing:
        yield _no_provision(_at(rule), name)
    there = any(texts.stands(rule.quote, texts.joined(segments)) for segments in words.values())
    if rule.exact and words and not missing and not there:
        says = f"the quote does not stand, word for word, in {', '.join(words)}"
        yield Finding("error", "quote", _at(rule), says, "Quote exactly, or name the provision that says it")
    cited = texts.identifier_of(rule.cite)
    if cited and words and not any(texts.within(cited, name) or texts.within(name, cited) for name in words):
        says = f"the rule cites {rule.cite} and names {', '.join(words)}"
        yield Finding("error", "provision", _at(rule), says, "Let citation and identifier name one provision")


def _no_provision(where: str, name: str) -> Finding:
    remedy = "Correct the identifier, or take the text: gatehouse law watch PACK NEWTEXT --write"
    return Finding("error", "provision", where, f"the pack carries no provision {name}", remedy)


def _leaks(pack: Pack) -> Iterator[Finding]:
    """A rule about the register whose code is not opaque would tell the requester what is on file."""
    for rule in pack.rules:
        revealing = sorted(name for name in field_names(rule.when) if name in pack.fields and pack.fields[name].reveals)
        if revealing and rule.code not in (Code.SUBJECT, Code.HOLD):
            says = f"the rule reads {', '.join(revealing)} from the register under the open code {rule.code}"
            yield Finding("error", "oracle", _at(rule), says, "Give it the code SUBJECT or HOLD")


def _dates(pack: Pack) -> Iterator[Finding]:
    for rule in pack.rules:
        if rule.until is not None and rule.until <= rule.begins:
            yield Finding("error", "dates", _at(rule), "the rule ends before it begins", "Correct from and until")
    for instrument in pack.instruments:
        if instrument.begins < instrument.made:
            says = f"in force from {instrument.begins}, before it was made on {instrument.made}"
            yield Finding("warning", "dates", instrument.file, says, "Check from and made")


def _unused(pack: Pack) -> Iterator[Finding]:
    used = set().union(*(field_names(rule.when) for rule in pack.rules), {"items_requested", "items_agreed"})
    for name in pack.fields:
        if name not in used:
            where = str(pack.folder / "pack.toml")
            yield Finding("warning", "unused", where, f"no rule reads the fact {name}", "Leave it out of [fields]")


def unsupplied(pack: Pack) -> Iterator[Finding]:
    """Facts, spellings and items that no installation supplies: a pack that needs them is proved and never works."""
    where = str(pack.folder / "pack.toml")
    for name, declared in pack.fields.items():
        known = supply.FACTS.get(name)
        if known is None:
            if name not in pack.awaits_facts:
                says = f"no installation supplies the fact {name}, so it is always unknown"
                yield Finding("error", "supply", where, says, "Correct its name, or name it in [awaits] facts")
        elif name in pack.awaits_facts:
            says = f"[awaits] names {name}, which every installation supplies"
            yield Finding("error", "supply", where, says, "Take it out of [awaits]")
        elif known.kind is not declared.kind:
            says = f"the fact {name} is {known.kind} and is declared as {declared.kind}"
            yield Finding("error", "supply", where, says, "Correct its type")
        elif declared.values and set(declared.values) != set(known.values):
            wrong = ", ".join(sorted(set(declared.values) ^ set(known.values)))
            says = f"the spellings of {name} are not those that occur: {wrong}"
            remedy = (
                f"Write values = [{', '.join(known.values)}]" if known.values else "Leave values out: any text occurs"
            )
            yield Finding("error", "supply", where, says, remedy)
    for item in pack.items:
        if (item in supply.ITEMS) == (item in pack.awaits_items):
            says = (
                f"[awaits] names {item}, which a release can hold"
                if item in supply.ITEMS
                else f"no release can hold the item {item}, so it is cut from every request"
            )
            yield Finding("error", "supply", where, says, "Correct [awaits] items, or leave the item out")
    if pack.awaits_facts:
        says = f"nothing clears by facts that no installation supplies yet: {', '.join(pack.awaits_facts)}"
        yield Finding("warning", "supply", where, says, "Have them supplied before this law is used")


def _idle(rule: Rule, pack: Pack, formula: Formula, outcome: Outcome, question: Question) -> Iterator[Finding]:
    """A rule that never fires, always fires, or never changes an outcome by itself."""
    solver = formula.solver
    fires = outcome.fires[rule.id]
    can_fire = question.ask(fires)
    if can_fire is None:
        yield _unsettled(_at(rule), "whether the rule can fire")
        return
    if not can_fire:
        says = "the rule can never fire" if rule.effect is not Effect.GRANT else "the grant can never apply"
        yield Finding("error", "unreachable", _at(rule), says, "Correct the condition, or remove the rule")
        return
    if rule.effect in (Effect.GRANT, Effect.LIMIT):
        return
    if question.ask(formula.active(rule), solver.Not(fires)) is not True:
        yield Finding("warning", "always", _at(rule), "the rule stops every request while in force", "Is this meant?")
    stricter = [
        outcome.fires[other.id]
        for other in pack.rules
        if other.id != rule.id
        and other.effect in (Effect.REQUIRE, Effect.BAR)
        and SEVERITY[other.outcome] >= SEVERITY[rule.outcome]
    ]
    alone = question.ask(fires, outcome.granted, *(solver.Not(other) for other in stricter))
    if alone is not True and rule.instrument.kind != "order":
        says = "whatever this rule stops, another rule stops at least as strictly"
        yield Finding("warning", "redundant", _at(rule), says, "Remove it, or keep it for the words it says")


def _contradictory(pack: Pack, formula: Formula, question: Question) -> Iterator[Finding]:
    """Limits that together leave nothing."""
    limits = [rule for rule in pack.rules if rule.effect is Effect.LIMIT]
    for number, first in enumerate(limits):
        for second in limits[number + 1 :]:
            if set(first.items) & set(second.items):
                continue
            together = [
                formula.solver.And(formula.active(rule), formula.solver.Not(formula.truth(rule.when).no))
                for rule in (first, second)
            ]
            clash = question.ask(*together)
            if clash is None:
                yield _unsettled(_at(second), f"whether the limits {first.id} and {second.id} leave an item")
            elif clash:
                says = f"the limits {first.id} and {second.id} leave no item between them"
                yield Finding("error", "contradiction", _at(second), says, "Narrow one condition, or share an item")


def _null_unsafe(pack: Pack, formula: Formula, outcome: Outcome, question: Question) -> Iterator[Finding]:
    """A fact whose absence clears, or permits an item for, a request that some value of it would stop."""
    solver = formula.solver
    forgiven = {name for rule in pack.rules for name in rule.ignores}
    gains = [solver.And(outcome.cleared, given) for given in outcome.permits.values()]
    for name, (_, null) in formula.symbols.items():
        if name in forgiven:
            continue
        yes, no = (null, formula.true), (null, formula.false)
        looser = solver.Or(
            *(solver.And(solver.substitute(g, yes), solver.Not(solver.substitute(g, no))) for g in gains)
        )
        loosens = question.ask(looser)
        if loosens is None:
            yield _unsettled(str(pack.folder), f"whether a request can clear because {name} is missing")
        elif loosens:
            readers = [rule for rule in pack.rules if name in field_names(rule.when)]
            says = f"a request can clear because {name} is missing, though some value of it would stop it"
            where = _at(readers[0]) if readers else str(pack.folder)
            remedy = f"Require {name}, ask for its state, or state in [rule.ignores] why its absence is forgiven"
            yield Finding("error", "null-unsafe", where, says, remedy)


def _loosening(pack: Pack, formula: Formula, question: Question) -> Iterator[Finding]:
    """An order under which a request clears that would not clear without it and the orders it ends."""
    orders = [each for each in pack.instruments if each.kind == "order"]
    whole = formula.outcome(pack)
    for order in orders:
        without = [r for r in pack.rules if r.instrument.id != order.id and r.instrument.id not in order.ends]
        before = formula.outcome(pack, without)
        gained = [
            formula.solver.And(whole.cleared, item, formula.solver.Not(formula.solver.And(before.cleared, less)))
            for item, less in zip(whole.permits.values(), before.permits.values(), strict=True)
        ]
        loosens = question.ask(formula.solver.Or(*gained))
        if loosens is None:
            yield _unsettled(order.file, f"whether the order {order.id} loosens")
        elif loosens:
            says = f"the order {order.id} lets something clear that the law without it would stop"
            yield Finding("error", "loosening", order.file, says, "An order only tightens")
