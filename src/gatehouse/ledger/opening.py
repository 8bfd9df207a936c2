"""Openings: what an auditor is shown of one commitment, and how it is checked. Pure.

A record is a list of fields. Each field is one disclosure, the JSON text `["<salt>","<name>",<value>]`, and stands in
the record as the SHA-256 of that text, in the construction of RFC 9901 (selective disclosure) without its base64. The
record's root is the SHA-256 of the JSON text that lists the digests. Showing some fields leaves the others hidden
behind their salts; whoever destroys the salts leaves the digests standing for nothing that can be found.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gatehouse.kernel import canonical
from gatehouse.kernel.errors import AnswerIsNo, WrongInput

FORMAT = "gatehouse-opening/1"
VERSION = 1
ENTRY_BYTES = 53
PACKED_BYTES = 2 + ENTRY_BYTES  # in a bundle, behind its length
BATCH_BYTES = 16
_MAX_OPENING = 1 << 20
_MAX_FIELDS = 64
_SALT = re.compile(r"[0-9a-f]{32}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_BATCH = re.compile(r"[0-9a-f]{32}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def is_field_name(name: str) -> bool:
    """Whether a text may name a field: lower-case ASCII letters, digits and underscores, at most 64."""
    return _NAME.fullmatch(name) is not None


def is_batch(text: object) -> bool:
    """Whether this is a batch's identifier: 32 lower-case hexadecimal digits."""
    return _matches(_BATCH, text)


def disclosure(salt: str, name: str, value: str) -> str:
    """The text that stands for one field; `value` is JSON text."""
    return f'["{salt}","{name}",{value}]'


def digest(text: str) -> str:
    """SHA-256 of a text's UTF-8 bytes, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def salts(key: str, count: int) -> list[str]:
    """The salts of a record's fields: the halves of SHA-256(`<key>:0`), SHA-256(`<key>:1`), … in order.

    The key is 64 hexadecimal digits of chance, and only the custodian has it.
    """
    blocks = [digest(f"{key}:{block}") for block in range((count + 1) // 2)]
    return [block[half : half + 32] for block in blocks for half in (0, 32)][:count]


@dataclass(frozen=True)
class Opening:
    """One record with some of its fields shown: enough to make the ledger's entry again."""

    batch: str
    seq: int
    digests: tuple[str, ...]
    shown: tuple[str, ...]

    @property
    def entry(self) -> bytes:
        """The ledger's entry: version, batch (16), sequence number (4, big-endian), root (32)."""
        root = hashlib.sha256(('["' + '","'.join(self.digests) + '"]').encode()).digest()
        return bytes([VERSION]) + bytes.fromhex(self.batch) + self.seq.to_bytes(4, "big") + root

    def fields(self) -> dict[str, Any]:
        """The fields that are shown, by name; raises AnswerIsNo when one does not belong to this record."""
        found: dict[str, Any] = {}
        for text in self.shown:
            if digest(text) not in self.digests:
                raise AnswerIsNo("a field shown does not belong to the record")
            name, value = _field(text)
            if name in found:
                raise AnswerIsNo("a field is shown twice")
            found[name] = value
        return found

    def only(self, names: Collection[str]) -> Opening:
        """The same record with no other fields shown than these."""
        kept = tuple(text for text in self.shown if _field(text)[0] in names)
        return Opening(self.batch, self.seq, self.digests, kept)

    def encode(self) -> bytes:
        """The opening as canonical JSON."""
        return canonical.encode(
            {"format": FORMAT, "batch": self.batch, "seq": self.seq, "digests": self.digests, "shown": self.shown}
        )

    @classmethod
    def parse(cls, data: bytes, *, where: str = "opening") -> Opening:
        """Read an opening's JSON; raises WrongInput when its form is wrong. `fields` then checks the substance."""
        wrong = WrongInput(f"this is not an opening of the format {FORMAT}", where=where)
        value = _json(data, wrong) if len(data) <= _MAX_OPENING else None
        if not isinstance(value, dict) or set(value) != {"format", "batch", "seq", "digests", "shown"}:
            raise wrong
        batch, seq, digests, shown = value["batch"], value["seq"], value["digests"], value["shown"]
        if value["format"] != FORMAT or not _matches(_BATCH, batch) or type(seq) is not int or not 0 <= seq < 2**32:
            raise wrong
        if not isinstance(digests, list) or not isinstance(shown, list) or not 0 < len(digests) <= _MAX_FIELDS:
            raise wrong
        if not all(_matches(_DIGEST, item) for item in digests) or not all(isinstance(item, str) for item in shown):
            raise wrong
        if len(shown) > len(digests) or any(not item.isprintable() and "\n" in item for item in shown):
            raise wrong
        return cls(batch, seq, tuple(digests), tuple(shown))


def make(batch: str, seq: int, key: str, fields: Mapping[str, str]) -> Opening:
    """A whole record, all fields shown. `fields` are names and JSON texts, in the record's order."""
    drawn = zip(salts(key, len(fields)), fields.items(), strict=True)
    shown = tuple(disclosure(salt, name, value) for salt, (name, value) in drawn)
    return Opening(batch, seq, tuple(digest(text) for text in shown), shown)


def _field(text: str) -> tuple[str, Any]:
    wrong = AnswerIsNo("a field shown is not in the form of a disclosure")
    value = _json(text.encode("utf-8", "surrogatepass"), wrong)
    if not isinstance(value, list) or len(value) != 3 or not _matches(_SALT, value[0]) or not _matches(_NAME, value[1]):
        raise wrong
    return value[1], value[2]


def _json(data: bytes, wrong: Exception) -> Any:  # noqa: ANN401 - any JSON value
    def refuse(_: str) -> None:
        raise ValueError

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        return json.loads(data.decode(), parse_constant=refuse, parse_float=refuse, object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise wrong from None


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
