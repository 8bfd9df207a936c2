"""What may go into a ledger behind a receipt: exactly the batch that it names, one entry a request, in row order.

Pure, and in columns of bytes: whoever writes the ledger asks it of entries that somebody else made.
"""

from __future__ import annotations

import sys
from array import array

from gatehouse.kernel.errors import AnswerIsNo
from gatehouse.ledger.entries import Received
from gatehouse.ledger.opening import BATCH_BYTES, ENTRY_BYTES, VERSION

_SEQ = 1 + BATCH_BYTES
_SEQ_BYTES = 4


def check(received: Received, index: int, packed: bytes) -> None:
    """See that packed entries are the determinations that a receipt names, which is to stand at `index`.

    Raises AnswerIsNo when their number, batch, order or place is another one.
    """
    where = received.docket
    if received.first != index + 1:
        raise AnswerIsNo("the receipt names a different place for its determinations", where=where)
    if len(packed) != received.requests * ENTRY_BYTES or not packed:
        raise AnswerIsNo("the number of determinations differs from the receipt", where=where)
    head = bytes([VERSION]) + bytes.fromhex(received.batch)
    if any(packed[at::ENTRY_BYTES] != bytes([value]) * received.requests for at, value in enumerate(head)):
        raise AnswerIsNo(
            "a determination belongs to a different batch from the one that the receipt names", where=where
        )
    rows = array("I", range(received.requests))
    if sys.byteorder == "little":
        rows.byteswap()
    numbers = rows.tobytes()
    if any(packed[_SEQ + at :: ENTRY_BYTES] != numbers[at::_SEQ_BYTES] for at in range(_SEQ_BYTES)):
        raise AnswerIsNo("the determinations are not in row order", where=where)


def split(packed: bytes) -> list[bytes]:
    """The entries one by one."""
    return [packed[at : at + ENTRY_BYTES] for at in range(0, len(packed), ENTRY_BYTES)]
