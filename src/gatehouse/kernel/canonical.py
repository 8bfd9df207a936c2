"""Canonical JSON: one value, one byte string, so that digests and signatures mean the same everywhere.

Follows RFC 8785 for the values Gatehouse uses: objects with text keys, arrays, text, integers, booleans and null.
Floating-point numbers are refused, because their text is where implementations disagree.
"""

from __future__ import annotations

import json
from typing import Any


def _refuse_floats(value: Any) -> None:  # noqa: ANN401 - any JSON value
    if isinstance(value, float):
        raise TypeError("canonical JSON holds no floating-point numbers")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError("canonical JSON keys are text")
            _refuse_floats(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)


def encode(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Encode a JSON value as canonical UTF-8 bytes without a final newline (RFC 8785).

    Keys are sorted by UTF-16 code units as the RFC asks. Raises TypeError on floats and on keys that are not text.
    """
    _refuse_floats(value)
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _ordered(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=lambda k: k.encode("utf-16-be"))}
    if isinstance(value, list | tuple):
        return [_ordered(inner) for inner in value]
    return value
