"""Explain fired rules: what each says to the requester and to the custodian, with citation and the facts it read.

Only the custodian may see `note`, `values` and `condition`: a fact about the register would tell the requester
whether a record exists.
"""

from __future__ import annotations

import datetime as dt
import difflib
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gatehouse.kernel.errors import WrongInput
from gatehouse.law.language import field_names
from gatehouse.law.pack import NO_GRANT, Certainty, Code, Effect, Pack, Rule


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
            remedy=f"Did you mean {close[0]}?" if close else "Explain a determination with the pack that made it",
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
