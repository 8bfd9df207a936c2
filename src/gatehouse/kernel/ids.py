"""Identifiers: random where they must not be guessed, strict where they become file names."""

from __future__ import annotations

import re
import secrets

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)


def is_name(text: str) -> bool:
    """Whether a text is safe as an identifier and as a file name: ASCII letters, digits, dot, dash, underscore."""
    return _NAME.fullmatch(text) is not None and ".." not in text


def fresh(prefix: str) -> str:
    """A new random identifier such as `rel-3f9a…` with 128 bits of chance."""
    return f"{prefix}-{secrets.token_hex(16)}"
