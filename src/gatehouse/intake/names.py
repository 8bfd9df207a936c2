"""Folding of names: two spellings of one name become one text, and nothing else becomes equal.

Every function here returns a DuckDB SQL expression over SQL expressions, so that the register and the requests are
folded by the same words in the same columns. Folding never guesses: a name with a letter that cannot be written in
Latin letters folds to NULL, so that it agrees with nobody.
"""

from __future__ import annotations

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

# What stands in a name field instead of a name. Words that are also surnames (NA, NO) count only when both fields
# hold such a word.
_PLACEHOLDERS = (
    "FNU", "LNU", "UNKNOWN", "UNK", "UNKNOWN NAME", "NAME UNKNOWN", "NO NAME", "NONAME", "NO LAST NAME",
    "NO FIRST NAME", "NOT PROVIDED", "NOT GIVEN", "NOT AVAILABLE", "NOT KNOWN", "FAILED TO PROVIDE", "DID NOT PROVIDE",
    "REFUSED", "WITHHELD", "REDACTED", "ANONYMOUS", "TEST", "TBD", "NULL", "DESCONOCIDO", "DESCONOCIDA",
    "SIN NOMBRE", "NO PROPORCIONADO", "ALIEN", "SUBJECT", "OCCUPANT", "RESIDENT",
)  # fmt: skip
_AMBIGUOUS = ("NA", "N A", "NONE", "NO", "X", "NN", "N N")


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
    return f"regexp_replace({fold(expression)}, ' {_TRAILING}$', '')"


given = surname
"""The folded first or middle name, likewise without a suffix written into its field."""


def generation(suffix: str, *fields: str) -> str:
    """The generational suffix, `JR` `SR` `II` `III` `IV` `V` or NULL.

    The suffix's own column speaks first; otherwise the first of the other name fields that ends in one.
    """
    meanings = ", ".join(f"'{written}': '{meant}'" for written, meant in _SUFFIXES.items())
    own = f"regexp_replace(upper({suffix}), '[^A-Z0-9]', '', 'g')"
    ends = [f"nullif(regexp_extract({fold(field)}, ' {_TRAILING}$', 1), '')" for field in fields]
    trailing = f"coalesce({', '.join(ends)})" if ends else "NULL"
    return f"MAP {{{meanings}}}[coalesce(nullif({own}, ''), {trailing})]"


def name_keys(last: str, first: str, middle: str, suffix: str) -> str:
    """The select list `last_key, first_key, middle_key, suffix_key` over four SQL expressions of a name."""
    return (
        f"{surname(last)} AS last_key, {given(first)} AS first_key, {given(middle)} AS middle_key, "
        f"{generation(suffix, last, first, middle)} AS suffix_key"
    )


def name_state(last_key: str, first_key: str) -> str:
    """`given`, `missing` (last or first name is NULL) or `placeholder`, over two folded names."""
    certain, doubtful = _texts(_PLACEHOLDERS), _texts(_PLACEHOLDERS + _AMBIGUOUS)
    mash = " OR ".join(f"regexp_full_match({key}, '{run}')" for key in (last_key, first_key) for run in _RUNS)
    return (
        f"CASE WHEN {last_key} IS NULL OR {first_key} IS NULL THEN 'missing' "
        f"WHEN {last_key} IN {certain} OR {first_key} IN {certain} OR {mash} "
        f"OR ({last_key} IN {doubtful} AND {first_key} IN {doubtful}) THEN 'placeholder' ELSE 'given' END"
    )


_RUNS = ("X{2,}", "A{3,}", "Z{2,}", "(ASDF|QWER|ZXCV)[A-Z]*")
