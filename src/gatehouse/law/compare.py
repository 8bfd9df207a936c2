"""Compare bodies of law over every request and date: what one permits that another does not, with a request to show.

`diff` compares two versions of a pack; `within` asks whether an inner body of law (say, an agreement's own terms)
permits anything that an outer one (say, the statute alone) does not, and which rules of the outer one it leaves open.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatehouse.kernel.errors import WrongInput
from gatehouse.law.evaluate import decide
from gatehouse.law.formula import Formula, Term
from gatehouse.law.language import Kind, parse_condition
from gatehouse.law.pack import Effect, Pack, Rule
from gatehouse.law.prove import Question, differences, familiar, solver_module
from gatehouse.law.reading import KINDS, load, property_vocabulary


@dataclass(frozen=True)
class Witness:
    """A request and date that one body of law permits and the other does not; `because` names what stops it there."""

    as_of: dt.date
    facts: Mapping[str, Any]
    differs: Mapping[str, Any]
    because: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """Whether anything is newly permitted: `none`, `some` (with a witness), or `unsettled`."""

    question: str
    status: str
    witness: Witness | None


@dataclass(frozen=True)
class Body:
    """A pack, or only the instruments of some kinds in it."""

    pack: Pack
    kinds: tuple[str, ...]

    @property
    def name(self) -> str:
        """The pack, with the kinds chosen or the start of its digest."""
        return (
            f"{self.pack.id} ({', '.join(self.kinds)})"
            if self.kinds
            else f"{self.pack.id} {self.pack.version} {self.pack.digest[:8]}…"
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of the chosen instruments."""
        return tuple(rule for rule in self.pack.rules if not self.kinds or rule.instrument.kind in self.kinds)


def body(address: str) -> Body:
    """Read `FOLDER` or `FOLDER:kind+kind`, for example `packs/us-irs-6103-i-2:statute+agreement`."""
    folder, colon, named = address.rpartition(":")
    if not colon or Path(address).is_dir():
        return Body(load(Path(address)), ())
    kinds = tuple(named.split("+"))
    for kind in kinds:
        if kind not in KINDS:
            raise WrongInput(
                f"{kind!r} is not a kind of instrument", where=address, remedy=f"Kinds: {', '.join(KINDS)}"
            )
    return Body(load(Path(folder)), kinds)


def diff(old: Body, new: Body, allow: str = "") -> tuple[Answer, Answer]:
    """What the new law permits that the old did not, beyond the condition `allow`; and the reverse."""
    _comparable(old.pack, new.pack)
    words = dataclasses.replace(
        property_vocabulary(new.pack.vocabulary, new.pack.items),
        kinds={**old.pack.vocabulary.kinds, **property_vocabulary(new.pack.vocabulary, new.pack.items).kinds},
    )
    allowed = parse_condition(allow, words, "--allow") if allow else None
    formula = Formula(solver_module(), [old.pack, new.pack], [allowed] if allowed else [])
    excluded = [] if allowed is None else [formula.solver.Not(formula.truth(allowed).yes)]
    return (
        _newly(formula, f"permitted by {new.name}, not by {old.name}", new, old, excluded),
        _newly(formula, f"permitted by {old.name}, not by {new.name}", old, new, []),
    )


@dataclass(frozen=True)
class Containment:
    """Whether an inner body of law stays within an outer one, and rule by rule what it secures by itself."""

    whole: Answer
    secured: tuple[str, ...]
    open: tuple[tuple[Rule, Answer], ...]


def within(inner: Body, outer: Body, given: str = "") -> Containment:
    """Ask whether everything the inner law permits the outer permits too, as a whole and for each outer rule.

    `given` narrows the question to requests of which a condition is true. An inner law without a grant is read as if
    it granted whatever its own terms let pass.
    """
    _comparable(inner.pack, outer.pack)
    words = property_vocabulary(inner.pack.vocabulary, inner.pack.items)
    condition = parse_condition(given, words, "--given") if given else None
    formula = Formula(solver_module(), [inner.pack, outer.pack], [condition] if condition else [])
    narrowed = [formula.truth(condition).yes] if condition else []
    whole = _newly(formula, f"permitted by {inner.name}, not by {outer.name}", inner, outer, narrowed)
    permitted = formula.solver.And(_permitting(formula, inner), *narrowed)
    question = Question(formula, permitted)
    secured, left_open = [], []
    for rule in outer.rules:
        if rule.effect not in (Effect.REQUIRE, Effect.BAR):
            continue
        fires = formula.outcome(outer.pack, [rule], assume_grant=True).fires[rule.id]
        found = question.ask(fires)
        if found is False:
            secured.append(rule.id)
        else:
            where = f"{inner.name} permits what {rule.id} stops"
            witness = _witness(formula, [permitted, fires], inner, outer) if found else None
            left_open.append((rule, Answer(where, "some" if found else "unsettled", witness)))
    return Containment(whole, tuple(secured), tuple(left_open))


def _comparable(first: Pack, second: Pack) -> None:
    for name in first.fields.keys() & second.fields.keys():
        if first.fields[name].kind is not second.fields[name].kind:
            raise WrongInput(
                f"the packs declare {name} with different types",
                where=str(second.folder / "pack.toml"),
                remedy="Compare packs in which each fact has the same meaning",
            )


def _grants(rules: Sequence[Rule]) -> bool:
    return any(rule.effect is Effect.GRANT for rule in rules)


def _permitting(formula: Formula, law: Body) -> Term:
    """The inner law clears the request and permits at least one item."""
    outcome = formula.outcome(law.pack, law.rules, assume_grant=not _grants(law.rules))
    return formula.solver.And(outcome.cleared, formula.solver.Or(*outcome.permits.values()))


def _newly(formula: Formula, question: str, wide: Body, narrow: Body, excluded: Sequence[Term]) -> Answer:
    solver = formula.solver
    more = formula.outcome(wide.pack, wide.rules, assume_grant=not _grants(wide.rules))
    less = formula.outcome(narrow.pack, narrow.rules, assume_grant=not _grants(narrow.rules))
    gained = [
        solver.And(given, solver.Not(solver.And(less.cleared, less.permits.get(item, formula.false))))
        for item, given in more.permits.items()
    ]
    terms = [more.cleared, solver.Or(*gained), *excluded]
    found = Question(formula).ask(*terms)
    if found is None:
        return Answer(question, "unsettled", None)
    return Answer(question, "some", _witness(formula, terms, wide, narrow)) if found else Answer(question, "none", None)


def _witness(formula: Formula, terms: Sequence[Term], wide: Body, narrow: Body) -> Witness | None:
    like = {**familiar(narrow.pack), **familiar(wide.pack)}
    found = Question(formula).find(*terms, like=like)
    if found is None:
        return None
    as_of, facts = found
    shown = {name: value for name, value in facts.items() if name in narrow.pack.fields}
    fired = decide(narrow.pack, shown, as_of).fired
    chosen = {rule.id for rule in narrow.rules}
    because = tuple(rule for rule in fired if rule in chosen or rule == "no-grant")
    texts = {n: v for n, v in facts.items() if formula.fields[n].kind is not Kind.ITEMS or v}
    return Witness(as_of, texts, differences(like, facts, as_of), because)
