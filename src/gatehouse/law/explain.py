"""Explain fired rules: what each says to the requester and to the custodian, with citation and the facts it read.

What decided comes first, in the order of a reader of the statute; what only followed, and what could not be known,
comes after.

Only the custodian may see `note`, `values` and `condition`: a fact about the register would tell the requester
whether a record exists.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gatehouse.kernel.errors import WrongInput
from gatehouse.law.language import field_names
from gatehouse.law.pack import NO_GRANT, SEVERITY, Certainty, Code, Effect, Pack, Rule


@dataclass(frozen=True)
class RuleText:
    """One fired rule in words. `say` is for the requester; `note` and `values` are for the custodian alone."""

    id: str
    effect: str
    outcome: str
    code: str
    cite: str
    quote: str
    exact: bool
    certainty: str
    source: str
    url: str
    begins: dt.date | None
    until: dt.date | None
    say: str
    note: str
    condition: str
    values: Mapping[str, Any]
    provisions: tuple[str, ...] = ()
    unknown: bool = False
    """It fired only for want of a fact: it is no evidence of what it says."""


@dataclass(frozen=True)
class Grounds:
    """Why a request was determined as it was, each rule once, in the order of a reader of the statute.

    `unseen` counts the rules about a person's record that could not be asked because no single record agreed. They are
    not named: to name a rule about informants, say, where nobody was found would say of a person what nobody knows.
    """

    decided: tuple[RuleText, ...]
    """The rules of the strictest outcome that fired for a fact; where there are none, those that lacked one."""
    further: tuple[RuleText, ...]
    """Rules that fired for a fact and would have done less."""
    unknown: tuple[RuleText, ...]
    """Rules that fired only for want of a fact that does not hang on a person's record."""
    unseen: int

    @property
    def rules(self) -> tuple[RuleText, ...]:
        """All that may be named."""
        return (*self.decided, *self.further, *self.unknown)


def grounds(
    pack: Pack, fired: Sequence[str], unknown: Sequence[str], facts: Mapping[str, Any], as_of: dt.date
) -> Grounds:
    """Put the rules that fired in order: what decided, what else stopped the request, what could not be known.

    Raises WrongInput for a rule the pack does not have.
    """
    named = [name for name in fired if name not in unknown or not pack.reveals(name)]
    texts = [
        dataclasses.replace(_text(pack, name, facts, as_of), unknown=name in unknown)
        for name in sorted(named, key=lambda name: _place(pack, name))
    ]
    known, lacking = ([text for text in texts if text.unknown is missing] for missing in (False, True))
    weight = {name: SEVERITY[_outcome(pack, name)] for name in fired}
    strictest = max(weight.values(), default=0)
    decided = [text for text in known if weight[text.id] == strictest]
    decided = decided or [text for text in lacking if weight[text.id] == strictest]
    return Grounds(
        tuple(decided),
        tuple(text for text in known if text not in decided),
        tuple(text for text in lacking if text not in decided),
        len(fired) - len(named),
    )


_KINDS = {"statute": 0, "regulation": 0, "order": 1, "agreement": 2, "policy": 3}


def _place(pack: Pack, name: str) -> tuple[int, int, str, int]:
    """Where a reader of the law comes upon a rule: at its provision, else after the provisions with its instrument."""
    rule = pack.by_id.get(name)
    if rule is None:
        return (-1, 0, "", 0)
    order = [segment.identifier for text in pack.texts for segment in text.segments]
    found = [at for at, identifier in enumerate(order) if identifier in rule.provisions]
    return (found[0] if found else len(order), _KINDS.get(rule.instrument.kind, 3), rule.file, rule.line)


def _outcome(pack: Pack, name: str) -> str:
    rule = pack.by_id.get(name)
    return "refused" if rule is None else rule.outcome


def explain(pack: Pack, rule_ids: Sequence[str], facts: Mapping[str, Any], as_of: dt.date) -> list[RuleText]:
    """The texts of fired rules, in the order given; `facts` are the request's facts by name.

    Raises WrongInput for a rule the pack does not have.
    """
    return [_text(pack, rule_id, facts, as_of) for rule_id in rule_ids]


def _text(pack: Pack, rule_id: str, facts: Mapping[str, Any], as_of: dt.date) -> RuleText:
    if rule_id == NO_GRANT:
        return _default(pack)
    rule = pack.by_id.get(rule_id)
    if rule is None:
        close = difflib.get_close_matches(rule_id, list(pack.by_id), n=1)
        raise WrongInput(
            f"the pack {pack.id} {pack.version} has no rule {rule_id!r}",
            where=str(pack.folder),
            remedy=f"Did you mean {close[0]}?" if close else "Use the pack that made the determination",
        )
    names = sorted(field_names(rule.when))
    values = {name: as_of if name == "as_of" else facts.get(name) for name in names}
    return RuleText(
        id=rule.id,
        effect=rule.effect,
        outcome=rule.outcome,
        code=rule.code,
        cite=rule.cite,
        quote=rule.quote,
        exact=rule.exact,
        certainty=rule.certainty,
        source=rule.instrument.title,
        url=rule.instrument.url,
        begins=rule.begins,
        until=rule.until,
        say=rule.say,
        note=_filled(rule.note, facts),
        condition=rule.text,
        values=values,
        provisions=rule.provisions,
    )


def _default(pack: Pack) -> RuleText:
    return RuleText(
        id=NO_GRANT,
        effect=Effect.GRANT,
        outcome="refused",
        code=Code.AUTHORITY,
        cite="Default deny",
        quote="",
        exact=False,
        certainty=Certainty.PRIMARY,
        source=pack.title,
        url="",
        begins=None,
        until=None,
        say=pack.default_say,
        note=pack.default_note,
        condition="no grant applies",
        values={},
    )


def placeholders(text: str) -> list[str]:
    """The facts a note names in braces."""
    return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]


def _filled(note: str, facts: Mapping[str, Any]) -> str:
    for name in placeholders(note):
        value = facts.get(name)
        note = note.replace("{" + name + "}", "not known" if value is None else str(value))
    return note


def sentence(rule: Rule) -> str:
    """What a rule does, as counsel would say it in one line."""
    if rule.effect is Effect.GRANT:
        return f"Permits {', '.join(rule.items)}, if"
    if rule.effect is Effect.LIMIT:
        return f"Cuts everything but {', '.join(rule.items)}, if"
    verb = {"held": "Holds", "incomplete": "Returns as incomplete", "refused": "Refuses"}[rule.outcome]
    return f"{verb}, unless" if rule.effect is Effect.REQUIRE else f"{verb}, if"
