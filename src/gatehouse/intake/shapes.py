"""The shapes of an agency's numbers, as its custodian states them: `HSI-####-########`, `#:##-cr-#*`, `A#########`.

`#` is a digit and `@` a letter; `*` after one of them allows more of the same; everything else stands for itself.
Case and spaces do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

COLUMNS = ("matter_number", "final_order_number")
_SIGNS = {"#": "[0-9]", "@": "[A-Z]"}


def pattern(shapes: Sequence[str]) -> str:
    """A regular expression (RE2) that one of the shapes matches, over upper-case text without spaces."""
    return "|".join(_one(shape) for shape in shapes)


def _one(shape: str) -> str:
    parts: list[str] = []
    for sign in shape.upper().replace(" ", ""):
        if sign == "*" and parts and parts[-1] in _SIGNS.values():
            parts.append("*")
        else:
            parts.append(_SIGNS.get(sign) or re.escape(sign))
    return "".join(_starred(parts))


def _starred(parts: list[str]) -> list[str]:
    """`#*` is one digit and any number more."""
    return [f"{parts[at - 1]}*" if part == "*" else part for at, part in enumerate(parts)]


def follows(column: str, placeholder: str) -> str:
    """SQL: `as_stated`, `other`, or `unstated` where no shape is stated (the parameter is NULL); absent has none."""
    written = f"replace(upper({column}), ' ', '')"
    return (
        f"CASE WHEN {placeholder} IS NULL THEN 'unstated' WHEN {column} IS NULL THEN 'unstated' "
        f"WHEN regexp_full_match({written}, {placeholder}) THEN 'as_stated' ELSE 'other' END"
    )
