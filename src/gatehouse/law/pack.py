"""A pack: one body of law as data, read whole and checked at the door.

After `load`, every rule is typed, every name is known, every instrument has a source, and every order only tightens.
A folder that breaks the contract of docs/law.md is refused with file, line and remedy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from gatehouse.law.language import AS_OF, Expression, Field, Kind, Vocabulary, field_names
from gatehouse.law.texts import Segment, Text, below
from gatehouse.law.wording import DEFAULT, Wording

NO_GRANT = "no-grant"


class Effect(StrEnum):
    """What a rule does: give, demand, forbid, or narrow the items."""

    GRANT = "grant"
    REQUIRE = "require"
    BAR = "bar"
    LIMIT = "limit"


class Otherwise(StrEnum):
    """What becomes of a request that a rule stops, from the mildest to the strictest."""

    HOLD = "hold"
    INCOMPLETE = "incomplete"
    REFUSE = "refuse"


class Code(StrEnum):
    """What the requester is told."""

    FORM = "FORM"
    AUTHORITY = "AUTHORITY"
    AGREEMENT = "AGREEMENT"
    SAFEGUARD = "SAFEGUARD"
    ORDER = "ORDER"
    SUBJECT = "SUBJECT"
    HOLD = "HOLD"


class Certainty(StrEnum):
    """How the rule's text is known: read in the original, second-hand, inferred, from memory, or uncertain."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    INFERENCE = "inference"
    MEMORY = "memory"
    UNCERTAIN = "uncertain"


SEVERITY = {"cleared": 0, "held": 1, "incomplete": 2, "refused": 3}
OUTCOME = {Otherwise.HOLD: "held", Otherwise.INCOMPLETE: "incomplete", Otherwise.REFUSE: "refused"}


@dataclass(frozen=True)
class Instrument:
    """One source of law: a statute, an agreement, a policy, an order, or an opinion that changes no rule.

    In force from `begins` until the day before `until`; `made` is when it was signed or decided, `known` when the
    pack's authors learned of it. `ends` names orders that this one ends.
    """

    id: str
    title: str
    kind: str
    cite: str
    made: dt.date
    begins: dt.date
    until: dt.date | None
    known: dt.date | None
    url: str
    certainty: Certainty
    note: str
    ends: tuple[str, ...]
    file: str


@dataclass(frozen=True)
class Rule:
    """One sentence of law as a condition over facts. Its id is never given to another rule.

    `begins` and `until` (first day no longer in force) already contain the instrument's dates and any later order
    that ends it. `ignores` names facts whose absence the rule forgives, each with the reason.
    """

    id: str
    instrument: Instrument
    effect: Effect
    otherwise: Otherwise
    code: Code
    text: str
    when: Expression
    cite: str
    quote: str
    exact: bool
    certainty: Certainty
    say: str
    note: str
    begins: dt.date
    until: dt.date | None
    items: tuple[str, ...]
    ignores: Mapping[str, str]
    file: str
    line: int
    provisions: tuple[str, ...] = ()
    """The identifiers of the provisions cited, as the Code's publisher writes them."""

    def in_force(self, as_of: dt.date) -> bool:
        """Whether the rule applies on a date."""
        return self.begins <= as_of and (self.until is None or as_of < self.until)

    @property
    def outcome(self) -> str:
        """The outcome of a request that this rule stops; a limit and a grant stop nothing."""
        return OUTCOME[self.otherwise] if self.effect in (Effect.REQUIRE, Effect.BAR) else "cleared"


@dataclass(frozen=True)
class Declared:
    """A fact the pack uses: its type, its meaning, its spellings, and whether it speaks of the register.

    `reveals` is true where the fact depends on what is on file about a person: no requester may learn it.
    `repeats` is true where it is a fact of the whole submission.
    """

    name: str
    kind: Kind
    says: str
    values: tuple[str, ...]
    reveals: bool
    repeats: bool
    least: int | None


@dataclass(frozen=True)
class NamedList:
    """Constants with their source: the criminal statutes, the agencies of a department."""

    name: str
    source: str
    certainty: Certainty
    entries: Mapping[str, str]
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    """For an entry that is a statute, the words of the official text that make it what the list says."""
    file: str = ""


@dataclass(frozen=True)
class Proof:
    """Words of a provision that show what an entry of a list is: of a criminal statute, that it carries a penalty."""

    provision: str
    quote: str


@dataclass(frozen=True)
class Example:
    """A request as facts on a date, with the outcome counsel expects and the rules expected to fire."""

    title: str
    as_of: dt.date
    facts: Mapping[str, object]
    outcome: str
    fired: tuple[str, ...] | None
    items: tuple[str, ...] | None
    file: str
    line: int


@dataclass(frozen=True)
class Property:
    """A sentence that must hold: of every cleared request (`safety`), or that some request clears (`liveness`)."""

    id: str
    says: str
    safety: bool
    holds: Expression
    text: str
    begins: dt.date | None
    until: dt.date | None
    file: str
    line: int


@dataclass(frozen=True)
class Pack:
    """A loaded pack. `digest` is SHA-256 over the sorted files (path and bytes) without lock and signatures."""

    id: str
    version: str
    title: str
    says: str
    basis: str
    digest: str
    folder: Path
    default_say: str
    default_note: str
    fields: Mapping[str, Declared]
    items: Mapping[str, str]
    lists: Mapping[str, NamedList]
    vocabulary: Vocabulary
    terms: Mapping[str, str]
    assumptions: tuple[tuple[str, Expression], ...]
    instruments: tuple[Instrument, ...]
    rules: tuple[Rule, ...]
    examples: tuple[Example, ...]
    properties: tuple[Property, ...]
    changes: tuple[tuple[str, str], ...] = field(default=())
    texts: tuple[Text, ...] = field(default=())
    wording: Wording = field(default=DEFAULT)
    awaits_facts: tuple[str, ...] = field(default=())
    """Facts that this law turns on and no installation supplies yet: by them nothing clears."""
    awaits_items: tuple[str, ...] = field(default=())
    """Items that this law allows and no release can hold yet: they are cut from every request."""

    @cached_property
    def by_id(self) -> Mapping[str, Rule]:
        """Rules by id."""
        return {rule.id: rule for rule in self.rules}

    def in_force(self, as_of: dt.date) -> tuple[Rule, ...]:
        """The rules that apply on a date, sorted by id."""
        return tuple(rule for rule in self.rules if rule.in_force(as_of))

    def provision(self, identifier: str) -> tuple[Segment, ...]:
        """The words of a provision the pack carries; none where it carries no such provision."""
        return below((segment for text in self.texts for segment in text.segments), identifier)

    def reveals(self, rule_id: str) -> bool:
        """Whether a rule reads what is on file about a person; `no-grant` and rules the pack lacks do not."""
        rule = self.by_id.get(rule_id)
        return rule is not None and any(
            self.fields[name].reveals for name in field_names(rule.when) if name in self.fields
        )

    def column(self, name: str) -> Field:
        """A declared field as an expression."""
        return AS_OF if name == AS_OF.name else Field(name, self.fields[name].kind)
