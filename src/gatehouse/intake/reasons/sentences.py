"""Sentences of reasons: text folded by sight, digits as 0, marks as spaces, cut where sentences end.

Numbers become their shape, and each distinct piece between semicolons and each distinct sentence is worked on once, so
that a batch written from a few phrases costs a few. Every step is linear in the length of the text.
"""

from __future__ import annotations

import duckdb

from gatehouse.intake.addresses.folding import folded, prepare_fold
from gatehouse.intake.reasons import strangers

# Characters of a whole sentence, which may hold an event by itself, and of a scrap of three words.
_LONG, _SCRAP = 50, 26
# A dot behind these ends no sentence.
_SHORT = (
    "[A-Z]|NO|ST|MR|MRS|MS|DR|SEPT?|OCT|NOV|DEC|JAN|FEB|MAR|APR|"
    "AUG|APPROX|VS|INC|CO|FED|CRIM|PROC|CAL|DIST|ATTY|APT|AVE"
)
# A second purpose is a sentence of its own: it must bear on a criminal proceeding by itself.
_JOINED = (
    r"( AND|,| OR| AS WELL AS| AND ALSO| OR ELSE| AND THEN| BUT ALSO| ALSO| PLUS| ?[-:(]| THEN)"
    r" ?((?:ALSO |THEN )?(?:TO|FOR|SO THAT|IN ORDER) )"
)

# Sections that make no crime, by which people are removed: their numbers would be lost among the others.
_REMOVAL_SECTION = (
    r"\b(8 ?U[.]? ?S[.]? ?C[.]?(?: ?A[.])?(?: CODE)?|INA|TITLE 8)(?:,? ?(?:§+|SEC(?:TION|[.])?))? ?"
    r"(?:1182|122[56789]A?|1231|212|23[5-9]|24[01])\b(?: ?[(][A-Z0-9]+[)])*"
)
_AGENCY = "DHS|ICE|ERO|HSI|CBP|USCIS|WE|THEY|THE (?:AGENCY|OFFICE|DEPARTMENT|FIELD OFFICE|COUNTY|STATE|TEAM|GOVERNMENT)"
# No purpose: `$900, to a clerk`.
_AIMED = r",( TO (?:AN?|THE|WHOM|WHICH|HIS|HER|THEIR|ITS|EACH|BOTH|[0-9$]))"
# And so is what somebody else wants of it, or wants it for.
_WANTED = (
    r"( AND|,| OR| AS WELL AS| AND ALSO| OR ELSE| AND THEN| BUT| ALSO| PLUS| ?[-:(]| THEN| WHILE) ?(?:ALSO )?"
    rf"((?:{_AGENCY}) (?:ALSO )?(?:WANTS?|WISH|WISHES|NEEDS?|INTENDS?|PLANS?|WILL|WOULD) )"
)

_BOTH = r"\1\2"


def split(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `reason_pieces`, `reason_sentences` and `reason_lines` from `reason_texts` (see `texts`).

    `reason_pieces` has the number of a `text` and of each `piece` of it. Pieces of the text itself are `judged`, those
    without the row's own names are `counted`: both at once where it names nobody. `reason_sentences` has the number of
    a `piece` and of each `line` in it; a piece without a letter or digit has none. `reason_lines` has the distinct
    ones: `line`; `sentence`, which is ` < WORDS > `; `told`, the same with one word for all that decide nothing; and
    `size`.
    """
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE reason_cut AS
        SELECT text, unnest(string_split(stated, ';')) AS written, TRUE AS judged, counted IS NULL AS counted
        FROM reason_texts
        UNION ALL
        SELECT text, unnest(string_split(counted, ';')), FALSE, TRUE FROM reason_texts WHERE counted IS NOT NULL
    """)
    _number(connection, "reason_single", "SELECT DISTINCT written FROM reason_cut", "piece")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reason_pieces AS "
        "SELECT text, piece, judged, counted FROM reason_cut JOIN reason_single USING (written)"
    )
    prepare_fold(connection, "reason_single", ("written",))
    steps = f"SELECT piece, {folded('written')} AS text FROM reason_single"
    for step in _steps():
        steps = f"SELECT piece, {step} AS text FROM ({steps})"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reason_cut AS SELECT piece, ' < ' || sentence || ' > ' AS sentence FROM ("
        f"SELECT piece, trim(unnest(string_split(text, chr(10)))) AS sentence FROM ({steps})) WHERE sentence <> ''"
    )
    strangers.learn(connection)
    size = f"CASE WHEN length(sentence) > {_LONG} THEN 'long' WHEN length(sentence) < {_SCRAP} THEN 'scrap' END"
    distinct = f"SELECT sentence, {strangers.plain('sentence')} AS told, {size} AS size"
    _number(connection, "reason_lines", f"{distinct} FROM (SELECT DISTINCT sentence FROM reason_cut)", "line")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reason_sentences AS SELECT piece, line FROM reason_cut JOIN reason_lines "
        "USING (sentence)"
    )
    connection.execute("DROP TABLE reason_single; DROP TABLE reason_cut")


def _number(connection: duckdb.DuckDBPyConnection, target: str, query: str, name: str) -> None:
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {target} AS SELECT row_number() OVER () AS {name}, * FROM ({query})"
    )


def _steps() -> list[str]:
    """Each touches only the texts that hold its mark: finding a mark costs a tenth of replacing it."""
    short = _replaced("text", rf"\b({_SHORT})[.]", r"\1")
    dots = f"replace({_replaced(short, '([0-9])[.,]([0-9])', _BOTH)}, '.', chr(10))"
    digits = "text"
    for digit in "123456789":  # nine plain replacements cost less than one pattern that finds each digit
        digits = f"replace({digits}, '{digit}', '0')"
    return [
        f"CASE WHEN contains(text, '<') THEN {_replaced('text', '<[^<>]*>', ' ')} ELSE text END",
        "CASE WHEN contains(text, chr(39)) THEN replace(text, chr(39), '') ELSE text END",
        f"CASE WHEN contains(text, '.') THEN {dots} ELSE text END",
        *(
            f"CASE WHEN regexp_matches(text, '{what}') THEN {_replaced('text', what, by)} ELSE text END"
            for what, by in (
                (r"[!?|\n\r\t]+", r"\n"), (_REMOVAL_SECTION, " REMOVALSECTION "), (_AIMED, r"\1"),
                (_JOINED, r"\n\1 \2"), (_WANTED, r"\n\1 \2"),
            )
        ),
        f"CASE WHEN regexp_matches(text, '[1-9]') THEN {digits} ELSE text END",
        *(
            f"CASE WHEN regexp_matches(text, '{what}') THEN {_replaced('text', what, by)} ELSE text END"
            for what, by in ((r"[^A-Z0$ \n]+", " "), (" {2,}", " "))
        ),
    ]  # fmt: skip


def _replaced(text: str, what: str, by: str) -> str:
    by = by.replace(r"\n", "\n")
    return f"regexp_replace({text}, '{what}', '{by}', 'g')"
