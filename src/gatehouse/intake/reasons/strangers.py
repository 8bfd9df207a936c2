"""Words that the vocabulary of reasons does not know: to every pattern one is like another, so one may stand for all.

A batch of a million reasons differs mostly in names, towns and other words that decide nothing. With one word in their
place the batch becomes a few sentences, and each is judged once. Only a word that no pattern can tell apart is taken
out: it begins like no word of the vocabulary, has three letters or more, and is no past form in -ED.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb

from gatehouse.intake.reasons.vocabulary import phrases

STRANGER = "QJVKX"
"""What stands for every such word. It is no run of keys, and begins like no word of the vocabulary itself."""
SHOWN = "…"
"""How a reader sees it among the words that decided, for it is none of them."""

TELLING = "HE|SHE|IT|THEY|IS|WAS|WERE|HAS|HAD|HIM|HER|HAVE|THERE|NO|ONE|TWO|THREE|NEW|UNKNOWN|GONE|NOBODY|SAME"
"""With one of these even three words are an idle remark, and no purpose in telegram style."""

_DEPTH = 6  # letters: of words that begin alike for so long, none is called a stranger
# Words that are told apart elsewhere than in the vocabulary: in `weighing`, where unfilled templates are found, where a
# dot ends no sentence, and where a second purpose or another agency's wish begins one.
_ELSEWHERE = (
    TELLING.replace("|", " "),
    "INSERT NAME DATE FILL FIRST LAST FIRSTNAME LASTNAME",
    "NO ST MR MRS MS DR APPROX VS INC CO FED CRIM PROC CAL DIST ATTY APT AVE",
    "AND OR AS WELL ALSO ELSE THEN BUT PLUS WHILE SO THAT IN ORDER TO FOR AN WHOM WHICH HIS HER THEIR ITS EACH BOTH",
    "DHS ICE ERO HSI CBP USCIS WE THEY THE AGENCY OFFICE DEPARTMENT FIELD COUNTY STATE TEAM GOVERNMENT",
    "WANT WANTS WISH WISHES NEED NEEDS INTEND INTENDS PLAN PLANS WILL WOULD USC INA TITLE CODE SEC SECTION",
)
# Words of letters and digits mixed, in so many parts that no pattern tells one from another: file names of machines.
_CODES = {"[A-Z]+0+[A-Z]+0+[A-Z]+0[A-Z0]*": "Q0Q0Q0Q", "0+[A-Z]+0+[A-Z]+0[A-Z0]*": "0Q0Q0Q0"}
_BITS = 1 << 20


def learn(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep for `plain` which words are known: a bit for each of them, at its hash.

    Asking for a bit costs a twentieth of trying a pattern. A stranger whose bit happens to be set is only not replaced.
    """
    texts = sorted(set(_known()))
    rows = connection.execute(f"SELECT DISTINCT {_place('text')} FROM (SELECT unnest(?::VARCHAR[]) AS text)", [texts])
    bits = bytearray(b"0" * _BITS)
    for (place,) in rows.fetchall():
        bits[place] = ord("1")
    connection.execute("SET VARIABLE reason_known = ?::VARCHAR::BIT", [bits.decode()])


def plain(text: str) -> str:
    """SQL for a text of capitals between single spaces, with one word for all that decide nothing. Needs `learn`."""
    known = [_known_to("word"), *(_known_to(f"left(word, {size}) || '*'") for size in _sizes())]
    codes = " ".join(f"WHEN regexp_full_match(word, '{code}') THEN '{stands}'" for code, stands in _CODES.items())
    word = (
        f"CASE WHEN length(word) < 3 THEN word {' '.join(f'WHEN {one} THEN word' for one in known)} "
        f"WHEN contains(word, '0') OR contains(word, '$') THEN CASE {codes} ELSE word END "
        f"WHEN ends_with(word, 'ED') OR regexp_matches(word, '[^A-Z]') THEN word ELSE '{STRANGER}' END"
    )
    return f"array_to_string(list_transform(string_split({text}, ' '), lambda word: {word}), ' ')"


def shown(text: str) -> str:
    """SQL for words that decided, as a reader sees them: runs of strangers as `SHOWN`."""
    strange = "|".join((STRANGER, *_CODES.values()))
    without = f"regexp_replace({text}, '\\b(?:{strange})(?: (?:{strange}))*\\b', '{SHOWN}', 'g')"
    return f"replace({without}, 'REMOVALSECTION', 'A SECTION ON REMOVAL')"


def _place(text: str) -> str:
    return f"(hash({text}) & {_BITS - 1})::INTEGER"


def _known_to(text: str) -> str:
    return f"get_bit(getvariable('reason_known'), {_place(text)}) = 1"


def _sizes() -> list[int]:
    return sorted({len(text) - 1 for text in _known() if text.endswith("*")}, reverse=True)


def _known() -> Iterator[str]:
    """The words that phrases hold, and with `*` behind them the first letters of those that may go on."""
    sources = (*phrases(), *_ELSEWHERE)
    for phrase in (*sources, *(source.replace(" ?", "") for source in sources)):  # `RE ?ENTERED` is one word too
        for found in re.finditer("[A-Z]+", phrase):
            run, rest = found[0], phrase[found.end() :]
            if re.match(r"\?[A-Z]", rest):  # NEIGHBOU?RS
                yield f"{run[: min(len(run) - 1, _DEPTH)]}*"
            elif rest[:1] in {"*", "[", "("} or len(run) > _DEPTH:
                yield f"{run[:_DEPTH]}*"
            else:
                yield run
                yield run[:-1] if rest.startswith("?") else run
