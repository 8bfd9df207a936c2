"""The one vocabulary of placeholders: what stands in a field instead of an answer, in any element of a request.

`finding` says why a whole text is no answer: invisible, marks alone, a filler word or phrase in some language, fingers
on a keyboard, filler digits, a mask or a template left in place. It never judges what a text does say. The judges of
addresses, names, numbers, dates, officers and reasons all read the same two files of data; SQL gets them as tables.
"""

from __future__ import annotations

import csv
import functools
import re
import unicodedata
from collections.abc import Mapping
from importlib.resources import files

from gatehouse.intake import wordlists

ANY = "any"
WHY = {
    "absent": "nothing visible stands here",
    "punctuation": "only marks stand here",
    "filler": "this is a word that stands for a missing answer",
    "repeated": "one character or group is repeated",
    "keyboard": "this is a run of keys",
    "zeros": "the digits are all zero",
    "nines": "the digits are all nine",
    "counting": "the digits only count up or down",
    "mask": "part of it is masked",
    "template": "a template was left unfilled",
}
"""What each finding means, for the requester: a stable code and its words."""

# Spaces of all kinds, control and format characters, private use, fillers and blanks of other scripts, selectors and
# tags. Not NUL: a text that holds one is refused whole. RE2 and DuckDB read the same class.
_BLANKS = (
    r"\x{3164}\x{FFA0}\x{115F}\x{1160}\x{2800}\x{034F}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{FE00}-\x{FE0F}"
    r"\x{E0000}-\x{E0FFF}\x{FFF9}-\x{FFFC}"
)
INVISIBLE = rf"[\x{{01}}-\x{{20}}\x{{7F}}-\x{{A0}}\p{{Z}}\p{{Cf}}\p{{Co}}{_BLANKS}]"
"""RE2: one character that nobody sees."""
_BLANK_CHARACTERS = frozenset(
    chr(code)
    for first, last in (
        (0x3164, 0x3164), (0xFFA0, 0xFFA0), (0x115F, 0x1160), (0x2800, 0x2800), (0x034F, 0x034F), (0x17B4, 0x17B5),
        (0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0000, 0xE0FFF), (0xFFF9, 0xFFFC),
    )
    for code in range(first, last + 1)
)  # fmt: skip

# Letters that look like Latin ones, by their shape (names are romanised by sound: `names.fold`).
_LOOKALIKES = {
    "A": "АΑɑᴀ", "B": "ВΒ", "C": "Сᴄ", "D": "ԀᴅĐÐ", "E": "ЕЁΕᴇ", "G": "ɡ", "H": "НΗʜĦ", "I":
    "ІӀЇΙӏı", "J": "Јȷᴊ", "K": "КΚᴋ", "L": "ʟℓԼŁ", "M": "МΜᴍ", "N": "Νɴ", "O": "ОΟᴏՕØ", "P": "РΡᴘ",
    "Q": "Ԛ", "R": "ʀ", "S": "ЅՏ", "T": "ТΤᴛŦ", "U": "ᴜԱՍ", "V": "ᴠ", "W": "Ԝᴡ", "X": "ХΧ", "Y":
    "УҮΥ", "Z": "ΖᴢƵ",
}  # fmt: skip
_SHAPES = str.maketrans({other: letter for letter, others in _LOOKALIKES.items() for other in others})
_LEET = str.maketrans(dict(zip("0134578@$!|", "OIEASTBASII", strict=True)))
_LEET_SIGNS = frozenset(map(chr, _LEET))
_FILLER_WORD = re.compile(r"N/A|W/O|[^\W_]+")
_KEYS = ("QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM", "QAZWSXEDCRFVTGBYHNUJMIKOLP", "AZERTYUIOP", "QWERTZUIOP")
_ROWS = (*_KEYS, *(row[::-1] for row in _KEYS), "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_UP, _DOWN = "01234567890123456789", "98765432109876543210"
_BRACKETED = re.compile(
    r"<[^<>0-9]*>|\[[^\[\]0-9]*\]|\{[^{}0-9]*\}|\$\{|%[A-Z_]{2,}%|\{\{|#(?:N/?A|REF|VALUE|NAME|NULL|NUM|DIV)"
)
_MASK = re.compile(
    r"[*•●■█▇▒░?¿…]|(?<![A-Z0-9])X{2,}(?![A-Z])|X{3,}|(?<=[0-9])X{2,}|#{2,}|_{3,}|\.{3,}|(?<![A-Z])([A-Z])\1{3,}(?![A-Z])"
)
_MARKS = re.compile(r"[\W_]+")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")
_LONG = 7  # letters of a phrase that one typing error still leaves recognisable
_MOST = 4096  # characters read: a filler is short, and whatever is longer says something or is another judge's


def fold(text: str) -> str:
    """Upper-case text without accents and invisible characters, look-alike letters as the Latin ones they imitate.

    Marks stay where they are; every run of space is one space. Full-width, circled and mathematical letters are the
    plain ones (Unicode NFKD).
    """
    if text.isascii():
        return " ".join((text if text.isprintable() else _UNSEEN.sub(" ", text)).upper().split())
    kept = []
    for char in unicodedata.normalize("NFKD", text[: 4 * _MOST]):
        category = unicodedata.category(char)
        if char.isspace() or category in {"Zs", "Zl", "Zp", "Cc"}:
            kept.append(" ")
        elif category not in {"Cf", "Co", "Mn", "Me"} and char not in _BLANK_CHARACTERS:
            kept.append(char)
    return " ".join("".join(kept).upper().translate(_SHAPES).split())


def compact(folded: str) -> str:
    """The letters and digits of a folded text, with nothing between them: `T. B. D.` and `TBD` are one."""
    return _MARKS.sub("", folded)


def phrases(element: str = ANY, *, alone: bool = False) -> tuple[str, ...]:
    """The phrases that fill a field of this element in vain, as written; `alone` leaves out those of all elements."""
    sections = wordlists.sections("placeholders.txt")
    return sections[element] if alone or element == ANY else sections[ANY] + sections[element]


@functools.cache
def _compacted(element: str) -> frozenset[str]:
    written = phrases(element)
    return frozenset(compact(fold(form)) for one in written for form in (one, one.lower(), one.title())) - {""}


@functools.cache
def word_flags() -> Mapping[str, str]:
    """Words of which a text that says nothing is made: word → flag.

    `X` says so alone and `B` is an empty mark; `x` and `y` say so beside another such word, and so does `w`, a word of
    paperwork, outside addresses only; `z` is a little word that neither helps nor harms.
    """
    text = files("gatehouse.intake").joinpath("data/placeholder_words.tsv").read_text("utf-8")
    return {row["word"]: row["flag"] for row in csv.DictReader(text.splitlines(), delimiter="\t")}


def finding(text: str | None, element: str = ANY) -> str | None:
    """Why a whole text is no answer, one of the codes of `WHY`, or None when it says something.

    `element` adds the phrases of one element (`name`, `number`, `date`, `officer`, `reason`, `address`).
    """
    folded = fold(text or "")
    letters = compact(folded[:_MOST])
    if not letters:
        return "punctuation" if folded else "absent"
    if len(folded) > _MOST:
        return None
    if _BRACKETED.search(folded):
        return "template"
    if _says_nothing(folded, letters, element):
        return "filler"
    if letters.isdigit():
        return hollow_digits(letters)
    return mash(letters)


def _says_nothing(folded: str, letters: str, element: str) -> bool:
    known = _compacted(element)
    if letters in known:
        return True
    without_digits = letters.strip("0123456789")
    if not _LEET_SIGNS.isdisjoint(folded):
        spelt = letters.translate(_LEET) if not letters.isdigit() else letters
        if compact(folded.translate(_LEET)) in known or spelt in known:
            return True
    if _said_again(letters, known) or (element != "number" and len(without_digits) >= 3 and without_digits in known):
        return True
    whole = element != "officer"  # people's names come near a phrase, or are made of little words: Tess Test, Li Wei
    if (
        len(letters) >= _LONG
        and letters.isalpha()
        and (whole or " " not in folded)
        and _one_error_off(letters, element)
    ):
        return True
    return only_filler_words(folded, least="y" if whole else "x")


def _said_again(letters: str, known: frozenset[str]) -> bool:
    """`TBDTBD`, `N/A N/A N/A`."""
    size = len(letters)
    return any(letters[:part] in known and letters == letters[:part] * (size // part) for part in _parts(size))


@functools.lru_cache(maxsize=256)
def _parts(size: int) -> tuple[int, ...]:
    """The lengths of two or more that divide a length several times."""
    return tuple(part for part in range(2, size // 2 + 1) if size % part == 0)


def only_filler_words(folded: str, least: str = "y") -> bool:
    """Whether every word of a folded text is one of those that say nothing, and together they say so.

    With `least` `x`, words of the flags `y` and `w` do not suffice by themselves.
    """
    known, flags = word_flags(), []
    for word in _FILLER_WORD.findall(folded.replace("'", "")):
        flag = known.get(word) or known.get(word.translate(_LEET), "")
        if not flag:
            return False  # most texts end here, with their first word
        flags.append(flag)
    if not flags or len(flags) > 24 or (least == "x" and set(flags) <= {"y", "w", "z"}):
        return False
    weak = flags.count("y") + flags.count("w") + 2 * flags.count("x")
    return bool({"X", "B"} & set(flags)) or weak >= 2


@functools.cache
def _near(element: str) -> frozenset[str]:
    """Every long phrase with one letter left out: two texts one error apart share one of these."""
    long = [one for one in _compacted(element) if len(one) >= _LONG and one.isascii() and one.isalpha()]
    return frozenset(one[:at] + one[at + 1 :] for one in long for at in range(1, len(one)))


def _one_error_off(letters: str, element: str) -> bool:
    if letters in _near(element):
        return True
    shorter = {letters[:at] + letters[at + 1 :] for at in range(1, len(letters))}
    return not shorter.isdisjoint(_compacted(element)) or not shorter.isdisjoint(_near(element))


def hollow_digits(digits: str) -> str | None:  # noqa: PLR0911 - a line for each kind
    """Why a run of digits distinguishes nothing: `zeros`, `nines`, `counting`, `repeated`; else None."""
    if not digits.strip("0"):
        return "zeros"
    if len(digits) >= 3 and not digits.strip("9"):
        return "nines"
    if len(digits) >= 4 and len(set(digits)) == 1:
        return "repeated"
    if len(digits) >= (6 if digits.startswith("0") else 4) and (digits in _UP or digits in _DOWN):
        return "counting"  # 0123 and 01234 are low serials with a zero before them
    if len(digits) >= 6 and any(_cycles(digits, size) for size in (2, 3)):
        return "repeated"
    if len(digits) >= 6 and _doubled(digits):
        return "counting"
    return None


def _cycles(text: str, size: int) -> bool:
    return text == (text[:size] * (len(text) // size + 1))[: len(text)]


def _doubled(digits: str) -> bool:
    """`11223344`, `111222333`: each digit of a count said several times."""
    steps = re.findall(r"(\d)\1*", digits)
    sizes = {len(match.group()) for match in re.finditer(r"(\d)\1*", digits)}
    return len(steps) >= 3 and len(sizes) == 1 and sizes != {1} and ("".join(steps) in _UP or "".join(steps) in _DOWN)


def mash(letters: str) -> str | None:
    """Fingers on a keyboard: `repeated` characters or groups, `keyboard` runs; else None. Letters and digits only."""
    if len(letters) >= 3 and len(set(letters)) == 1:
        return "repeated"
    if len(letters) >= 6 and any(_cycles(letters, size) for size in (2, 3)):
        return "repeated"
    if len(letters) >= 4 and _all_runs(letters):
        return "keyboard"
    return None


def _all_runs(letters: str) -> bool:
    """Whether the text is runs of three or more neighboring keys, or of one key, and nothing else."""
    at = 0
    while at < len(letters):
        if letters[at : at + 3] not in _runs():
            return False  # longer runs begin with one of three
        longest = min(_LONGEST, len(letters) - at)
        size = next((size for size in range(longest, 2, -1) if letters[at : at + size] in _runs()), 0)
        if not size:
            return False
        at += size
    return True


_LONGEST = 12


@functools.cache
def _runs() -> frozenset[str]:
    """Every run of three to twelve keys."""
    rows = [*_ROWS, _UP, _DOWN, *(char * _LONGEST for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")]
    return frozenset(
        row[at : at + size] for row in rows for size in range(3, _LONGEST + 1) for at in range(len(row) - size + 1)
    )


def masked(folded: str) -> bool:
    """Whether part of a folded text is hidden behind `XXXX`, `****`, `####` or the like."""
    return bool(_MASK.search(folded))


def visible(expression: str) -> str:
    """SQL: the text without invisible characters at its ends; NULL if nobody would see anything.

    Asking first whether the ends are plain costs less than trimming every value, and `[-1]` a tenth of `right`.
    """
    ends = f"regexp_replace({expression}, '^{INVISIBLE}+|{INVISIBLE}+$', '', 'g')"
    seen = rf"regexp_matches({expression}, '[^\x{{00}}\p{{M}}{INVISIBLE[1:-1]}]') OR contains({expression}, chr(0))"
    plain = (
        f"strlen({expression}) = length({expression}) AND {expression} >= '!' AND {expression} < chr(127) "
        f"AND ({expression})[-1] BETWEEN '!' AND '~'"
    )
    return f"CASE WHEN {plain} THEN {expression} WHEN {seen} THEN {ends} END"


def shape(expression: str) -> str:
    """SQL: the letters of a text by their shape, for what `fold` and `compact` do in Python: `UNKN0WN` → `UNKNOWN`."""
    shapes = {
        chr(code): letter if isinstance(letter, str) else chr(letter) for code, letter in (_SHAPES | _LEET).items()
    }
    plain = f"translate(upper(strip_accents({expression})), '{''.join(shapes)}', '{''.join(shapes.values())}')"
    return rf"regexp_replace({plain}, '[^\p{{L}}]', '', 'g')"
