"""The rules of docs/matching.md again, in plain Python over rows: slow, and written from the page, not from the SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from match_world import Person, Request

NICKNAMES = {frozenset({"JOSE", "PEPE"}), frozenset({"ROBERT", "BOB"})}


def one_typing_error(a: str, b: str) -> bool:
    """One letter missing, extra, wrong, or exchanged with the next."""
    if a == b or min(len(a), len(b)) < 3:
        return False
    if len(a) == len(b):
        wrong = [i for i in range(len(a)) if a[i] != b[i]]
        beside = len(wrong) == 2 and wrong[1] == wrong[0] + 1
        exchanged = beside and a[wrong[0]] == b[wrong[1]] and a[wrong[1]] == b[wrong[0]]
        return len(wrong) == 1 or exchanged
    short, long = sorted((a, b), key=len)
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


class Oracle:
    """Answers one request after another about a small register."""

    def __init__(self, persons: Sequence[Person]) -> None:
        self.persons = persons
        self.lasts = Counter(person.last_name.replace(" ", "") for person in persons)
        self.firsts = Counter(person.first_name.replace(" ", "") for person in persons)

    def answer(self, asked: Request) -> tuple[int, int | None]:
        """How many agree, and the number of the one person."""
        seen = [self.look(asked, person) for person in self.persons]
        agree = [n for n, view in enumerate(seen) if view and self.agrees(view, [v for v in seen if v])]
        return len(agree), agree[0] if len(agree) == 1 else None

    def look(self, asked: Request, person: Person) -> dict[str, Any] | None:
        """How one person compares, by the best of their names and homes; None if the building is not theirs."""
        homes = [self.home(asked, *home) for home in person.homes]
        homes = [home for home in homes if home]
        if not homes:
            return None
        identifiers = [(asked.tin, person.tin), (asked.birth_date, person.birth_date)]
        given = [pair for pair in identifiers if pair[0]]
        same = [a == b for a, b in given]
        view: dict[str, Any] = {
            "contradicted": not all(same), "identified": any(same),
            "tin": asked.tin is not None and asked.tin == person.tin,

        }  # fmt: skip
        own = (person.last_name, person.first_name, person.middle_name)
        names = [(own, person.suffix), *((other, None) for other in person.others)]
        choices = [
            view | self.name(asked, view, *name) | {"home": home, "suffix": (asked.suffix, suffix)}
            for name, suffix in names
            for home in homes
        ]
        rank = ("different", "unit", "missing", "equal")
        return max(
            choices,
            key=lambda c: (rank.index(c["home"]) >= 2, self.named(c), c["home"] == "equal", c["exact"], c["middle"]),
        )

    @staticmethod
    def home(asked: Request, line1: str, line2: str | None) -> str | None:
        if line1 != asked.address_line1:
            return None
        if asked.address_line2 and line2:
            return "equal" if asked.address_line2 == line2 else "unit"
        return "equal" if asked.address_line2 == line2 else "missing"

    def name(self, asked: Request, view: dict[str, Any], last: str, first: str, middle: str | None) -> dict[str, Any]:
        a_last, b_last = asked.last_name.replace(" ", ""), last.replace(" ", "")
        whole = [" ".join(filter(None, pair)) for pair in ((asked.first_name, asked.middle_name), (first, middle))]
        a_whole, b_whole = whole
        same_whole = a_whole.replace(" ", "") == b_whole.replace(" ", "")
        a_first, b_first = asked.first_name.replace(" ", ""), first.replace(" ", "")
        lax = view["identified"]
        swapped = a_last == b_first and a_first == b_last
        found = {"last": "different", "first": "different", "middle": self.middle(asked.middle_name, middle, whole)}
        if a_last == b_last:
            found["last"] = "equal"
        elif lax:
            parts_a, parts_b = asked.last_name.split(), last.split()
            turned = len(parts_a) == len(parts_b) == 2 and parts_a == parts_b[::-1]
            cut = any(
                len(s) >= 3 and (f"{w} ".startswith(f"{s} ") or f" {w}".endswith(f" {s}"))
                for s, w in ((asked.last_name, last), (last, asked.last_name))
            )
            typo = one_typing_error(a_last, b_last) and self.lasts[a_last] < 3
            found["last"] = "swapped" if swapped else "lax" if turned or cut else "typo" if typo else "different"
        if a_first == b_first or same_whole:
            found["first"] = "equal"
        elif lax:
            alone = any(w.startswith(f"{s} ") for s, w in ((asked.first_name, first), (first, asked.first_name)))
            initial = any(len(s) == 1 and w[0] == s for s, w in ((asked.first_name, first), (first, asked.first_name)))
            nickname = frozenset({asked.first_name.split()[0], first.split(maxsplit=1)[0]}) in NICKNAMES
            typo = one_typing_error(a_first, b_first) and self.firsts[a_first] < 3
            liberty = alone or initial or nickname
            found["first"] = "swapped" if swapped else "lax" if liberty else "typo" if typo else "different"
        return found | {"exact": found["last"] == "equal" and found["first"] == "equal"}

    @staticmethod
    def middle(asked: str | None, filed: str | None, whole: list[str]) -> bool:
        """Whether the middle names stand in nobody's way."""
        if not asked or not filed or asked == filed:
            return True
        if asked[0] == filed[0] and 1 in (len(asked), len(filed)):
            return True
        short, long = sorted(whole, key=len)
        return short.replace(" ", "") == long.replace(" ", "") or long.startswith(f"{short} ")

    @staticmethod
    def named(view: dict[str, Any]) -> bool:
        asked, filed = view["suffix"]
        if not view["middle"] or (asked and filed and asked != filed):
            return False
        if view["exact"]:
            return asked == filed or view["identified"]
        names = (view["last"], view["first"])
        if not view["identified"] or "different" in names or names.count("typo") > 1:
            return False
        return view["tin"] or "equal" in names or "swapped" in names

    def agrees(self, view: dict[str, Any], everyone: list[dict[str, Any]]) -> bool:
        if view["contradicted"] or not self.named(view) or view["home"] in ("unit", "different"):
            return False
        asked, filed = view["suffix"]
        bearers = [v for v in everyone if v["exact"] and v["middle"]]
        bearers = [v for v in bearers if not asked or v["suffix"][1] in (None, asked)]
        told = [v for v in bearers if v["suffix"][1] == asked] if asked and filed == asked else bearers
        at_home = [v for v in told if v["home"] in ("missing", "equal")]
        if view["identified"]:
            any_home = [v for v in bearers if v["home"] in ("missing", "equal")]
            return bool(view["exact"] or not any_home)
        if view["home"] == "missing" and len(told) != 1:
            return False
        return len(at_home) == 1
