"""Deterministic archives: the same parts give the same bytes, and reading one trusts nothing it says.

POSIX ustar, parts in a fixed order, owned by nobody, dated 1970. A reader accepts exactly the expected names, once
each, as plain files, and nothing after them.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence

from gatehouse.kernel.errors import WrongInput


def pack(parts: Mapping[str, bytes]) -> bytes:
    """Put parts into an archive in the order given."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in parts.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            header.mode = 0o600
            archive.addfile(header, io.BytesIO(data))
    return buffer.getvalue()


def unpack(data: bytes, names: Sequence[str], *, where: str) -> dict[str, bytes]:
    """Take exactly these parts, in this order, from an archive; raises WrongInput on anything else."""
    parts: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for header in archive:
                if not header.isreg() or header.name in parts:
                    raise _foreign(where)
                stream = archive.extractfile(header)
                if stream is None:
                    raise _foreign(where)
                parts[header.name] = stream.read()
    except (tarfile.TarError, ValueError, EOFError, OSError) as broken:
        raise _foreign(where) from broken
    if tuple(parts) != tuple(names) or pack(parts) != data:
        raise _foreign(where)
    return parts


def _foreign(where: str) -> WrongInput:
    return WrongInput(
        "the archive does not contain exactly the required parts", where=where, remedy="Ask for a new copy"
    )
