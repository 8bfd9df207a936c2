"""Letters that show themselves, for texts that people sign or are known by."""

from __future__ import annotations

_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc"
    + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
)
"""What Python calls printable and no page shows: fillers, variation selectors, the empty braille pattern (Unicode's
Default_Ignorable_Code_Point beside the format characters, which are not printable)."""


def are_seen(text: str) -> bool:
    """Whether every character of one line shows itself, and one at least is a letter or a digit."""
    return text.isprintable() and _BLANK.isdisjoint(text) and any(letter.isalnum() for letter in text)
