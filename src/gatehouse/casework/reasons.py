"""What a reason may be: a sentence that a person can read, in characters that show themselves, of bounded length.

A reason is signed, kept for good and opened to courts; it names no person. What looks like a taxpayer number is warned
of before anybody signs it.
"""

from __future__ import annotations

import re
import unicodedata

from gatehouse.kernel import letters
from gatehouse.kernel.errors import WrongInput

SHORTEST, LONGEST = 12, 2000
"""Characters: below the first a text cannot be a reason, above the second nobody reads it."""
_APART = r"[\s.·/_\-\u2010-\u2015\u2212]{0,3}"
_TAXPAYER_NUMBER = re.compile(
    rf"(?<!\d)(?:\d{{3}}{_APART}\d{{2}}{_APART}\d{{4}}|\d{{3}}{_APART}\d{{3}}{_APART}\d{{3}}|\d{{2}}{_APART}\d{{7}})(?!\d)"
)
"""Nine digits of any script as people write them: 3-2-4, 2-7 or 3-3-3, with spaces, dots or any dash between."""


def tidy(text: str) -> str:
    """A text from a form, with one kind of line end and nothing around it."""
    return text.replace("\r\n", "\n").strip()


def fault(text: str) -> str | None:
    """Why a text is no reason; None when it is one."""
    if len(text.strip()) < SHORTEST or len(set(text.casefold().split())) < 2:
        return "no reason is given"
    if len(text) > LONGEST:
        return f"the reason is longer than {LONGEST:,} characters"
    if not letters.are_seen(text.replace("\n", " ")):
        return "the reason holds invisible characters"
    return None


def check(text: str) -> None:
    """Raise WrongInput for a text that is no reason, so that nobody signs what will not be taken."""
    wrong = fault(text)
    if wrong is not None:
        raise WrongInput(wrong, where="reason", remedy="Answer in a sentence or a few")


def warning(text: str) -> str | None:
    """What a person should look at before this is signed; None when there is nothing."""
    if _TAXPAYER_NUMBER.search(unicodedata.normalize("NFKC", text)):
        return (
            "The text holds nine digits like a taxpayer number. It is kept for good and shown to courts: take it out."
        )
    return None
