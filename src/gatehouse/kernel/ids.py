"""Identifiers: random where they must not be guessed, strict where they become file names, folded to be compared."""

from __future__ import annotations

import re
import secrets
import unicodedata

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


def is_name(text: str) -> bool:
    """Whether a text is safe as an identifier and as a file name: ASCII letters, digits, dot, dash, underscore."""
    return _NAME.fullmatch(text) is not None and ".." not in text


def is_docket(text: str) -> bool:
    """Whether a text can be a docket's name: a submission's id, or that and its agency, such as `Q-1~us.agency`."""
    identifier, mark, agency = text.partition("~")
    return is_name(identifier) and (not mark or is_name(agency))


def fresh(prefix: str) -> str:
    """A new random identifier such as `rel-3f9a…` with 128 bits of chance."""
    return f"{prefix}-{secrets.token_hex(16)}"


def folded(name: str) -> str:
    """A person's name as it is compared: its letters and digits alone, without marks and case, in the order of parts.

    `Ruiz, Ana` and `ana  ruíz` are one name. A name without any letter or digit stays as it is.
    """
    plain = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one)).casefold()
    parts = "".join(one if one.isalnum() else " " for one in plain).split()
    return " ".join(sorted(parts)) or name
