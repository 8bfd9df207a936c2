"""How much a submission may be, and what reading it may take: every number of docs/submission.md that bounds intake.

The first group is about the sender's bytes: past it a submission is refused, with the place. The second bounds the
process that reads them: past it nothing is decided, because a machine that is short of something is no fault of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True)
class Limits:
    """Bounds of one submission; the defaults hold at every site."""

    files: int = 64
    """Files in a zip."""
    names: int = 256 << 10
    """Bytes of a zip's list of names: sixty-four names with all that may stand beside them are far less."""
    content: int = 4 * GIB
    """Bytes of all files of a zip, unpacked: above ten times the largest batch on record."""
    ratio: int = 200
    """Unpacked to packed, for a file above a megabyte; text of requests packs to a tenth."""
    manifest: int = 16 * MIB
    """Bytes of submission.json: fifty thousand officers."""
    signature: int = 4096
    rows: int = 12_800_000
    """Requests: ten times the largest batch on record."""
    row: int = 8 << 10
    """Bytes of a request on average over its table; a single one may have `wire.MAX_ROW`."""
    breaks: int = 16
    """Lines of a request on average over its table."""
    spare_text: int = MIB
    spare_lines: int = 1_000
    """What a table may have beyond that, so that few requests may be unlike the average."""

    memory: int = 3 * GIB
    """Bytes that DuckDB may use for reading; the process may address twice as much and `beside`."""
    beside: int = 3 * GIB
    """Bytes beside DuckDB's own: the program, threads, and texts on their way through."""
    seconds: int = 300
    """Seconds of processor time, and one more for every `pace` bytes unpacked."""
    pace: int = 1 * MIB

    def text(self, rows: int) -> int:
        """Bytes of a table of so many requests."""
        return rows * self.row + self.spare_text

    def lines(self, rows: int) -> int:
        """Lines of a table of so many requests."""
        return rows * self.breaks + self.spare_lines

    @property
    def addressable(self) -> int:
        """Bytes that the reading process may address."""
        return 2 * self.memory + self.beside

    def time(self, size: int) -> int:
        """Seconds of processor time for so many bytes."""
        return self.seconds + size // self.pace


LIMITS = Limits()
