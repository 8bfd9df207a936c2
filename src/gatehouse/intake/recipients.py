"""Which texts name a key that a release can be sealed to: age recipients, of software, hardware and post-quantum keys.

`age1…` is an X25519 key; `age1tag1…` a P-256 key, and `age1tagpq1…` a P-256 and ML-KEM-768 key together, usually in
hardware (c2sp.org/age). Post-quantum keys in software (`age1pq1…`) are not among them: the library has none yet.
"""

from __future__ import annotations

from typing import Any

from gatehouse.kernel.errors import WrongInput

KINDS = {"age1tagpq1": "tagpq", "age1tag1": "tag", "age1": "x25519"}
"""How a recipient begins → the module of pyrage that reads it; the first that fits."""


def parse(text: str, *, where: str = "") -> Any:  # noqa: ANN401 - pyrage has no common recipient type
    """The recipient that a text names. Raises WrongInput when it is none."""
    import pyrage

    kind = next((module for prefix, module in KINDS.items() if text.startswith(prefix)), "x25519")
    try:
        return getattr(pyrage, kind).Recipient.from_str(text)
    except Exception as wrong:
        raise WrongInput(
            "this is not an age recipient", where=where, remedy="An age recipient begins with age1"
        ) from wrong
