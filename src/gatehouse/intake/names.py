"""Folding of names: two spellings of one name become one text, and nothing else becomes equal.

Functions return DuckDB SQL expressions over SQL expressions, so that the register and the requests are folded by the
same words in the same columns; `tell` reads each distinct name of a batch once. Folding never guesses: a name with a
letter that cannot be written in Latin letters folds to NULL, so that it agrees with nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from gatehouse.intake import placeholders

# Letters that lose no diacritic when decomposed, letter by letter (upper case on both sides). The Cyrillic and Greek
# letters follow the romanisation of passports (ICAO Doc 9303, part 3, section 6) where that is one letter.
_SINGLE = {
    "Đ": "D", "Ð": "D", "Ø": "O", "Ł": "L", "Ħ": "H", "Ŧ": "T", "Ŋ": "N", "İ": "I", "Ǝ": "E", "Ə": "E", "Ɨ": "I",
    "А": "A", "Б": "B", "В": "V", "Г": "G", "Ґ": "G", "Д": "D", "Е": "E", "Ѓ": "G", "З": "Z", "И": "I", "І": "I",
    "К": "K", "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R", "С": "S", "Т": "T", "У": "U", "Ў": "U",
    "Ф": "F", "Ы": "Y", "Э": "E", "Ј": "J", "Є": "E",
    "Α": "A", "Β": "V", "Γ": "G", "Δ": "D", "Ε": "E", "Ζ": "Z", "Η": "I", "Ι": "I", "Κ": "K", "Λ": "L", "Μ": "M",
    "Ν": "N", "Ξ": "X", "Ο": "O", "Π": "P", "Ρ": "R", "Σ": "S", "Τ": "T", "Υ": "Y", "Φ": "F", "Ω": "O",
} | {chr(0xFF21 + offset): chr(ord("A") + offset) for offset in range(26)}  # fmt: skip
_SEVERAL = {
    "Æ": "AE", "Œ": "OE", "ẞ": "SS", "ß": "SS", "Þ": "TH", "Ж": "ZH", "Х": "KH", "Ц": "TS", "Ч": "CH", "Ш": "SH",
    "Щ": "SHCH", "Ю": "IU", "Я": "IA", "Ъ": "", "Ь": "", "Љ": "LJ", "Њ": "NJ", "Џ": "DZ", "Θ": "TH", "Χ": "CH",
    "Ψ": "PS", "Ĳ": "IJ", "ﬁ": "FI", "ﬂ": "FL", "ŉ": "N",
}  # fmt: skip
_APOSTROPHES = "'`´‘’ʼʻʹʾʿ′＇"
_INVISIBLE = r"[\x{00AD}\x{034F}\x{061C}\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{FEFF}]"

_SUFFIXES = {
    "JR": "JR", "JNR": "JR", "JUNIOR": "JR", "SR": "SR", "SNR": "SR", "SENIOR": "SR", "II": "II", "2ND": "II",
    "III": "III", "3RD": "III", "IV": "IV", "4TH": "IV", "V": "V", "5TH": "V",
}  # fmt: skip
# A single V at the end of a name is more often an initial, so only a suffix of its own column says "the fifth".
_TRAILING = "(JR|JNR|JUNIOR|SR|SNR|SENIOR|II|III|IV)"

# Words that stand in a name field instead of a name are data (`placeholders`). These are surnames too, and count only
# when both fields hold such a word.
_AMBIGUOUS = ("NA", "NONE", "NO", "X", "NN", "PERSON", "NAME", "NOM", "SAME", "SAMPLE", "BLANK", "EXAMPLE", "NIL")
_NOBODY = ("DOE", "ROE"), ("JOHN", "JANE", "RICHARD", "BABY", "JON", "JUAN")


def _texts(values: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"


def _is_ascii(text: str) -> str:
    return f"strlen({text}) = length({text})"  # bytes = characters; far cheaper than a pattern


def _romanised(text: str) -> str:
    """Latin letters for upper-case text in other alphabets; NULL if a letter remains that cannot be written so."""
    text = f"regexp_replace({text}, '{_INVISIBLE}', '', 'g')"
    text = f"translate({text}, '{''.join(_SINGLE)}', '{''.join(_SINGLE.values())}')"
    for letter, written in _SEVERAL.items():
        text = f"replace({text}, '{letter}', '{written}')"
    for apostrophe in _APOSTROPHES[1:]:
        text = f"replace({text}, '{apostrophe}', '''')"
    unread = r"[^\P{L}A-Z]"  # a letter, but none of A to Z
    return f"CASE WHEN NOT regexp_matches({text}, '{unread}') THEN {text} END"


def fold(expression: str) -> str:
    """The folded form of a name, as a SQL expression: upper-case ASCII letters, words parted by one space.

    Apostrophes join (`O'Brien` → `OBRIEN`), hyphens and every other mark part (`Garcia-Lopez` → `GARCIA LOPEZ`),
    diacritics fall away, other alphabets are written in Latin letters. NULL for NULL, for nothing left, and for a
    name with a letter that has no Latin form here.
    """
    # Stripped again after upper(): some capitals carry their diacritic only then. Each step is tried only on what
    # the cheaper step before it could not finish; most names on file are one plain word already.
    plain = f"strip_accents(upper(strip_accents({expression})))"
    latin = (
        f"CASE WHEN {_is_ascii(expression)} THEN replace(upper({expression}), '`', '''') "
        f"WHEN {_is_ascii(plain)} THEN {plain} ELSE {_romanised(plain)} END"
    )
    cleaned = f"nullif(trim(regexp_replace(replace({latin}, '''', ''), '[^A-Z]+', ' ', 'g')), '')"
    return f"CASE WHEN regexp_full_match({expression}, '[A-Z]+') THEN {expression} ELSE {cleaned} END"


def surname(expression: str) -> str:
    """The folded last name without a generational suffix at its end (`Smith, Jr.` → `SMITH`)."""
    return _without_suffix(fold(expression))


given = surname
"""The folded first or middle name, likewise without a suffix written into its field."""


def _without_suffix(folded: str) -> str:
    return f"regexp_replace({folded}, ' {_TRAILING}$', '')"


def _suffix(folded: str) -> str:
    return f"regexp_extract({folded}, ' {_TRAILING}$', 1)"


def _generation(written: str) -> str:
    meanings = ", ".join(f"'{each}': '{meant}'" for each, meant in _SUFFIXES.items())
    return f"MAP {{{meanings}}}[{written}]"


def generation(suffix: str, *fields: str) -> str:
    """The generational suffix, `JR` `SR` `II` `III` `IV` `V` or NULL.

    The suffix's own column speaks first; otherwise the first of the other name fields that ends in one.
    """
    own = f"regexp_replace(upper({suffix}), '[^A-Z0-9]', '', 'g')"
    ends = [f"nullif({_suffix(fold(field))}, '')" for field in fields]
    trailing = f"coalesce({', '.join(ends)})" if ends else "NULL"
    return _generation(f"coalesce(nullif({own}, ''), {trailing})")


def tell(connection: duckdb.DuckDBPyConnection, source: str, columns: Sequence[str], target: str) -> None:
    """Make `target`, one row for each distinct text of the columns of `source`: a batch has far fewer names than rows.

    `written` is the text, `key` its folded form without a generational suffix, `ends` that suffix or NULL; `filler`
    says that it stands for a missing answer, `doubtful` that it does so beside another such word. What is written
    counts where it has digits or letters that only look like Latin ones: `UNKN0WN`, `ТВD`.
    """
    fillers = {placeholders.compact(phrase) for phrase in placeholders.phrases("name", alone=True)}
    fillers |= {joined for joined in _of_several_words() if len(joined) >= _TELLING}
    texts = " UNION ALL ".join(f"SELECT {column} AS written FROM {source}" for column in columns)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {target} AS
        WITH fillers AS (SELECT unnest($fillers::VARCHAR[]) AS filler),
        folded AS (
            SELECT written, {fold("written")} AS folded
            FROM (SELECT DISTINCT written FROM ({texts}) WHERE written IS NOT NULL)
        ), keyed AS (
            SELECT written, {_without_suffix("folded")} AS key, nullif({_suffix("folded")}, '') AS suffix,
                   replace({_without_suffix("folded")}, ' ', '') AS joined,
                   CASE WHEN NOT regexp_full_match(written, '[A-Za-z .''-]*') THEN {placeholders.shape("written")} END
                       AS shape
            FROM folded
        ), hollow AS (
            SELECT *, coalesce(
                joined IN (FROM fillers) OR shape IN (FROM fillers) OR regexp_full_match(joined, '{_RUNS}'), FALSE
            ) AS filler
            FROM keyed
        )
        SELECT written, key, {_generation("suffix")} AS ends, filler,
               filler OR coalesce(joined IN {_texts(_AMBIGUOUS)}, FALSE) AS doubtful FROM hollow
        """,
        {"fillers": sorted(fillers)},
    )


def name_keys(suffix: str, last: str, first: str, middle: str) -> str:
    """The select list `last_key, first_key, middle_key, suffix_key` over the suffix and three rows of `tell`.

    Rows are named by their alias. The suffix's own column speaks first, as in `generation`.
    """
    own = f"regexp_replace(upper({suffix}), '[^A-Z0-9]', '', 'g')"
    return (
        f"{last}.key AS last_key, {first}.key AS first_key, {middle}.key AS middle_key, "
        f"CASE WHEN {own} <> '' THEN {_generation(own)} "
        f"ELSE coalesce({last}.ends, {first}.ends, {middle}.ends) END AS suffix_key"
    )


def name_state(last: str, first: str) -> str:
    """`given`, `missing` (the last or first name has no key) or `placeholder`, over two rows of `tell`."""
    lasts, firsts = map(_texts, _NOBODY)
    return (
        f"CASE WHEN {last}.key IS NULL OR {first}.key IS NULL THEN 'missing' "
        f"WHEN {last}.filler OR {first}.filler OR ({last}.doubtful AND {first}.doubtful) "
        f"OR ({last}.key IN {lasts} AND {first}.key IN {firsts}) THEN 'placeholder' ELSE 'given' END"
    )


def _of_several_words() -> list[str]:
    return [placeholders.compact(phrase) for phrase in placeholders.phrases() if " " in phrase and phrase.isascii()]


_TELLING = 7  # letters; shorter phrases of several words are also names (`DO TO`)
_RUNS = "|".join(
    [*(f"{letter}{{3,}}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWYZ"), "X{2,}", "(KH){2,}",
     "(ASDF|QWER|ZXCV|SDFG|DFGH|HJKL|FGHJ|ASDASD|QWEQWE|ABCDE)[A-Z]*"]
)  # fmt: skip
