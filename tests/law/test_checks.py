"""The two tables of docs/law-checks.md say what the packs do."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from gatehouse.law import examples
from gatehouse.law.reading import load

PAGE = Path("docs/law-checks.md").read_text(encoding="utf-8")
IRS = Path("packs/us-irs-6103-i-2")
WORDS = {"removal": "removal", "voter rolls": "voter", "benefits": "benefits"}


def rows(heading: str) -> list[list[str]]:
    """The cells of the one table below a heading, without its header."""
    text = PAGE.split(f"## {heading}")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_check_of_the_catalogue_has_a_row():
    assert [row[0] for row in rows("What a disclosure must pass")] == [str(number) for number in range(1, 28)]


def test_every_check_names_rules_or_says_what_else_does_it():
    for number, _, rules, other in rows("What a disclosure must pass"):
        assert named(rules) or other, f"check {number} is nobody's"


def test_the_rules_named_are_the_rules_there_are():
    pack = load(IRS)
    by_instrument = {each.id: {r.id for r in pack.rules if r.instrument is each} for each in pack.instruments}
    covered: set[str] = set()
    for _, _, cell, _ in rows("What a disclosure must pass"):
        for name in named(cell):
            assert name in pack.by_id or by_instrument.get(name), f"{name} is no rule or instrument of the pack"
            covered |= by_instrument.get(name) or {name}
    assert covered == set(pack.by_id)


def test_the_modules_named_are_there():
    modules = {name for row in rows("What a disclosure must pass") for name in named(row[3]) if "." in name}
    assert len(modules) > 10
    assert [name for name in modules if importlib.util.find_spec(f"gatehouse.{name}") is None] == []


PURPOSES = rows("Which door a purpose needs")
HEADER = next(line for line in PAGE.splitlines() if line.startswith("| purpose"))


@pytest.mark.parametrize("row", PURPOSES, ids=lambda row: row[0])
@pytest.mark.parametrize(("column", "folder"), list(enumerate(named(HEADER), start=1)))
def test_no_shipped_pack_is_a_door_for_removal_voter_rolls_or_benefits(row: list[str], column: int, folder: str):
    pack = load(Path("packs") / folder)
    (rule,) = named(row[column])
    assert row[column].startswith("refused")
    decisions, failures = examples.run(pack)
    assert not failures
    told = [
        decision
        for example, decision in zip(pack.examples, decisions, strict=True)
        if WORDS[row[0]] in example.title.lower() and rule in decision.fired
    ]
    assert told, f"no example of {folder} is about {row[0]} and meets {rule}"
    assert {decision.outcome for decision in told} == {"refused"}
    assert WORDS[row[0]] in pack.by_id[rule].say.lower(), "the reason told names the purpose"


def test_every_shipped_pack_is_a_column():
    assert sorted(named(HEADER)) == sorted(path.parent.name for path in Path("packs").glob("*/pack.toml"))
