"""Reality: words that fill an address field without naming a place.

Each distinct word gets a flag, once: a word that says nothing is known (`X` alone; `x` beside another such word;
`y` beside another where no street type follows), an empty mark (`B`, as N/A), a little word that neither helps nor
harms (`z`), a word of an institution's name (`I`, or `i` where it is also an `x`), a word that no language writes
(`K`), or none (`.`). A sentence of flags is then judged with the shape it belongs to, again once per distinct sentence.
Phrases and institutions are data.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib.resources import files

import duckdb

from gatehouse.intake import placeholders
from gatehouse.intake.addresses.grammar import Reading, objection
from gatehouse.intake.addresses.vocabulary import standard_of
from gatehouse.intake.addresses.vocabulary import words as known_words

# Digits and signs that stand for letters in `UNKN0WN`.
LEET = ("013457869", "OIEASTBGP")
_KEYBOARD = ("QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM")
# Four neighbouring keys that English also writes in a row (LIBERTY, WERTH, ANDREW).
_WRITTEN = {"ERTY", "WERT", "TREW", "UIOP", "POIU"}
_SHORT_RUNS = ("ASD", "QWE", "ZXC", "JKL", "FGH", "DFG", "SDF", "GHJ", "HJK", "LKJ", "KJH", "XCV", "CVB", "WSX", "QAZ")
_NUMERIC = set("#AHGFOdN,")


def _data(name: str) -> list[str]:
    return files("gatehouse.intake.addresses").joinpath(f"data/{name}").read_text("utf-8").splitlines()


@dataclass(frozen=True)
class Institutions:
    """Regular expressions over standard words, and the words that tell which addresses to try them on.

    `everywhere` finds an institution also in a street's name; `outside` wherever no street with a type says otherwise;
    `beside` only in what stands before or after the street (`Marlin Unit`, while `Unit 5` is a home). `homes` are
    phrases that are none (`Upper Unit`, `Nursing Facility`). `keys` holds one word of each phrase.
    """

    everywhere: str
    outside: str
    beside: str
    homes: str
    keys: frozenset[str]
    words: frozenset[str]


@functools.lru_cache(maxsize=1)
def institutions() -> Institutions:
    """Read `data/institutions.txt`: a phrase a line, `|` between words that may stand in one place.

    A mark in front says where a phrase counts: `+` even in a street's name, `=` alone on a line, `^` first on a line,
    `>` after another word, `$` last on a line after another word, and `-` nowhere, for it is a home.
    """
    patterns: dict[str, list[str]] = {"+": [], "$": [], "-": [], "": []}
    keys: set[str] = set()
    words: set[str] = set()
    for line in _data("institutions.txt"):
        mark = line[0] if line[0] in "+=^$>-" else ""
        places = [place.split("|") for place in line.removeprefix(mark).split()]
        standard = " ".join(_any_of(place) for place in places)
        forms = {
            "=": f"(?:^|, ){standard}(?:$| ,)",
            "^": rf"(?:^|, ){standard}\b",
            ">": rf"[A-Z]{{3}} {standard}\b",
            "$": rf"[A-Z]{{2}}(?: [IV]+)? {standard}(?:$| ,)",
        }
        patterns[mark if mark in patterns else ""].append(forms.get(mark, rf"\b{standard}\b"))
        if mark != "-":
            rarest = min(places, key=_commonness)
            keys.update(rarest)
            words |= {word for place in places for word in place}
    everywhere = "|".join(patterns["+"])
    return Institutions(
        everywhere=everywhere,
        outside=f"{everywhere}|{'|'.join(patterns[''])}",
        beside="|".join(patterns["$"]),
        homes="|".join(patterns["-"]),
        keys=frozenset(keys),
        words=frozenset(words),
    )


def _any_of(place: list[str]) -> str:
    standards = sorted({re.escape(standard_of(word)) for word in place})
    return standards[0] if len(standards) == 1 else f"(?:{'|'.join(standards)})"


def _commonness(place: list[str]) -> tuple[bool, int]:
    """Words that addresses or excuses are made of, and short ones, are common: the other word finds fewer addresses."""
    common = known_words().keys() | placeholders.word_flags().keys()
    return not common.isdisjoint(place), -min(map(len, place))


def load_reality(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary tables `address_hollow_words`, `address_hollow_phrases` and `address_pairs` unless there.

    `address_pairs` holds the pairs of letters that occur in the names of American places: what no place has ever
    been called by is a sign of fingers on a keyboard.
    """
    if connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'address_pairs'").fetchone() != (0,):
        return
    flags = {word: flag for word, flag in placeholders.word_flags().items() if flag != "w"}
    connection.execute(
        "CREATE TEMP TABLE address_hollow_words AS SELECT unnest($words) AS word, unnest($flags) AS flag",
        {"words": list(flags), "flags": list(flags.values())},
    )
    # A single word is judged by its flag, for `45 Blank Rd` is a street; only an address has phrases of one word.
    own, everywhere = placeholders.phrases("address", alone=True), placeholders.phrases()
    written = [*own, *(phrase for phrase in everywhere if " " in phrase)]
    phrases = ["".join(standard_of(word) for word in phrase.split()) for phrase in written]
    phrases += [phrase.replace(" ", "") for phrase in written]
    phrases += [word for word, flag in flags.items() if flag == "X" and len(word) >= 5]
    connection.execute(
        "CREATE TEMP TABLE address_hollow_phrases AS SELECT DISTINCT unnest($phrases) AS phrase", {"phrases": phrases}
    )
    houses = institutions()
    words = sorted(houses.words)
    connection.execute(
        "CREATE TEMP TABLE address_house_words AS "
        "SELECT unnest($words) AS word, unnest($standards) AS standard, unnest($keys) AS key",
        {
            "words": words,
            "standards": [standard_of(word) for word in words],
            "keys": [word in houses.keys for word in words],
        },
    )
    connection.execute(
        "CREATE TEMP TABLE address_place_words AS "
        "SELECT DISTINCT unnest(string_split(city_key, ' ')) AS word FROM address_zip_cities"
    )
    connection.execute(
        "CREATE TEMP TABLE address_pairs AS SELECT pair FROM (SELECT unnest(list_transform(range(1, length(word)), "
        "lambda i: word[i : i + 1])) AS pair FROM address_place_words) GROUP BY pair HAVING count(*) >= 3"
    )


def flag_words(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the column `flag` to `address_lexicon` (word, class, standard)."""
    digits, letters = LEET
    runs = sorted(
        {row[i : i + 4] for keys in _KEYBOARD for row in (keys, keys[::-1]) for i in range(len(row) - 3)} - _WRITTEN
    )
    tripled = "|".join(f"{letter}{{3}}" for letter in "ABCDEFGHJKLMNOPQRSTUVWYZ")
    triples = [row[i : i + 3] for keys in _KEYBOARD for row in (keys, keys[::-1]) for i in range(len(row) - 2)]
    echoes = ", ".join(f"'{run * times}'" for run in triples for times in (2, 3))
    letters_ = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    stutters = "|".join(f"({a}{b}){{3,}}{a}?" for a in letters_ for b in letters_)
    short = ", ".join(f"'{run}'" for run in _SHORT_RUNS)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE address_lexicon AS "
        f"WITH plain AS (SELECT *, CASE WHEN class = 'M' OR class = 'A' THEN translate(word, '{digits}', '{letters}') "
        "ELSE word END AS spelt FROM address_lexicon), "
        "strange AS (SELECT word, count(*) FILTER (pairs.pair IS NULL) AS unseen FROM (SELECT word, "
        "unnest(list_transform(range(1, length(word)), lambda i: word[i : i + 1])) AS pair FROM plain "
        "WHERE class = 'W' AND length(word) >= 4) LEFT JOIN address_pairs pairs USING (pair) GROUP BY word), "
        "close AS (SELECT DISTINCT p.word FROM plain p JOIN address_hollow_words h ON h.flag = 'X' "
        "AND length(h.word) >= 7 AND left(h.word, 1) = left(p.spelt, 1) "
        "AND abs(length(h.word) - length(p.spelt)) <= 1 AND damerau_levenshtein(h.word, p.spelt) = 1 "
        "WHERE p.class IN ('W', 'M')) "
        "SELECT p.word, p.class, CASE WHEN p.spelt <> p.word THEN coalesce(house.standard, p.standard) "
        "ELSE p.standard END AS standard, CASE "
        "WHEN h.flag = 'x' AND house.key THEN 'i' "
        "WHEN h.flag IS NOT NULL AND (p.class <> 'A' OR length(p.word) > 2) THEN h.flag "
        "WHEN elided.flag IN ('X', 'x', 'B') AND regexp_matches(p.word, '^[DL]') AND length(p.word) > 5 "
        "THEN elided.flag "
        "WHEN c.word IS NOT NULL THEN 'X' "
        "WHEN house.key THEN 'I' "
        "WHEN p.class = 'L' AND length(p.word) = 3 THEN 'K' "
        "WHEN p.class <> 'W' OR length(p.word) < 3 THEN '.' "
        f"WHEN p.word IN ({short}) OR regexp_matches(p.word, '{'|'.join(runs)}|ABCD|{tripled}') THEN 'K' "
        f"WHEN p.word IN ({echoes}) OR regexp_full_match(p.word, '{stutters}') THEN 'K' "
        "WHEN known.word IS NOT NULL THEN '.' "
        "WHEN length(p.word) >= 4 AND regexp_full_match(p.word, '[AEIOU]+') THEN 'K' "
        "WHEN length(p.word) >= 4 AND NOT regexp_matches(p.word, '[AEIOUY]') THEN 'K' "
        "WHEN s.unseen >= 2 AND s.unseen * 3 >= length(p.word) - 1 THEN 'K' "
        "ELSE '.' END AS flag FROM plain p LEFT JOIN address_hollow_words h ON h.word = p.spelt "
        "LEFT JOIN address_hollow_words elided ON elided.word = p.spelt[2:] "  # d'adresse
        "LEFT JOIN close c ON c.word = p.word LEFT JOIN strange s ON s.word = p.word "
        "LEFT JOIN address_place_words known ON known.word = p.word "
        "LEFT JOIN address_house_words house ON house.word = p.spelt"
    )


def finding(shape: str, flags: str, reading: Reading) -> str | None:
    """What a sentence says against an address, as the code of a reason, or nothing."""
    flags = flags.replace("i", "x")
    if not set(shape) - set(",N"):
        return "empty"
    if not set(shape) - _NUMERIC:
        return "digits_only"
    if reading.kind is None or reading.core is None:
        return _finding_without_street(shape, flags)
    first, last = reading.spans.get("street_name", (1, 0))
    name, classes = flags[first - 1 : last], shape[first - 1 : last]
    box_first, box_last = reading.spans.get("box_number", (1, 0))
    around = [(flags[: reading.core[0] - 1], shape[: reading.core[0] - 1]),
              (flags[reading.core[1] :], shape[reading.core[1] :])]  # fmt: skip
    hollow = (
        _hollow(name, classes, named="street_type" in reading.spans)
        or any(_denies(*part) for part in around)
        or set(flags[box_first - 1 : box_last]) & set("XB")
        or ("street_type" not in reading.spans and set(name) & set("XBx"))
        or (name and set(name) == {"z"} and not {"L", "D", "a"} & set(classes))
    )
    if hollow:
        return "placeholder"
    if ("K" in name and classes != "JL") or "LLL" in classes:  # Wisconsin has county roads ZZZ
        return "keyboard_mash"
    return objection(shape, reading)


def _denies(flags: str, classes: str) -> bool:
    """Whether words beside a street say that it is not the address: `bad address`, `not`; an empty mark does not."""
    said = [flag for flag, class_ in zip(flags, classes, strict=True) if class_ not in _NUMERIC and class_ != "y"]
    return "X" in said or said.count("x") >= 2 or (bool(said) and set(said) == {"x"})


def _finding_without_street(shape: str, flags: str) -> str | None:
    if set(flags) & set("XB") or flags.count("x") + flags.count("y") >= 2:
        return "placeholder"
    if "x" in flags and not set(flags) & set(".IK"):
        return "placeholder"
    return "keyboard_mash" if "K" in flags or "LLL" in shape else None


def _hollow(flags: str, classes: str, *, named: bool) -> bool:
    """Whether words, numbers left out, say nothing but that nothing is known. A street type makes a name of more."""
    spoken = [flag for flag, class_ in zip(flags, classes, strict=True) if class_ not in _NUMERIC or flag in "XBxy"]
    if not spoken or set(spoken) - set("XBxyz"):
        return False
    weak = spoken.count("x") + spoken.count("y")
    return bool(set(spoken) & set("XB")) or (weak >= 2 and not (named and "x" not in spoken))
