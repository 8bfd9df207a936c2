"""The rules that fired, as a page shows them: citation, what the law says, and the two texts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gatehouse.console import words
from gatehouse.kernel.errors import GatehouseError
from gatehouse.law import signing
from gatehouse.law.explain import RuleText, explain, grounds
from gatehouse.law.pack import NO_GRANT, Pack, Rule
from gatehouse.law.texts import Line, marked, within
from gatehouse.ledger import note
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
    provisions: tuple[Provision, ...] = ()
    """The official text of what is cited; only where a page shows one case."""


@dataclass(frozen=True)
class Provision:
    """One provision as a page shows it: line by line, with the rule's quote marked."""

    identifier: str
    published: str
    lines: list[Line]


def provisions(pack: Pack, rule_id: str) -> tuple[Provision, ...]:
    """The official text that a rule names, as far as the pack carries it."""
    rule = pack.by_id.get(rule_id)
    if rule is None:
        return ()
    quote = rule.quote if rule.exact else ""
    edition = {text.identifier: text.published for text in pack.texts}
    return tuple(
        Provision(name, next((said for section, said in edition.items() if within(name, section)), ""), lines)
        for name in rule.provisions
        if (lines := marked(pack.provision(name), quote))
    )


@dataclass(frozen=True)
class Why:
    """Why a case stopped, each rule once: what decided, what else stopped it, and what could not be known."""

    decided: list[Stopped]
    further: list[Stopped]
    unknown: list[Stopped]
    unseen: int
    """Rules about a record that could not be asked, because no single record agreed; they are not named."""


def why(pack: Pack | None, determination: Mapping[str, Any], facts: Mapping[str, Any]) -> Why:
    """The rules of one determination in the order of a reader of the statute, with what was found in this case."""
    fired, unknown, as_of = determination["fired"], determination["unknown"], determination["as_of"]
    if pack is None or any(rule != NO_GRANT and rule not in pack.by_id for rule in fired):
        return Why(stopped_by(pack, for_a_fact(determination)), [], [], 0)
    found = grounds(pack, fired, unknown, facts, as_of)
    decided, further, lacking = (
        [replace(_with_text(_one(pack, text.id), text), provisions=provisions(pack, text.id)) for text in group]
        for group in (found.decided, found.further, found.unknown)
    )
    return Why(decided, further, lacking, found.unseen)


def for_a_fact(row: Mapping[str, Any]) -> list[str]:
    """The rules that stopped a case for a fact; where none did, those that lacked one."""
    return [rule for rule in row["fired"] if rule not in row["unknown"]] or list(row["fired"])


def not_known(pack: Pack | None, unknown: Iterable[tuple[str, int]]) -> list[tuple[str, str, int]]:
    """Title, citation and cases of rules that fired only for want of a fact; those about a record are not named."""
    named = [(rule, cases) for rule, cases in unknown if pack is None or not pack.reveals(rule)]
    on_file = max((cases for rule, cases in unknown if pack is not None and pack.reveals(rule)), default=0)
    lines = [(one.title, one.citation, cases) for rule, cases in named for one in stopped_by(pack, [rule])]
    return [*([("What is on file about the person", "", on_file)] if on_file else []), *lines]


def stopped_by(pack: Pack | None, rules: Iterable[str]) -> list[Stopped]:
    """The texts of rules by id, in the order given; a rule the pack does not have is shown by its id."""
    return [_one(pack, rule) for rule in rules]


def explained(pack: Pack | None, rules: Iterable[str], facts: Mapping[str, Any], as_of: dt.date) -> list[Stopped]:
    """The same, with what was found in this case written into the custodian's text."""
    found = stopped_by(pack, rules)
    if pack is None:
        return found

    texts = {text.id: text for text in explain(pack, [entry.rule for entry in found if entry.known], facts, as_of)}
    shown = [_with_text(entry, texts.get(entry.rule)) for entry in found]
    return [replace(entry, provisions=provisions(pack, entry.rule)) for entry in shown]


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
        signing.verify(pack.folder, site.configuration.offices)
        record = json.loads((pack.folder / signing.PROOF).read_bytes())
        lines = (pack.folder / signing.SIGNATURES).read_text(encoding="utf-8").splitlines()
        signers = tuple(note.SignatureLine.parse(line).name for line in lines)
    except GatehouseError as error:
        problem = f"{error.outside}."
    engines = tuple(sorted((str(name), str(version)) for name, version in record.get("engines", {}).items()))
    return Proof(
        properties, not problem, problem, signers, engines,
        int(record.get("examples", 0)), int(record.get("mutations_noticed", 0)),
    )  # fmt: skip
