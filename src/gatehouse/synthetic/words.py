"""The word lists of the generator: surnames, first names, nicknames and streets, loaded as weighted tables.

A pool of words becomes a table of slots in which a word holds as many slots as its weight asks for, so that a draw is
one join on a whole number. The lists are in `words/`, with a note on where their weights come from.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from importlib.resources import files

import duckdb

from gatehouse.kernel import documents

Weighted = list[tuple[str, int]]

NAME_SLOTS = 8192
STREET_SLOTS = 2048
_LETTERS = str.maketrans("ĐđŁłØøßıĦħ", "DdLlOosiHh")
_WORD = re.compile(r"(\S.*?):(\d+)(?:\s+|$)|(\S+)(?:\s+|$)")


@dataclass(frozen=True)
class Group:
    """Households whose names come from one tradition."""

    name: str
    share: int
    double: int
    joint: str


def read_text(name: str) -> str:
    """The text of one word list."""
    return (files("gatehouse.synthetic") / "words" / name).read_text(encoding="utf-8")


def read_csv(name: str) -> list[dict[str, str]]:
    """The rows of one word list in CSV."""
    return list(csv.DictReader(read_text(name).splitlines()))


def groups() -> list[Group]:
    """The groups of names, in a fixed order, whose shares add up to 1,000."""
    table = documents.parse(read_text("groups.toml"), "groups.toml").data
    return [Group(name, row["share"], row["double"], row["joint"]) for name, row in table.items()]


def read_pools(name: str) -> dict[str, Weighted]:
    """The weighted words of each `[section]` of a list; `tail` lines are multiplied out, all of one weight."""
    pools: dict[str, Weighted] = {}
    words: Weighted = []
    for line in read_text(name).splitlines():
        if line.startswith("["):
            words = pools.setdefault(line.strip("[]"), [])
        elif line.startswith("tail "):
            words.extend(_tail(line))
        elif line and not line.startswith("#"):
            words.extend(_words(line))
    return pools


def _words(line: str) -> Weighted:
    """`Smith:90 De La Cruz:10`: a weighted word may hold spaces; a line without any colon is of single words."""
    if ":" not in line:
        return [(word, 1) for word in line.split()]
    return [(match[1] or match[3], int(match[2] or 1)) for match in _WORD.finditer(line)]


def _tail(line: str) -> Weighted:
    weight, *parts = line.removeprefix("tail ").split()
    cut = parts.index("x")
    words = sorted({start + end for start in parts[:cut] for end in parts[cut + 1 :]})
    # A negative weight is the weight of the whole tail, shared by its words; no word has a letter three times running.
    return [(word, -int(weight)) for word in words if not re.search(r"(\w)\1\1", word, re.IGNORECASE)]


def plain(text: str) -> str:
    """A name as an old system keeps it: ASCII capitals, diacritics dropped."""
    decomposed = unicodedata.normalize("NFD", text.translate(_LETTERS))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).upper()


def spans(words: Weighted, slots: int) -> list[tuple[str, int, int]]:
    """Share out slots 0 to `slots` - 1 by weight, each slot to one word: (word, first, after the last)."""
    tail = [word for word, weight in words if weight < 0]
    shares = [(word, weight / len(tail) * -1 if weight < 0 else float(weight)) for word, weight in words]
    total = sum(weight for _, weight in shares)
    result, reached, first = [], 0.0, 0
    for word, weight in shares:
        reached += weight
        after = round(reached / total * slots)
        if after > first:
            result.append((word, first, after))
        first = after
    return result


def load_slots(connection: duckdb.DuckDBPyConnection, table: str, pools: list[Weighted], slots: int) -> None:
    """Make a table `slot` BIGINT, `name`, `plain`: pool number n holds the slots from n x `slots` on."""
    rows = [
        (word, number * slots + first, number * slots + after)
        for number, words in enumerate(pools)
        for word, first, after in spans(words, slots)
    ]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT unnest(range(first, after)) AS slot, name, plain FROM "
        "(SELECT unnest($1::VARCHAR[]) AS name, unnest($2::VARCHAR[]) AS plain, unnest($3::BIGINT[]) AS first, "
        "unnest($4::BIGINT[]) AS after)",
        [[r[0] for r in rows], [plain(r[0]) for r in rows], [r[1] for r in rows], [r[2] for r in rows]],
    )


def load_names(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `syn_group` (slot 0 to 999), `syn_surname`, `syn_first` (pools of men and women by group), `syn_absent`."""
    kinds = groups()
    surnames, first = read_pools("surnames.txt"), read_pools("first_names.txt")
    load_slots(connection, "syn_surname", [surnames[group.name] for group in kinds], NAME_SLOTS)
    given = [first[f"{group.name} {sex}"] for group in kinds for sex in "mf"]
    load_slots(connection, "syn_first", given, NAME_SLOTS)
    load_slots(connection, "syn_absent", [first["absent m"], first["absent f"]], NAME_SLOTS)
    load_slots(connection, "syn_group_name", [[(group.name, group.share) for group in kinds]], 1000)
    order = "CASE name " + " ".join(f"WHEN '{g.name}' THEN {n}" for n, g in enumerate(kinds)) + " END"
    double = "CASE name " + " ".join(f"WHEN '{g.name}' THEN {g.double}" for g in kinds) + " END"
    joint = "CASE name " + " ".join(f"WHEN '{g.name}' THEN '{g.joint}'" for g in kinds) + " END"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE syn_group AS SELECT slot, ({order})::BIGINT AS g, "
        f"({double})::INTEGER AS double_share, {joint} AS joint FROM syn_group_name"
    )


def load_streets(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `syn_street` (pools: named, Spanish, urbanisations, calles) and `syn_street_type` (slot 0 to 127)."""
    streets = read_pools("streets.txt")
    pools = [streets[name] for name in ("named", "spanish", "urbanization", "calle")]
    load_slots(connection, "syn_street", pools, STREET_SLOTS)
    types = [(f"{row['short']}|{row['full']}", int(row["weight"])) for row in read_csv("street_types.csv")]
    load_slots(connection, "syn_types", [types], 128)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE syn_street_type AS SELECT slot, split_part(name, '|', 1) AS short, "
        "split_part(name, '|', 2) AS long FROM syn_types"
    )
