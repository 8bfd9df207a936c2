"""The one site of the doors, from support/doors.py, and the browsers' site of a file, from support/browsing.py."""

from __future__ import annotations

from browsing import built, chromium, person, released, served
from doors import anyone, said, signed_in, site
from world import kept_in, made_once, world

__all__ = [
    "anyone", "built", "chromium", "kept_in", "made_once", "person", "released", "said", "served", "signed_in", "site",
    "world",
]  # fmt: skip
