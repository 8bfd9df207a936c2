"""Exactly one person, or none: the register, its prepared index, and the comparison of requests with both.

A person's file is opened only where the address given is on it; name, address and every identifier given must agree,
with one person and no second. Whatever is in doubt agrees with nobody. See docs/matching.md.
"""

from __future__ import annotations

from gatehouse.match.index import Index, build, open_index
from gatehouse.match.register import Register, open_excerpt, open_register
from gatehouse.match.resolve import match

__all__ = ["Index", "Register", "build", "match", "open_excerpt", "open_index", "open_register"]
