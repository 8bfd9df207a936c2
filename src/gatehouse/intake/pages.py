"""The headers of Parquet pages, read before any page is: what they claim must fit into what the footer states.

A reader makes room for as much as a header claims, so that one lying number in a small file asks for gigabytes. Only
sizes and counts are looked at (Thrift's compact protocol, as the Parquet format has it); no page is unpacked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MOST_HEADER = 64 << 10
"""Bytes of one header; statistics of a column with long texts are the longest part of it."""
_MOST_PAGES = 200_000
_VALUES = {0: 5, 2: 7, 3: 8}
"""By type of page (data, dictionary, data of the second form): the field of its own header."""


class Lies(Exception):  # noqa: N818 - says what was found
    """A header claims what cannot be, or is none; of the pages of which column, where that is known."""

    column: str | None = None


@dataclass(frozen=True)
class Chunk:
    """The values of one column in one group of rows, as the footer states them."""

    column: str
    begins: int
    packed: int
    unpacked: int
    values: int


def check(path: Path, chunks: Iterable[Chunk]) -> None:
    """Raise Lies where the pages of a file do not fit into the chunks that its footer states."""
    seen = 0
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        for chunk in chunks:
            try:
                if min(chunk.begins, chunk.packed, chunk.unpacked, chunk.values) < 0:
                    raise Lies
                if chunk.begins + chunk.packed > size:
                    raise Lies
                seen = _check_chunk(stream, chunk, seen)
            except Lies as lies:
                lies.column = chunk.column
                raise


def _check_chunk(stream: BinaryIO, chunk: Chunk, seen: int) -> int:
    at, end, unpacked, values = chunk.begins, chunk.begins + chunk.packed, 0, 0
    while at < end and values < chunk.values:
        seen += 1
        stream.seek(at)
        header = _Header(stream.read(min(_MOST_HEADER, end - at)))
        kind, whole, packed, count = header.page()
        unpacked += whole
        values += count if kind in {0, 3} else 0
        at += header.at + packed
        if packed < 0 or whole < 0 or count < 0 or at > end or unpacked > chunk.unpacked or values > chunk.values:
            raise Lies
        if seen > _MOST_PAGES:
            raise Lies
    return seen


class _Header:
    """One header in Thrift's compact protocol; `at` is where it ends."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def page(self) -> tuple[int, int, int, int]:
        """Its type, its size unpacked and packed, and how many values it claims."""
        fields = self._struct(0)
        kind, whole, packed = fields.get(1), fields.get(2), fields.get(3)
        if not (isinstance(kind, int) and isinstance(whole, int) and isinstance(packed, int)):
            raise Lies
        own = fields.get(_VALUES.get(kind, -1), {})
        count = own.get(1, 0) if isinstance(own, dict) else 0
        return kind, whole, packed, count if isinstance(count, int) else 0

    def _byte(self) -> int:
        if self.at >= len(self._data):
            raise Lies
        self.at += 1
        return self._data[self.at - 1]

    def _plain(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise Lies

    def _number(self) -> int:
        value = self._plain()
        return (value >> 1) ^ -(value & 1)

    def _length(self) -> int:
        value = self._plain()
        if value > len(self._data) - self.at:
            raise Lies
        return value

    def _struct(self, depth: int) -> dict[int, object]:
        if depth > 4:
            raise Lies
        fields: dict[int, object] = {}
        known = 0
        while (first := self._byte()) != 0:
            step, kind = first >> 4, first & 0x0F
            known = known + step if step else self._number()
            fields[known] = self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> object:  # noqa: PLR0911 - one line a kind
        if kind in {1, 2}:
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in {4, 5, 6}:
            return self._number()
        if kind == 7:
            self.at += 8
            return None
        if kind == 8:
            self.at += self._length()
            return None
        if kind in {9, 10}:
            self._list(depth)
            return None
        if kind == 12:
            return self._struct(depth + 1)
        raise Lies

    def _list(self, depth: int) -> None:
        first = self._byte()
        count = first >> 4 if first >> 4 < 15 else self._length()
        for _ in range(count):
            if first & 0x0F in {1, 2}:  # in a list a truth is a byte
                self._byte()
            else:
                self._value(first & 0x0F, depth + 1)
