"""A pack against a newer official text: which provisions changed, which rules rest on them, which quotes fell.

Nothing is decided here. Counsel reads what is listed, and takes the new text into a new version of the pack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gatehouse.law.pack import Pack, Rule
from gatehouse.law.texts import Segment, below, identifier_of, joined, stands, within


@dataclass(frozen=True)
class Change:
    """One provision whose own words differ; `before` or `after` is empty where it is new or gone."""

    identifier: str
    before: str
    after: str

    @property
    def kind(self) -> str:
        """`changed`, `new` or `gone`."""
        return "new" if not self.before else "gone" if not self.after else "changed"


@dataclass(frozen=True)
class Watched:
    """What a newer text means for a pack."""

    changes: tuple[Change, ...]
    rules: Mapping[str, tuple[str, ...]]
    """Rule → the changed provisions that it rests on."""
    entries: Mapping[str, tuple[str, ...]]
    """Entry of a list → the changed provisions that prove it."""
    fallen: tuple[tuple[str, str], ...]
    """Rule or entry, and its quote, which no longer stands in any provision it names."""
    absent: tuple[str, ...]
    """Sections that the pack rests on and the newer text does not hold: they were not compared."""


def rests_on(pack: Pack) -> set[str]:
    """Every provision that a rule names or that proves an entry of a list."""
    named = {name for rule in pack.rules for name in rule.provisions}
    for listed in pack.lists.values():
        for entry, proof in listed.proofs.items():
            named |= {proof.provision, identifier_of(entry) or proof.provision}
    return named


def watch(pack: Pack, newer: Mapping[str, Sequence[Segment]]) -> Watched:
    """Compare the texts a pack carries with the sections of a newer one."""
    needed = rests_on(pack)
    absent = tuple(text.identifier for text in pack.texts if text.identifier not in newer)
    after = [segment for section in newer.values() for segment in section]
    changes: list[Change] = []
    for text in pack.texts:
        if text.identifier in newer:
            kept = [each for each in newer[text.identifier] if any(within(each.identifier, one) for one in needed)]
            changes += _compare(text.segments, kept)
    changed = [change.identifier for change in changes]
    rules = {rule.id: touched for rule in pack.rules if (touched := _touched(rule.provisions, changed))}
    entries, fallen = {}, [(rule.id, rule.quote) for rule in pack.rules if _fell(rule, after, absent)]
    for listed in pack.lists.values():
        for entry, proof in listed.proofs.items():
            if touched := _touched((proof.provision, identifier_of(entry) or proof.provision), changed):
                entries[entry] = touched
            if not _of(absent, proof.provision) and not stands(proof.quote, joined(below(after, proof.provision))):
                fallen.append((entry, proof.quote))
    return Watched(tuple(changes), rules, entries, tuple(fallen), absent)


def _compare(before: Iterable[Segment], after: Iterable[Segment]) -> list[Change]:
    old, new = _by_provision(before), _by_provision(after)
    order = [*new, *(name for name in old if name not in new)]
    return [Change(name, old.get(name, ""), new.get(name, "")) for name in order if old.get(name) != new.get(name)]


def _by_provision(segments: Iterable[Segment]) -> dict[str, str]:
    words: dict[str, list[Segment]] = {}
    for segment in segments:
        words.setdefault(segment.identifier, []).append(segment)
    return {name: joined(each) for name, each in words.items()}


def _touched(provisions: Iterable[str], changed: Iterable[str]) -> tuple[str, ...]:
    named = tuple(provisions)
    return tuple(each for each in changed if any(within(each, one) for one in named))


def _fell(rule: Rule, after: Sequence[Segment], absent: Sequence[str]) -> bool:
    compared = [name for name in rule.provisions if not _of(absent, name)]
    if not rule.exact or not compared:
        return False
    return not any(stands(rule.quote, joined(below(after, name))) for name in compared)


def _of(sections: Iterable[str], provision: str) -> bool:
    return any(within(provision, section) for section in sections)
