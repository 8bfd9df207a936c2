"""The rules that fired, as a page shows them: citation, what the law says, and the two texts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gatehouse.console import words
from gatehouse.law.explain import RuleText, explain
from gatehouse.law.pack import NO_GRANT, Pack, Rule


@dataclass(frozen=True)
class Stopped:
    """One rule that fired on a case."""

    rule: str
    title: str
    citation: str
    quote: str
    exact: bool
    note: str
    """What the custodian's people are told."""
    say: str
    """What the requester may be told."""
    known: bool
    """Whether the pack has the rule."""


def stopped_by(pack: Pack | None, rules: Iterable[str]) -> list[Stopped]:
    """The texts of rules by id, in the order given; a rule the pack does not have is shown by its id."""
    return [_one(pack, rule) for rule in rules]


def explained(pack: Pack | None, rules: Iterable[str], facts: Mapping[str, Any], as_of: dt.date) -> list[Stopped]:
    """The same, with what was found in this case written into the custodian's text."""
    found = stopped_by(pack, rules)
    if pack is None:
        return found

    texts = {text.id: text for text in explain(pack, [entry.rule for entry in found if entry.known], facts, as_of)}
    return [_with_text(entry, texts.get(entry.rule)) for entry in found]


def granting(pack: Pack | None, as_of: dt.date) -> list[str]:
    """The rules that permit anything on a date: what a cleared request rests on."""
    return [rule.id for rule in pack.in_force(as_of) if rule.effect == "grant"] if pack is not None else []


def _with_text(entry: Stopped, text: RuleText | None) -> Stopped:
    if text is None:
        return entry
    return Stopped(
        entry.rule,
        entry.title,
        entry.citation,
        entry.quote,
        exact=entry.exact,
        note=text.note,
        say=text.say,
        known=True,
    )


def _one(pack: Pack | None, identifier: str) -> Stopped:
    rule: Rule | None = pack.by_id.get(identifier) if pack is not None else None
    if rule is not None:
        return Stopped(
            identifier,
            words.rule(identifier),
            rule.cite,
            rule.quote,
            exact=rule.exact,
            note=rule.note,
            say=rule.say,
            known=True,
        )
    if pack is not None and identifier == NO_GRANT:
        note, say = pack.default_note, pack.default_say
        return Stopped(identifier, words.rule(identifier), "", "", exact=False, note=note, say=say, known=True)
    return Stopped(identifier, words.rule(identifier), "", "", exact=False, note="", say="", known=False)


@dataclass(frozen=True)
class Proof:
    """What is known of a pack's properties: each sentence, and whether it is proved, broken or not tried here."""

    properties: tuple[tuple[str, str, str], ...]
    """Id, sentence, state (`proved`, `broken`, `not tried`)."""
    tried: bool


def proof_of(pack: Pack) -> Proof:
    """The properties of a pack with the state of their proofs; nothing is proved while a page waits."""
    return Proof(tuple((entry.id, entry.says, "not tried") for entry in pack.properties), tried=False)
