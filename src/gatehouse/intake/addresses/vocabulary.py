"""The vocabulary: the words that give an address its shape, each with its class and its standard form.

`data/words.tsv` follows appendices B and C of USPS Publication 28 (street suffixes, secondary units, directionals) and
its chapters on Puerto Rican, military and rural addresses. A class is one character, so that an address has a *shape*:
`123 N Main St Apt 4` is `#DWTU#`.
"""

from __future__ import annotations

import csv
import functools
import string
from importlib.resources import files

import duckdb

CLASSES = {
    "#": "digits", "A": "digits and letters that number a house or unit (`12B`)",
    "H": "hyphenated number (`112-10`)",
    "G": "grid number (`N6W23001`)", "F": "fraction", "O": "ordinal",
    "L": "one letter, or one twice or three times (`ZZZ`)",
    "M": "letters and digits mixed",
    "W": "word", "D": "direction", "T": "street type", "U": "unit that takes a number", "u": "unit that needs none",
    "N": "number sign", "n": "number word", "y": "the word NO", "S": "Spanish street word (`CALLE`)",
    "k": "KM", "b": "urbanisation word (`URB`)", "Q": "BOX", "P": "PO", "K": "PMB", "R": "RR or HC",
    "h": "highway or route",
    "J": "county, state or interstate road", "m": "military unit (`PSC`)", "V": "APO, FPO, DPO",
    "g": "general delivery",
    "c": "care of", ",": "break", "d": "decimal number",
    "&": "AND or OR", "a": "THE", "f": "FROM, NEAR or BEHIND", "o": "OF, IN or ON",
    "q": "what is counted (`MILES`, `BLOCKS`)",
}  # fmt: skip


_REPEATED = "|".join(f"{letter}{{2,3}}" for letter in string.ascii_uppercase)


@functools.lru_cache(maxsize=1)
def words() -> dict[str, tuple[str, str]]:
    """Every word of the vocabulary with its class and its standard form."""
    text = files("gatehouse.intake.addresses").joinpath("data/words.tsv").read_text("utf-8")
    return {row["word"]: (row["class"], row["standard"]) for row in csv.DictReader(text.splitlines(), delimiter="\t")}


def load_vocabulary(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table `address_vocabulary` (word, class, standard) unless the connection has it."""
    rows = words()
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS address_vocabulary AS "
        "SELECT unnest($words) AS word, unnest($classes) AS class, unnest($standards) AS standard",
        {
            "words": list(rows),
            "classes": [class_ for class_, _ in rows.values()],
            "standards": [standard for _, standard in rows.values()],
        },
    )


def class_of(word: str) -> str:
    """SQL for the class of a word that the vocabulary does not know."""
    return f"""CASE
        WHEN {word} BETWEEN '0' AND '9~' THEN CASE
            WHEN regexp_full_match({word}, '[0-9]+') THEN '#'
            WHEN regexp_full_match({word}, '[0-9]*(1ST|2ND|3RD|[04-9]TH|1[0-9]TH)') THEN 'O'
            WHEN regexp_full_match({word}, '[0-9]+-?[A-Z]{{1,2}}') THEN 'A'
            WHEN regexp_full_match({word}, '[0-9]+-[0-9]+[A-Z]?') THEN 'H'
            WHEN regexp_full_match({word}, '[0-9]{{1,2}}/[0-9]{{1,2}}') THEN 'F'
            WHEN regexp_full_match({word}, '[0-9]+[.][0-9]+') THEN 'd'
            WHEN regexp_full_match({word}, '[0-9]+[NSEW][0-9]+') THEN 'G'
            ELSE 'M' END
        WHEN NOT regexp_matches({word}, '[A-Z0-9]') THEN CASE WHEN {word} = '#' THEN 'N' ELSE ',' END
        WHEN length({word}) = 1 OR regexp_full_match({word}, '{_REPEATED}') THEN 'L'
        WHEN regexp_full_match({word}, '[A-Z]+') THEN 'W'
        WHEN regexp_full_match({word}, '[NSEW][0-9]+([NSEW][0-9]+)?') THEN 'G'
        WHEN regexp_full_match({word}, '[A-Z]{{1,2}}-?[0-9]+') THEN 'A'
        ELSE 'M' END"""


def standard_of(word: str) -> str:
    """The standard form of one word; the word itself where the vocabulary does not know it."""
    return words().get(word, ("W", word))[1]
