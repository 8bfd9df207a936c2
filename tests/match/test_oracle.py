"""The SQL against an independent reading of the rules, on small worlds full of twins, namesakes and near misses."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from match_world import Person, Request, resolve
from oracle import Oracle

LASTS = ("GARCIA", "GARCIA LOPEZ", "LOPEZ GARCIA", "LOPEZ", "DE LA CRUZ", "CRUZ", "SMITH", "JOSE")
FIRSTS = ("JOSE", "JOSE LUIS", "JUAN", "JUANA", "PEPE", "J", "ROBERT", "BOB", "SMITH")
MIDDLES = (None, None, None, "L", "LUIS", "PEDRO")
SUFFIXES = (None, None, None, "JR", "SR")
BIRTHS = (None, "1980-05-17", "1980-05-17", "1950-01-01")
LETTERS = "AEILORSTX"


def _home(chance: random.Random) -> tuple[str, str | None]:
    return f"{chance.randrange(100, 112)} MAPLE ST", chance.choice((None, "APT 1", "APT 2"))


def _people(chance: random.Random, count: int) -> list[Person]:
    people = []
    for number in range(count):
        homes = tuple(dict.fromkeys(_home(chance) for _ in range(chance.choice((1, 1, 2)))))
        others = ((chance.choice(LASTS), chance.choice(FIRSTS), None),) if chance.random() < 0.1 else ()
        tin = f"9{number:08d}" if chance.random() < 0.9 else None
        name = (chance.choice(LASTS), chance.choice(FIRSTS), chance.choice(MIDDLES), chance.choice(SUFFIXES))
        people.append(Person(*name, tin=tin, birth_date=chance.choice(BIRTHS), homes=homes, others=others))
    return people


def _misspelt(chance: random.Random, name: str) -> str:
    at, letter = chance.randrange(len(name)), chance.choice(LETTERS)
    before, after = name[:at], name[at + 1 :]
    return chance.choice((before + letter + name[at:], before + letter + after, before + after))


def _request(chance: random.Random, people: list[Person]) -> Request:
    about, other = chance.choice(people), chance.choice(people)
    last, first = about.last_name, about.first_name
    slip = chance.random()
    if slip < 0.15:
        last = _misspelt(chance, last).strip() or last
    elif slip < 0.25:
        first = _misspelt(chance, first).strip() or first
    elif slip < 0.35:
        last, first = first, last
    elif slip < 0.5:
        last = chance.choice(LASTS)
    elif slip < 0.65:
        first = chance.choice(FIRSTS)
    line1, line2 = chance.choice(about.homes)
    return Request(
        last, first, chance.choice((about.middle_name, *MIDDLES)), chance.choice((about.suffix, None, "JR")),
        tin=chance.choice((about.tin, about.tin, None, other.tin)),
        birth_date=chance.choice((about.birth_date, None, "1950-01-01")),
        address_line1=line1, address_line2=chance.choice((line2, line2, None, "APT 1")),
    )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.slow
def test_the_sql_agrees_with_the_rules_read_again(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test that can be repeated
    people = _people(chance, 150)
    asked = [_request(chance, people) for _ in range(1200)]
    asked = [request for request in asked if "  " not in f"{request.last_name}{request.first_name}"]
    matches, evidence = resolve(tmp_path, people, asked)
    oracle = Oracle(people)
    expected = [oracle.answer(request) for request in asked]
    found = [(row["persons_agreeing"], row["person_id"] and row["person_id"] - 1001) for row in matches]
    wrong = [(asked[n], expected[n], found[n]) for n in range(len(asked)) if expected[n] != found[n]]
    assert not wrong, wrong[:3]
    answered = sum(1 for count, _ in expected if count == 1)
    assert answered > len(asked) / 10, "worlds in which somebody is found"
    assert sum(1 for count, _ in expected if count > 1) > 0, "and some in which several are"
    named = {row["seq"]: row["person_id"] for row in evidence if row["verdict"] == "agrees"}
    assert named == {row["seq"]: row["person_id"] for row in matches if row["person_id"]}
