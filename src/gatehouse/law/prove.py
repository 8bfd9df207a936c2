"""Prove the sentences of `properties.toml` over every request and every date from 1900 to 2199.

A safety property must be true of every request that clears. A liveness property asks for one request, dated relative
to the day of decision, that clears on every day of the stretch named. A failure comes with a counter-example that
DuckDB has decided the same way; what the solver cannot settle in its time is `unsettled`, and that is a failure too.
"""

from __future__ import annotations

import datetime as dt
import importlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any

from gatehouse.kernel import extras
from gatehouse.kernel.errors import MachineFailed
from gatehouse.kernel.progress import Progress, silent
from gatehouse.law.columns import sql
from gatehouse.law.evaluate import Decision, decide
from gatehouse.law.formula import FIRST_DAY, LAST_DAY, Formula, Outcome, Term
from gatehouse.law.language import AS_OF, Expression, Kind
from gatehouse.law.pack import Pack, Property, Rule

MILLISECONDS = 20_000
OUT_OF_TIME = f"the solver's time ran out: {MILLISECONDS // 1000} seconds a question"


class Status(StrEnum):
    """The answer to a question put to the solver."""

    PROVED = "proved"
    BROKEN = "broken"
    UNSETTLED = "unsettled"


@dataclass(frozen=True)
class Counterexample:
    """A request on a date, as facts by name, and what DuckDB makes of it."""

    as_of: dt.date
    facts: Mapping[str, Any]
    decision: Decision
    differs: Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """One property's answer, how long it took, and the request that breaks it."""

    id: str
    says: str
    status: Status
    seconds: float
    counterexample: Counterexample | None
    why: str


def solver_module(name: str = "z3") -> ModuleType:
    """The solver by name, `z3` or `cvc5`. Raises MachineFailed with the way to add it."""
    try:
        return importlib.import_module("cvc5.pythonic" if name == "cvc5" else "z3")
    except ImportError as missing:
        raise MachineFailed(f"the solver {name} is not installed", remedy=extras.remedy("prove")) from missing


class Question:
    """One solver with the axioms of a formula and a bound on its time; questions are asked of it in turn."""

    def __init__(self, formula: Formula, *always: Term, milliseconds: int = MILLISECONDS) -> None:
        self.formula = formula
        self.module = formula.solver
        self.solver = formula.solver.Solver()
        if formula.solver.__name__ == "z3":
            self.solver.set("timeout", milliseconds)
        else:
            self.solver.setOption("tlimit-per", str(milliseconds))
        self.solver.add(*formula.axioms, *always)

    def ask(self, *terms: Term) -> bool | None:
        """Whether some request and date satisfy the terms; None when the solver's time ran out."""
        self.solver.push()
        self.solver.add(*terms)
        answer = self.solver.check()
        self.solver.pop()
        return None if answer == self.module.unknown else answer == self.module.sat

    def find(self, *terms: Term, like: Mapping[str, Any] | None = None) -> tuple[dt.date, dict[str, Any]] | None:
        """A request and date that satisfy the terms, as near to `like` as one fact at a time allows."""
        self.solver.push()
        self.solver.add(*terms)
        found = None
        if self.solver.check() == self.module.sat:
            self._grant(self._wishes(like or {}))
            if self.solver.check() == self.module.sat:
                found = self._facts(self.solver.model())
        self.solver.reset()
        self.solver.add(*self.formula.axioms)
        return found

    def _grant(self, wishes: Sequence[Term]) -> None:
        """Add as many wishes as can be had together, earlier ones first: all at once, else by halves."""
        if not wishes:
            return
        self.solver.push()
        self.solver.add(*wishes)
        if self.solver.check() == self.module.sat:
            return
        self.solver.pop()
        if len(wishes) > 1:
            middle = len(wishes) // 2
            self._grant(wishes[:middle])
            self._grant(wishes[middle:])

    def _wishes(self, like: Mapping[str, Any]) -> list[Term]:
        """Equalities that would make the request like a familiar one, the most telling facts first."""
        formula, wishes = self.formula, []
        if "as_of" in like:
            wishes.append(formula.as_of == like["as_of"].toordinal())
        for name, (value, null) in formula.symbols.items():
            wanted = like.get(name)
            if wanted is None:
                wishes.append(null)
            else:
                number = self._number(name, wanted)
                if number is not None:
                    wishes.append(self.module.And(self.module.Not(null), value == number))
        for column, bits in (("items_requested", formula.asked), ("items_agreed", formula.agreed)):
            wishes += [bit == (item in (like.get(column) or ())) for item, bit in bits.items()]
        return [*wishes, self.module.Not(formula.asks_unknown)]

    def _number(self, name: str, wanted: object) -> int | bool | None:
        if isinstance(wanted, dt.date):
            return wanted.toordinal()
        if isinstance(wanted, str):
            texts = self.formula.texts.get(name, ())
            return texts.index(wanted) if wanted in texts else None
        return wanted if isinstance(wanted, int) else None

    def _facts(self, model: Any) -> tuple[dt.date, dict[str, Any]]:  # noqa: ANN401 - the solver's model
        formula = self.formula

        def is_true(term: Term) -> bool:
            return bool(self.module.is_true(model.eval(term, model_completion=True)))

        def whole(term: Term) -> int:
            return int(model.eval(term, model_completion=True).as_long())

        facts: dict[str, Any] = {}
        for name, (value, null) in formula.symbols.items():
            kind = formula.fields[name].kind
            if is_true(null):
                facts[name] = None
            elif kind is Kind.BOOL:
                facts[name] = is_true(value)
            elif kind is Kind.DATE:
                facts[name] = dt.date.fromordinal(whole(value))
            elif kind is Kind.TEXT:
                facts[name] = formula.texts.get(name, ("(some text)",))[whole(value)]
            else:
                facts[name] = whole(value)
        asked = [item for item, bit in formula.asked.items() if is_true(bit)]
        facts["items_requested"] = asked + (["something_else"] if is_true(formula.asks_unknown) else [])
        facts["items_agreed"] = [item for item, bit in formula.agreed.items() if is_true(bit)]
        return dt.date.fromordinal(whole(formula.as_of)), facts


def familiar(pack: Pack) -> dict[str, Any]:
    """The first cleared example of a pack, to which counter-examples are kept as near as they can be."""
    for example in pack.examples:
        if example.outcome == "cleared":
            return {**example.facts, "as_of": example.as_of}
    return {}


def prove(
    pack: Pack, wanted: Property, module: ModuleType | None = None, rules: Sequence[Rule] | None = None
) -> Verdict:
    """Settle one property of a pack, or of only some of its rules (for mutation)."""
    started = time.monotonic()
    formula = Formula(module or solver_module(), [pack], [wanted.holds])
    outcome = formula.outcome(pack, rules)
    settle = _safety if wanted.safety else _liveness
    status, found, why = settle(pack, wanted, formula, outcome)
    counterexample = None
    if found is not None and rules is None:
        counterexample = _replayed(pack, wanted, found)
        if counterexample is None:
            status, why = Status.UNSETTLED, "the solver's counter-example does not replay in DuckDB"
    return Verdict(wanted.id, wanted.says, status, time.monotonic() - started, counterexample, why)


def prove_all(pack: Pack, module: ModuleType | None = None, progress: Progress = silent) -> list[Verdict]:
    """Settle every property of a pack."""
    verdicts = []
    for number, wanted in enumerate(pack.properties):
        progress("properties", number, len(pack.properties))
        verdicts.append(prove(pack, wanted, module))
    progress("properties", len(pack.properties), len(pack.properties))
    return verdicts


Found = tuple[dt.date, dict[str, Any]] | None


def _stretch(formula: Formula, begins: dt.date | None, until: dt.date | None) -> list[Term]:
    terms = [] if begins is None else [formula.as_of >= begins.toordinal()]
    return terms if until is None else [*terms, formula.as_of < until.toordinal()]


def _safety(pack: Pack, wanted: Property, formula: Formula, outcome: Outcome) -> tuple[Status, Found, str]:
    broken = [outcome.cleared, formula.solver.Not(formula.truth(wanted.holds).yes)]
    broken += _stretch(formula, wanted.begins, wanted.until)
    question = Question(formula)
    answer = question.ask(*broken)
    if answer is None:
        return Status.UNSETTLED, None, OUT_OF_TIME
    if not answer:
        return Status.PROVED, None, "no request on any date breaks it"
    if formula.solver.__name__ != "z3":
        return Status.BROKEN, None, "some request that clears breaks it"
    return Status.BROKEN, question.find(*broken, like=familiar(pack)), "a request that clears breaks it"


def _liveness(pack: Pack, wanted: Property, formula: Formula, outcome: Outcome) -> tuple[Status, Found, str]:
    """Find a request on the first day, date it relative to the day, and prove that it clears on every day."""
    begins = wanted.begins or dt.date.fromordinal(FIRST_DAY)
    until = wanted.until or dt.date.fromordinal(LAST_DAY)
    alive = [outcome.cleared, formula.truth(wanted.holds).yes]
    every_day, stopped = _stretch(formula, begins, until), formula.solver.Not(formula.solver.And(*alive))
    day = begins
    for _ in range(2):  # what clears where the first one no longer does is the likelier to clear throughout
        found = Question(formula).find(*alive, formula.as_of == day.toordinal(), like=familiar(pack) | {"as_of": day})
        if found is None:
            break
        dated = _fixed(formula, found)
        answer = Question(formula).ask(*every_day, *dated, stopped)
        if answer is None:
            return Status.UNSETTLED, None, OUT_OF_TIME
        if not answer:
            return Status.PROVED, None, "one request, dated relative to the day, clears on every day of the stretch"
        last = Question(formula).find(*every_day, *dated, stopped)
        day = last[0] if last else begins
    if Question(formula).ask(*alive, formula.as_of == day.toordinal()) is False:
        return Status.BROKEN, None, f"no request clears on {day}"
    return Status.UNSETTLED, None, f"no one request was found that clears throughout; the law changes on {day}"


def _fixed(formula: Formula, found: tuple[dt.date, dict[str, Any]]) -> list[Term]:
    """The request as found, its dates moving with the day of decision."""
    day, facts = found
    solver, terms = formula.solver, []
    for name, (value, null) in formula.symbols.items():
        fact = facts[name]
        if fact is None:
            terms.append(null)
            continue
        if isinstance(fact, dt.date):
            same = formula.as_of - value == (day - fact).days
        elif isinstance(fact, str):
            same = value == formula.texts.get(name, (fact,)).index(fact)
        else:
            same = value == fact
        terms.append(solver.And(solver.Not(null), same))
    for column, bits in (("items_requested", formula.asked), ("items_agreed", formula.agreed)):
        terms += [bit == (item in facts[column]) for item, bit in bits.items()]
    return terms


def _replayed(pack: Pack, wanted: Property, found: tuple[dt.date, dict[str, Any]]) -> Counterexample | None:
    """The counter-example, if DuckDB clears the request too and finds the property not true of it."""
    as_of, facts = found
    decision = decide(pack, facts, as_of)
    if decision.outcome != "cleared" or holds(pack, wanted.holds, facts, as_of, decision) is True:
        return None
    return Counterexample(as_of, facts, decision, differences(familiar(pack), facts, as_of))


def differences(like: Mapping[str, Any], facts: Mapping[str, Any], as_of: dt.date) -> dict[str, Any]:
    """How a request differs from a familiar one."""
    changed = {name: value for name, value in facts.items() if value != like.get(name)}
    return changed if like.get("as_of") == as_of else {AS_OF.name: as_of, **changed}


def holds(
    pack: Pack, condition: Expression, facts: Mapping[str, Any], as_of: dt.date, decision: Decision
) -> bool | None:
    """What DuckDB makes of a property's condition for one decided request."""
    from gatehouse.intake.workspace import open_enclosed
    from gatehouse.law.evaluate import table_of_facts

    connection = open_enclosed(threads=1)
    table_of_facts(connection, pack, "one", [facts])
    words = {f"gives_{item}": item in decision.items for item in pack.items}
    words |= {f"asks_{item}": item in (facts.get("items_requested") or ()) for item in pack.items}
    words |= {f"agreed_{item}": item in (facts.get("items_agreed") or ()) for item in pack.items}
    extra = "".join(f', {"TRUE" if value else "FALSE"} AS "{name}"' for name, value in words.items())
    source = f"SELECT *, DATE '{as_of}' AS as_of, {len(decision.items)} AS items_permitted{extra} FROM one"
    row = connection.execute(f"SELECT {sql(condition)} FROM ({source})").fetchone()
    assert row is not None  # noqa: S101 - one row in, one row out
    return None if row[0] is None else bool(row[0])
