"""The documented exchange of August 2025 as the replay wrote it down, for its page."""

from __future__ import annotations


def read():
    return None
