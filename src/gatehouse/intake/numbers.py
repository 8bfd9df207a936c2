"""Whether a matter or an order has a number: one that tells it from others, and not a filler, a statute or a year.

`judge` reads one text; `written` and `tell` read columns, each way of writing a number once, so that millions of
serials cost no more than their prefixes. A number needs a distinguishing part: digits that are not all zero, all nine,
counting or repeated, beside whatever agency, court and year stand before them. Odd marks and low serials are fine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from gatehouse.intake import placeholders, wordlists

GIVEN, PLACEHOLDER, ABSENT = "given", "placeholder", "absent"
WHY = placeholders.WHY | {
    "absent": "give the number of the investigation, case or order",
    "no_digits": "no digits: words, a name or an agency is no number",
    "statute": "this is a statute, not a number of a matter or an order",
    "form": "this is the number of a form",
    "year": "this is only a year",
    "date": "this is only a date",
    "prefix": "only the beginning of a number: its serial is missing",
    "too_short": "one digit or two tell no matter from another",
    "contact": "this is a telephone number, an address or an amount",
    "pointer": "this points to another place; write the number here",
    "rounded": "a spreadsheet has rounded this number, or left a formula",
    "words": "words and a bare figure are no number of a matter or an order",
    "several": "this names several at once; each request has one number of its own",
}
"""Why a text is no number: a stable code and its words for the requester."""


class Finding(NamedTuple):
    """A verdict and the code of `WHY` behind it; no code for a number that is one."""

    verdict: str
    why: str | None


_STATUTE = re.compile(
    r"""\b[0-9]{1,2}[ -]?(?:U\.?\ ?S\.?\ ?(?:C(?:\.?\ ?A)?(?![A-Z])|\ CODE)|C\.?\ ?F\.?\ ?R(?![A-Z])) | § |
        ^\W*(?:THE\ )?(?:UNITED\ STATES\ CODE|U\.?\ ?S\.?\ CODE|IMMIGRATION\ AND\ NATIONALITY|INTERNAL\ REVENUE) |
        \b(?:DIRECTIVE|POLICY|MEMO|MEMORANDUM|REGULATION|EXECUTIVE\ ORDER|PROCLAMATION|DELEGATION)\b |
        ^\W*E\.?\ ?O\.?\ ?1[345][0-9]{3}$ | ^287\W?G\b |
        ^\W*(?:TITLE|SEC|SECT|SECTIONS?|ART|ARTICLE|PUB\.?\ ?L|P\.?\ ?L|RULE|CHAPTER|CHAP|PARA|FED\.?\ ?R|IRC|I\.R\.C|
            USC|U\.S\.C|CFR|C\.F\.R)\b[. ]*[0-9(A-Z] |
        ^\W*(?:INA|I\.N\.A\.?)[ .]*[0-9]{3} (?![0-9]) |
        ^[0-9]{1,4}[A-Z]?(?:-[0-9])?(?:\ ?\([A-Z0-9]{1,5}\))+\W*$ |
        ^(?:5|8|18|19|21|22|26|28|31|42)[:/](?:371|1001|1015|1028A?|1182|1185|1227|1229A?|1231|1253|1306|132[4-8]C?|
            1343|1425|154[2346]|1956|6103|7213A?|841|846)\b""",
    re.X,
)
_FORM = re.compile(
    r"""^(?:[A-Z]{2,5}\ )?(?:FORM|FORMULARIO|FM)\b .* |
        ^(?:(?:NTA|WARRANT|NOTICE)\ )? (?:I[- ]?[0-9]{2,3}|N-[0-9]{3}|G-[0-9]{2,4}|EOIR-[0-9]{2}|AO[- ]?[0-9]{2,3}|
            SF-?[0-9]{2,3}|DS-?[0-9]{2,4}|DD-?[0-9]{3,4}|AR-11|W-[0-9]|ETA-?[0-9]{4}|1040|1099|4506|8821|2848|8300)
            (?:-?[A-Z]{1,3})? (?:\ [A-Z ]+)?$""",
    re.X,
)
_ELSEWHERE = re.compile(
    r"""@ | HTTPS?: | \bWWW\. | [$€£%] | ^\+ | ^\(?[0-9]{3}\)?[-. ][0-9]{3}[-. ][0-9]{4}$ | ^\([0-9]{3}\) |
        ^[0-9]{3}-[0-9]{2}-[0-9]{4}$ | ^24\W?7$ | ^9\W?1\W?1$ | ^[0-9]+\ OF\ [0-9]+$""",
    re.X,
)
_ROUNDED = re.compile(r"^[0-9][.,]?[0-9]*E[+-]?[0-9]+$|^=")
_MONTH = "(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEPT?|OCT|NOV|DEC)[A-Z]*"
_YEAR = r"(?:19[0-9]{2}|20[0-9]{2})"
_DATES = re.compile(
    rf"""(?<![0-9]){_YEAR}[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12][0-9]|3[01])(?![0-9]) |
         (?<![0-9])(?:0?[1-9]|[12][0-9]|3[01])[-/. ](?:0?[1-9]|[12][0-9]|3[01])[-/. ]{_YEAR}(?![0-9]) |
         ^[0-9]{{1,2}}/[0-9]{{1,2}}/[0-9]{{2}}$ | \b{_MONTH}[. ]*[0-9]{{1,2}}(?:ST|ND|RD|TH)?,?\ {_YEAR} |
         \b(?:[0-9]{{1,2}}\ )?{_MONTH}[. ,]*{_YEAR} | [T ]?[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?Z?$ |
         (?<![0-9A]){_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?![0-9])""",
    re.X,
)
_DOCKET = re.compile(
    r"^\W*(?:[A-Z]{1,6}[-. ]+)?(?:[0-9][:-])?(?P<year>[0-9]{2}|[0-9]{4})[- ]?(?:CR|MJ|MC|CV|PO|GJ|M|MISC|TP|SW)\b"
    r"[-. ]*(?P<serial>[0-9]*)"
)
_ALIEN = re.compile(r"^\W*(?:EOIR\W?)?(?:A|ALIEN|A-?NUMBER)\W*(?:NO|NUM|NUMBER|#)?\W*([0-9][-. 0-9]*)\W*$")
_SEVERAL = re.compile(r"\b(?:THROUGH|THRU|ET ?AL|ET ?SEQ|ETC|OTHERS|AND MORE|INCLUSIVE|A TRAVES)\b")
_POINTERS, _FILLERS, _LABELS = (
    wordlists.words("number_words.txt", section) for section in ("pointer", "filler", "label")
)
_BESIDE = _LABELS | wordlists.words("number_words.txt", "beside")
_MANY = re.compile(r"[0-9]{1,4}[-/:.][0-9A-Z]*[-/:.]?[0-9]{3,}")
_BUILT = re.compile(r"[0-9][-/:._][0-9A-Z]|[A-Z][-/:._#][0-9]|(?=[0-9A-Z]*[0-9][0-9A-Z]*)(?=[0-9]*[A-Z])[0-9A-Z]{4,}|#")
"""What looks like a number of a register of cases: parts joined by marks, or letters and digits in one word."""


def judge(text: str | None) -> Finding:
    """Whether a text is a number that distinguishes one matter or order. Marks around it do not matter."""
    folded = placeholders.fold(text or "")
    if not folded:
        return Finding(ABSENT, "absent")
    why = _not_one(folded)
    return Finding(PLACEHOLDER, why) if why else Finding(GIVEN, None)


def _not_one(folded: str) -> str | None:
    whole = placeholders.finding(folded, "number")
    if whole:
        return whole
    bare = folded.strip(" \"'.,;").translate(_DIGITS)
    words = re.findall(r"[A-Z]+", bare)
    return _something_else(bare) or _said_in_words(bare, words) or _serial_missing(bare, words)


# Digits of other scripts count as the ones they are.
_DIGITS = {
    zero + value: str(value)
    for zero in (0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, 0xFF10) for value in range(10)
}  # fmt: skip


def _something_else(bare: str) -> str | None:
    if placeholders.masked(bare):
        return "mask"
    if _STATUTE.search(bare):
        return "statute"
    if _FORM.match(bare):
        return "form"
    if _ROUNDED.match(bare):
        return "rounded"
    return "contact" if _ELSEWHERE.search(bare) else None


def _said_in_words(bare: str, words: Sequence[str]) -> str | None:
    """What words make of the digits beside them: a filler, a pointer, a range, or a sentence with a figure in it."""
    if not any(char.isdigit() for char in bare):
        return "no_digits"
    if "N/A" in bare or not _FILLERS.isdisjoint(words):
        return "filler"
    if not _POINTERS.isdisjoint(words) and not _MANY.search(bare):
        return "pointer"
    if _SEVERAL.search(bare):
        return "several"
    sentence = any(len(word) >= 4 and word not in _BESIDE for word in words)
    return "words" if sentence and not _BUILT.search(bare) and not re.search("[0-9]{6,}", bare) else None


def _serial_missing(bare: str, words: Sequence[str]) -> str | None:
    """Whether what is left without dates, years and the beginnings of dockets tells one matter from another."""
    docket = _DOCKET.match(bare)
    if docket and not re.search(r"[0-9]{3,}", bare[docket.end() :]):
        serial = docket["serial"]
        return _hollow([serial]) if serial else "prefix"
    alien = _ALIEN.match(bare)
    if alien:
        return _hollow_alien(re.sub("[^0-9]", "", alien[1]))
    dateless = _DATES.sub(" ", bare)
    groups = re.findall("[0-9]+", dateless)
    if not groups:
        return "date"
    return _hollow_groups(groups, words, bare)


def _hollow_alien(digits: str) -> str | None:
    if len(digits) < 5:
        return "prefix"
    return "zeros" if digits.startswith("0000") or re.fullmatch("[1-9]0{7,}", digits) else _hollow([digits])


def _hollow_groups(groups: list[str], words: Sequence[str], bare: str) -> str | None:
    years = [group for group in groups if re.fullmatch(_YEAR, group)]
    serials = [group for group in groups if group not in years]
    if not serials:
        return "year" if len(years) < 2 or not words or "FY" in words else None
    if years and {*words} <= {"FY", "CY", "Q", "FQ"} and sum(map(len, serials)) == 1:
        return "year"
    if not words:
        return _hollow_plain(groups, years, serials, bare)
    if len(serials) == 1 and len(serials[0]) <= 2 and not years:
        return _short(serials[0], words, bare)
    return _hollow(serials)


def _short(serial: str, words: Sequence[str], bare: str) -> str | None:
    """One group of one or two digits: a year behind an agency, or a low serial behind a label."""
    if serial.strip("0") == "":
        return "zeros"
    if not _LABELS.isdisjoint(words) or "#" in bare:
        return None
    if len(serial) == 2 and "20" <= serial <= "29":
        return "year"
    return None if re.search(rf"[A-Z]-?{serial}(?![0-9])", bare) and len(words) == 1 else "too_short"


def _hollow_plain(groups: list[str], years: list[str], serials: list[str], bare: str) -> str | None:
    """Digits and marks alone."""
    labelled = "#" in bare or "№" in bare
    if years and len(serials) == 1 and len(serials[0]) <= 2:
        month, following = "01" <= serials[0] <= "12", int(serials[0]) == (int(years[0]) + 1) % 100
        return "date" if len(serials[0]) == 2 and (month or following) else _hollow(serials)
    if sum(map(len, groups)) < 3 and not labelled:
        return "too_short"
    if all(len(group) == 1 for group in groups):
        return _hollow([*serials]) or "too_short"
    return _hollow(serials)


def _hollow(serials: Sequence[str]) -> str | None:
    """Why the digits distinguish nothing, together or each by itself; groups of one or two count only alone."""
    together = placeholders.hollow_digits("".join(serials))
    if together:
        return together
    telling = [serial for serial in serials if len(serial) >= 3] or list(serials)
    reasons = [placeholders.hollow_digits(serial) for serial in telling]
    return reasons[-1] if all(reasons) else None


_SAMPLE = "4827159306"
_COUNT = "01234567890123456789"


def written(column: str) -> str:
    """SQL: a text with its serial replaced by another of the same length and as many zeros before it.

    Two texts that are written alike have one verdict, so millions of serials are read as a few. A serial is the five to
    ten digits at the end of a longer text; one that could be a filler or a date stays as it is.
    """
    run = f"regexp_extract({column}, '([0-9]{{5,10}})$', 1)"
    telling = (
        f"length({run}) >= 5 AND length({column}) > length({run}) "
        f"AND NOT (contains('{_COUNT}', {run}) OR contains('{_COUNT[::-1]}', {run}) "
        f"OR replace({run}, left({run}, 1), '') = '' OR ends_with({run}, '0000000') "
        f"OR left({run}, length({run}) - 2) = right({run}, length({run}) - 2) "
        f"OR left({run}, length({run}) - 3) = right({run}, length({run}) - 3) "
        f"OR ({run})[1] = ({run})[2] AND ({run})[-1] = ({run})[-2] AND ({run})[1] <> '0' "
        f"OR length({run}) = 8 AND left({run}, 2) IN ('19', '20'))"
    )
    sample = f"left(repeat('0', length({run}) - length(ltrim({run}, '0'))) || '{_SAMPLE}', length({run}))"
    return f"CASE WHEN {telling} THEN left({column}, length({column}) - length({run})) || {sample} ELSE {column} END"


def tell(connection: duckdb.DuckDBPyConnection, source: str, key: str, columns: Sequence[str], target: str) -> None:
    """Make `target`: the key, and `<column>_state` and `<column>_why` of each column of `source`.

    Each way of writing a number is judged once.
    """
    ways = ", ".join(f"{written(column)} AS {column}" for column in columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE number_ways AS SELECT {key}, {ways} FROM {source}")
    met = " UNION ALL ".join(
        f"SELECT {column} AS way FROM number_ways WHERE {column} IS NOT NULL" for column in columns
    )
    texts = [row[0] for row in connection.execute(f"SELECT DISTINCT way FROM ({met})").fetchall()]
    told = [judge(text) for text in texts]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE number_told AS SELECT unnest($texts::VARCHAR[]) AS written, "
        "unnest($verdicts::VARCHAR[]) AS verdict, unnest($whys::VARCHAR[]) AS why",
        {"texts": texts, "verdicts": [one.verdict for one in told], "whys": [one.why for one in told]},
    )
    states = ", ".join(
        f"coalesce({column}.verdict, 'absent') AS {column}_state, "
        f"CASE WHEN ways.{column} IS NULL THEN 'absent' ELSE {column}.why END AS {column}_why"
        for column in columns
    )
    joins = " ".join(f"LEFT JOIN number_told {column} ON ways.{column} = {column}.written" for column in columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {target} AS SELECT {key}, {states} FROM number_ways ways {joins}")
    connection.execute("DROP TABLE number_ways; DROP TABLE number_told")
