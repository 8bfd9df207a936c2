"""The rules that fired, as a page shows them: citation, what the law says, and the two texts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gatehouse.console import words
from gatehouse.kernel.errors import GatehouseError
from gatehouse.law import signing
from gatehouse.law.explain import RuleText, explain
from gatehouse.law.pack import NO_GRANT, Pack, Rule
from gatehouse.ledger import note
from gatehouse.pipeline import offices
from gatehouse.pipeline.site import Site


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
    """What is known of a pack in force: its properties, whether they are proved of these very files, and who signed."""

    properties: tuple[tuple[str, str], ...]
    """Id and sentence."""
    holds: bool
    problem: str
    """Why it does not hold; then nothing is decided under the pack."""
    signers: tuple[str, ...]
    engines: tuple[tuple[str, str], ...]
    """Program and version that proved it."""
    examples: int
    mutations: int


def proof_of(pack: Pack, site: Site) -> Proof:
    """Verify the signatures of both offices and the record of proof; nothing is proved anew while a page waits."""
    properties = tuple((entry.id, entry.says) for entry in pack.properties)
    problem, record = "", dict[str, Any]()
    signers: tuple[str, ...] = ()
    try:
        signing.verify(pack.folder, offices.read(site))
        record = json.loads((pack.folder / signing.PROOF).read_bytes())
        lines = (pack.folder / signing.SIGNATURES).read_text(encoding="utf-8").splitlines()
        signers = tuple(note.SignatureLine.parse(line).name for line in lines)
    except GatehouseError as error:
        problem = f"{error}."
    engines = tuple(sorted((str(name), str(version)) for name, version in record.get("engines", {}).items()))
    return Proof(
        properties, not problem, problem, signers, engines,
        int(record.get("examples", 0)), int(record.get("mutations_noticed", 0)),
    )  # fmt: skip
